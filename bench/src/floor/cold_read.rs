//! One thread that reads a file in order which is not in memory, with all of the kernel's reading ahead: what the disk
//! gives to a single reader, whoever passes it on.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::Instant;

use rustix::fs::{Advice, fadvise};
use serde::Deserialize;

use crate::cpu::thread_seconds;
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

const PIECE: usize = 1 << 20;
const GIB: f64 = (1u64 << 30) as f64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    /// Written, and removed at the end.
    file: PathBuf,
    bytes: u64,
}

/// Result: `gibPerSecond`, `cpuSecondsPerGiB`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let mut piece = vec![7u8; PIECE];
    let count = options.bytes.div_ceil(PIECE as u64).max(1);
    let mut written = File::create(&options.file)?;
    (0..count).try_for_each(|_| written.write_all(&piece))?;
    written.sync_all()?;
    fadvise(&written, 0, None, Advice::DontNeed)?;
    let file = File::open(&options.file)?;
    let (started, used) = (Instant::now(), thread_seconds());
    (0..count).try_for_each(|at| file.read_exact_at(&mut piece, at * PIECE as u64))?;
    let gib = (count * PIECE as u64) as f64 / GIB;
    let (seconds, used) = (started.elapsed().as_secs_f64(), thread_seconds() - used);
    std::fs::remove_file(&options.file)?;
    Ok(figures([("gibPerSecond", gib / seconds), ("cpuSecondsPerGiB", used / gib)]))
}
