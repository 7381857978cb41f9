//! The metadata quorum: TiKV's raft with its own write-ahead log, applied as Kafka batches to `__cluster_metadata-0`.
//! It is pure state driven by calls; the one thing that blocks is a `Persist`, which the caller runs elsewhere.
//!
//! The caller's duties, in order: after `open` and after every `propose`, `tick`, `step` or `persisted`, call `ready`;
//! run the `Persist` it may give, without the lock, and hand it back with its result to `persisted`; then deliver
//! `take_outputs`.

mod adoption;
mod applying;
mod checkpoint_file;
mod consensus;
mod description;
mod entry;
mod metadata_log;
mod outputs;
mod persist;
mod raft_storage;
mod recovery;
mod snapshots;
mod wal;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use protobuf::Message as _;
use raft::eraftpb::Message;

use crate::log::LogError;
use crate::storage::{Storage, WriteError};
use consensus::Consensus;
use metadata_log::{Batch, MetadataLog};
use persist::Work;
use raft_storage::EntryId;
use snapshots::Snapshots;
use wal::{Base, Frame, Wal};

pub use checkpoint_file::SnapshotId;
pub use metadata_log::METADATA_TOPIC;
pub use outputs::{ProposeError, QuorumDescription, QuorumError, QuorumOutput, ReplicaDescription};
pub use persist::Persist;
pub use snapshots::{SnapshotChunk, SnapshotJob, SnapshotRetention};

/// Bytes of write-ahead log past which the next `Persist` compacts it, unless most of it is still needed.
const COMPACT_BYTES: u64 = 4 * 1024 * 1024;

/// This node's member of the metadata quorum.
pub struct Quorum {
    consensus: Consensus,
    log: MetadataLog,
    storage: Arc<dyn Storage>,
    wal: Wal,
    /// What the write-ahead log says is durable in the metadata log.
    base: Base,
    staged: Staged,
    in_flight: Option<InFlight>,
    /// The work that is in flight, back without having found room.
    waiting: Option<Persist>,
    /// Time has passed since: it may be given out again.
    retries: bool,
    /// Committed, and not in the metadata log yet: there was no room.
    unapplied: VecDeque<Vec<Batch>>,
    /// Proposals of this start whose fate is open, by rising index.
    pending: VecDeque<Pending>,
    outputs: Vec<QuorumOutput>,
    snapshots: Snapshots,
    to_peers: Vec<Message>,
    /// The newest term that is synced: none above it is shown to anybody.
    durable_term: u64,
    /// Leader, epoch and caught_up as last told.
    told: Option<(i32, i32, bool)>,
    quorum_state_path: PathBuf,
    compact_bytes: u64,
    /// At least `compact_bytes`, and twice what the last compaction left: a slow voter must not make each one cost more.
    compact_at: u64,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Faulted,
    Closed,
}

/// Work that gathers until the next `Persist` leaves: the group of a group commit.
#[derive(Default)]
struct Staged {
    frame: Frame,
    /// The number of the last raft ready in it, 0 = none.
    number: u64,
    term: Option<u64>,
    after_sync: Vec<Message>,
}

struct InFlight {
    number: u64,
    term: Option<u64>,
    after_sync: Vec<Message>,
    base: Option<Base>,
}

struct Pending {
    id: EntryId,
    proposal_id: i64,
}

/// A message for another member, encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerMessage {
    pub to_node: i32,
    pub bytes: Vec<u8>,
}

impl Quorum {
    /// Offers one batch of records, which commits as a whole, at this `timestamp` (ms), or is `Dropped`. Nothing comes
    /// out under `proposal_id` (at least 0) after an error.
    pub fn propose(
        &mut self,
        proposal_id: i64,
        timestamp: i64,
        values: Vec<Vec<u8>>,
    ) -> Result<(), ProposeError> {
        if self.phase != Phase::Running {
            return Err(ProposeError::Stopped);
        }
        if values.is_empty() {
            return Err(ProposeError::Empty);
        }
        if entry::encoded_len(&values) > entry::MAX_PAYLOAD_BYTES {
            return Err(ProposeError::TooLarge);
        }
        let id = match self.consensus.propose(entry::encode(timestamp, &values)) {
            Ok(proposed) => proposed?,
            Err(reason) => {
                self.fault(reason);
                return Err(ProposeError::Stopped);
            }
        };
        // What stood at this index or above, of an earlier term of this leader, was replaced.
        while self.pending.back().is_some_and(|pending| pending.id.index >= id.index) {
            let lost = self.pending.pop_back();
            self.drop_proposal(lost);
        }
        self.pending.push_back(Pending { id, proposal_id });
        Ok(())
    }

    /// 100 ms went by.
    pub fn tick(&mut self) {
        self.retries = true;
        self.run(|quorum| quorum.consensus.tick());
    }

    /// Whether ticks change nothing, so that they may come later: a lone voter that leads asks nobody for anything.
    pub fn is_resting(&self) -> bool {
        let alone = self.consensus.conf_state().voters.len() == 1;
        self.phase != Phase::Running || (alone && self.consensus.is_leader())
    }

    /// A message of another member, as its `take_peer_messages` gave it. Only from authenticated members: the
    /// encoding is raft's own protobuf.
    pub fn step(&mut self, bytes: &[u8]) {
        self.run(|quorum| match Message::parse_from_bytes(bytes) {
            Ok(message) => quorum.consensus.step(message),
            Err(_) => Ok(()),
        });
    }

    /// Messages that may leave by now, in order; losing any of them is harmless.
    pub fn take_peer_messages(&mut self) -> Vec<PeerMessage> {
        let messages = std::mem::take(&mut self.to_peers);
        let encoded = messages.iter().filter_map(|message| {
            Some(PeerMessage { to_node: node_id(message.to), bytes: message.write_to_bytes().ok()? })
        });
        encoded.collect()
    }

    /// The next disk work. `None` while one is out, and when there is none.
    pub fn ready(&mut self) -> Option<Persist> {
        self.run(Self::pump);
        if self.phase != Phase::Running {
            return None;
        }
        if self.in_flight.is_some() {
            return if self.retries { self.waiting.take() } else { None };
        }
        let grown = self.wal.len + self.staged.frame.len() as u64 > self.compact_at;
        let compact = self.snapshots.waits_for(&self.base)
            || (grown && self.next_base().truncated.index > self.base.truncated.index);
        if self.staged.number == 0 && !compact {
            return None;
        }
        Some(self.persist(compact))
    }

    fn persist(&mut self, compact: bool) -> Persist {
        let staged = std::mem::take(&mut self.staged);
        let mut frame = staged.frame;
        let (work, base) = if compact {
            let base = self.next_base();
            let image = wal::image(&base, self.consensus.tail());
            let log = self.log.sync_job();
            let path = self.wal.path.clone();
            (Work::Replace { log, path, image, replaced: None.into() }, Some(base))
        } else {
            let frame = if frame.is_empty() { Vec::new() } else { frame.take() };
            (Work::Append { wal: self.wal.clone(), frame }, None)
        };
        let quorum_state =
            staged.term.map(|_| (self.quorum_state_path.clone(), self.quorum_state().into_bytes()));
        self.in_flight =
            Some(InFlight { number: staged.number, term: staged.term, after_sync: staged.after_sync, base });
        Persist { storage: Arc::clone(&self.storage), work, quorum_state }
    }

    /// Takes back what `ready` gave, with the result of its `run`: what is synced by it commits, and is applied.
    /// Work that found no room is given out again after the next tick.
    pub fn persisted(&mut self, job: Persist, result: Result<(), WriteError>) {
        if let Err(WriteError::Full(error)) = &result
            && self.phase == Phase::Running
        {
            let reason = format!("{}: {error}", self.wal.path.display());
            self.outputs.push(QuorumOutput::Full(reason));
            self.waiting = Some(job);
            self.retries = false;
            return;
        }
        let Some(in_flight) = self.in_flight.take() else { return };
        self.run(|quorum| {
            result.map_err(|error| format!("{}: {}", quorum.wal.path.display(), error.into_io()))?;
            if let Work::Replace { log, .. } = &job.work {
                quorum.log.synced(log)?;
            }
            quorum.wal = job.wal().ok_or("the quorum's disk work came back without having run")?;
            if let Some(base) = in_flight.base {
                quorum.consensus.compact(base.truncated)?;
                quorum.base = base;
                quorum.compact_at = quorum.compact_bytes.max(2 * quorum.wal.len);
            }
            quorum.durable_term = in_flight.term.unwrap_or(quorum.durable_term);
            quorum.to_peers.extend(in_flight.after_sync);
            quorum.consensus.synced(in_flight.number)?;
            quorum.pump()
        });
    }

    /// What happened since the last call, in order.
    pub fn take_outputs(&mut self) -> Vec<QuorumOutput> {
        std::mem::take(&mut self.outputs)
    }

    /// The directory that holds its files failed elsewhere: from now on nothing written there can be trusted. A fault.
    pub fn fail(&mut self, reason: &str) {
        self.run(|_| Err(reason.to_owned()));
    }

    /// Whether this quorum failed and does nothing any more.
    pub fn is_faulted(&self) -> bool {
        self.phase == Phase::Faulted
    }

    /// The end of what is committed and applied, exclusive.
    pub fn high_watermark(&self) -> i64 {
        self.log.end_offset()
    }

    /// Makes the metadata log and the write-ahead log durable, compact and closed; blocks. Nothing happens after a
    /// fault. No `Persist` may be out. Errors: `Io`, `Log`, `Fault`.
    pub fn close(&mut self) -> Result<(), QuorumError> {
        if self.phase != Phase::Running {
            return Ok(());
        }
        let io_error = |quorum: &Quorum, error: WriteError| QuorumError::Io {
            path: quorum.wal.path.clone(),
            source: error.into_io(),
        };
        if let Some(job) = self.waiting.take() {
            job.run().map_err(|error| io_error(self, error))?;
            self.persisted(job, Ok(()));
        }
        if self.in_flight.is_some() {
            return Err(QuorumError::Fault("the quorum was closed while its disk work was out".to_owned()));
        }
        self.pump().map_err(QuorumError::Fault)?;
        self.phase = Phase::Closed;
        let job = self.persist(true);
        job.run().map_err(|error| io_error(self, error))?;
        self.in_flight = None;
        self.log.close().map_err(|error| match error {
            LogError::Full { path, source } => QuorumError::Io { path, source },
            other => QuorumError::Log(other.to_string()),
        })
    }

    /// Runs `body` unless this quorum stopped; its error is the fault.
    fn run(&mut self, body: impl FnOnce(&mut Self) -> Result<(), String>) {
        if self.phase != Phase::Running {
            return;
        }
        if let Err(reason) = body(self) {
            self.fault(reason);
        }
    }

    fn fault(&mut self, reason: String) {
        self.phase = Phase::Faulted;
        self.staged = Staged::default();
        self.to_peers.clear();
        self.pending.clear();
        self.outputs.push(QuorumOutput::Fault(format!("metadata quorum: {reason}")));
    }

    /// Moves everything that raft has ready: new entries and states into the staged frame, messages out, committed
    /// entries into the metadata log.
    fn pump(&mut self) -> Result<(), String> {
        // What waited for room goes first.
        self.apply(Vec::new())?;
        while let Some(ready) = self.consensus.next_ready()? {
            self.to_peers.extend(ready.messages);
            for entry in &ready.entries {
                self.staged.frame.entry(entry);
            }
            // A commit index alone waits for the next frame: a restart finds it out again.
            if let Some(state) = ready.hard_state.filter(|_| ready.must_sync) {
                self.staged.frame.hard_state(&state);
                if state.term > self.durable_term {
                    self.staged.term = Some(state.term);
                }
            }
            if ready.must_sync || !ready.after_sync.is_empty() || self.staged.number != 0 {
                self.staged.number = ready.number;
                self.staged.after_sync.extend(ready.after_sync);
            } else if self.in_flight.is_none() {
                self.consensus.synced(ready.number)?;
            }
            self.apply(ready.committed)?;
        }
        self.tell_role();
        Ok(())
    }

    /// The base of a compacted file: everything applied, but the entries that some voter still needs stay.
    fn next_base(&self) -> Base {
        let applied = self.log.applied();
        let voters = &self.consensus.conf_state().voters;
        let needed = voters.iter().filter_map(|&id| self.consensus.matched(id)).min();
        let index = needed.unwrap_or(applied.index).min(applied.index).max(self.base.truncated.index);
        let term = self.consensus.tail().term_of(index);
        let truncated = term.map_or(self.base.truncated, |term| EntryId { index, term });
        let start_offset = self.snapshots.start_offset(&self.base);
        Base { truncated, applied, end_offset: self.log.end_offset(), start_offset }
    }
}

/// raft's ids start at 1, node ids at 0; 0 and −1 mean nobody.
fn node_id(raft_id: u64) -> i32 {
    i32::try_from(raft_id).map_or(-1, |id| id - 1)
}

fn raft_id(node_id: i32) -> u64 {
    node_id as u64 + 1
}

/// A leader epoch is the term.
fn epoch(term: u64) -> i32 {
    i32::try_from(term).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod crashing_storage;
#[cfg(test)]
mod peer_tests;
#[cfg(test)]
mod quorum_tests;
#[cfg(test)]
mod snapshot_tests;
#[cfg(test)]
mod wal_tests;
