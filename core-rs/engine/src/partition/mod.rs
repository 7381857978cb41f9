//! One partition: role, log, high watermark, producer state and who waits for it, behind one lock around pure state.
//! It speaks no wire format and wakes nobody itself; what follows from a change leaves in `Notices`.

mod ahead;
mod append;
mod append_run;
mod check;
mod cleaning;
mod closed;
mod company;
mod config;
mod coordinator;
mod epochs;
mod error;
mod markers;
mod moving;
mod open;
mod producer_state;
mod read;
mod recompression;
mod retention;
mod sync;
mod table;
mod timestamps;
mod transactions;
mod unopened;
mod validation;
mod waiters;
mod watermarks;

use std::cmp::Ordering;
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};

use crate::log::producer_snapshot::ProducerSnapshotEntry;
use crate::log::{DamagedPlace, Log, LogError, LogPosition};
use crate::time::Now;
use crate::uuid::Uuid;

pub use append::{Appended, ClientBatch};
pub use closed::{Closed, ClosedPartition, ClosingPartition};
pub use config::PartitionConfig;
pub use coordinator::{LoadedChunk, LoadedRecord};
pub use error::{PartitionError, RefusedRecord, RefusedRecords};
pub use moving::{MoveError, Swapped};
pub use open::{OpenedPartition, PartitionSpec};
pub use producer_state::{PRODUCER_EXPIRATION_MS, ProducerStates, TxnEnd};
pub use read::{Divergence, Fetched, Isolation, ReadSpec};
pub use recompression::Compression;
pub use sync::{Effect, Patience};
pub use table::{Topic, Topics};
pub use timestamps::{FoundOffset, OffsetQuery};
pub use validation::{CheckedBatch, check_client_batch};
pub use waiters::{Failure, Notices, WaiterId};

use company::Company;
use unopened::Unopened;
use waiters::Waiters;

/// What a request says that knows no leader epoch.
const NO_LEADER_EPOCH: i32 = -1;

/// A replica of one partition on this broker. Every method takes its lock for as long as it runs; a caller must
/// never hold two.
#[derive(Debug)]
pub struct Partition {
    topic: Arc<str>,
    topic_id: Uuid,
    index: i32,
    /// Another one after a move; it changes under the lock of the state.
    dir: RwLock<Arc<Path>>,
    config: RwLock<Arc<PartitionConfig>>,
    state: Mutex<State>,
    /// Everybody is here whom a sync waits for.
    company_came: Condvar,
}

/// What this broker is to the partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Leader,
    Follower,
}

#[derive(Debug)]
struct State {
    /// `None` once closed or deleted, or when it could not be opened.
    log: Option<Log>,
    /// Instead of a log that could not be opened.
    unopened: Option<Unopened>,
    role: Role,
    leader_epoch: i32,
    /// The log end when this broker began to lead in this epoch: until the high watermark has reached it, what was
    /// committed before is not known for sure.
    epoch_start: i64,
    /// −1 when nobody leads, or when nothing was said yet.
    leader_id: i32,
    /// Replicas of the partition, and how many of them are in sync.
    replicas: u32,
    isr: u32,
    high_watermark: LogPosition,
    /// Where the first transaction begins whose end is not known for good; `None` when there is none.
    first_unstable: Option<LogPosition>,
    producers: ProducerStates,
    waiters: Waiters,
    /// The control plane wants to hear of every new high watermark.
    watched: bool,
    /// Why nothing is served any more.
    offline: Option<Arc<str>>,
    deleted: bool,
    /// A sync is queued or running: at most one per partition.
    syncing: bool,
    /// A move waits for the sync that is under way: no other begins before it.
    swap_waits: bool,
    /// Offsets around which bytes are being checked, or are about to be.
    checking: Vec<i64>,
    /// Records appended since the last sync was asked for.
    unsynced_records: u64,
    company: Company,
}

/// The lock of a partition. Dropped by a panic before its work was done, it leaves the partition offline: what the
/// panic interrupted may be half changed (parking_lot does not poison).
struct Guard<'a> {
    state: MutexGuard<'a, State>,
    done: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.state.offline.get_or_insert_with(|| "a panic interrupted a change of its state".into());
        }
    }
}

impl State {
    /// A follower of no epoch, with everything up to `end` below its high watermark.
    fn new(log: Option<Log>, end: i64) -> State {
        State {
            log,
            unopened: None,
            role: Role::Follower,
            leader_epoch: -1,
            epoch_start: 0,
            leader_id: -1,
            replicas: 1,
            isr: 1,
            high_watermark: LogPosition { offset: end, ..LogPosition::default() },
            first_unstable: None,
            producers: ProducerStates::default(),
            waiters: Waiters::default(),
            watched: false,
            offline: None,
            deleted: false,
            syncing: false,
            swap_waits: false,
            checking: Vec::new(),
            unsynced_records: 0,
            company: Company::default(),
        }
    }

    fn offsets(&self) -> PartitionOffsets {
        let Some(log) = &self.log else {
            return self.unopened.as_ref().map_or_else(PartitionOffsets::default, |left| left.offsets);
        };
        PartitionOffsets {
            log_start: log.start_offset(),
            high_watermark: self.high_watermark.offset,
            log_end: log.end_offset(),
            recovery_point: log.recovery_point(),
            clean_until: log.clean_until(),
        }
    }

    /// The log of a partition that serves. Errors: `Deleted`, `Offline`.
    fn log(&self) -> Result<&Log, PartitionError> {
        self.check_online()?;
        self.log.as_ref().ok_or_else(closed)
    }

    fn log_mut(&mut self) -> Result<&mut Log, PartitionError> {
        self.check_online()?;
        self.log.as_mut().ok_or_else(closed)
    }

    fn check_online(&self) -> Result<(), PartitionError> {
        if self.deleted {
            return Err(PartitionError::Deleted);
        }
        match &self.offline {
            Some(reason) => Err(PartitionError::Offline { reason: reason.clone() }),
            None => Ok(()),
        }
    }

    /// Kafka's checks before a leader serves: the requester's epoch (−1 = it knows none), then the role.
    fn check_leader(&self, requested: i32) -> Result<(), PartitionError> {
        self.check_online()?;
        let current = self.leader_epoch;
        match requested.cmp(&current) {
            _ if requested == NO_LEADER_EPOCH => {}
            Ordering::Less => return Err(PartitionError::FencedLeaderEpoch { requested, current }),
            Ordering::Greater => return Err(PartitionError::UnknownLeaderEpoch { requested, current }),
            Ordering::Equal => {}
        }
        if self.role == Role::Leader { Ok(()) } else { Err(PartitionError::NotLeader) }
    }
}

impl State {
    /// acks=all needs `min.insync.replicas` in sync, or all replicas where there are fewer than that (as Kafka).
    fn check_in_sync(&self, acks_all: bool, config: &PartitionConfig) -> Result<(), PartitionError> {
        let required = config.min_insync_replicas.min(self.replicas);
        match acks_all && self.isr < required {
            true => Err(PartitionError::NotEnoughReplicas { isr: self.isr, required }),
            false => Ok(()),
        }
    }
}

fn closed() -> PartitionError {
    PartitionError::Offline { reason: "it is closed".into() }
}

impl Partition {
    fn with<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut guard = Guard { state: self.state.lock(), done: false };
        let result = change(&mut guard.state);
        guard.done = true;
        result
    }

    /// Whether somebody is inside: a simulator whose threads take turns must not switch then.
    pub fn is_locked(&self) -> bool {
        self.state.is_locked()
    }

    pub fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    pub fn topic_id(&self) -> Uuid {
        self.topic_id
    }

    pub fn index(&self) -> i32 {
        self.index
    }

    /// Its own directory, `<log dir>/<topic>-<index>`.
    pub fn dir(&self) -> Arc<Path> {
        self.dir.read().clone()
    }

    pub fn config(&self) -> Arc<PartitionConfig> {
        self.config.read().clone()
    }

    /// Takes over new topic configuration, for the log too.
    pub fn set_config(self: &Arc<Self>, config: Arc<PartitionConfig>, notices: &mut Notices) {
        *self.config.write() = config.clone();
        self.with(|state| {
            if let Some(log) = &mut state.log {
                log.set_config(config.log.clone());
            }
            self.settle_high_watermark(state, &config, notices);
        });
    }

    /// Who leads the partition (−1 for nobody), how many replicas it has, and how many are in sync.
    pub fn set_assignment(&self, leader_id: i32, replicas: usize, isr: usize) {
        self.with(|state| {
            state.leader_id = leader_id;
            state.replicas = u32::try_from(replicas).unwrap_or(u32::MAX);
            state.isr = u32::try_from(isr).unwrap_or(u32::MAX);
        });
    }

    /// Who leads, and since which epoch: what a client is told that came to the wrong broker.
    pub fn current_leader(&self) -> CurrentLeader {
        self.with(|state| CurrentLeader { id: state.leader_id, epoch: state.leader_epoch })
    }

    /// This broker leads from `leader_epoch` on. An older epoch than the current one is passed over.
    pub fn lead(self: &Arc<Self>, leader_epoch: i32, notices: &mut Notices) {
        let config = self.config();
        self.with(|state| {
            if self.change_role(state, Role::Leader, leader_epoch, notices) {
                self.settle_high_watermark(state, &config, notices);
            }
        });
    }

    /// Another broker leads from `leader_epoch` on: produce, fetch and waiters are refused here.
    pub fn follow(&self, leader_epoch: i32, notices: &mut Notices) {
        self.with(|state| self.change_role(state, Role::Follower, leader_epoch, notices));
    }

    fn change_role(&self, state: &mut State, role: Role, leader_epoch: i32, notices: &mut Notices) -> bool {
        if leader_epoch < state.leader_epoch || (leader_epoch == state.leader_epoch && role == state.role) {
            return false;
        }
        state.role = role;
        state.leader_epoch = leader_epoch;
        state.epoch_start = state.log.as_ref().map_or(0, Log::end_offset);
        state.waiters.all(&mut notices.waiters);
        true
    }

    /// Exclusive: what consumers may read and acks=all producers may rely on.
    pub fn high_watermark(&self) -> i64 {
        self.with(|state| state.high_watermark.offset)
    }

    /// Exclusive: what readers of committed records may see.
    pub fn last_stable_offset(&self) -> i64 {
        self.with(|state| state.last_stable().offset)
    }

    pub fn leader_epoch(&self) -> i32 {
        self.with(|state| state.leader_epoch)
    }

    /// Every offset that checkpoints and figures need; zeros once closed, and of a log that could not be opened what
    /// the checkpoints said.
    pub fn offsets(&self) -> PartitionOffsets {
        self.with(|state| state.offsets())
    }

    /// Bytes of all segments.
    pub fn size(&self) -> u64 {
        self.with(|state| match (&state.log, &state.unopened) {
            (Some(log), _) => log.size(),
            (None, unopened) => unopened.as_ref().map_or(0, |left| left.size),
        })
    }

    /// Why it serves nothing any more, if so.
    pub fn offline_reason(&self) -> Option<Arc<str>> {
        self.with(|state| state.offline.clone())
    }

    /// From now on every rise of the high watermark goes to `Notices::committed`.
    pub fn watch(&self) {
        self.with(|state| state.watched = true);
    }

    /// Every producer that is remembered, by id. A follower tells too, as Kafka's: tools compare replicas.
    ///
    /// Errors: `Deleted`, `Offline`.
    pub fn active_producers(&self) -> Result<Vec<ProducerSnapshotEntry>, PartitionError> {
        self.with(|state| state.log().map(|_| state.producers.snapshot()))
    }

    /// Forgets producers that wrote nothing for `producer.id.expiration.ms` and have no open transaction.
    pub fn expire_producers(&self, now: Now) {
        let expiration_ms = self.config().producer_expiration_ms;
        self.with(|state| state.producers.expire(now.wall_ms, expiration_ms));
    }

    /// Forgets a parked request.
    pub fn remove_waiter(&self, id: WaiterId) {
        self.with(|state| state.waiters.remove(id));
    }

    /// Parked requests registered here.
    pub fn waiter_count(&self) -> usize {
        self.with(|state| state.waiters.len())
    }

    /// Stops serving for good, because another partition of its log directory failed or the control plane says so.
    pub fn take_offline(&self, reason: &str, notices: &mut Notices) {
        self.with(|state| {
            if state.offline.is_none() {
                self.go_offline(state, reason, notices);
            }
            // Once more: a panic that took it offline told nobody.
            state.waiters.all(&mut notices.waiters);
        });
    }

    fn go_offline(&self, state: &mut State, reason: &str, notices: &mut Notices) {
        state.offline = Some(reason.into());
        if let Some(log) = &mut state.log {
            log.take_offline();
        }
        state.waiters.all(&mut notices.waiters);
    }

    /// Turns a log's error into the partition's; a fault takes the partition offline for good and is reported.
    fn fault(&self, state: &mut State, error: LogError, notices: &mut Notices) -> PartitionError {
        match error {
            LogError::OffsetOutOfRange { offset, start, end } => {
                PartitionError::OffsetOutOfRange { offset, start, end }
            }
            LogError::AppendTooLarge { bytes, limit } => {
                PartitionError::BatchLargerThanSegment { size: bytes, max: limit }
            }
            LogError::Corrupt { path, position, reason } => {
                let said = format!("{} at byte {position}: {reason}", path.display());
                notices.damages.push(DamagedPlace { path, position, offset: -1, reason });
                PartitionError::Damaged { reason: said.into() }
            }
            LogError::Full { .. } => {
                let reason = error.to_string();
                notices.full.push(Failure { dir: self.dir().to_path_buf(), reason: reason.clone() });
                PartitionError::Full { reason: reason.into() }
            }
            // `OutOfOrder` cannot follow from offsets taken from the log's end under this lock: if it does, the
            // state is not what we believe.
            fault => {
                let reason = fault.to_string();
                if state.offline.is_none() {
                    self.go_offline(state, &reason, notices);
                    notices.failures.push(Failure { dir: self.dir().to_path_buf(), reason: reason.clone() });
                }
                PartitionError::Offline { reason: reason.into() }
            }
        }
    }

    /// The topic is gone: waiters are told, nothing is served, and the directory is renamed to `…<unique>-delete`.
    /// The removal that comes back runs on the disk pool.
    pub fn delete(&self, unique: &str, notices: &mut Notices) -> Result<crate::log::Removal, PartitionError> {
        self.with(|state| {
            state.deleted = true;
            state.waiters.all(&mut notices.waiters);
            let removal = match (state.log.take(), state.unopened.take()) {
                (Some(log), _) => log.delete(unique),
                (None, Some(left)) => left.delete(self, unique),
                (None, None) => return Err(closed()),
            };
            removal.map_err(|error| {
                let reason = error.to_string();
                notices.failures.push(Failure { dir: self.dir().to_path_buf(), reason: reason.clone() });
                PartitionError::Offline { reason: reason.into() }
            })
        })
    }
}

/// The leader of a partition; −1 where nobody is or nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentLeader {
    pub id: i32,
    pub epoch: i32,
}

/// Offsets of one partition; the ends are exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionOffsets {
    pub log_start: i64,
    pub high_watermark: i64,
    pub log_end: i64,
    /// Everything below it is durable.
    pub recovery_point: i64,
    /// Compaction has come so far.
    pub clean_until: i64,
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod partition_tests;

#[cfg(test)]
mod producer_state_tests;

#[cfg(test)]
mod transactions_tests;
