//! A partition at a clean stop, and at the start after it, which goes on with what the stop left unless somebody had his
//! hands in the files since.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::producer_state::ProducerStates;
use super::{
    Notices, OpenedPartition, Partition, PartitionConfig, PartitionError, PartitionOffsets, PartitionSpec,
    closed,
};
use crate::log::producer_snapshot::ProducerSnapshotEntry;
use crate::log::{Log, LogError, LogSummary, OpenReport, Opening, SyncJob};
use crate::storage::{Storage, WriteError};
use crate::time::Now;
use crate::uuid::Uuid;

/// A partition that serves nobody any more, and whose files are as they are going to stay: what is left is their sync.
#[derive(Debug)]
pub struct ClosingPartition {
    topic: Arc<str>,
    topic_id: Uuid,
    index: i32,
    log: Log,
    /// What is not durable yet, if anything is.
    job: Option<SyncJob>,
    offsets: PartitionOffsets,
    producers: Vec<ProducerSnapshotEntry>,
}

/// What a partition was closed with.
#[derive(Debug)]
pub struct Closed {
    pub topic: Arc<str>,
    pub index: i32,
    pub offsets: PartitionOffsets,
    /// For the next start, if it can make use of it.
    pub left: Option<ClosedPartition>,
}

/// Whose the log is, and the state of its producers at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedPartition {
    pub topic_id: Uuid,
    pub log: LogSummary,
    pub producers: Vec<ProducerSnapshotEntry>,
}

impl ClosingPartition {
    /// The log directory.
    pub fn log_dir(&self) -> PathBuf {
        self.log.dir().parent().map(Path::to_path_buf).unwrap_or_default()
    }

    /// What is not durable yet, if anything is.
    pub fn job(&self) -> Option<&SyncJob> {
        self.job.as_ref()
    }

    /// Makes it durable, file by file.
    ///
    /// Errors: `Io`, `Full`.
    pub fn sync(self) -> Result<Closed, LogError> {
        self.synced_by(SyncJob::run)
    }

    /// Somebody has made everything durable that stands in its log directory.
    pub fn synced(self) -> Result<Closed, LogError> {
        self.synced_by(|_| Ok(()))
    }

    fn synced_by(mut self, run: impl FnOnce(&SyncJob) -> Result<(), WriteError>) -> Result<Closed, LogError> {
        if let Some(job) = self.job.take() {
            self.log.finished(&job, run(&job))?;
        }
        Ok(self.closed())
    }

    fn closed(self) -> Closed {
        let offsets = PartitionOffsets { recovery_point: self.offsets.log_end, ..self.offsets };
        let (topic_id, producers) = (self.topic_id, self.producers);
        let left = self.log.summary().map(|log| ClosedPartition { topic_id, log, producers });
        Closed { topic: self.topic, index: self.index, offsets, left }
    }
}

impl Partition {
    /// The clean stop: producer state and indexes written. Nothing is served afterwards, and nothing more is written.
    /// A partition that is offline is left as it is.
    pub fn close(&self, notices: &mut Notices) -> Result<ClosingPartition, PartitionError> {
        self.with(|state| {
            let producers = state.producers.snapshot();
            let log = state.log_mut()?;
            let finished = log.write_producer_snapshot(&producers).and_then(|()| log.finish());
            let offsets = state.offsets();
            let finished = finished.map_err(|error| self.fault(state, error, notices));
            let log = state.log.take();
            state.waiters.all(&mut notices.waiters);
            let (job, log) = (finished?, log.ok_or_else(closed)?);
            let (topic, topic_id, index) = (self.topic.clone(), self.topic_id, self.index);
            Ok(ClosingPartition { topic, topic_id, index, log, job, offsets, producers })
        })
    }

    /// Goes on with a partition as it was closed; `None` when it is not as `left` says, so that it must be opened.
    ///
    /// Errors: as `open`.
    pub fn resume(
        storage: &Arc<dyn Storage>,
        spec: &PartitionSpec,
        config: &Arc<PartitionConfig>,
        opening: Opening,
        left: &ClosedPartition,
        now: Now,
    ) -> Result<Option<OpenedPartition>, LogError> {
        if left.topic_id != spec.topic_id {
            return Ok(None);
        }
        let log = Log::resume(storage, &spec.dir, config.log.clone(), opening, &left.log, now)?;
        let Some(log) = log else { return Ok(None) };
        let mut producers = ProducerStates::from_snapshot(&left.producers);
        producers.expire(now.wall_ms, config.producer_expiration_ms);
        let partition = Partition::with_log(spec.clone(), Arc::clone(config), log, producers)?;
        Ok(Some(OpenedPartition { partition, report: OpenReport::default() }))
    }
}
