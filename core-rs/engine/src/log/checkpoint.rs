//! Kafka's text checkpoints: a version line, a count line, then one entry per line.
//! Offset checkpoints stand in a log directory's root, the leader epoch checkpoint in each partition's directory.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::storage::Storage;

pub const RECOVERY_POINT_FILE: &str = "recovery-point-offset-checkpoint";
pub const REPLICATION_OFFSET_FILE: &str = "replication-offset-checkpoint";
pub const LOG_START_OFFSET_FILE: &str = "log-start-offset-checkpoint";
pub const CLEANER_OFFSET_FILE: &str = "cleaner-offset-checkpoint";
pub const LEADER_EPOCH_FILE: &str = "leader-epoch-checkpoint";

/// One line of an offset checkpoint: `topic partition offset`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionOffset {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
}

/// One line of a leader epoch checkpoint: `epoch startOffset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochStart {
    pub epoch: i32,
    pub start_offset: i64,
}

/// The entries of an offset checkpoint; none when the file is missing or empty. `InvalidData` when it is malformed.
pub fn read_offsets(storage: &dyn Storage, path: &Path) -> io::Result<Vec<PartitionOffset>> {
    read(storage, path, |line| {
        let mut words = line.split_ascii_whitespace();
        let topic = words.next()?.to_owned();
        let (partition, offset) = (number(words.next())?, number(words.next())?);
        words.next().is_none().then_some(PartitionOffset { topic, partition, offset })
    })
}

/// Replaces an offset checkpoint, durably.
pub fn write_offsets(storage: &dyn Storage, path: &Path, entries: &[PartitionOffset]) -> io::Result<()> {
    let line = |entry: &PartitionOffset| format!("{} {} {}", entry.topic, entry.partition, entry.offset);
    storage.write_atomic(path, text(entries, line).as_bytes())
}

/// The entries of a leader epoch checkpoint; none when the file is missing or empty. `InvalidData` when it is
/// malformed or its epochs do not rise.
pub fn read_epochs(storage: &dyn Storage, path: &Path) -> io::Result<Vec<EpochStart>> {
    let entries: Vec<EpochStart> = read(storage, path, |line| {
        let mut words = line.split_ascii_whitespace();
        let (epoch, start_offset) = (number(words.next())?, number(words.next())?);
        words.next().is_none().then_some(EpochStart { epoch, start_offset })
    })?;
    let rises = |(one, next): (&EpochStart, &EpochStart)| {
        one.epoch < next.epoch && one.start_offset < next.start_offset
    };
    match entries.iter().zip(entries.iter().skip(1)).all(rises) {
        true => Ok(entries),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "leader epochs that do not rise")),
    }
}

/// Replaces a leader epoch checkpoint, durably.
pub fn write_epochs(storage: &dyn Storage, path: &Path, entries: &[EpochStart]) -> io::Result<()> {
    storage.write_atomic(path, text(entries, epoch_line).as_bytes())
}

/// Writes what is to replace a leader epoch checkpoint; the path to be renamed once that is durable.
pub fn write_epochs_beside(
    storage: &dyn Storage,
    path: &Path,
    entries: &[EpochStart],
) -> io::Result<PathBuf> {
    storage.write_beside(path, text(entries, epoch_line).as_bytes()).map(|(temporary, _)| temporary)
}

fn epoch_line(entry: &EpochStart) -> String {
    format!("{} {}", entry.epoch, entry.start_offset)
}

fn number<T: FromStr>(word: Option<&str>) -> Option<T> {
    word?.parse().ok()
}

fn read<T>(storage: &dyn Storage, path: &Path, parse: impl Fn(&str) -> Option<T>) -> io::Result<Vec<T>> {
    let contents = match storage.read_to_vec(path) {
        Ok(contents) => contents,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    if contents.is_empty() {
        return Ok(Vec::new());
    }
    parse_entries(&contents, parse).ok_or_else(|| {
        let message = format!("{} is not a checkpoint of version 0", path.display());
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

fn parse_entries<T>(contents: &[u8], parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let mut lines = std::str::from_utf8(contents).ok()?.lines();
    if lines.next()?.trim() != "0" {
        return None;
    }
    let count: usize = lines.next()?.trim().parse().ok()?;
    let entries: Vec<T> = lines.map(parse).collect::<Option<_>>()?;
    (entries.len() == count).then_some(entries)
}

fn text<T>(entries: &[T], line: impl Fn(&T) -> String) -> String {
    let mut text = format!("0\n{}\n", entries.len());
    for entry in entries {
        text.push_str(&line(entry));
        text.push('\n');
    }
    text
}
