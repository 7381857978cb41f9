//! The values that go into and come out of a log.

use std::cmp::Ordering;
use std::path::PathBuf;

use super::DamagedPlace;
use crate::storage::FileRange;

/// A batch border: an offset and where it stands on disk. Ordered by offset alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogPosition {
    pub offset: i64,
    /// Base offset of the segment that holds it.
    pub segment_base: i64,
    /// Bytes from the start of that segment.
    pub position: u64,
}

impl PartialEq for LogPosition {
    fn eq(&self, other: &LogPosition) -> bool {
        self.offset == other.offset
    }
}

impl Eq for LogPosition {}

impl PartialOrd for LogPosition {
    fn partial_cmp(&self, other: &LogPosition) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for LogPosition {
    fn cmp(&self, other: &LogPosition) -> Ordering {
        self.offset.cmp(&other.offset)
    }
}

/// How the last run ended, and with it what may be believed of files that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastStop {
    /// `.kafka_cleanshutdown` was there: everything was synced, nothing needs scanning.
    Clean,
    /// The process died and the machine did not: the page cache holds every write that returned, synced or not. Only
    /// the very last write of a log may be torn.
    Process,
    /// The machine stopped, or nobody can tell that it did not: below the recovery point everything is there, above
    /// it anything may be lost or torn.
    Machine,
}

/// How the log was left behind, as the files in the root of its log directory tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    pub stop: LastStop,
    /// Everything below it was synced (`recovery-point-offset-checkpoint`; 0 when unknown). After a clean stop it is
    /// where the log ends (`i64::MAX` when unknown).
    pub recovery_point: i64,
    /// First offset that clients may read (`log-start-offset-checkpoint`; 0 when unknown).
    pub start_offset: i64,
    /// Compaction had come so far (`cleaner-offset-checkpoint`; 0 when unknown).
    pub clean_until: i64,
}

impl Opening {
    /// After a clean stop, or a log that is new.
    pub const CLEAN: Opening =
        Opening { stop: LastStop::Clean, recovery_point: i64::MAX, start_offset: 0, clean_until: 0 };

    /// After a crash of the machine, with everything below `recovery_point` known to be synced.
    pub const fn unclean(recovery_point: i64) -> Opening {
        Opening { stop: LastStop::Machine, recovery_point, start_offset: 0, clean_until: 0 }
    }

    /// After a crash of the process alone.
    pub const fn killed(recovery_point: i64) -> Opening {
        Opening { stop: LastStop::Process, recovery_point, start_offset: 0, clean_until: 0 }
    }

    pub(super) fn is_clean(&self) -> bool {
        self.stop == LastStop::Clean
    }
}

/// What opening found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The directory had no segment.
    pub created: bool,
    /// Bytes of log read with their CRC checked.
    pub scanned_bytes: u64,
    /// Base offsets of the segments whose indexes were built again.
    pub rebuilt_indexes: Vec<i64>,
    /// The tails that recovery cut off.
    pub cut: Vec<CutBytes>,
    /// Files that were not what was written, and were made anew or done without.
    pub damaged: Vec<DamagedPlace>,
    /// There is a producer snapshot, whole or not.
    pub has_snapshot: bool,
}

/// Bytes that recovery took out of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CutBytes {
    /// The segment file they stood in.
    pub file: PathBuf,
    /// Where in that file they began.
    pub position: u64,
    pub len: u64,
    /// The file that keeps them.
    pub kept_as: PathBuf,
    pub reason: String,
}

/// One batch, ready to be written: offsets, leader epoch and timestamps are final in its bytes.
#[derive(Clone, Copy, Debug)]
pub struct AppendBatch<'a> {
    pub bytes: &'a [u8],
    /// Offset of its last record.
    pub last_offset: i64,
    pub max_timestamp: i64,
}

/// What one write is going to add.
#[derive(Clone, Copy, Debug)]
pub struct AppendSize {
    pub bytes: u64,
    /// Offset of its last record.
    pub last_offset: i64,
    pub max_timestamp: i64,
}

/// Where an append went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendOutcome {
    /// The first batch appended.
    pub first_position: LogPosition,
    /// A segment was closed on the way: it should be synced soon, off the request path.
    pub rolled: Option<RolledSegment>,
}

/// A segment that takes no more appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RolledSegment {
    pub base_offset: i64,
    /// Exclusive; base offset of the segment that follows.
    pub end_offset: i64,
}

/// Whole batches for a reader, cut off where the limits say: the last one may be partial.
#[derive(Clone, Debug)]
pub struct ReadRange {
    /// May be empty (`len` 0).
    pub range: FileRange,
    /// Base offset of the first batch, which contains the offset asked for; that offset itself when the range is empty.
    pub first_batch_base: i64,
    /// Bytes of the first batch; 0 when the range is empty.
    pub first_batch_len: u64,
}

/// What a client may have of a read.
#[derive(Clone, Debug)]
pub struct CheckedRead {
    /// Empty when it is cold.
    pub read: ReadRange,
    /// The offset around which bytes are to be checked first (`Log::cold_job`).
    pub cold: Option<i64>,
    /// The range ends because what follows is not checked yet, or damaged, or not in memory.
    pub clipped: bool,
    /// Where to check next, before the reader gets there.
    pub ahead: Option<i64>,
}

/// A record found by its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampOffset {
    pub timestamp: i64,
    pub offset: i64,
    /// −1 when the batch has none.
    pub leader_epoch: i32,
}
