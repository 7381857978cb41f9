//! A partition's log start moving up: by what retention lets go of, and by DeleteRecords. The segments below it leave
//! in a second step, once the caller has made the new log start durable.

use std::sync::Arc;

use super::{Notices, Partition, PartitionError, State};
use crate::log::{ExpiredFiles, LogError};
use crate::time::Now;

/// The offset by which DeleteRecords means the high watermark.
const HIGH_WATERMARK: i64 = -1;

impl Partition {
    /// Moves the log start over the segments that the topic's retention lets go of. Returns the offset for
    /// [`expire_below`](Self::expire_below) when there are any; the log start must be on disk before that.
    pub fn begin_retention(self: &Arc<Self>, now: Now, notices: &mut Notices) -> Option<i64> {
        self.with(|state| {
            let high_watermark = state.high_watermark.offset;
            let found = state.log_mut().ok()?.expired(high_watermark, now);
            let expired = found.map_err(|error| self.fault(state, error, notices)).ok()??;
            let mut start_offset = expired.start_offset;
            if expired.with_active {
                let log = state.log_mut().ok()?;
                let active = log.active_segment_base();
                match log.roll_active(now).map_err(|error| self.fault(state, error, notices)) {
                    Ok(rolled) => self.rolled(state, &rolled, notices).ok()?,
                    // No room for a new segment: what the others hold is room.
                    Err(PartitionError::Full { .. }) => start_offset = active,
                    Err(_) => return None,
                }
            }
            self.raise_log_start(state, start_offset, notices).ok()?;
            Some(start_offset)
        })
    }

    /// Takes the segments that end at or below `offset` out of the log. Their files are to be removed after
    /// `file.delete.delay.ms`. `None` when there are none or the partition serves no more.
    pub fn expire_below(&self, offset: i64, notices: &mut Notices) -> Option<ExpiredFiles> {
        self.with(|state| {
            let expired = state.log_mut().ok()?.expire_below(offset);
            let files = expired.map_err(|error| self.fault(state, error, notices)).ok()?;
            (!files.is_empty()).then_some(files)
        })
    }

    /// DeleteRecords: records below `offset` (−1 = the high watermark) are gone for readers at once. Returns the log
    /// start offset, which must be on disk before it is told to the client.
    ///
    /// Errors: `NotLeader` for any other epoch, `RecordsKept` unless `cleanup.policy` contains `delete`,
    /// `OffsetOutOfRange` above the high watermark, `Offline`.
    pub fn delete_records(
        &self,
        leader_epoch: i32,
        offset: i64,
        notices: &mut Notices,
    ) -> Result<i64, PartitionError> {
        let deletes = self.config().log.retention.deletes;
        self.with(|state| {
            state.check_online()?;
            if state.leader_epoch != leader_epoch {
                return Err(PartitionError::NotLeader);
            }
            state.check_leader(leader_epoch)?;
            if !deletes {
                return Err(PartitionError::RecordsKept);
            }
            let end = state.high_watermark.offset;
            let offset = if offset == HIGH_WATERMARK { end } else { offset };
            let start = state.log()?.start_offset();
            if !(0..=end).contains(&offset) {
                return Err(PartitionError::OffsetOutOfRange { offset, start, end });
            }
            self.raise_log_start(state, offset, notices)
        })
    }

    fn raise_log_start(
        &self,
        state: &mut State,
        offset: i64,
        notices: &mut Notices,
    ) -> Result<i64, PartitionError> {
        let log = state.log_mut()?;
        let before = log.start_offset();
        let raised: Result<(), LogError> = log.increment_start_offset(offset);
        let after = log.start_offset();
        if let Err(error) = raised {
            return Err(self.fault(state, error, notices));
        }
        if after > before {
            self.settle_unstable(state, notices)?;
            state.waiters.all(&mut notices.waiters);
        }
        Ok(after)
    }
}
