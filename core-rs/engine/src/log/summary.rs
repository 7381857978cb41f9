//! What a log was when a clean stop closed it, so that the next start need not open its files to find out. It is believed
//! as long as the directory and the file that takes the appends bear the stamps that they bore then; where they do not,
//! `open.rs` looks for itself. `node::summaries` keeps the summaries of a log directory in one file.

use std::path::Path;
use std::sync::Arc;

use super::checkpoint::{EpochStart, LEADER_EPOCH_FILE};
use super::folder::{Folder, INDEX, LOG, SNAPSHOT, TIME_INDEX, TXN_INDEX, parse_name};
use super::log::Log;
use super::partition_metadata::PARTITION_METADATA_FILE;
use super::segment::{MaxTimestamp, Segment};
use super::{LogConfig, LogError, Opening};
use crate::storage::{Stamp, Storage};
use crate::time::Now;

/// A closed log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSummary {
    pub(super) dir: Stamp,
    /// Of the log file that took the appends.
    pub(super) active: Stamp,
    pub(super) end_offset: i64,
    pub(super) newest_snapshot: Option<i64>,
    /// Of the segment that took the appends.
    pub(super) first_timestamp: Option<i64>,
    pub(super) max: Option<MaxTimestamp>,
    pub(super) bytes_since_entry: u64,
    /// By base offset; never empty.
    pub(super) segments: Vec<SegmentSummary>,
    pub(super) epochs: Vec<EpochStart>,
}

/// Bytes of a segment's files; `None` for one that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SegmentSummary {
    pub(super) base: i64,
    pub(super) size: u64,
    pub(super) index: Option<u64>,
    pub(super) time_index: Option<u64>,
    pub(super) txn_index: Option<u64>,
}

impl Log {
    /// The log as it was just closed, swept of producer snapshots as an opening would; `None` where that would have more
    /// to do than to take the log over.
    pub fn summary(&self) -> Option<LogSummary> {
        let active = self.segments.last()?;
        let segments = self.summarise_files()?;
        let storage = &self.folder.storage;
        Some(LogSummary {
            dir: storage.stamp(&self.folder.dir).ok()?,
            active: storage.stamp(&self.folder.path(active.base, LOG)).ok()?,
            end_offset: self.end_offset,
            newest_snapshot: self.newest_snapshot,
            first_timestamp: active.first_timestamp,
            max: active.max,
            bytes_since_entry: active.bytes_since_entry,
            segments,
            epochs: self.epochs.entries().to_vec(),
        })
    }

    /// The files of the segments as they stand in the directory, if nothing else stands there that an opening would
    /// care about.
    fn summarise_files(&self) -> Option<Vec<SegmentSummary>> {
        let mut segments: Vec<SegmentSummary> = self
            .segments
            .iter()
            .map(|segment| SegmentSummary { base: segment.base, ..SegmentSummary::default() })
            .collect();
        for entry in self.folder.storage.list(&self.folder.dir).ok()? {
            if [LEADER_EPOCH_FILE, PARTITION_METADATA_FILE].contains(&entry.name.as_str()) {
                continue;
            }
            let (base, kind) = parse_name(&entry.name).filter(|_| !entry.is_dir)?;
            let segment = segments.iter_mut().find(|segment| segment.base == base);
            match (kind, segment) {
                (SNAPSHOT, None) if base < self.end_offset && self.newest_snapshot != Some(base) => {
                    self.folder.remove_if_present(base, SNAPSHOT).ok()?;
                }
                (SNAPSHOT, _) if base <= self.end_offset => {}
                (LOG, Some(segment)) => segment.size = entry.len,
                (INDEX, Some(segment)) => segment.index = Some(entry.len),
                (TIME_INDEX, Some(segment)) => segment.time_index = Some(entry.len),
                (TXN_INDEX, Some(segment)) => segment.txn_index = Some(entry.len),
                _ => return None,
            }
        }
        let same = |(known, found): (&Segment, &SegmentSummary)| known.size == found.size;
        self.segments.iter().zip(&segments).all(same).then_some(segments)
    }

    /// The log in `dir` as the clean stop left it, without a look into any of its files; `None` when it is not as
    /// `left` says, so that `open` has to look.
    ///
    /// Errors: `Io`, `Corrupt` of a transaction index.
    pub fn resume(
        storage: &Arc<dyn Storage>,
        dir: &Path,
        config: LogConfig,
        opening: Opening,
        left: &LogSummary,
        now: Now,
    ) -> Result<Option<Log>, LogError> {
        let folder = Folder::new(Arc::clone(storage), dir);
        let ends = (opening.recovery_point, opening.start_offset <= left.end_offset);
        if !opening.is_clean() || ends != (left.end_offset, true) || !left.is_as_it_was(&folder) {
            return Ok(None);
        }
        let mut segments = Vec::with_capacity(left.segments.len());
        for found in &left.segments {
            let mut segment = Segment::closed(found.base, found.size, now.wall_ms);
            let is_plausible = segment.take_indexes(found.index, found.time_index)
                && segment.take_txn_index(&folder, found.txn_index)?;
            if !is_plausible {
                return Ok(None);
            }
            segments.push(segment);
        }
        // Whole segments below the log start are for an opening to remove.
        if segments.get(1).is_some_and(|next| next.base <= opening.start_offset) {
            return Ok(None);
        }
        let Some(active) = segments.last_mut() else { return Ok(None) };
        active.active = true;
        active.first_timestamp = left.first_timestamp;
        active.max = left.max;
        active.indexed_timestamp = left.max.map_or(-1, |max| max.timestamp);
        active.bytes_since_entry = left.bytes_since_entry;
        let log_start = segments.first().map_or(0, |first| first.base);
        let mut log = Log {
            segments,
            start_offset: opening.start_offset.clamp(log_start, left.end_offset),
            end_offset: left.end_offset,
            recovery_point: left.end_offset,
            newest_snapshot: left.newest_snapshot,
            clean_until: opening.clean_until.min(left.end_offset),
            ..Log::bare(folder, config, left.epochs.clone())
        };
        if log.size() == 0 {
            // As after any opening: its names and its owner wait for the first sync.
            log.unsynced.folder(&log.folder);
        }
        log.epochs.truncate_end(log.end_offset);
        log.mark_cold();
        Ok(Some(log))
    }
}

impl LogSummary {
    /// Whether the directory still is the one that was closed, with the names that it had.
    pub fn is_of(&self, storage: &dyn Storage, dir: &Path) -> bool {
        storage.stamp(dir).is_ok_and(|stamp| stamp == self.dir)
    }

    fn is_as_it_was(&self, folder: &Folder) -> bool {
        let Some(active) = self.segments.last() else { return false };
        let stamp = folder.storage.stamp(&folder.path(active.base, LOG));
        self.is_of(&*folder.storage, &folder.dir) && stamp.is_ok_and(|stamp| stamp == self.active)
    }
}
