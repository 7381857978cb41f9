//! Where the batches appended last stand, so that readers at the end of a log never touch the disk to find them.

use std::collections::VecDeque;

use super::LogPosition;
use crate::prefetch::prefetch;

/// Batches remembered: about one KiB per partition under load, nothing for one that was never written to.
const TAIL_BATCHES: usize = 24;

/// A batch found: where it begins, and its size in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Located {
    pub(super) position: LogPosition,
    pub(super) len: u64,
}

#[derive(Debug, Default)]
pub(super) struct Tail {
    batches: VecDeque<(Located, i64)>,
}

impl Tail {
    pub(super) fn push(&mut self, batch: Located, last_offset: i64) {
        if self.batches.len() == TAIL_BATCHES {
            self.batches.pop_front();
        }
        self.batches.push_back((batch, last_offset));
    }

    /// Brings the place of the next batch into the cache.
    pub(super) fn prefetch_end(&self) {
        if let Some(last) = self.batches.back() {
            prefetch(last, size_of_val(last));
        }
    }

    /// The batch that contains `offset`, or the first after it.
    pub(super) fn find(&self, offset: i64) -> Option<Located> {
        if offset < self.batches.front()?.0.position.offset {
            return None;
        }
        let index = self.batches.partition_point(|(_, last_offset)| *last_offset < offset);
        self.batches.get(index).map(|(batch, _)| *batch)
    }

    pub(super) fn clear(&mut self) {
        self.batches.clear();
    }
}
