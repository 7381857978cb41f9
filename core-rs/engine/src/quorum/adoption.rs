//! Taking over a metadata log that Apache Kafka wrote: its end, its epoch and its voters become the first write-ahead log.
//! The log itself stays as it is; nothing of Kafka's is removed, and from then on the folder is ours.

use std::path::Path;
use std::sync::Arc;

use millrace_record::BatchView;
use millrace_record::control::ControlRecord;
use raft::eraftpb::{ConfState, HardState};
use serde_json::Value;

use super::checkpoint_file::{self, SnapshotId};
use super::outputs::QuorumError;
use super::raft_id;
use super::raft_storage::{EntryId, TailStorage};
use super::recovery::QUORUM_STATE_FILE;
use super::wal::{self, Base};
use crate::log::{CutBytes, Log, LogConfig, Opening};
use crate::storage::Storage;
use crate::time::Now;

/// What Kafka's log becomes.
pub struct Takeover {
    /// The contents of the first write-ahead log.
    pub image: Vec<u8>,
    /// What recovery cut off the end of Kafka's log.
    pub cut: Vec<CutBytes>,
}

/// Reads Kafka's files in `dir`; `None` where there are none.
///
/// Errors: `Fault` for a quorum of other voters than `node` alone; `Io`, `Log`.
pub fn take_over(storage: &Arc<dyn Storage>, dir: &Path, node: i32) -> Result<Option<Takeover>, QuorumError> {
    let io_error = |source| QuorumError::Io { path: dir.to_owned(), source };
    let entries = storage.list(dir).map_err(io_error)?;
    let has_records = entries.iter().any(|entry| entry.name.ends_with(".log") && entry.len > 0);
    let snapshots: Vec<SnapshotId> =
        entries.iter().filter_map(|entry| SnapshotId::parse(&entry.name)).collect();
    if !has_records && snapshots.is_empty() {
        return Ok(None);
    }
    let log_error = |error: crate::log::LogError| QuorumError::Log(error.to_string());
    let now = Now { monotonic_ms: 0, wall_ms: 0 };
    let opened = Log::open(Arc::clone(storage), dir, LogConfig::default(), Opening::unclean(0), now);
    let (mut log, report) = opened.map_err(log_error)?;
    let state = QuorumState::read(&**storage, dir)?;
    let voters = match state.voters {
        Some(voters) => voters,
        None => recorded_voters(&**storage, dir, &snapshots, &log)?,
    };
    if !voters.is_empty() && voters != [node] {
        let (dir, voters) = (dir.display(), listed(&voters));
        return Err(QuorumError::Fault(format!(
            "{dir} belongs to a quorum of the voters {voters}: only that of node {node} alone can be taken over"
        )));
    }
    let last = log.leader_epochs().last().map_or(0, |last| last.epoch);
    let newest = snapshots.last().map_or(0, |snapshot| snapshot.epoch);
    let term = u64::try_from(state.leader_epoch.max(last).max(newest)).unwrap_or(0);
    let (start_offset, end_offset) = (log.start_offset(), log.end_offset());
    log.close().map_err(log_error)?;
    // One entry stands for all that Kafka wrote.
    let applied = EntryId { index: 1, term };
    let mut tail = TailStorage::new(ConfState { voters: vec![raft_id(node)], ..ConfState::default() });
    tail.reset(applied);
    tail.set_hard_state(HardState { term, vote: 0, commit: applied.index, ..HardState::default() });
    let base = Base { truncated: applied, applied, end_offset, start_offset };
    Ok(Some(Takeover { image: wal::image(&base, &tail), cut: report.cut }))
}

/// Kafka's `quorum-state` file (QuorumStateData): version 0 names the voters, version 1 leaves them to the log.
struct QuorumState {
    leader_epoch: i32,
    voters: Option<Vec<i32>>,
}

impl QuorumState {
    fn read(storage: &dyn Storage, dir: &Path) -> Result<QuorumState, QuorumError> {
        let path = dir.join(QUORUM_STATE_FILE);
        let io_error = |source| QuorumError::Io { path: path.clone(), source };
        if !storage.exists(&path).map_err(io_error)? {
            return Ok(QuorumState { leader_epoch: 0, voters: None });
        }
        let text = storage.read_to_vec(&path).map_err(io_error)?;
        Self::parse(&text).ok_or_else(|| QuorumError::Corrupt {
            path: path.clone(),
            position: 0,
            reason: "it does not tell the state of a quorum".to_owned(),
        })
    }

    fn parse(text: &[u8]) -> Option<QuorumState> {
        let json: Value = serde_json::from_slice(text).ok()?;
        let number = |value: &Value| i32::try_from(value.as_i64()?).ok();
        let voter = |voter: &Value| number(voter.get("voterId")?);
        let voters = match json.get("currentVoters") {
            Some(voters) => Some(voters.as_array()?.iter().map(voter).collect::<Option<Vec<i32>>>()?),
            None => None,
        };
        Some(QuorumState { leader_epoch: number(json.get("leaderEpoch")?)?, voters })
    }
}

/// The voters that the newest VotersRecord names (KIP-853); none where there is no such record.
fn recorded_voters(
    storage: &dyn Storage,
    dir: &Path,
    snapshots: &[SnapshotId],
    log: &Log,
) -> Result<Vec<i32>, QuorumError> {
    let mut voters = Vec::new();
    if let Some(newest) = snapshots.last() {
        let path = dir.join(newest.file_name());
        let bytes =
            storage.read_to_vec(&path).map_err(|source| QuorumError::Io { path: path.clone(), source })?;
        // A damaged one is named when the log is opened over it.
        voters = checkpoint_file::read(&bytes).map_or_else(|_| Vec::new(), |contents| contents.voters);
    }
    let log_error = |error: crate::log::LogError| QuorumError::Log(error.to_string());
    for stored in log.batches_from(log.start_offset()).map_err(log_error)? {
        let stored = stored.map_err(log_error)?;
        if stored.header.is_control() {
            let batch = BatchView::parse(&stored.bytes);
            let found = batch.and_then(|batch| voters_in(&batch));
            let found = found.map_err(|error| QuorumError::Log(error.to_string()))?;
            voters = found.unwrap_or(voters);
        }
    }
    Ok(voters)
}

fn voters_in(batch: &BatchView<'_>) -> Result<Option<Vec<i32>>, millrace_record::BatchError> {
    let mut records = batch.records(u64::MAX)?;
    let mut voters = None;
    while let Some(record) = records.next_record()? {
        if let ControlRecord::Voters(named) = ControlRecord::decode(&record)? {
            voters = Some(named.iter().map(|voter| voter.id).collect());
        }
    }
    Ok(voters)
}

fn listed(voters: &[i32]) -> String {
    voters.iter().map(i32::to_string).collect::<Vec<_>>().join(", ")
}
