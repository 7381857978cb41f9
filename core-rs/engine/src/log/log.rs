//! The log of one partition.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint::EpochStart;
use super::producer_snapshot::ProducerSnapshotEntry;
use super::{
    AppendBatch, AppendOutcome, BatchReader, LogConfig, LogError, LogPosition, OpenReport, Opening,
    ReadRange, Removal, SyncJob, TimestampOffset,
};
use crate::storage::Storage;
use crate::time::Now;

/// One partition's log. It is pure state around files: the caller serialises access.
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
}

#[allow(unused_variables)]
impl Log {
    /// Opens the log in `dir`, creating it when there is none. After a clean stop nothing is scanned; otherwise the
    /// segments from the recovery point on are read with their CRC and a torn tail is cut off and kept aside.
    /// `Corrupt` when a batch below the recovery point is bad.
    pub fn open(
        storage: Arc<dyn Storage>,
        dir: &Path,
        config: LogConfig,
        opening: Opening,
        now: Now,
    ) -> Result<(Log, OpenReport), LogError> {
        todo!()
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }
    pub fn config(&self) -> &LogConfig {
        todo!()
    }
    pub fn set_config(&mut self, config: LogConfig) {
        todo!()
    }
    /// First offset that clients may read.
    pub fn start_offset(&self) -> i64 {
        todo!()
    }
    /// Offset that the next record gets (exclusive end).
    pub fn end_offset(&self) -> i64 {
        todo!()
    }
    pub fn end_position(&self) -> LogPosition {
        todo!()
    }
    /// Everything below it is durable.
    pub fn recovery_point(&self) -> i64 {
        todo!()
    }
    /// Base offset of the segment that takes appends.
    pub fn active_segment_base(&self) -> i64 {
        todo!()
    }
    pub fn segment_count(&self) -> usize {
        todo!()
    }
    /// Bytes of all segments.
    pub fn size(&self) -> u64 {
        todo!()
    }
    /// Leader epochs and where each began, oldest first.
    pub fn leader_epochs(&self) -> &[EpochStart] {
        todo!()
    }
    /// Leader epoch of the record at `offset`; −1 when unknown.
    pub fn leader_epoch_at(&self, offset: i64) -> i32 {
        todo!()
    }
    pub fn is_offline(&self) -> bool {
        todo!()
    }
    /// Refuses everything that writes from now on: a write or sync failed.
    pub fn take_offline(&mut self) {
        todo!()
    }

    /// Appends batches whose offsets follow `end_offset`, all with one write and all in one segment. After a failed
    /// write the log is offline.
    pub fn append(&mut self, batches: &[AppendBatch<'_>], now: Now) -> Result<AppendOutcome, LogError> {
        todo!()
    }

    /// Batches from the one that contains `offset` on, at most `max_bytes`, below `upper` and of one segment; the
    /// last may be partial. With `at_least_one` the first is whole even above `max_bytes`.
    pub fn read(
        &self,
        offset: i64,
        max_bytes: u64,
        upper: LogPosition,
        at_least_one: bool,
    ) -> Result<ReadRange, LogError> {
        todo!()
    }

    /// Where the batch that contains `offset` begins; the end position for the end offset.
    pub fn position_of(&self, offset: i64) -> Result<LogPosition, LogError> {
        todo!()
    }

    /// The first record below `upper` whose timestamp is at least `timestamp`, exact to the record.
    pub fn offset_for_timestamp(
        &self,
        timestamp: i64,
        upper: i64,
    ) -> Result<Option<TimestampOffset>, LogError> {
        todo!()
    }

    /// The first record with the largest timestamp of the log; `None` while no record has one.
    pub fn max_timestamp(&self) -> Result<Option<TimestampOffset>, LogError> {
        todo!()
    }

    /// What it takes to make everything appended so far durable.
    pub fn sync_job(&self) -> SyncJob {
        todo!()
    }

    /// `job.run()` succeeded: moves the recovery point.
    pub fn synced(&mut self, job: &SyncJob) {
        todo!()
    }

    /// Cuts off the batch that contains `offset` and everything after it. The recovery point may move back:
    /// checkpoint it afterwards.
    pub fn truncate_to(&mut self, offset: i64) -> Result<(), LogError> {
        todo!()
    }

    /// Drops everything and goes on, empty, at `offset`.
    pub fn truncate_fully_and_start_at(&mut self, offset: i64) -> Result<(), LogError> {
        todo!()
    }

    /// Moves the log start offset forward (DeleteRecords, retention) and removes the segments wholly below it.
    pub fn increment_start_offset(&mut self, offset: i64) -> Result<(), LogError> {
        todo!()
    }

    /// Whole batches from the one that contains `offset` to the end; reads without the caller's lock.
    pub fn batches_from(&self, offset: i64) -> Result<BatchReader, LogError> {
        todo!()
    }

    /// Writes the producer state as of `end_offset`; the next sync makes it durable.
    pub fn write_producer_snapshot(&mut self, entries: &[ProducerSnapshotEntry]) -> Result<(), LogError> {
        todo!()
    }

    /// The newest usable producer snapshot at or below the end of the log, with the offset up to which it holds.
    pub fn read_producer_snapshot(&self) -> Result<Option<(i64, Vec<ProducerSnapshotEntry>)>, LogError> {
        todo!()
    }

    /// The clean stop: indexes trimmed, everything synced. The caller has written the producer snapshot before.
    pub fn close(&mut self) -> Result<(), LogError> {
        todo!()
    }

    /// Renames the directory to `<name>.<unique>-delete`; the removal itself runs later, without the lock.
    pub fn delete(self, unique: &str) -> Result<Removal, LogError> {
        todo!()
    }
}
