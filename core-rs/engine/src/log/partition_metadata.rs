//! `partition.metadata` in a partition's directory: which topic id the files belong to.

use std::io::{self, IoSlice};
use std::path::Path;

use crate::storage::Storage;
use crate::uuid::Uuid;

pub const PARTITION_METADATA_FILE: &str = "partition.metadata";

/// Durably writes the topic id into the partition directory `dir`.
pub fn write(storage: &dyn Storage, dir: &Path, topic_id: Uuid) -> io::Result<()> {
    storage.write_atomic(&dir.join(PARTITION_METADATA_FILE), text(topic_id).as_bytes())
}

/// The same without waiting for the disk, in a directory that has no valid one: the log's first sync covers it
/// (`Log::open`). Until then a crash of the machine may leave it empty or take it away.
pub fn create(storage: &dyn Storage, dir: &Path, topic_id: Uuid) -> io::Result<()> {
    let path = dir.join(PARTITION_METADATA_FILE);
    let file = match storage.create(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            storage.remove_file(&path)?;
            storage.create(&path)?
        }
        created => created?,
    };
    file.write_at(0, &[IoSlice::new(text(topic_id).as_bytes())])
}

fn text(topic_id: Uuid) -> String {
    format!("version: 0\ntopic_id: {topic_id}")
}

/// The topic id in `dir`; `None` without the file, `InvalidData` when it is malformed.
pub fn read(storage: &dyn Storage, dir: &Path) -> io::Result<Option<Uuid>> {
    let contents = match storage.read_to_vec(&dir.join(PARTITION_METADATA_FILE)) {
        Ok(contents) => contents,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "malformed partition.metadata");
    let mut lines = std::str::from_utf8(&contents).map_err(|_| malformed())?.lines();
    if lines.next().map(str::trim) != Some("version: 0") {
        return Err(malformed());
    }
    let id = lines.next().and_then(|line| line.strip_prefix("topic_id: ")).ok_or_else(malformed)?;
    id.trim().parse().map(Some).map_err(|_| malformed())
}
