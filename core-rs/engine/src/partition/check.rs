//! Checking what was on disk before this process, before anybody is served it: on the disk pool, in bounded pieces,
//! while the readers that want it wait.

use std::sync::Arc;

use super::{Effect, Isolation, Notices, Partition, State, WaiterId};
use crate::log::{Brought, Checked, ColdJob, LogError, SegmentCheck};

/// Pieces of one partition that are checked at a time; further readers wait for one of them to be done.
const CHECKS: usize = 4;
/// Every bound is above it: what a reader waits for who waits for a check.
const NO_BOUND: i64 = 0;

impl Partition {
    /// Has the bytes around `offset` checked, unless that is under way.
    pub(super) fn want_check(self: &Arc<Self>, state: &mut State, offset: i64, notices: &mut Notices) {
        if !state.checking.contains(&offset) && state.checking.len() < CHECKS {
            state.checking.push(offset);
            notices.effects.push(Effect::Check(self.clone(), offset));
        }
    }

    /// Registers a reader to be told when a check is done.
    pub(super) fn await_check(state: &mut State, waiter: WaiterId, isolation: Isolation) {
        state.waiters.register(waiter, isolation, NO_BOUND);
    }

    pub(super) fn check(self: &Arc<Self>, offset: i64, notices: &mut Notices) {
        let job = self.with(|state| match state.log().map(|log| log.cold_job(offset)) {
            Ok(Ok(job)) => job,
            Ok(Err(error)) => {
                self.fault(state, error, notices);
                None
            }
            Err(_) => None,
        });
        // Without the lock: this is what may take long.
        let outcome = job.map(ColdJob::run);
        self.with(|state| {
            state.checking.retain(|other| *other != offset);
            if let Some(outcome) = outcome {
                self.take_over(state, outcome, notices);
            }
            state.waiters.reached(NO_BOUND, NO_BOUND, &mut notices.waiters);
        });
    }

    /// The next closed segment at `base` or above, to be scrubbed; `None` when there is none or nothing is served.
    pub fn begin_scrub(&self, base: i64, notices: &mut Notices) -> Option<SegmentCheck> {
        self.with(|state| {
            let job = state.log().ok()?.scrub_job(base);
            job.map_err(|error| self.fault(state, error, notices)).ok()?
        })
    }

    /// Takes over what scrubbing a segment has found.
    pub fn end_scrub(&self, outcome: Result<Checked, LogError>, notices: &mut Notices) {
        self.with(|state| self.take_over(state, outcome.map(Brought::from), notices));
    }

    fn take_over(&self, state: &mut State, outcome: Result<Brought, LogError>, notices: &mut Notices) {
        // The log moved to another directory meanwhile.
        if outcome.as_ref().is_err_and(|error| self.is_past(error)) {
            return;
        }
        let Ok(log) = state.log_mut() else { return };
        match outcome.and_then(|brought| log.brought(brought)) {
            Ok(damages) => notices.damages.extend(damages),
            Err(error) => {
                self.fault(state, error, notices);
            }
        }
    }
}
