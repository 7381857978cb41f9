//! Compaction of a partition: what is below the high watermark is cleaned without the lock, and taken over under it.

use std::sync::Arc;

use super::{Notices, Partition};
use crate::log::{CleaningPlan, ExpiredFiles, LogError};
use crate::time::Now;

impl Partition {
    /// Compacts closed segments if `cleanup.policy` and the amount of dirt ask for it. Blocks on the disk; one call at
    /// a time. Returns the files that were replaced, to be removed after `file.delete.delay.ms`.
    ///
    /// Errors: `Corrupt`, `Io`; the log is as it was. A fault of the log itself has taken it offline instead.
    pub fn clean(
        self: &Arc<Self>,
        dedupe_bytes: usize,
        now: Now,
        notices: &mut Notices,
    ) -> Result<Option<ExpiredFiles>, LogError> {
        let Some(plan) = self.cleaning_plan(now, notices) else { return Ok(None) };
        let cleaned = plan.run(dedupe_bytes, now)?;
        Ok(self.with(|state| {
            let taken = state.log_mut().ok()?.take_cleaned(cleaned);
            let files = taken.map_err(|error| self.fault(state, error, notices)).ok()?;
            Some(files)
        }))
    }

    fn cleaning_plan(self: &Arc<Self>, now: Now, notices: &mut Notices) -> Option<CleaningPlan> {
        if !self.config().log.compact {
            return None;
        }
        self.with(|state| {
            // Positions are kept of what is not decided yet: the segments that they point into stay as they are.
            let undecided = [Some(state.high_watermark), state.first_unstable];
            let upper = undecided.into_iter().flatten().map(|position| position.segment_base).min()?;
            let plan = state.log_mut().ok()?.cleaning_plan(upper, now);
            plan.map_err(|error| self.fault(state, error, notices)).ok()?
        })
    }
}
