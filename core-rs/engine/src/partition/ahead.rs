//! What an append will touch, brought into the cache ahead of it. Where thousands of partitions take turns, each was
//! last touched thousands of appends ago, and waiting for its memory piece by piece takes half as long as all the rest
//! of our own code (docs/PERFORMANCE.md, "Ten thousand partitions"). A request names its partitions in advance.

use super::Partition;
use crate::prefetch::prefetch;

impl Partition {
    /// First the partition itself.
    pub(crate) fn prefetch(&self) {
        prefetch(self, 0);
    }

    /// Then the end of its log; nothing where somebody else is inside.
    pub(crate) fn prefetch_end(&self) {
        let Some(state) = self.state.try_lock() else { return };
        if let Some(log) = &state.log {
            log.prefetch_end();
        }
    }
}
