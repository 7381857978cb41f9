//! How far readers may see: the high watermark, and the last stable offset that follows from it and from the open
//! transactions. Every rise of either wakes who waits for it.

use std::sync::Arc;

use super::{Isolation, Notices, Partition, PartitionConfig, PartitionError, State};
use crate::log::LogPosition;

impl State {
    /// Exclusive: what readers of committed records may see.
    pub(super) fn last_stable(&self) -> LogPosition {
        self.first_unstable.map_or(self.high_watermark, |first| first.min(self.high_watermark))
    }

    /// How far a reader may see; `None` is one that sees everything.
    pub(super) fn bound(&self, isolation: Option<Isolation>) -> Result<LogPosition, PartitionError> {
        Ok(match isolation {
            None => self.log()?.end_position(),
            Some(Isolation::ReadUncommitted) => self.high_watermark,
            Some(Isolation::ReadCommitted) => self.last_stable(),
        })
    }
}

impl Partition {
    /// On one broker the high watermark is the log end, or what was synced where every append must be.
    pub(super) fn settle_high_watermark(
        self: &Arc<Self>,
        state: &mut State,
        config: &PartitionConfig,
        notices: &mut Notices,
    ) {
        let Ok(log) = state.log() else { return };
        let end = log.end_position();
        if !config.syncs_every_append() {
            self.raise_high_watermark(state, end, notices);
        } else if end > state.high_watermark {
            self.want_sync(state, notices);
        }
    }

    pub(super) fn raise_high_watermark(&self, state: &mut State, to: LogPosition, notices: &mut Notices) {
        if to <= state.high_watermark {
            return;
        }
        state.high_watermark = to;
        state.producers.replicated(to.offset);
        // A fault is told to everybody by the settling itself.
        let _ = self.settle_unstable(state, notices);
        state.waiters.reached(to.offset, state.last_stable().offset, &mut notices.waiters);
        if state.watched {
            notices.committed.push((self.topic_id, self.index, to.offset));
        }
    }

    /// Follows the producer state's first undecided offset, never below the log start. One that a snapshot told of is
    /// looked up in the log, once.
    pub(super) fn settle_unstable(
        &self,
        state: &mut State,
        notices: &mut Notices,
    ) -> Result<(), PartitionError> {
        let Some((first, position)) = state.producers.first_unstable() else {
            state.first_unstable = None;
            return Ok(());
        };
        let log = state.log()?;
        let offset = first.max(log.start_offset());
        if state.first_unstable.is_none_or(|known| known.offset != offset) {
            let found = position.filter(|_| offset == first).map_or_else(|| log.position_of(offset), Ok);
            match found {
                Ok(position) => state.first_unstable = Some(position),
                Err(error) => return Err(self.fault(state, error, notices)),
            }
        }
        Ok(())
    }
}
