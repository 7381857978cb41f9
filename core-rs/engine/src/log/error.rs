//! What can go wrong with a log. Faults (`is_fault`) mean that the disk or its contents cannot be trusted any more.

use std::io;
use std::path::PathBuf;

use crate::storage::is_full;

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk refused.
    #[error("{path}: {source}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    /// There is no room on the disk. The log is as it was before the attempt, which may be made again.
    #[error("{path}: {source}", path = path.display())]
    Full { path: PathBuf, source: io::Error },
    /// Bytes that were once synced are not what was written.
    #[error("{path} is corrupt at byte {position}: {reason}", path = path.display())]
    Corrupt { path: PathBuf, position: u64, reason: String },
    /// Asked for an offset outside `start..=end`.
    #[error("offset {offset} is outside {start}..={end}")]
    OffsetOutOfRange { offset: i64, start: i64, end: i64 },
    /// One append is larger than a segment may be.
    #[error("{bytes} bytes do not fit a segment of {limit}")]
    AppendTooLarge { bytes: u64, limit: u64 },
    /// The caller assigned offsets that do not follow the end of the log.
    #[error("a batch at offset {offset} cannot follow log end {end}")]
    OutOfOrder { offset: i64, end: i64 },
    /// What was to be appended is not one whole batch.
    #[error("not a batch: {0}")]
    InvalidBatch(#[source] millrace_record::BatchError),
    /// An earlier write or sync failed; the log takes nothing more until it is opened anew.
    #[error("the log is offline after a disk fault")]
    Offline,
}

impl LogError {
    /// The same, where an attempt to write that only lacked room has changed nothing.
    pub(super) fn or_full(self) -> LogError {
        match self {
            LogError::Io { path, source } if is_full(&source) => LogError::Full { path, source },
            other => other,
        }
    }

    /// An attempt that only lacked room.
    pub fn is_full(&self) -> bool {
        match self {
            LogError::Full { .. } => true,
            LogError::Io { source, .. } => is_full(source),
            _ => false,
        }
    }

    /// A fault of disk or contents, as opposed to a request that cannot be served.
    pub fn is_fault(&self) -> bool {
        matches!(self, LogError::Io { .. } | LogError::Corrupt { .. } | LogError::Offline)
    }
}
