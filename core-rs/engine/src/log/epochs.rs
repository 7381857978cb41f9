//! The leader epochs of one log and where each began: kept in memory, written to `leader-epoch-checkpoint` by the
//! next sync, so that no append waits for a directory sync.

use super::checkpoint::EpochStart;
use crate::prefetch::prefetch;

#[derive(Debug, Default)]
pub(super) struct Epochs {
    entries: Vec<EpochStart>,
    /// Differs from the file.
    pub(super) dirty: bool,
}

impl Epochs {
    pub(super) fn new(entries: Vec<EpochStart>) -> Epochs {
        Epochs { entries, dirty: false }
    }

    pub(super) fn entries(&self) -> &[EpochStart] {
        &self.entries
    }

    /// Brings the newest entry into the cache.
    pub(super) fn prefetch_end(&self) {
        if let Some(last) = self.entries.last() {
            prefetch(last, 0);
        }
    }

    /// A batch of `epoch` begins at `start_offset`; −1 is no epoch. One older than the last, as in a log that was brought
    /// here from another broker, takes the epochs that contradict it away (Kafka's
    /// `LeaderEpochFileCache.maybeTruncateNonMonotonicEntries`): asked about them, nobody is told of a wrong end.
    pub(super) fn note(&mut self, epoch: i32, start_offset: i64) {
        if epoch < 0 || self.entries.last().is_some_and(|last| epoch == last.epoch) {
            return;
        }
        while self.entries.pop_if(|last| last.epoch >= epoch || last.start_offset >= start_offset).is_some() {
        }
        self.entries.push(EpochStart { epoch, start_offset });
        self.dirty = true;
    }

    /// The epoch in force at `offset`; −1 before the first.
    pub(super) fn at(&self, offset: i64) -> i32 {
        let later = self.entries.partition_point(|entry| entry.start_offset <= offset);
        later.checked_sub(1).and_then(|last| self.entries.get(last)).map_or(-1, |entry| entry.epoch)
    }

    /// Drops the epochs that begin at or above `end`.
    pub(super) fn truncate_end(&mut self, end: i64) {
        let keep = self.entries.partition_point(|entry| entry.start_offset < end);
        if keep < self.entries.len() {
            self.entries.truncate(keep);
            self.dirty = true;
        }
    }

    /// Drops the epochs that ended at or below `start`; the one in force there begins at `start` from now on.
    pub(super) fn truncate_start(&mut self, start: i64) {
        let later = self.entries.partition_point(|entry| entry.start_offset <= start);
        let Some(in_force) = later.checked_sub(1) else {
            return;
        };
        if in_force > 0 || self.entries.first().is_some_and(|entry| entry.start_offset < start) {
            self.entries.drain(..in_force);
            if let Some(first) = self.entries.first_mut() {
                first.start_offset = start;
            }
            self.dirty = true;
        }
    }

    /// Takes over those of another log.
    pub(super) fn replace(&mut self, entries: Vec<EpochStart>) {
        self.dirty |= self.entries != entries;
        self.entries = entries;
    }

    pub(super) fn clear(&mut self) {
        self.dirty |= !self.entries.is_empty();
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(epochs: &Epochs) -> Vec<(i32, i64)> {
        epochs.entries().iter().map(|entry| (entry.epoch, entry.start_offset)).collect()
    }

    #[test]
    fn an_older_epoch_takes_those_away_that_it_contradicts() {
        let mut epochs = Epochs::default();
        for (epoch, offset) in [(0, 0), (0, 5), (3, 10), (-1, 15), (7, 20), (7, 25)] {
            epochs.note(epoch, offset);
        }
        assert_eq!(entries(&epochs), [(0, 0), (3, 10), (7, 20)]);
        epochs.note(2, 30);
        assert_eq!(entries(&epochs), [(0, 0), (2, 30)]);
        assert_eq!((epochs.at(29), epochs.at(30)), (0, 2));
        epochs.note(0, 40);
        assert_eq!(entries(&epochs), [(0, 40)]);
    }
}
