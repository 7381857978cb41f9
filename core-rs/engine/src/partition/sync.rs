//! Work for the disk pool that a partition asks for: one sync at a time, each covering everything appended before it
//! began (group commit).

use std::sync::Arc;

use super::{Notices, Partition, State};
use crate::log::{LogError, SyncJob};
use crate::storage::WriteError;

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
    pub fn run(self, notices: &mut Notices) {
        match self {
            Effect::Sync(partition) => partition.sync(notices),
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

    fn sync(self: &Arc<Self>, notices: &mut Notices) {
        if let Some(job) = self.begin_sync() {
            let outcome = job.run();
            self.end_sync(&job, outcome, notices);
        }
    }

    /// What is to be synced now; `None` once the partition serves no more.
    pub(super) fn begin_sync(&self) -> Option<SyncJob> {
        self.with(|state| {
            state.unsynced_records = 0;
            let job = state.log().map(|log| log.sync_job()).ok();
            state.syncing = job.is_some();
            job
        })
    }

    pub(super) fn end_sync(
        self: &Arc<Self>,
        job: &SyncJob,
        outcome: Result<(), WriteError>,
        notices: &mut Notices,
    ) {
        let config = self.config();
        self.with(|state| {
            state.syncing = false;
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
