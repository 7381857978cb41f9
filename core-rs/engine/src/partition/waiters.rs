//! The parked requests that wait for one partition, and what leaves a partition's lock to be dispatched afterwards.
//! Nothing here wakes a thread: the caller of the lock does, once it is released.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Effect, Isolation};
use crate::log::DamagedPlace;
use crate::uuid::Uuid;

/// A parked request of an I/O thread; `token` is unique on its thread for as long as the request lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId {
    pub thread: u16,
    pub token: u64,
}

/// What happened under partition locks and is still to be acted on by the caller, after the lock.
#[derive(Debug, Default)]
pub struct Notices {
    /// Parked requests to evaluate again, on their own threads. One may appear more than once.
    pub waiters: Vec<WaiterId>,
    /// Watched partitions whose high watermark rose: topic id, partition, new high watermark.
    pub committed: Vec<(Uuid, i32, i64)>,
    /// Work for the disk pool.
    pub effects: Vec<Effect>,
    /// The same, to be tried again once some time has passed: there may be room by then.
    pub later: Vec<Effect>,
    /// Partitions that went offline just now: every other one in the same log directory must follow.
    pub failures: Vec<Failure>,
    /// Files that were found to be damaged, again perhaps.
    pub damages: Vec<DamagedPlace>,
    /// Partitions whose disk had no room for what was to be written: nothing of it counts, and nothing is broken.
    pub full: Vec<Failure>,
}

impl Notices {
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
            && self.committed.is_empty()
            && self.effects.is_empty()
            && self.failures.is_empty()
            && self.full.is_empty()
            && self.damages.is_empty()
            && self.later.is_empty()
    }
}

/// A partition whose disk refused, for good or for want of room, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its own directory; the log directory is the parent.
    pub dir: PathBuf,
    pub reason: String,
}

/// Who waits, and from which bound on it is worth evaluating them.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    by_id: BTreeMap<WaiterId, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// Which bound: high watermark or last stable offset.
    isolation: Isolation,
    bound: i64,
    /// Told already, and not evaluated since: telling it again would only repeat itself in its thread's queue.
    notified: bool,
}

impl Waiters {
    /// Registers, or arms again, a request that has just been evaluated and found wanting.
    pub(super) fn register(&mut self, id: WaiterId, isolation: Isolation, bound: i64) {
        self.by_id.insert(id, Waiting { isolation, bound, notified: false });
    }

    pub(super) fn remove(&mut self, id: WaiterId) {
        self.by_id.remove(&id);
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Tells those whose bound is at most what was reached.
    pub(super) fn reached(&mut self, high_watermark: i64, last_stable: i64, told: &mut Vec<WaiterId>) {
        for (&id, waiting) in &mut self.by_id {
            let reached = match waiting.isolation {
                Isolation::ReadUncommitted => high_watermark,
                Isolation::ReadCommitted => last_stable,
            };
            if !waiting.notified && waiting.bound <= reached {
                waiting.notified = true;
                told.push(id);
            }
        }
    }

    /// Tells everybody: role, log start or existence changed.
    pub(super) fn all(&mut self, told: &mut Vec<WaiterId>) {
        self.reached(i64::MAX, i64::MAX, told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_whose_watermark_is_reached_are_told_and_only_until_they_look_again() {
        let [early, late] = [1, 2].map(|token| WaiterId { thread: 0, token });
        let mut waiters = Waiters::default();
        waiters.register(early, Isolation::ReadUncommitted, 5);
        waiters.register(late, Isolation::ReadCommitted, 9);
        let mut told = Vec::new();
        waiters.reached(5, 5, &mut told);
        waiters.reached(9, 6, &mut told);
        assert_eq!(told, [early], "the last stable offset is not at 9 yet");
        waiters.register(early, Isolation::ReadUncommitted, 8);
        waiters.reached(9, 8, &mut told);
        assert_eq!(told, [early, early]);
        waiters.remove(early);
        waiters.all(&mut told);
        assert_eq!((told.last(), waiters.len()), (Some(&late), 1));
    }
}
