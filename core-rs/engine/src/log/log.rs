//! The log itself: its segments in order, what it tells about them, and the append. Opening, reading, durability and
//! cutting are the neighbouring files.

use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

use millrace_record::BatchHeader;

use super::checkpoint::EpochStart;
use super::durability::Unsynced;
use super::epochs::Epochs;
use super::folder::{Folder, LOG};
use super::segment::Segment;
use super::tail::{Located, Tail};
use super::warm::Warm;
use super::{AppendBatch, AppendOutcome, AppendSize, LogConfig, LogError, LogPosition, RolledSegment};
use crate::prefetch::prefetch;
use crate::time::Now;

/// One partition's log. It is pure state around files: the caller serialises access.
#[derive(Debug)]
pub struct Log {
    pub(super) folder: Folder,
    pub(super) config: LogConfig,
    /// By base offset; the last takes the appends. Never empty.
    pub(super) segments: Vec<Segment>,
    pub(super) start_offset: i64,
    pub(super) end_offset: i64,
    pub(super) recovery_point: i64,
    pub(super) epochs: Epochs,
    pub(super) tail: Tail,
    pub(super) warm: Warm,
    pub(super) unsynced: Unsynced,
    /// Offset of the newest producer snapshot known to be on disk.
    pub(super) newest_snapshot: Option<i64>,
    /// A segment that was closed for an append that then found no room: the next append tells of it.
    pub(super) untold_roll: Option<RolledSegment>,
    /// Raised by every truncation, so that a sync that began before one does not vouch for what came after.
    pub(super) truncations: u64,
    /// Compaction has come so far: no key below it stands there twice.
    pub(super) clean_until: i64,
    pub(super) offline: bool,
}

impl Log {
    /// The partition's directory.
    pub fn dir(&self) -> &Path {
        &self.folder.dir
    }

    pub fn shared_dir(&self) -> Arc<Path> {
        Arc::clone(&self.folder.dir)
    }

    pub fn config(&self) -> &LogConfig {
        &self.config
    }

    /// A changed configuration; it acts from the next append on.
    pub fn set_config(&mut self, config: LogConfig) {
        self.config = config;
    }

    /// First offset that clients may read.
    pub fn start_offset(&self) -> i64 {
        self.start_offset
    }

    /// Offset that the next record gets (exclusive end).
    pub fn end_offset(&self) -> i64 {
        self.end_offset
    }

    pub fn end_position(&self) -> LogPosition {
        let (segment_base, position) =
            self.segments.last().map_or((self.end_offset, 0), |active| (active.base, active.size));
        LogPosition { offset: self.end_offset, segment_base, position }
    }

    /// Everything below it is durable.
    pub fn recovery_point(&self) -> i64 {
        self.recovery_point
    }

    /// Compaction has come so far.
    pub fn clean_until(&self) -> i64 {
        self.clean_until
    }

    /// Base offset of the segment that takes appends.
    pub fn active_segment_base(&self) -> i64 {
        self.end_position().segment_base
    }

    pub fn segment_count(&self) -> usize {
        self.segments.len()
    }

    /// Bytes of all segments.
    pub fn size(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size).sum()
    }

    /// Bytes of the segments that do not end at or below `offset`.
    pub fn size_from(&self, offset: i64) -> u64 {
        let ends = self.segments.iter().skip(1).map(|segment| segment.base).chain([i64::MAX]);
        let kept = self.segments.iter().zip(ends).filter(|(_, end)| *end > offset);
        kept.map(|(segment, _)| segment.size).sum()
    }

    /// Leader epochs and where each began, oldest first.
    pub fn leader_epochs(&self) -> &[EpochStart] {
        self.epochs.entries()
    }

    /// Leader epoch of the record at `offset`; −1 when unknown.
    pub fn leader_epoch_at(&self, offset: i64) -> i32 {
        self.epochs.at(offset)
    }

    /// A write or sync failed, or the log was closed.
    pub fn is_offline(&self) -> bool {
        self.offline
    }

    /// Refuses everything that writes from now on: a write or sync failed.
    pub fn take_offline(&mut self) {
        self.offline = true;
    }

    /// Appends batches whose offsets follow `end_offset`, all with one write and all in one segment. A failed write
    /// takes the log offline: what is on disk then is unknown. One that found no room is undone: its bytes are cut off.
    ///
    /// Errors: `AppendTooLarge`, `OutOfOrder`, `InvalidBatch`, `Full` change nothing; `Io`, `Offline`.
    pub fn append(&mut self, batches: &[AppendBatch<'_>], now: Now) -> Result<AppendOutcome, LogError> {
        self.check_online()?;
        let Some(plan) = self.plan(batches)? else {
            return Ok(AppendOutcome { first_position: self.end_position(), rolled: None });
        };
        let result = match self.append_planned(batches, &plan, now) {
            Err(error) if error.is_full() => self.cut_unwritten().and(Err(error.or_full())),
            result => result,
        };
        if result.as_ref().is_err_and(|error| !error.is_full()) {
            self.take_offline();
        }
        result
    }

    /// Takes what a write left behind that found no room out of the active segment: its bytes are nobody's, and the
    /// room they hold is wanted.
    fn cut_unwritten(&self) -> Result<(), LogError> {
        let active = self.segments.last().ok_or(LogError::Offline)?;
        let Some(file) = active.file.get() else { return Ok(()) };
        let blame = || self.folder.fault(active.base, LOG);
        match file.len().map_err(blame())? > active.size {
            true => file.truncate(active.size).map_err(blame()),
            false => Ok(()),
        }
    }

    fn append_planned(
        &mut self,
        batches: &[AppendBatch<'_>],
        plan: &Plan,
        now: Now,
    ) -> Result<AppendOutcome, LogError> {
        if self.must_roll(&plan.size, now) {
            self.untold_roll = Some(self.roll(plan, now)?);
        }
        let end = self.end_position();
        self.write(end, plan.size.bytes, batches)?;
        let interval = self.config.index_interval_bytes;
        let Some(active) = self.segments.last_mut() else {
            return Err(LogError::Offline);
        };
        let mut first_position = None;
        for batch in batches {
            let header = BatchHeader::parse(batch.bytes).map_err(LogError::InvalidBatch)?;
            let position =
                LogPosition { offset: header.base_offset, segment_base: active.base, position: active.size };
            first_position.get_or_insert(position);
            active.note(&header, interval);
            self.tail.push(Located { position, len: batch.bytes.len() as u64 }, header.last_offset());
            self.epochs.note(header.partition_leader_epoch, header.base_offset);
            self.end_offset = header.next_offset();
        }
        active.flush_indexes_if_many(&self.folder)?;
        let rolled = self.untold_roll.take();
        Ok(AppendOutcome { first_position: first_position.unwrap_or(end), rolled })
    }

    pub(super) fn check_online(&self) -> Result<(), LogError> {
        if self.offline { Err(LogError::Offline) } else { Ok(()) }
    }

    /// Checks the batches against the end of the log and each other; `None` when there is none.
    fn plan(&self, batches: &[AppendBatch<'_>]) -> Result<Option<Plan>, LogError> {
        let size = AppendSize { bytes: 0, last_offset: -1, max_timestamp: -1 };
        let mut plan = Plan { first_offset: 0, size };
        let mut next_offset = self.end_offset;
        for batch in batches {
            let header = BatchHeader::parse(batch.bytes).map_err(LogError::InvalidBatch)?;
            let available = batch.bytes.len();
            if header.total_len() != available {
                let needed = header.total_len();
                return Err(LogError::InvalidBatch(millrace_record::BatchError::Truncated {
                    needed,
                    available,
                }));
            }
            let (first, last) = (header.base_offset, header.last_offset());
            if first < next_offset || last < first || last != batch.last_offset {
                return Err(LogError::OutOfOrder { offset: first, end: next_offset });
            }
            if plan.size.bytes == 0 {
                plan.first_offset = first;
            }
            plan.size.last_offset = last;
            plan.size.bytes += available as u64;
            plan.size.max_timestamp = plan.size.max_timestamp.max(batch.max_timestamp);
            next_offset = header.next_offset();
        }
        if plan.size.last_offset - plan.first_offset > i64::from(i32::MAX) {
            return Err(LogError::OutOfOrder { offset: plan.size.last_offset, end: plan.first_offset });
        }
        let limit = self.segment_limit();
        if plan.size.bytes > limit {
            return Err(LogError::AppendTooLarge { bytes: plan.size.bytes, limit });
        }
        Ok((plan.size.bytes > 0).then_some(plan))
    }

    /// Positions inside a segment are 32-bit in the index.
    fn segment_limit(&self) -> u64 {
        u64::from(self.config.segment_bytes).min(i32::MAX as u64)
    }

    /// Whether an append of this size goes to the active segment, and no closed one is left to be told of.
    pub fn appends_without_roll(&self, size: &AppendSize, now: Now) -> bool {
        self.untold_roll.is_none() && size.bytes <= self.segment_limit() && !self.must_roll(size, now)
    }

    /// Brings what the next append touches into the cache.
    pub fn prefetch_end(&self) {
        if let Some(active) = self.segments.last() {
            prefetch(active, 0);
        }
        self.tail.prefetch_end();
        self.epochs.prefetch_end();
    }

    fn must_roll(&self, size: &AppendSize, now: Now) -> bool {
        let Some(active) = self.segments.last() else {
            return true;
        };
        let waited_ms = active.waited_ms(now.wall_ms, size.max_timestamp);
        active.size + size.bytes > self.segment_limit()
            || (active.size > 0 && waited_ms > self.config.roll_after_ms(&self.folder.dir, active.base))
            || (active.size > 0 && active.index_is_full(self.config.segment_index_bytes))
            || !active.can_hold_offset(size.last_offset)
    }

    /// Closes the active segment and begins one at the end of the log, or as far above it as the offsets to come
    /// demand. Nothing is synced here: the next `SyncJob` covers both.
    fn roll(&mut self, plan: &Plan, now: Now) -> Result<RolledSegment, LogError> {
        let fits = plan.size.last_offset - self.end_offset <= i64::from(i32::MAX);
        self.roll_at(if fits { self.end_offset } else { plan.first_offset }, now)
    }

    pub(super) fn roll_at(&mut self, base: i64, now: Now) -> Result<RolledSegment, LogError> {
        if self.unsynced.holds_many() {
            // Segments roll faster than they are synced: whoever writes must wait, or descriptors run out.
            self.sync_now().map_err(LogError::or_full)?;
        }
        let Some(active) = self.segments.last_mut() else {
            return Err(LogError::Offline);
        };
        // Each step but the last leaves a segment that can go on taking appends, if there is no room for the next.
        let finished = active.finish(&self.folder)?;
        let finished_base = active.base;
        let next = Segment::create(&self.folder, base, now.wall_ms)?;
        active.retire();
        self.unsynced.finished(finished, &self.folder, finished_base);
        let rolled = RolledSegment { base_offset: active.base, end_offset: base };
        self.segments.push(next);
        self.unsynced.dir(&self.folder.dir);
        Ok(rolled)
    }

    fn write(&mut self, end: LogPosition, bytes: u64, batches: &[AppendBatch<'_>]) -> Result<(), LogError> {
        let (limit, preallocate) = (self.segment_limit(), self.config.preallocate);
        let active = self.segments.last_mut().ok_or(LogError::Offline)?;
        let file = active.handle(&self.folder)?;
        active.make_room(&*file, bytes, limit, preallocate);
        let written = match batches {
            [batch] => file.write_at(end.position, &[IoSlice::new(batch.bytes)]),
            _ => {
                let slices: Vec<IoSlice<'_>> =
                    batches.iter().map(|batch| IoSlice::new(batch.bytes)).collect();
                file.write_at(end.position, &slices)
            }
        };
        written.map_err(self.folder.fault(end.segment_base, LOG))
    }
}

/// What an append is going to add.
struct Plan {
    first_offset: i64,
    size: AppendSize,
}
