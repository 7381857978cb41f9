//! Opening a partition: its log recovered, its directory claimed for one topic id, its producer state rebuilt.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::producer_state::ProducerStates;
use super::waiters::Waiters;
use super::{Partition, PartitionConfig, Role, State};
use crate::log::{Log, LogError, OpenReport, Opening, partition_metadata};
use crate::storage::Storage;
use crate::time::Now;
use crate::uuid::Uuid;

/// Which partition, and where it stands.
#[derive(Clone, Debug)]
pub struct PartitionSpec {
    pub topic: Arc<str>,
    pub topic_id: Uuid,
    pub index: i32,
    /// Its own directory, `<log dir>/<topic>-<index>`.
    pub dir: PathBuf,
}

/// A partition that is open as a follower of epoch −1: `Partition::lead` makes it serve.
#[derive(Debug)]
pub struct OpenedPartition {
    pub partition: Arc<Partition>,
    pub report: OpenReport,
}

impl Partition {
    /// Opens or creates the log in `spec.dir` and rebuilds the producer state from its newest snapshot and the
    /// batches after it.
    ///
    /// Errors: a disk or contents fault; `Corrupt` also when the directory belongs to another topic id.
    pub fn open(
        storage: &Arc<dyn Storage>,
        spec: PartitionSpec,
        config: PartitionConfig,
        opening: Opening,
        now: Now,
    ) -> Result<OpenedPartition, LogError> {
        let (mut log, report) = Log::open(storage.clone(), &spec.dir, config.log.clone(), opening, now)?;
        claim(storage.as_ref(), &spec)?;
        let producers = rebuild_producers(&log, now, config.producer_expiration_ms)?;
        if config.syncs_every_append() && log.recovery_point() < log.end_offset() {
            // What a crash left in the page cache was perhaps never acked as durable: it must be before it is read.
            let job = log.sync_job();
            job.run().map_err(|source| LogError::Io { path: spec.dir.clone(), source })?;
            log.synced(&job);
        }
        let high_watermark = log.end_position();
        let state = State {
            log: Some(log),
            role: Role::Follower,
            leader_epoch: -1,
            leader_id: -1,
            replicas: 1,
            isr: 1,
            high_watermark,
            producers,
            waiters: Waiters::default(),
            watched: false,
            offline: None,
            deleted: false,
            syncing: false,
            unsynced_records: 0,
        };
        let partition = Arc::new(Partition {
            topic: spec.topic,
            topic_id: spec.topic_id,
            index: spec.index,
            dir: spec.dir,
            config: RwLock::new(Arc::new(config)),
            state: Mutex::new(state),
        });
        Ok(OpenedPartition { partition, report })
    }
}

/// Writes the topic id beside a new log, or makes sure that the log there is this topic's.
fn claim(storage: &dyn Storage, spec: &PartitionSpec) -> Result<(), LogError> {
    let path = || spec.dir.join(partition_metadata::PARTITION_METADATA_FILE);
    match partition_metadata::read(storage, &spec.dir) {
        Ok(Some(id)) if id == spec.topic_id => Ok(()),
        Ok(Some(id)) => {
            let reason = format!("the directory belongs to topic id {id}, not to {}", spec.topic_id);
            Err(LogError::Corrupt { path: path(), position: 0, reason })
        }
        Ok(None) => partition_metadata::write(storage, &spec.dir, spec.topic_id)
            .map_err(|source| LogError::Io { path: path(), source }),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(LogError::Corrupt { path: path(), position: 0, reason: error.to_string() })
        }
        Err(source) => Err(LogError::Io { path: path(), source }),
    }
}

fn rebuild_producers(log: &Log, now: Now, expiration_ms: i64) -> Result<ProducerStates, LogError> {
    let (from, entries) = log.read_producer_snapshot()?.unwrap_or((log.start_offset(), Vec::new()));
    let mut producers = ProducerStates::from_snapshot(&entries);
    let mut batches = log.batches_from(from.max(log.start_offset()))?;
    while let Some(batch) = batches.next_header()? {
        // A batch that straddles the snapshot's offset is in it already.
        if batch.position.offset >= from {
            producers.replay(&batch.header);
        }
    }
    producers.expire(now.wall_ms, expiration_ms);
    Ok(producers)
}
