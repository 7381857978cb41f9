//! `__cluster_metadata-0`: committed raft entries as Kafka batches, one each. The same entries always give the same
//! bytes, so that what a crash takes is written again. It knows no raft state but the last entry applied.

use std::path::Path;
use std::sync::Arc;

use millrace_record::batch::NO_TIMESTAMP;
use millrace_record::control::{ControlRecord, LeaderChange, QuorumVoter, control_batch};
use millrace_record::{BatchBuilder, BatchError, BatchSpec, BatchView};

use super::checkpoint_file::SnapshotId;
use super::epoch;
use super::outputs::QuorumOutput;
use super::raft_storage::EntryId;
use super::wal::Base;
use crate::log::{
    AppendBatch, CutBytes, ExpiredFiles, Log, LogConfig, LogError, Opening, SyncJob, partition_metadata,
};
use crate::storage::Storage;
use crate::time::Now;
use crate::uuid::Uuid;

/// Kafka's name of the topic; it has one partition, 0.
pub const METADATA_TOPIC: &str = "__cluster_metadata";
/// Kafka's reserved id of it: `AAAAAAAAAAAAAAAAAAAAAQ`.
pub const METADATA_TOPIC_ID: Uuid = Uuid([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

/// Kafka's `metadata.log.segment.bytes`.
const SEGMENT_BYTES: u32 = 1 << 30;
/// What is applied at once fits into one segment: the largest proposal, with what Kafka's format adds to its records.
const MIN_SEGMENT_BYTES: u32 = 4 * super::entry::MAX_PAYLOAD_BYTES as u32;

/// One committed entry, about to be written.
#[derive(Debug)]
pub struct Batch {
    pub id: EntryId,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    Values { timestamp: i64, values: Vec<Vec<u8>> },
    LeaderChange { leader: i32, voters: Vec<i32> },
}

/// The log and the last entry in it.
#[derive(Debug)]
pub struct MetadataLog {
    log: Log,
    applied: EntryId,
    /// Of the newest batch, ms; raft's empty entries carry no time of their own and take it over.
    last_timestamp: i64,
}

impl MetadataLog {
    /// Opens the log in `dir` as it was at `base`, cutting off what came later (raft hands it over again), and gives
    /// back the records from the snapshot's end to there as `Committed` outputs, and the tails that were cut off.
    /// `snapshot`: what the caller starts with, and the time of its last record.
    pub fn open(
        storage: &Arc<dyn Storage>,
        dir: &Path,
        base: &Base,
        snapshot: Option<(SnapshotId, i64)>,
    ) -> Result<(Self, Vec<QuorumOutput>, Vec<CutBytes>), String> {
        // Segments end by size alone: nothing here knows the time, and nothing is retired by it.
        let config = LogConfig { segment_bytes: SEGMENT_BYTES, segment_ms: i64::MAX, ..LogConfig::default() };
        let opening = Opening { start_offset: base.start_offset, ..Opening::unclean(base.end_offset) };
        let now = Now { monotonic_ms: 0, wall_ms: 0 };
        let (mut log, report) =
            Log::open(Arc::clone(storage), dir, config, opening, now).map_err(|error| error.to_string())?;
        if log.end_offset() < base.end_offset {
            let (end, durable) = (log.end_offset(), base.end_offset);
            return Err(format!("{} ends at {end}, but was durable up to {durable}", dir.display()));
        }
        if log.end_offset() > base.end_offset {
            log.truncate_to(base.end_offset).map_err(|error| error.to_string())?;
        }
        let id = partition_metadata::read(&**storage, dir).map_err(|error| error.to_string())?;
        if id != Some(METADATA_TOPIC_ID) {
            partition_metadata::write(&**storage, dir, METADATA_TOPIC_ID)
                .map_err(|error| error.to_string())?;
        }
        let (from, last_timestamp) =
            snapshot.map_or((0, NO_TIMESTAMP), |(id, timestamp)| (id.end_offset, timestamp));
        if log.start_offset() > from {
            let (dir, start) = (dir.display(), log.start_offset());
            return Err(format!(
                "{dir} starts at offset {start}, and no snapshot of what was before can be read"
            ));
        }
        let mut metadata = Self { log, applied: base.applied, last_timestamp };
        let replayed = metadata.replay(from)?;
        Ok((metadata, replayed, report.cut))
    }

    fn replay(&mut self, from: i64) -> Result<Vec<QuorumOutput>, String> {
        let mut outputs = Vec::new();
        let batches = self.log.batches_from(from).map_err(|error| error.to_string())?;
        for stored in batches {
            let stored = stored.map_err(|error| error.to_string())?;
            let offset = stored.position.offset;
            let batch = BatchView::parse(&stored.bytes);
            let output = batch.and_then(|batch| {
                self.last_timestamp = batch.max_timestamp;
                batch.check_crc()?;
                if batch.is_control() { Ok(None) } else { committed(&batch).map(Some) }
            });
            outputs.extend(output.map_err(|error| format!("the batch at offset {offset}: {error}"))?);
        }
        Ok(outputs)
    }

    /// Writes one batch per entry, in order, into the page cache; their base offsets.
    ///
    /// Errors: `Full` changes nothing; any other is a fault.
    pub fn append(&mut self, batches: &[Batch]) -> Result<Vec<i64>, LogError> {
        let mut next = self.log.end_offset();
        let mut timestamp = self.last_timestamp;
        let mut built = Vec::with_capacity(batches.len());
        let mut bases = Vec::with_capacity(batches.len());
        for batch in batches {
            if let Content::Values { timestamp: own, .. } = &batch.content {
                timestamp = *own;
            }
            let (bytes, count) = build(batch, next, timestamp).map_err(LogError::InvalidBatch)?;
            bases.push(next);
            next += i64::from(count);
            built.push((bytes, next - 1, timestamp));
        }
        let append: Vec<AppendBatch<'_>> = built
            .iter()
            .map(|(bytes, last_offset, max_timestamp)| AppendBatch {
                bytes,
                last_offset: *last_offset,
                max_timestamp: *max_timestamp,
            })
            .collect();
        let now = Now { monotonic_ms: 0, wall_ms: timestamp };
        self.log.append(&append, now)?;
        self.last_timestamp = timestamp;
        self.applied = batches.last().map_or(self.applied, |batch| batch.id);
        Ok(bases)
    }

    /// The last entry whose batch was written.
    pub fn applied(&self) -> EntryId {
        self.applied
    }

    /// Exclusive.
    pub fn end_offset(&self) -> i64 {
        self.log.end_offset()
    }

    pub fn start_offset(&self) -> i64 {
        self.log.start_offset()
    }

    /// Bytes of the segments that stay when the log starts at `offset`.
    pub fn bytes_from(&self, offset: i64) -> u64 {
        self.log.size_from(offset)
    }

    pub fn segment_bytes(&self) -> u32 {
        self.log.config().segment_bytes
    }

    pub fn set_segment_bytes(&mut self, segment_bytes: u32) {
        let segment_bytes = segment_bytes.max(MIN_SEGMENT_BYTES);
        let config = LogConfig { segment_bytes, ..self.log.config().clone() };
        self.log.set_config(config);
    }

    /// Begins a new segment where the present one has this many bytes, so that a snapshot can let go of it.
    pub fn roll_beyond(&mut self, bytes: u64) -> Result<(), String> {
        if self.log.end_position().position < bytes {
            return Ok(());
        }
        let now = Now { monotonic_ms: 0, wall_ms: self.last_timestamp };
        match self.log.roll_active(now) {
            // Without room for a new one the present segment goes on.
            Ok(_) | Err(LogError::Full { .. }) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Lets the log start at `offset`, which the write-ahead log says already; the segments below are what comes back.
    pub fn trim(&mut self, offset: i64) -> Result<ExpiredFiles, String> {
        let started = self.log.increment_start_offset(offset);
        started.and_then(|()| self.log.expire_below(offset)).map_err(|error| error.to_string())
    }

    pub fn sync_job(&self) -> SyncJob {
        self.log.sync_job()
    }

    pub fn synced(&mut self, job: &SyncJob) -> Result<(), String> {
        let vouched = self.log.synced(job);
        vouched.then_some(()).ok_or_else(|| "the metadata log was cut while it was being synced".to_owned())
    }

    pub fn close(&mut self) -> Result<(), LogError> {
        self.log.close()
    }
}

/// The batch's bytes and its number of records.
fn build(batch: &Batch, base_offset: i64, timestamp: i64) -> Result<(Vec<u8>, i32), BatchError> {
    let partition_leader_epoch = epoch(batch.id.term);
    let spec = BatchSpec { base_offset, partition_leader_epoch, ..BatchSpec::default() };
    match &batch.content {
        Content::Values { values, .. } => {
            let mut builder = BatchBuilder::new(spec);
            for value in values {
                builder.append(timestamp, None, Some(value), &[])?;
            }
            let count = builder.count();
            Ok((builder.finish()?, count))
        }
        Content::LeaderChange { leader, voters } => {
            let voter = |id: &i32| QuorumVoter { id: *id, directory_id: Default::default() };
            let record = ControlRecord::LeaderChange(LeaderChange {
                version: 0,
                leader_id: *leader,
                voters: voters.iter().map(voter).collect(),
                granting_voters: vec![voter(leader)],
            });
            Ok((control_batch(spec, timestamp, &[record])?, 1))
        }
    }
}

fn committed(batch: &BatchView<'_>) -> Result<QuorumOutput, BatchError> {
    let mut reader = batch.records(u64::MAX)?;
    let mut values = Vec::new();
    while let Some(record) = reader.next_record()? {
        values.push(record.value.unwrap_or_default().to_vec());
    }
    Ok(QuorumOutput::Committed {
        base_offset: batch.base_offset,
        epoch: batch.partition_leader_epoch,
        timestamp: batch.max_timestamp,
        proposal_id: -1,
        values,
    })
}
