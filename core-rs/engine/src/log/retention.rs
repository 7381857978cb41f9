//! Which segments a log need no longer keep, as a pure function of what they hold, the topic's policy and the time;
//! and taking those segments out. When to ask, and making the new log start durable in between, is the caller's.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::durability::snapshot_offsets;
use super::folder::{LOG, SEGMENT_FILES, SNAPSHOT};
use super::log::Log;
use super::{LogError, RolledSegment};
use crate::storage::{Storage, with_suffix};
use crate::time::Now;

/// What an expired file is called until it is removed (Kafka's `LogFileUtils.DELETED_FILE_SUFFIX`).
pub(super) const DELETED: &str = ".deleted";

/// How long a topic keeps its segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// `cleanup.policy` contains `delete`: without it neither age nor size removes anything.
    pub deletes: bool,
    /// `retention.ms`; negative = for ever.
    pub retention_ms: i64,
    /// `retention.bytes`; negative = any size.
    pub retention_bytes: i64,
}

/// One segment, as far as retention looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentFacts {
    /// Exclusive: the base offset of the segment that follows, or the end of the log.
    pub end_offset: i64,
    /// Bytes of batches.
    pub size: u64,
    /// Its largest timestamp, ms; of a segment without timestamps, when it was made.
    pub largest_timestamp: i64,
    /// It takes the appends.
    pub active: bool,
}

/// The log as a whole, at the moment of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogFacts {
    /// Bytes of all segments.
    pub size: u64,
    pub start_offset: i64,
    pub high_watermark: i64,
}

/// The segments that may go: all that end at or below `start_offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The log start offset from now on, never above the high watermark.
    pub start_offset: i64,
    /// The active segment is among them: it has to be rolled first.
    pub with_active: bool,
}

/// Kafka's `deleteOldSegments`: from the oldest on, segments wholly below the log start, those that the log can do
/// without and still hold `retention.bytes`, and those whose largest timestamp is older than `retention.ms`; up to
/// the first that none of this holds for, and none that the high watermark has not passed. An active segment that
/// holds nothing stays. `segments` are taken oldest first and no further than needed.
pub fn expired<E>(
    segments: impl IntoIterator<Item = Result<SegmentFacts, E>>,
    log: LogFacts,
    policy: RetentionPolicy,
    now_ms: i64,
) -> Result<Option<Expired>, E> {
    let limit = u64::try_from(policy.retention_bytes).ok().filter(|_| policy.deletes);
    let age_limit = (policy.deletes && policy.retention_ms >= 0).then_some(policy.retention_ms);
    let mut excess = limit.and_then(|limit| log.size.checked_sub(limit));
    let mut expired = None;
    for segment in segments {
        let segment = segment?;
        let below_start = !segment.active && segment.end_offset <= log.start_offset;
        let left = excess.and_then(|excess| excess.checked_sub(segment.size));
        let too_old = age_limit.is_some_and(|limit| now_ms.saturating_sub(segment.largest_timestamp) > limit);
        let goes = below_start || left.is_some() || too_old;
        let holds_nothing = segment.active && segment.size == 0;
        if !goes || holds_nothing || segment.end_offset > log.high_watermark {
            break;
        }
        excess = left;
        let start_offset = segment.end_offset.max(log.start_offset);
        expired = Some(Expired { start_offset, with_active: segment.active });
    }
    Ok(expired)
}

/// Files of segments that left a log, under their last name; `run` removes them.
#[derive(Clone, Debug)]
pub struct ExpiredFiles {
    storage: Arc<dyn Storage>,
    files: Vec<PathBuf>,
}

impl ExpiredFiles {
    pub(super) fn new(storage: Arc<dyn Storage>, files: Vec<PathBuf>) -> ExpiredFiles {
        ExpiredFiles { storage, files }
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Files that are gone already, with their directory perhaps, are none of its business.
    pub fn run(&self) -> io::Result<()> {
        for file in &self.files {
            match self.storage.remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

impl Log {
    /// What the configuration lets go of at `now`; changes nothing. Reads the end of a time index for each segment
    /// that this log did not write itself, once.
    ///
    /// Errors: `Io`, `Offline`.
    pub fn expired(&mut self, high_watermark: i64, now: Now) -> Result<Option<Expired>, LogError> {
        self.check_online()?;
        let log = LogFacts { size: self.size(), start_offset: self.start_offset, high_watermark };
        let policy = self.config.retention;
        let (folder, end_offset) = (&self.folder, self.end_offset);
        let mut bases = self.segments.iter().skip(1).map(|segment| segment.base).collect::<Vec<_>>();
        bases.push(end_offset);
        let last = bases.len().saturating_sub(1);
        let facts = self.segments.iter_mut().zip(bases).enumerate().map(|(index, (segment, end_offset))| {
            Ok(SegmentFacts {
                end_offset,
                size: segment.size,
                largest_timestamp: segment.largest_timestamp(folder)?,
                active: index == last,
            })
        });
        expired(facts, log, policy, now.wall_ms)
    }

    /// Closes the active segment now, so that it can expire, and begins an empty one.
    ///
    /// Errors: `Full` changes nothing; `Io` takes the log offline; `Offline`.
    pub fn roll_active(&mut self, now: Now) -> Result<RolledSegment, LogError> {
        self.check_online()?;
        let rolled = self.roll_at(self.end_offset, now).map_err(LogError::or_full);
        if rolled.as_ref().is_err_and(|error| !error.is_full()) {
            self.take_offline();
        }
        rolled
    }

    /// Takes the segments that end at or below `offset` out of the log; their files get the suffix `.deleted` and
    /// are removed by what comes back, whenever the caller likes. Ranges that are being served keep their bytes.
    /// A log start offset of `offset` or above must be durable before this: a crash may undo any of the renames.
    ///
    /// Errors: `Io` takes the log offline; `Offline`.
    pub fn expire_below(&mut self, offset: i64) -> Result<ExpiredFiles, LogError> {
        self.check_online()?;
        let mut files = Vec::new();
        let result = self.rename_below(offset.min(self.start_offset), &mut files);
        if result.is_err() {
            self.take_offline();
        }
        result.map(|()| ExpiredFiles::new(Arc::clone(&self.folder.storage), files))
    }

    fn rename_below(&mut self, offset: i64, files: &mut Vec<PathBuf>) -> Result<(), LogError> {
        let expired = |segments: &[_]| {
            segments.get(1).is_some_and(|next: &super::segment::Segment| next.base <= offset)
        };
        if !expired(&self.segments) {
            return Ok(());
        }
        while expired(&self.segments) {
            let base = self.segments.remove(0).base;
            for extension in SEGMENT_FILES {
                self.set_aside(base, extension, files)?;
            }
        }
        let first_base = self.segments.first().map_or(self.end_offset, |first| first.base);
        let snapshots = snapshot_offsets(&self.folder)?;
        // The newest is all that is known of the producers, wherever it was taken.
        let newest = snapshots.last().copied();
        for snapshot in snapshots.into_iter().filter(|at| *at < first_base && Some(*at) != newest) {
            self.set_aside(snapshot, SNAPSHOT, files)?;
        }
        self.folder.forget_page();
        self.unsynced.dir(&self.folder.dir);
        Ok(())
    }

    pub(super) fn set_aside(
        &self,
        offset: i64,
        extension: &'static str,
        files: &mut Vec<PathBuf>,
    ) -> Result<(), LogError> {
        let path = self.folder.path(offset, extension);
        let target = with_suffix(&path, DELETED);
        match self.folder.storage.rename(&path, &target) {
            Ok(()) => files.push(target),
            // Indexes and snapshots are there only when there was something to write.
            Err(error) if error.kind() == io::ErrorKind::NotFound && extension != LOG => {}
            Err(error) => return Err(self.folder.fault(offset, extension)(error)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const KEEP_ALL: RetentionPolicy =
        RetentionPolicy { deletes: true, retention_ms: -1, retention_bytes: -1 };

    /// Segments of ten records and 100 bytes, with these largest timestamps; the last is active.
    fn ask(
        timestamps: &[i64],
        start_offset: i64,
        high_watermark: i64,
        policy: RetentionPolicy,
    ) -> Option<Expired> {
        let facts = timestamps.iter().enumerate().map(|(index, &largest_timestamp)| {
            Ok::<_, ()>(SegmentFacts {
                end_offset: 10 * (index as i64 + 1),
                size: 100,
                largest_timestamp,
                active: index + 1 == timestamps.len(),
            })
        });
        let log = LogFacts { size: 100 * timestamps.len() as u64, start_offset, high_watermark };
        expired(facts, log, policy, 10 * HOUR).unwrap()
    }

    fn some(start_offset: i64, with_active: bool) -> Option<Expired> {
        Some(Expired { start_offset, with_active })
    }

    #[test]
    fn age_counts_from_the_largest_timestamp_and_stops_at_the_first_young_segment() {
        let policy = RetentionPolicy { retention_ms: 2 * HOUR, ..KEEP_ALL };
        assert_eq!(ask(&[HOUR, 7 * HOUR, 9 * HOUR, HOUR, 9 * HOUR], 0, 50, policy), some(20, false));
        assert_eq!(ask(&[8 * HOUR, 9 * HOUR], 0, 20, policy), None, "exactly retention.ms is not older");
        assert_eq!(ask(&[HOUR, HOUR], 0, 20, policy), some(20, true), "an old active segment goes too");
        assert_eq!(ask(&[11 * HOUR, 0], 0, 20, policy), None, "a timestamp in the future is young");
        assert_eq!(ask(&[0, 0], 0, 20, RetentionPolicy { retention_ms: 0, ..KEEP_ALL }), some(20, true));
    }

    #[test]
    fn size_lets_go_only_of_what_leaves_at_least_retention_bytes() {
        let policy = |retention_bytes| RetentionPolicy { retention_bytes, ..KEEP_ALL };
        assert_eq!(ask(&[0; 5], 0, 50, policy(300)), some(20, false));
        assert_eq!(ask(&[0; 5], 0, 50, policy(301)), some(10, false));
        assert_eq!(ask(&[0; 5], 0, 50, policy(500)), None);
        assert_eq!(ask(&[0; 5], 0, 50, policy(501)), None);
        assert_eq!(ask(&[0; 5], 0, 50, policy(0)), some(50, true));
    }

    #[test]
    fn nothing_beyond_the_high_watermark_and_no_empty_active_segment_goes() {
        let policy = RetentionPolicy { retention_ms: 0, ..KEEP_ALL };
        assert_eq!(ask(&[0, 0, 0], 0, 19, policy), some(10, false));
        assert_eq!(ask(&[0, 0, 0], 0, 9, policy), None);
        let empty = SegmentFacts { end_offset: 0, size: 0, largest_timestamp: 0, active: true };
        let log = LogFacts { size: 0, start_offset: 0, high_watermark: 0 };
        assert_eq!(expired([Ok::<_, ()>(empty)], log, policy, HOUR).unwrap(), None);
    }

    #[test]
    fn below_the_log_start_segments_go_whatever_the_policy() {
        let compact = RetentionPolicy { deletes: false, retention_ms: 0, retention_bytes: 0 };
        assert_eq!(ask(&[0; 3], 25, 30, compact), some(25, false));
        assert_eq!(ask(&[0; 3], 9, 30, compact), None);
        assert_eq!(ask(&[0; 3], 30, 30, compact), some(30, false), "but never the active one");
    }

    #[test]
    fn segments_behind_the_first_that_stays_are_not_looked_at() {
        let segment = |largest_timestamp, end_offset| {
            Ok(SegmentFacts { end_offset, size: 1, largest_timestamp, active: false })
        };
        let log = LogFacts { size: 3, start_offset: 0, high_watermark: 30 };
        let policy = RetentionPolicy { retention_ms: HOUR, ..KEEP_ALL };
        let found = expired([segment(0, 10), segment(2 * HOUR, 20), Err("looked")], log, policy, 2 * HOUR);
        assert_eq!(found, Ok(some(10, false)));
    }
}
