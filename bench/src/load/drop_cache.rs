//! Makes a topic cold: what it has on disk is synced and leaves the page cache.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Advice, fadvise};
use serde::Deserialize;

use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    /// Everything below it.
    folder: Option<PathBuf>,
    /// Or: the partitions of `topic` that this broker has files of open.
    pid: Option<u32>,
    topic: Option<String>,
}

/// Result: `files`, `bytes`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let folders = match (options.folder, options.pid, options.topic) {
        (Some(folder), None, None) => BTreeSet::from([folder]),
        (None, Some(pid), Some(topic)) => partition_folders(pid, &topic)?,
        _ => return Err("options: either folder, or pid and topic".into()),
    };
    if folders.is_empty() {
        return Err("topic: the broker has none of its files open".into());
    }
    let (mut files, mut bytes) = (0, 0);
    let mut left: Vec<PathBuf> = folders.into_iter().collect();
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(
                fs::read_dir(&path)?
                    .map(|entry| entry.map(|entry| entry.path()))
                    .collect::<Result<Vec<_>, _>>()?,
            );
        } else {
            bytes += drop_file(&path)?;
            files += 1;
        }
    }
    Ok(figures([("files", f64::from(files)), ("bytes", bytes as f64)]))
}

fn drop_file(path: &Path) -> io::Result<u64> {
    let file = File::open(path)?;
    file.sync_all()?;
    fadvise(&file, 0, None, Advice::DontNeed)?;
    Ok(file.metadata()?.len())
}

/// The folders of the topic's partitions, as far as the process has files in them open.
fn partition_folders(pid: u32, topic: &str) -> io::Result<BTreeSet<PathBuf>> {
    let prefix = format!("{topic}-");
    let mut folders = BTreeSet::new();
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        // A descriptor may be closed meanwhile.
        let Ok(open) = fs::read_link(entry?.path()) else { continue };
        let Some(folder) = open.parent() else { continue };
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.strip_prefix(&prefix).is_some_and(|index| index.parse::<u32>().is_ok()) {
            folders.insert(folder.to_path_buf());
        }
    }
    Ok(folders)
}
