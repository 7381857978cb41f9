//! Whom a sync should wait for. Producers whose acks one sync has let go come back within moments of each other: begun
//! for the first of them alone, the next sync would keep all others waiting for the one after it, and two producers
//! would wait for two syncs each, for ever. It counts and judges; who waits is in `sync`.

/// The longest that a sync waits, ns, however slow the disk.
const LONGEST_NS: u64 = 2_000_000;
/// After so many waits in vain, one by one, no more than one sync in 2^n is made to wait.
const MOST_IN_VAIN: u32 = 8;

/// What a partition knows of those who wait for its syncs. Times in ns of the node's stopwatch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Company {
    /// Appends that the next sync would cover by now.
    came: u32,
    /// Appends that the last one covered.
    covered: u32,
    /// As many as may come at once: what the last sync covered, and what it kept waiting.
    expected: u32,
    /// Until when they would be here if they came at once.
    until: u64,
    /// Waits in a row that did not bring everybody.
    in_vain: u32,
    /// Syncs that are still to begin without a wait.
    hurried: u32,
    /// A sync waits.
    awaited: bool,
}

impl Company {
    /// So many appends came. True: a sync that waits need wait no longer.
    pub(super) fn came(&mut self, appends: u32) -> bool {
        self.came = self.came.saturating_add(appends);
        self.awaited && self.is_complete()
    }

    /// Nobody else is expected.
    pub(super) fn is_complete(&self) -> bool {
        self.came >= self.expected
    }

    /// Whether a sync waits.
    #[cfg(test)]
    pub(super) fn is_awaited(&self) -> bool {
        self.awaited
    }

    /// A sync could begin at `now`: begins its wait for more and tells until when; `None`: it should not wait.
    pub(super) fn begin_wait(&mut self, now: u64) -> Option<u64> {
        if self.is_complete() || now >= self.until {
            return None;
        }
        if self.hurried > 0 {
            self.hurried -= 1;
            return None;
        }
        self.awaited = true;
        Some(self.until)
    }

    /// A wait is over. One that did not bring everybody makes the next ones rarer: these clients come when they like.
    pub(super) fn end_wait(&mut self) {
        self.awaited = false;
        self.in_vain = if self.is_complete() { 0 } else { (self.in_vain + 1).min(MOST_IN_VAIN) };
        self.hurried = (1 << self.in_vain) - 1;
    }

    pub(super) fn sync_began(&mut self) {
        self.covered = std::mem::take(&mut self.came);
    }

    /// The sync that began last ended at `now` after `took`. `acks_wait`: those it covered were waiting for it.
    pub(super) fn sync_ended(&mut self, now: u64, took: u64, acks_wait: bool) {
        self.expected = if acks_wait { self.covered.saturating_add(self.came) } else { 0 };
        self.until = now.saturating_add(took.min(LONGEST_NS));
    }
}

#[cfg(test)]
#[path = "company_tests.rs"]
mod tests;
