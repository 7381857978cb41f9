//! raft's RawNode behind calls that cannot panic and that repeat under a seed. It moves entries between raft and the
//! in-memory tail; it writes nothing and applies nothing.

use raft::eraftpb::{ConfState, Entry, HardState, Message, MessageType};
use raft::{Config, RawNode, StateRole};

use super::outputs::ProposeError;
use super::raft_storage::{EntryId, TailStorage};
use crate::panics;

/// Ticks (of 100 ms) without a leader before an election: the lower bound of the seeded timeout, and half its upper.
const ELECTION_TICKS: usize = 10;
const HEARTBEAT_TICKS: usize = 2;
const MAX_BYTES_PER_MESSAGE: u64 = 1024 * 1024;
const MAX_UNCOMMITTED_BYTES: u64 = 64 * 1024 * 1024;
/// Of committed entries that are applied with one append.
const MAX_COMMITTED_BYTES: u64 = 4 * 1024 * 1024;
const MAX_IN_FLIGHT_MESSAGES: usize = 256;

/// What raft wants done, in this order: entries and hard state synced, then `after_sync` sent; `messages` are free to
/// leave at once. `committed` was synced by an earlier one.
#[derive(Debug)]
pub struct Ready {
    pub number: u64,
    pub entries: Vec<Entry>,
    pub hard_state: Option<HardState>,
    pub must_sync: bool,
    pub messages: Vec<Message>,
    pub after_sync: Vec<Message>,
    pub committed: Vec<Entry>,
}

/// One member of the quorum. Every error is a sentence about a panic or a refusal that ends this quorum.
pub struct Consensus {
    raw: RawNode<TailStorage>,
    seed: u64,
}

impl Consensus {
    /// `applied`: the entry up to which the caller's log is durable; raft hands over what follows it.
    pub fn new(raft_id: u64, tail: TailStorage, applied: u64, seed: u64) -> Result<Self, String> {
        let config = Config {
            id: raft_id,
            election_tick: ELECTION_TICKS,
            heartbeat_tick: HEARTBEAT_TICKS,
            applied,
            max_size_per_msg: MAX_BYTES_PER_MESSAGE,
            max_inflight_msgs: MAX_IN_FLIGHT_MESSAGES,
            check_quorum: true,
            pre_vote: true,
            batch_append: true,
            max_uncommitted_size: MAX_UNCOMMITTED_BYTES,
            max_committed_size_per_ready: MAX_COMMITTED_BYTES,
            ..Config::default()
        };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let raw = catch(|| RawNode::new(&config, tail, &logger))?.map_err(|error| error.to_string())?;
        let mut consensus = Self { raw, seed: mix(seed ^ raft_id) };
        consensus.call(|_| ())?;
        Ok(consensus)
    }

    /// Runs one call into raft, then settles the election timeout, which raft draws from the thread's randomness
    /// whenever it resets itself: here it depends on seed and term alone.
    fn call<R>(&mut self, body: impl FnOnce(&mut RawNode<TailStorage>) -> R) -> Result<R, String> {
        let (raw, seed) = (&mut self.raw, self.seed);
        catch(|| {
            let result = body(raw);
            let timeout = ELECTION_TICKS + (mix(seed ^ raw.raft.term) % ELECTION_TICKS as u64) as usize;
            raw.raft.set_randomized_election_timeout(timeout);
            result
        })
    }

    pub fn tick(&mut self) -> Result<(), String> {
        self.call(|raw| raw.tick()).map(|_| ())
    }

    /// Starts an election without waiting for a timeout.
    pub fn campaign(&mut self) -> Result<(), String> {
        self.call(RawNode::campaign)?.map_err(|error| error.to_string())
    }

    /// Appends one entry of its own; the answer tells where it will stand if it commits.
    pub fn propose(&mut self, data: Vec<u8>) -> Result<Result<EntryId, ProposeError>, String> {
        if !self.is_leader() {
            return Ok(Err(ProposeError::NotLeader));
        }
        self.call(|raw| match raw.propose(Vec::new(), data) {
            Ok(()) => Ok(EntryId { index: raw.raft.raft_log.last_index(), term: raw.raft.term }),
            Err(_) => Err(ProposeError::Busy),
        })
    }

    /// Takes a peer's message. Those of strangers are dropped; one that shows that this voter lost synced entries is
    /// an error (raft would panic).
    pub fn step(&mut self, message: Message) -> Result<(), String> {
        if message.to != self.raft_id() || !self.is_member(message.from) {
            return Ok(());
        }
        let last = self.raw.raft.raft_log.last_index();
        if message.get_msg_type() == MessageType::MsgHeartbeat && message.commit > last {
            return Err(format!(
                "the leader counts on entry {} and the log here ends at {last}",
                message.commit
            ));
        }
        // A refusal (a stale or unexpected message) is no concern of this node.
        self.call(|raw| raw.step(message)).map(|_| ())
    }

    /// The next work, already visible in the tail; `None` when raft rests.
    pub fn next_ready(&mut self) -> Result<Option<Ready>, String> {
        self.call(|raw| {
            if !raw.has_ready() {
                return Ok(None);
            }
            let mut ready = raw.ready();
            if !ready.snapshot().is_empty() {
                return Err("a snapshot arrived, which no leader of ours sends".to_owned());
            }
            let work = Ready {
                number: ready.number(),
                entries: ready.take_entries(),
                hard_state: ready.hs().cloned(),
                must_sync: ready.must_sync(),
                messages: ready.take_messages(),
                after_sync: ready.take_persisted_messages(),
                committed: ready.take_committed_entries(),
            };
            let tail = raw.mut_store();
            for entry in &work.entries {
                tail.append(entry.clone())?;
            }
            if let Some(state) = &work.hard_state {
                tail.set_hard_state(state.clone());
            }
            raw.advance_append_async(ready);
            Ok(Some(work))
        })?
    }

    /// Everything up to the ready of this number is synced.
    pub fn synced(&mut self, number: u64) -> Result<(), String> {
        self.call(|raw| raw.on_persist_ready(number))
    }

    pub fn applied(&mut self, index: u64) -> Result<(), String> {
        self.call(|raw| raw.advance_apply_to(index))
    }

    pub fn compact(&mut self, id: EntryId) -> Result<(), String> {
        self.call(|raw| raw.mut_store().compact(id))
    }

    pub fn tail(&self) -> &TailStorage {
        self.raw.store()
    }

    pub fn is_leader(&self) -> bool {
        self.raw.raft.state == StateRole::Leader
    }

    pub fn raft_id(&self) -> u64 {
        self.raw.raft.id
    }

    /// 0 = none known.
    pub fn leader(&self) -> u64 {
        self.raw.raft.leader_id
    }

    pub fn term(&self) -> u64 {
        self.raw.raft.term
    }

    pub fn conf_state(&self) -> &ConfState {
        self.tail().conf_state()
    }

    /// The last entry known to be in a member's log: the leader knows it of all, others of nobody else.
    pub fn matched(&self, raft_id: u64) -> Option<u64> {
        if raft_id == self.raft_id() {
            return Some(self.raw.raft.raft_log.persisted);
        }
        if !self.is_leader() {
            return None;
        }
        self.raw.raft.prs().get(raft_id).map(|progress| progress.matched)
    }

    fn is_member(&self, raft_id: u64) -> bool {
        let conf = self.conf_state();
        conf.voters.contains(&raft_id) || conf.learners.contains(&raft_id)
    }
}

/// Raft panics where its caller broke a rule or its storage lied: the quorum stops then, so that its state after the
/// panic does not matter.
fn catch<R>(body: impl FnOnce() -> R) -> Result<R, String> {
    panics::catch(body).map_err(|text| format!("raft panicked: {text}"))
}

/// splitmix64's finalizer: spreads seeds that differ in a few bits.
fn mix(seed: u64) -> u64 {
    let mut word = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}
