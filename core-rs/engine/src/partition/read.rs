//! What a fetch reads: a range of whole batches below the bound of its isolation, never a byte copied.

use std::sync::Arc;

use super::epochs::end_of_epoch;
use super::{Notices, Partition, PartitionError, State, WaiterId};
use crate::log::AbortedTxn;
use crate::storage::FileRange;

/// How far a reader may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Up to the high watermark.
    ReadUncommitted,
    /// Up to the last stable offset.
    ReadCommitted,
}

impl Isolation {
    /// The level of that number on the wire (org.apache.kafka.common.IsolationLevel).
    pub fn of_level(level: i8) -> Option<Isolation> {
        match level {
            0 => Some(Isolation::ReadUncommitted),
            1 => Some(Isolation::ReadCommitted),
            _ => None,
        }
    }
}

/// One partition of a fetch.
#[derive(Clone, Copy, Debug)]
pub struct ReadSpec {
    pub offset: i64,
    /// Leader epoch that the reader knows; −1 = none.
    pub current_leader_epoch: i32,
    /// Epoch of the last batch it fetched, to find out where histories part; −1 = none.
    pub last_fetched_epoch: i32,
    pub max_bytes: u64,
    pub isolation: Isolation,
    /// The first batch is returned whole even above `max_bytes`.
    pub at_least_one: bool,
}

/// Where the reader's history leaves the leader's: it must truncate to this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    pub epoch: i32,
    pub end_offset: i64,
}

/// What a read found.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Batches from the one that contains the offset on; the last may be partial. `None` = nothing to read.
    pub range: Option<FileRange>,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    pub divergence: Option<Divergence>,
    /// For a reader of committed records: the aborted transactions among what it reads.
    pub aborted: Option<Vec<AbortedTxn>>,
    /// More can be read, but as another range, from the next segment or what is checked next: waiting for more bytes
    /// is pointless.
    pub at_segment_end: bool,
    /// What is to be read is being checked first: it is worth waiting for that.
    pub cold: bool,
}

impl Partition {
    /// Reads for a consumer. With `waiter` the request is also registered, in the same instant, for what comes
    /// after: a rise of the reader's bound or of the log start, another role, deletion, offline.
    ///
    /// Errors: deleted, offline, epoch and leader checks, `OffsetOutOfRange` below the log start or above the log
    /// end. Between high watermark and log end there is nothing to read, and no error.
    pub fn read(
        self: &Arc<Self>,
        spec: &ReadSpec,
        waiter: Option<WaiterId>,
        notices: &mut Notices,
    ) -> Result<Fetched, PartitionError> {
        self.with(|state| {
            state.check_leader(spec.current_leader_epoch)?;
            if let Some(id) = waiter {
                let bound = state.bound(Some(spec.isolation))?.offset;
                state.waiters.register(id, spec.isolation, bound.saturating_add(1));
            }
            let fetched = self.read_locked(state, spec, notices);
            if let (Some(id), Ok(Fetched { cold: true, .. })) = (waiter, &fetched) {
                Self::await_check(state, id, spec.isolation);
            }
            fetched
        })
    }

    fn read_locked(
        self: &Arc<Self>,
        state: &mut State,
        spec: &ReadSpec,
        notices: &mut Notices,
    ) -> Result<Fetched, PartitionError> {
        let upper = state.bound(Some(spec.isolation))?;
        let commits = spec.isolation == Isolation::ReadCommitted;
        let log = state.log()?;
        let (start, end) = (log.start_offset(), log.end_offset());
        let mut fetched = Fetched {
            range: None,
            high_watermark: state.high_watermark.offset,
            last_stable_offset: state.last_stable().offset,
            log_start_offset: start,
            divergence: None,
            aborted: commits.then(Vec::new),
            at_segment_end: false,
            cold: false,
        };
        let out_of_range = PartitionError::OffsetOutOfRange { offset: spec.offset, start, end };
        if spec.last_fetched_epoch >= 0 {
            let known = end_of_epoch(log.leader_epochs(), state.leader_epoch, end, spec.last_fetched_epoch);
            let (epoch, end_offset) = known.ok_or(out_of_range.clone())?;
            if spec.offset < start {
                return Err(out_of_range);
            }
            if epoch < spec.last_fetched_epoch || end_offset < spec.offset {
                fetched.divergence = Some(Divergence { epoch, end_offset });
                fetched.aborted = None;
                return Ok(fetched);
            }
        }
        if !(start..=end).contains(&spec.offset) {
            return Err(out_of_range);
        }
        if spec.offset >= upper.offset || (spec.max_bytes == 0 && !spec.at_least_one) {
            return Ok(fetched);
        }
        if state.checking.contains(&spec.offset) {
            fetched.cold = true;
            return Ok(fetched);
        }
        let log = state.log_mut()?;
        let found = log.read_checked(spec.offset, spec.max_bytes, upper, spec.at_least_one);
        let found = found.and_then(|found| {
            // As Kafka, null beside a batch that is there and does not fit.
            let aborted = match commits && found.read.range.len > 0 {
                true => Some(log.aborted_in(spec.offset, &found.read, upper)?),
                false => None,
            };
            Ok((found, aborted))
        });
        match found {
            Ok((found, aborted)) => {
                let read = found.read;
                fetched.aborted = aborted;
                let more = found.clipped || spec.offset < upper.segment_base;
                fetched.at_segment_end = read.range.len > 0 && more;
                fetched.range = (read.range.len > 0).then_some(read.range);
                fetched.cold = found.cold.is_some();
                for offset in found.cold.into_iter().chain(found.ahead) {
                    self.want_check(state, offset, notices);
                }
                Ok(fetched)
            }
            Err(error) => Err(self.fault(state, error, notices)),
        }
    }

    /// Why a fetch as replica `replica_id` gets nothing: no replica but this broker's own exists yet.
    pub fn refuse_replica(&self, replica_id: i32, current_leader_epoch: i32) -> PartitionError {
        self.with(|state| match state.check_leader(current_leader_epoch) {
            Err(error) => error,
            Ok(()) => PartitionError::UnknownReplica {
                replica_id,
                leader_epoch: state.leader_epoch,
                knows_epoch: current_leader_epoch >= 0,
            },
        })
    }

    /// The high watermark, registering the request to be told when it has reached `required`. A producer whose
    /// append stands here waits with it.
    ///
    /// Errors: `Deleted`, `Offline`, and `NotLeader` when the role was lost.
    pub fn await_high_watermark(&self, required: i64, waiter: WaiterId) -> Result<i64, PartitionError> {
        self.with(|state| {
            state.check_leader(-1)?;
            if state.high_watermark.offset < required {
                state.waiters.register(waiter, Isolation::ReadUncommitted, required);
            }
            Ok(state.high_watermark.offset)
        })
    }
}
