//! Opening a partition: its log recovered, its directory claimed for one topic id, its producer state rebuilt.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, RwLock};

use super::markers::end_in;
use super::producer_state::{IncomingBatch, ProducerStates};
use super::{Partition, PartitionConfig, State};
use crate::log::producer_snapshot::ProducerSnapshotEntry;
use crate::log::{LastStop, Log, LogError, OpenReport, Opening, partition_metadata};
use crate::storage::{Storage, WriteError};
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
        config: Arc<PartitionConfig>,
        opening: Opening,
        now: Now,
    ) -> Result<OpenedPartition, LogError> {
        let (mut log, mut report) = Log::open(storage.clone(), &spec.dir, config.log.clone(), opening, now)?;
        claim(storage.as_ref(), &spec, log.size() == 0)?;
        let rebuilt = report.rebuilt_indexes.iter().copied().min();
        let mut damaged = Vec::new();
        let snapshot = match report.has_snapshot {
            true => log.read_producer_snapshot(rebuilt.unwrap_or(i64::MAX), &mut damaged)?,
            false => None,
        };
        let producers = replay(&mut log, snapshot, now, config.producer_expiration_ms)?;
        // One that a crash tore was never synced.
        report.damaged.extend(damaged.into_iter().filter(|_| opening.stop == LastStop::Clean));
        if config.syncs_every_append() && log.recovery_point() < log.end_offset() {
            // What a crash left in the page cache was perhaps never acked as durable: it must be before it is read.
            let job = log.sync_job();
            let io = |error: WriteError| LogError::Io { path: spec.dir.clone(), source: error.into_io() };
            job.run().map_err(io)?;
            log.synced(&job);
        }
        let partition = Partition::with_log(spec, config, log, producers)?;
        Ok(OpenedPartition { partition, report })
    }

    /// A partition whose log is as `producers` know it.
    ///
    /// Errors: `Corrupt` and `Io` where the log is asked for the first open transaction.
    pub(super) fn with_log(
        spec: PartitionSpec,
        config: Arc<PartitionConfig>,
        log: Log,
        mut producers: ProducerStates,
    ) -> Result<Arc<Partition>, LogError> {
        let high_watermark = log.end_position();
        producers.replicated(high_watermark.offset);
        let first_unstable = match producers.first_unstable() {
            Some((first, _)) => Some(log.position_of(first.max(log.start_offset()))?),
            None => None,
        };
        let dir = RwLock::new(log.shared_dir());
        let state = State {
            high_watermark,
            first_unstable,
            producers,
            ..State::new(Some(log), high_watermark.offset)
        };
        Ok(Arc::new(Partition {
            topic: spec.topic,
            topic_id: spec.topic_id,
            index: spec.index,
            dir,
            config: RwLock::new(config),
            state: Mutex::new(state),
            company_came: Condvar::new(),
        }))
    }
}

/// Writes the topic id beside a new log, or makes sure that the log there is this topic's.
///
/// That waits for no disk, as with Kafka: the log's first sync covers it, so that no record is durable before its owner
/// is. What a loss of power leaves of it, nothing or a torn file, is written anew where there are no records, and set
/// aside as stray where there are (`node::strays`): they were never durable, and may be those of a deleted topic.
fn claim(storage: &dyn Storage, spec: &PartitionSpec, is_empty: bool) -> Result<(), LogError> {
    let path = || spec.dir.join(partition_metadata::PARTITION_METADATA_FILE);
    match partition_metadata::read(storage, &spec.dir) {
        Ok(Some(id)) if id == spec.topic_id => Ok(()),
        Ok(Some(id)) => {
            let reason = format!("the directory belongs to topic id {id}, not to {}", spec.topic_id);
            Err(LogError::Corrupt { path: path(), position: 0, reason })
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData && !is_empty => {
            Err(LogError::Corrupt { path: path(), position: 0, reason: error.to_string() })
        }
        Ok(None) if !is_empty => {
            let reason = "it is missing, and the log has records".to_owned();
            Err(LogError::Corrupt { path: path(), position: 0, reason })
        }
        Err(error) if error.kind() != io::ErrorKind::InvalidData => {
            Err(LogError::Io { path: path(), source: error })
        }
        Ok(None) | Err(_) => partition_metadata::create(storage, &spec.dir, spec.topic_id)
            .map_err(|source| LogError::Io { path: path(), source }),
    }
}

/// Rebuilds the producer state from a snapshot (its offset and contents) and the batches after it. Where recovery has
/// thrown away transaction indexes, the snapshot is one from before: the aborted transactions that are met on the way go
/// into them again.
fn replay(
    log: &mut Log,
    snapshot: Option<(i64, Vec<ProducerSnapshotEntry>)>,
    now: Now,
    expiration_ms: i64,
) -> Result<ProducerStates, LogError> {
    // Without a snapshot from the very first batch that is there: one below the log start may have begun a transaction
    // that ended above.
    let (from, entries) = snapshot.unwrap_or((0, Vec::new()));
    let mut producers = ProducerStates::from_snapshot(&entries);
    let mut batches = log.replay_from(from)?;
    while let Some(batch) = batches.next_replayed()? {
        // A batch that straddles the snapshot's offset is in it already.
        if batch.position.offset < from || !batch.header.has_producer_id() {
            continue;
        }
        let Some(control) = &batch.control else {
            let (incoming, last_offset) = (IncomingBatch::of(&batch.header), batch.header.last_offset());
            producers.appended(&incoming, batch.position, last_offset, batch.header.max_timestamp);
            continue;
        };
        let end = end_in(control).map_err(|error| log.corrupt_at(batch.position, error.to_string()))?;
        if let Some((end, timestamp)) = end
            && let Some(aborted) = producers.ended(&end, batch.position.offset, timestamp)
        {
            log.append_aborted(&aborted)?;
        }
    }
    log.sync_replayed_aborts()?;
    producers.expire(now.wall_ms, expiration_ms);
    Ok(producers)
}
