//! Opening the quorum: the write-ahead log first, then the metadata log as of its base, then raft over both.

use std::io;
use std::path::Path;
use std::sync::Arc;

use raft::eraftpb::ConfState;

use super::adoption::{Takeover, take_over};
use super::checkpoint_file::{self, Contents, PART_SUFFIX, SnapshotId};
use super::consensus::Consensus;
use super::metadata_log::{METADATA_TOPIC, MetadataLog};
use super::outputs::{QuorumError, QuorumOutput};
use super::raft_storage::TailStorage;
use super::snapshots::{KnownSnapshot, Snapshots};
use super::wal::{self, Base, FOLDER, Recovered, Wal};
use super::{COMPACT_BYTES, Phase, Quorum, Staged, node_id, raft_id};
use crate::log::CutBytes;
use crate::storage::{Storage, with_suffix};

pub(super) const QUORUM_STATE_FILE: &str = "quorum-state";

impl Quorum {
    /// Opens or creates the quorum of one voter in `log_dir` (logDirs[0]), which exists, and starts its election. The
    /// seed sets election timeouts. `take_outputs` then gives all that was durable in the metadata log.
    pub fn open(
        storage: Arc<dyn Storage>,
        log_dir: &Path,
        node_id: i32,
        seed: u64,
    ) -> Result<Self, QuorumError> {
        Self::open_with_voters(storage, log_dir, node_id, &[node_id], seed)
    }

    /// `open` for a quorum of `voters` (node ids, this one among them), which matter only when the folder is new.
    pub fn open_with_voters(
        storage: Arc<dyn Storage>,
        log_dir: &Path,
        node: i32,
        voters: &[i32],
        seed: u64,
    ) -> Result<Self, QuorumError> {
        let metadata_dir = log_dir.join(format!("{METADATA_TOPIC}-0"));
        let io_error = |source| QuorumError::Io { path: metadata_dir.clone(), source };
        let path = Wal::path_in(&metadata_dir);
        let mut cut = Vec::new();
        if !storage.exists(&path).map_err(io_error)? {
            cut = adopt(&storage, &metadata_dir, node)?;
        }
        if !storage.exists(&path).map_err(io_error)? {
            storage.create_dir_all(&metadata_dir.join(FOLDER)).map_err(io_error)?;
            storage.sync_dir(log_dir).map_err(io_error)?;
            storage.sync_dir(&metadata_dir).map_err(io_error)?;
            create_wal(&*storage, &metadata_dir, &path, voters)?;
        }
        let Recovered { wal, base, tail, torn } = Wal::recover(&*storage, &path)?;
        let raft_id = raft_id(node);
        if !tail.conf_state().voters.contains(&raft_id) && !tail.conf_state().learners.contains(&raft_id) {
            let found = tail.conf_state().voters.first().map_or(-1, |&id| node_id(id));
            return Err(QuorumError::WrongNode { path, found, expected: node });
        }

        let FoundSnapshots { known, start, mut outputs } =
            find_snapshots(&*storage, &metadata_dir, &base).map_err(io_error)?;
        let opened = MetadataLog::open(&storage, &metadata_dir, &base, start);
        let (log, replayed, cut_now) = opened.map_err(QuorumError::Log)?;
        cut.extend(cut_now);
        outputs.extend(replayed);
        outputs.extend(torn.map(|(position, len)| QuorumOutput::LogCut(torn_frame(&path, position, len))));
        outputs.extend(cut.into_iter().map(QuorumOutput::LogCut));
        let durable_term = tail.hard_state().term;
        let alone = tail.conf_state().voters == [raft_id];
        let consensus =
            Consensus::new(raft_id, tail, base.applied.index, seed).map_err(QuorumError::Fault)?;
        let mut quorum = Self {
            consensus,
            log,
            storage,
            wal,
            base,
            staged: Staged::default(),
            in_flight: None,
            waiting: None,
            retries: false,
            unapplied: Default::default(),
            pending: Default::default(),
            outputs,
            snapshots: Snapshots::new(metadata_dir.clone(), known),
            to_peers: Vec::new(),
            durable_term,
            told: None,
            quorum_state_path: metadata_dir.join(QUORUM_STATE_FILE),
            compact_bytes: COMPACT_BYTES,
            compact_at: COMPACT_BYTES,
            phase: Phase::Running,
        };
        if alone {
            quorum.consensus.campaign().map_err(QuorumError::Fault)?;
        }
        Ok(quorum)
    }
}

/// Takes over a log that Kafka wrote, which has none of our folders. The folder gets its name with the file in it: one
/// without it has lost it. What recovery cut off.
fn adopt(storage: &Arc<dyn Storage>, dir: &Path, node: i32) -> Result<Vec<CutBytes>, QuorumError> {
    let io_error = |source| QuorumError::Io { path: dir.to_owned(), source };
    let folder = dir.join(FOLDER);
    if !storage.exists(dir).map_err(io_error)? || storage.exists(&folder).map_err(io_error)? {
        return Ok(Vec::new());
    }
    let Some(Takeover { image, cut }) = take_over(storage, dir, node)? else { return Ok(Vec::new()) };
    let unfinished = with_suffix(&folder, ".tmp");
    if storage.exists(&unfinished).map_err(io_error)? {
        storage.remove_dir_all(&unfinished).map_err(io_error)?;
    }
    storage.create_dir_all(&unfinished).map_err(io_error)?;
    let file = Wal::path_in(dir).file_name().map(|name| unfinished.join(name));
    Wal::replace(&**storage, &file.unwrap_or_default(), &image).map_err(io_error)?;
    storage.rename(&unfinished, &folder).and_then(|()| storage.sync_dir(dir)).map_err(io_error)?;
    Ok(cut)
}

/// The first file. It is written before the metadata log takes its first batch: a log without it lost it.
fn create_wal(
    storage: &dyn Storage,
    metadata_dir: &Path,
    path: &Path,
    voters: &[i32],
) -> Result<(), QuorumError> {
    let io_error = |source| QuorumError::Io { path: path.to_owned(), source };
    let entries = storage.list(metadata_dir).map_err(io_error)?;
    if entries.iter().any(|entry| entry.name.ends_with(".log") && entry.len > 0) {
        let dir = metadata_dir.display();
        return Err(QuorumError::Fault(format!("{dir} has records, but its raft/wal file is gone")));
    }
    let mut voters: Vec<u64> = voters.iter().map(|&node| raft_id(node)).collect();
    voters.sort_unstable();
    let tail = TailStorage::new(ConfState { voters, ..ConfState::default() });
    Wal::replace(storage, path, &wal::image(&Base::default(), &tail)).map(drop).map_err(io_error)
}

/// What the snapshots of a folder give a start.
struct FoundSnapshots {
    /// Oldest first; of the files that were not read only name and size are known.
    known: Vec<KnownSnapshot>,
    /// The one to start with, and the time of its last record.
    start: Option<(SnapshotId, i64)>,
    /// Damaged ones, then the records of the one to start with.
    outputs: Vec<QuorumOutput>,
}

/// Reads the newest snapshot that is whole. Files that a crash left half written, that were on their way out, or that
/// the write-ahead log does not know of yet are removed.
fn find_snapshots(storage: &dyn Storage, dir: &Path, base: &Base) -> io::Result<FoundSnapshots> {
    let mut found = FoundSnapshots { known: Vec::new(), start: None, outputs: Vec::new() };
    for entry in storage.list(dir)?.into_iter().filter(|entry| !entry.is_dir).rev() {
        let path = dir.join(&entry.name);
        let Some(id) = SnapshotId::parse(&entry.name) else {
            if entry.name.ends_with(PART_SUFFIX) {
                storage.remove_file(&path)?;
            }
            continue;
        };
        if id.end_offset < base.start_offset || id.end_offset > base.end_offset {
            storage.remove_file(&path)?;
            continue;
        }
        if found.start.is_none() {
            match checkpoint_file::read(&storage.read_to_vec(&path)?) {
                Ok(contents) => {
                    found.start = Some((id, contents.timestamp));
                    found.outputs.extend(snapshot_outputs(id, contents));
                }
                Err(reason) => {
                    found.outputs.push(QuorumOutput::SnapshotDamaged { file: path, reason });
                    continue;
                }
            }
        }
        let timestamp = found.start.map_or(0, |(_, timestamp)| timestamp);
        found.known.insert(0, KnownSnapshot { id, bytes: entry.len, timestamp });
    }
    Ok(found)
}

fn snapshot_outputs(id: SnapshotId, contents: Contents) -> Vec<QuorumOutput> {
    let Contents { timestamp, batches, .. } = contents;
    let SnapshotId { end_offset, epoch } = id;
    let output = |values, done| QuorumOutput::Snapshot { end_offset, epoch, timestamp, done, values };
    let mut outputs: Vec<_> = batches.into_iter().map(|values| output(values, false)).collect();
    outputs.push(output(Vec::new(), true));
    outputs
}

fn torn_frame(path: &Path, position: u64, len: u64) -> CutBytes {
    let reason = "a torn frame, acknowledged to nobody".to_owned();
    CutBytes { file: path.to_owned(), position, len, kept_as: Default::default(), reason }
}
