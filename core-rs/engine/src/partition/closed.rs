//! A partition as a clean stop left it: enough to go on with it, unless somebody had his hands in its files since.

use std::sync::Arc;

use super::producer_state::ProducerStates;
use super::{OpenedPartition, Partition, PartitionConfig, PartitionOffsets, PartitionSpec};
use crate::log::producer_snapshot::ProducerSnapshotEntry;
use crate::log::{Log, LogError, LogSummary, OpenReport, Opening};
use crate::storage::Storage;
use crate::time::Now;
use crate::uuid::Uuid;

/// What closing a partition gives.
#[derive(Debug)]
pub struct Closed {
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

impl Partition {
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
