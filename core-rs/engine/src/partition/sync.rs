//! Work for the disk pool that a partition asks for: one sync at a time, each covering everything appended before it
//! began (group commit), and beginning when those are here who will wait for it (`company`).

use std::sync::Arc;
use std::time::Duration;

use super::{Notices, Partition, State};
use crate::log::{LogError, SyncJob};
use crate::storage::WriteError;

/// Whether and by what clock a sync may wait for more appends.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// ns
    pub stopwatch: fn() -> u64,
    pub may_wait: bool,
}

/// Work that may block, to be run off the I/O threads. Every effect that is taken must be run exactly once.
#[derive(Debug)]
pub enum Effect {
    /// Make the partition's appends durable and let its high watermark follow.
    Sync(Arc<Partition>),
    /// Look at what stands around this offset, for readers.
    Check(Arc<Partition>, i64),
}

impl Effect {
    /// Runs it; what follows goes to `notices`, possibly another effect.
    pub fn run(self, patience: Patience, notices: &mut Notices) {
        match self {
            Effect::Sync(partition) => partition.sync(patience, notices),
            Effect::Check(partition, offset) => partition.check(offset, notices),
        }
    }
}

impl Partition {
    /// Queues a sync unless one is queued or running: that one's end asks for the next.
    pub(super) fn want_sync(self: &Arc<Self>, state: &mut State, notices: &mut Notices) {
        if !state.syncing && !state.swap_waits {
            state.syncing = true;
            notices.effects.push(Effect::Sync(self.clone()));
        }
    }

    fn sync(self: &Arc<Self>, Patience { stopwatch, may_wait }: Patience, notices: &mut Notices) {
        if may_wait {
            self.await_company(stopwatch);
        }
        if let Some(job) = self.begin_sync() {
            let began = stopwatch();
            let outcome = job.run();
            let now = stopwatch();
            self.end_sync(&job, outcome, (now, now.saturating_sub(began)), notices);
        }
    }

    fn await_company(&self, stopwatch: fn() -> u64) {
        let mut state = self.state.lock();
        let mut now = stopwatch();
        let Some(until) = state.company.begin_wait(now) else { return };
        while !state.company.is_complete() && now < until {
            self.company_came.wait_for(&mut state, Duration::from_nanos(until - now));
            now = stopwatch();
        }
        state.company.end_wait();
    }

    /// What is to be synced now; `None` once the partition serves no more.
    pub(super) fn begin_sync(&self) -> Option<SyncJob> {
        self.with(|state| {
            state.unsynced_records = 0;
            state.company.sync_began();
            let job = state.log().map(|log| log.sync_job()).ok();
            state.syncing = job.is_some();
            job
        })
    }

    /// `now` and how long the job took: ns of the stopwatch.
    pub(super) fn end_sync(
        self: &Arc<Self>,
        job: &SyncJob,
        outcome: Result<(), WriteError>,
        (now, took): (u64, u64),
        notices: &mut Notices,
    ) {
        let config = self.config();
        self.with(|state| {
            state.syncing = false;
            state.company.sync_ended(now, took, config.syncs_every_append());
            if state.deleted {
                // Its files are on their way out: what syncing them says concerns nobody.
                return;
            }
            let path = self.dir().to_path_buf();
            match outcome {
                Ok(()) => {}
                Err(WriteError::Full(source)) => {
                    // What was synced is; only the leader epochs wait for room. Those who wait for the rest wait on.
                    self.fault(state, LogError::Full { path, source }, notices);
                    state.syncing = true;
                    notices.later.push(Effect::Sync(self.clone()));
                    return;
                }
                Err(WriteError::Failed(source)) => {
                    // The kernel may have dropped the pages: a second sync would succeed without them. Never retried.
                    self.fault(state, LogError::Io { path, source }, notices);
                    return;
                }
            }
            let Ok(log) = state.log_mut() else { return };
            log.synced(job);
            self.raise_high_watermark(state, job.end(), notices);
            // Appended meanwhile: with flush.messages=1 the high watermark waits for exactly these.
            if state.unsynced_records >= config.log.flush_messages.max(1) {
                self.want_sync(state, notices);
            }
        });
    }
}
