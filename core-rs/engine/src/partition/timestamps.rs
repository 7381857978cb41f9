//! ListOffsets for one partition: the special timestamps and the exact lookup by time.

use super::{Isolation, Notices, Partition, PartitionError};
use crate::time::Now;

/// What a ListOffsets asks of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetQuery {
    /// The bound of the reader's isolation (−1).
    Latest,
    /// The log start (−2); also the earliest local offset (−4), as nothing is tiered.
    Earliest,
    /// The record with the largest timestamp (−3).
    MaxTimestamp,
    /// The latest tiered (−5) or the earliest not yet tiered (−6): there is none.
    Tiered,
    /// The first record at or after this time, ms.
    Timestamp(i64),
}

/// An answer; −1 where there is nothing to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundOffset {
    pub timestamp: i64,
    pub offset: i64,
    pub leader_epoch: i32,
}

impl FoundOffset {
    pub const NONE: FoundOffset = FoundOffset { timestamp: -1, offset: -1, leader_epoch: -1 };
}

impl Partition {
    /// What ListOffsets version 0 asks (Kafka's `legacyFetchOffsetsBefore`): the starts of segments that hold nothing
    /// newer than `timestamp`, and the log end for now, newest first and at most `count`; −1 is the latest, −2 the
    /// earliest. A consumer sees the high watermark in place of what is above it.
    ///
    /// Errors: deleted, offline, not the leader, a fault of the disk.
    pub fn segment_starts(
        &self,
        timestamp: i64,
        count: usize,
        is_consumer: bool,
        now: Now,
        notices: &mut Notices,
    ) -> Result<Vec<i64>, PartitionError> {
        self.with(|state| {
            state.check_leader(-1)?;
            let log = state.log()?;
            let (log_start, end) = (log.start_offset(), log.end_offset());
            let mut starts = match log.segment_starts() {
                Ok(starts) => starts,
                Err(error) => return Err(self.fault(state, error, notices)),
            };
            if starts.last().is_some_and(|(base, _)| *base < end) {
                starts.push((end, now.wall_ms));
            }
            let chosen = match timestamp {
                -1 => starts.len(),
                -2 => starts.len().min(1),
                _ => starts.iter().rposition(|(_, newest)| *newest <= timestamp).map_or(0, |last| last + 1),
            };
            let newest_first = starts.iter().take(chosen).rev().map(|(base, _)| (*base).max(log_start));
            let mut offsets: Vec<i64> = newest_first.take(count).collect();
            let high_watermark = state.high_watermark.offset;
            if is_consumer && offsets.first().is_some_and(|newest| *newest > high_watermark) {
                offsets.retain(|offset| *offset <= high_watermark);
                offsets.insert(0, high_watermark);
            }
            Ok(offsets)
        })
    }

    /// Answers `query` for a client of that isolation; `None` for a debugging reader, which sees up to the log end.
    ///
    /// Errors: deleted, offline, epoch and leader checks, `OffsetNotAvailable` for what lies beyond a high watermark
    /// that has not reached this leader's first offset, a fault of the disk.
    pub fn find_offset(
        &self,
        query: OffsetQuery,
        current_leader_epoch: i32,
        isolation: Option<Isolation>,
        notices: &mut Notices,
    ) -> Result<FoundOffset, PartitionError> {
        self.with(|state| {
            state.check_leader(current_leader_epoch)?;
            let bound = state.bound(isolation)?.offset;
            let lags = isolation.is_some() && state.epoch_start > state.high_watermark.offset;
            let log = state.log()?;
            let found = match query {
                OffsetQuery::Latest if lags => return Err(PartitionError::OffsetNotAvailable),
                OffsetQuery::Latest => {
                    let leader_epoch = state.leader_epoch;
                    return Ok(FoundOffset { timestamp: -1, offset: bound, leader_epoch });
                }
                OffsetQuery::Earliest => {
                    let offset = log.start_offset();
                    // An epoch begins with its leader, not with its first record.
                    let leader_epoch = match offset < log.end_offset() {
                        true => log.leader_epoch_at(offset),
                        false => state.leader_epoch,
                    };
                    return Ok(FoundOffset { timestamp: -1, offset, leader_epoch });
                }
                OffsetQuery::Tiered => return Ok(FoundOffset::NONE),
                OffsetQuery::MaxTimestamp => log.max_timestamp(),
                OffsetQuery::Timestamp(timestamp) => {
                    log.offset_for_timestamp(timestamp, if lags { i64::MAX } else { bound })
                }
            };
            match found {
                Ok(Some(found)) if found.offset < bound => Ok(FoundOffset {
                    timestamp: found.timestamp,
                    offset: found.offset,
                    leader_epoch: found.leader_epoch,
                }),
                Ok(Some(_)) if lags => Err(PartitionError::OffsetNotAvailable),
                Ok(_) => Ok(FoundOffset::NONE),
                Err(error) => Err(self.fault(state, error, notices)),
            }
        })
    }
}
