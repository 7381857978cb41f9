//! Where a leader epoch ended, from the log's list of epochs: how a reader learns that it followed another history.

use super::{NO_LEADER_EPOCH, Partition, PartitionError};
use crate::log::checkpoint::EpochStart;

/// The largest epoch at or below `requested` and the offset at which it ended (exclusive), as Kafka's leader epoch
/// cache answers. `current` is the leader's own epoch, which lasts to `log_end`. `None` for an epoch nobody knows.
pub(super) fn end_of_epoch(
    epochs: &[EpochStart],
    current: i32,
    log_end: i64,
    requested: i32,
) -> Option<(i32, i64)> {
    if requested == current {
        return Some((requested, log_end));
    }
    if requested == NO_LEADER_EPOCH || requested > current {
        return None;
    }
    let next_start = epochs.iter().find(|entry| entry.epoch > requested).map_or(log_end, |e| e.start_offset);
    let floor = epochs.iter().rev().find(|entry| entry.epoch <= requested);
    Some((floor.map_or(requested, |entry| entry.epoch), next_start))
}

impl Partition {
    /// Where epoch `requested` ended in this leader's log: the largest epoch at or below it and its end offset
    /// (exclusive). `None` for an epoch nobody knows.
    ///
    /// Errors: deleted, offline, epoch and leader checks.
    pub fn epoch_end(
        &self,
        requested: i32,
        current_leader_epoch: i32,
    ) -> Result<Option<(i32, i64)>, PartitionError> {
        self.with(|state| {
            state.check_leader(current_leader_epoch)?;
            let log = state.log()?;
            Ok(end_of_epoch(log.leader_epochs(), state.leader_epoch, log.end_offset(), requested))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_ends_where_the_next_one_starts() {
        let epochs = [EpochStart { epoch: 2, start_offset: 10 }, EpochStart { epoch: 5, start_offset: 30 }];
        let end = |requested| end_of_epoch(&epochs, 7, 50, requested);
        assert_eq!(end(7), Some((7, 50)));
        assert_eq!(end(8), None);
        assert_eq!(end(6), Some((5, 50)), "epoch 6 wrote nothing: epoch 5 lasts to the end");
        assert_eq!(end(5), Some((5, 50)));
        assert_eq!(end(4), Some((2, 30)));
        assert_eq!(end(1), Some((1, 10)));
        assert_eq!(end(-1), None, "no epoch was asked for");
        assert_eq!(end(-2), Some((-2, 10)), "an epoch as any other");
    }
}
