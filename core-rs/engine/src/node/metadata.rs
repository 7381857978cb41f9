//! The node's side of the metadata quorum: proposals in, disk work and outputs out. It never looks into a record.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::effects::Effect;
use super::shared::Node;
use crate::boundary::{Event, PackedValues};
use crate::quorum::{ProposeError, Quorum, QuorumOutput};
use crate::time::Now;

/// The raft clock's tick.
const TICK_MS: i64 = 100;
/// How often the node wants to be called while a tick would change nothing.
const RESTING_TICK_MS: i64 = 1000;
/// Between two checkpoints (Kafka's `log.flush.offset.checkpoint.interval.ms`).
pub(super) const CHECKPOINT_MS: i64 = 60_000;

impl Node {
    /// The raft clock ticks, and once a minute the checkpoints are written. Gives the monotonic time, ms, of the next
    /// call: 100 ms later, or more while a lone voter rests.
    pub fn tick(self: &Arc<Self>, now: Now) -> i64 {
        if self.stopping.is_stopping() {
            return now.monotonic_ms + RESTING_TICK_MS;
        }
        let rests = self.with_quorum(|quorum| {
            quorum.tick();
            quorum.is_resting()
        });
        let due = self.next_checkpoint_ms.load(Ordering::Acquire);
        if now.monotonic_ms >= due {
            self.next_checkpoint_ms.store(now.monotonic_ms + CHECKPOINT_MS, Ordering::Release);
            self.push_effect(Effect::Checkpoint);
        }
        self.tick_retention(now);
        self.tick_cleaning(now);
        self.tick_producer_expiry(now);
        self.tick_room(now);
        self.tick_scrubbing(now);
        now.monotonic_ms + if rests { RESTING_TICK_MS } else { TICK_MS }
    }

    pub(super) fn propose(&self, proposal_id: i64, timestamp: i64, values: Vec<Vec<u8>>) {
        let refused = if self.stopping.is_stopping() {
            Some(ProposeError::Stopped)
        } else {
            self.with_quorum(|quorum| quorum.propose(proposal_id, timestamp, values).err())
        };
        if let Some(error) = refused {
            self.emit(&Event::ProposalDropped { proposal_id, error_code: error.code() });
        }
    }

    /// Changes the quorum, then passes on what follows: at most one disk effect of each kind, and outputs in order.
    pub(super) fn with_quorum<R>(&self, change: impl FnOnce(&mut Quorum) -> R) -> R {
        let mut quorum = self.quorum.lock();
        let result = change(&mut quorum);
        if let Some(persist) = quorum.ready() {
            self.push_effect(Effect::Persist(Box::new(persist)));
        }
        if let Some(job) = quorum.ready_snapshot() {
            self.push_effect(Effect::Snapshot(Box::new(job)));
        }
        // Under the lock, so that two threads cannot swap the order of their outputs.
        for output in quorum.take_outputs() {
            self.emit_output(output);
        }
        result
    }

    fn emit_output(&self, output: QuorumOutput) {
        match output {
            QuorumOutput::Committed { base_offset, epoch, timestamp, proposal_id, values } => {
                let records = PackedValues::borrowed(&values);
                self.emit(&Event::MetadataCommitted { base_offset, epoch, timestamp, proposal_id, records });
            }
            QuorumOutput::Role { leader_id, epoch, high_watermark, caught_up } => {
                self.emit(&Event::QuorumRole { leader_id, epoch, high_watermark, caught_up });
            }
            QuorumOutput::Dropped { proposal_id, error } => {
                self.emit(&Event::ProposalDropped { proposal_id, error_code: error.code() });
            }
            QuorumOutput::Full(message) => {
                if let Some(first) = self.log_dirs.first() {
                    self.lacks_room(&first.path, &message);
                }
            }
            QuorumOutput::Snapshot { end_offset, epoch, timestamp, done, values } => {
                let records = PackedValues::borrowed(&values);
                self.emit(&Event::MetadataSnapshot { end_offset, epoch, timestamp, done, records });
            }
            QuorumOutput::SnapshotWritten { end_offset, position, failure } => {
                let message = failure.as_deref().unwrap_or_default();
                self.emit(&Event::SnapshotWritten { end_offset, position, message });
            }
            QuorumOutput::SnapshotDamaged { file, reason } => {
                self.emit(&Event::SnapshotDamaged { file: &file.to_string_lossy(), message: &reason });
            }
            QuorumOutput::LogCut(cut) => self.tell_cut(&cut),
            QuorumOutput::Fault(message) => self.emit(&Event::Fault { message: &message }),
        }
    }
}
