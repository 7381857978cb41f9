//! What the partitions of a log directory were when a clean stop closed them, in one file: written before the mark of
//! that stop, and taken away with it by the start that comes after. Without it, or where it does not fit any more, a log
//! is opened file by file.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use millrace_record::crc::crc32c;

use crate::log::{LogSummary, producer_snapshot};
use crate::partition::ClosedPartition;
use crate::storage::Storage;
use crate::uuid::Uuid;

pub(super) const SUMMARIES_FILE: &str = ".millrace_closed_logs";

const VERSION: u8 = 0;

/// By the name of the partition's directory.
pub(super) type Summaries = HashMap<String, ClosedPartition>;

/// Says how every log of `log_dir` was left that the next start need not open, if there is one.
pub(super) fn write(
    storage: &dyn Storage,
    log_dir: &Path,
    left: &[(String, ClosedPartition)],
) -> io::Result<()> {
    if left.is_empty() {
        return Ok(());
    }
    let mut out = vec![VERSION];
    for (name, partition) in left {
        put(&mut out, name.as_bytes());
        out.extend_from_slice(partition.topic_id.as_bytes());
        let mut log = Vec::new();
        partition.log.encode(&mut log);
        put(&mut out, &log);
        put(&mut out, &producer_snapshot::encode(&partition.producers));
    }
    out.extend_from_slice(&crc32c(&out).to_be_bytes());
    storage.write_atomic(&log_dir.join(SUMMARIES_FILE), &out)
}

/// What stands in the file, which is removed; syncing the directory is the caller's. `None` without one, `InvalidData`
/// (once it is removed) when it is not what was written.
pub(super) fn take(storage: &dyn Storage, log_dir: &Path) -> io::Result<Option<Summaries>> {
    let path = log_dir.join(SUMMARIES_FILE);
    let contents = match storage.read_to_vec(&path) {
        Ok(contents) => contents,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    storage.remove_file(&path)?;
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "not what the clean stop wrote");
    decode(&contents).map(Some).ok_or_else(malformed)
}

fn decode(contents: &[u8]) -> Option<Summaries> {
    let (body, crc) = contents.split_last_chunk()?;
    let (version, mut rest) = body.split_first()?;
    if crc32c(body) != u32::from_be_bytes(*crc) || *version != VERSION {
        return None;
    }
    let mut summaries = Summaries::new();
    while !rest.is_empty() {
        let name = std::str::from_utf8(take_bytes(&mut rest)?).ok()?.to_owned();
        let (id, after) = rest.split_first_chunk()?;
        rest = after;
        let log = LogSummary::decode(take_bytes(&mut rest)?)?;
        let producers = producer_snapshot::decode(take_bytes(&mut rest)?).ok()?;
        summaries.insert(name, ClosedPartition { topic_id: Uuid(*id), log, producers });
    }
    Some(summaries)
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(bytes);
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (len, after) = rest.split_first_chunk()?;
    let (bytes, after) = after.split_at_checked(u32::from_be_bytes(*len) as usize)?;
    *rest = after;
    Some(bytes)
}
