//! Partitions on their way to another log directory of this broker (AlterReplicaLogDirs, KIP-113): which, how far, and
//! the next piece of each on the disk pool. Copying and swapping are the partition's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::effects::Effect;
use super::image::hex;
use super::log_dirs::CHECKPOINTS;
use super::shared::Node;
use crate::boundary::Event;
use crate::log::{FutureLog, LogError};
use crate::partition::{MoveError, Notices, Partition, PartitionOffsets, Swapped};
use crate::time::Now;
use crate::uuid::Uuid;

/// Bytes of one turn on the disk pool.
const PIECE_BYTES: u64 = 4 << 20;
/// What may be left to copy, and to sync, while the partition is locked: at first, and how often it may double for one
/// that grows as fast as it is copied.
const LEFT_FOR_THE_SWAP: u64 = 128 << 10;
const DOUBLINGS: u32 = 5;
/// Attempts to swap before the partition is left alone for a while.
const ATTEMPTS: u32 = 100;
const PAUSE_MS: i64 = 1_000;
/// Directories remembered for partitions that are not there yet.
const MAX_PREFERRED: usize = 100_000;

type Key = (Uuid, i32);

#[derive(Debug, Default)]
pub(super) struct Moves {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: BTreeMap<Key, UnderWay>,
    /// Log directories for partitions to come, by directory name.
    preferred: BTreeMap<String, PathBuf>,
    /// Of the next move: an effect of another one than is under way has been cancelled.
    next_id: u64,
}

/// A move as others see it.
#[derive(Clone, Debug)]
pub(super) struct UnderWay {
    id: u64,
    pub log_dir: PathBuf,
    /// Bytes of the copy, and the offset that it ends with (exclusive).
    pub size: u64,
    pub end_offset: i64,
}

/// One move between its pieces.
#[derive(Debug)]
pub struct Move {
    id: u64,
    partition: Arc<Partition>,
    log_dir: PathBuf,
    /// Part of the names of both directories.
    unique: String,
    future: Option<FutureLog>,
    attempts: u32,
    /// Pieces after which little was left, but too much.
    rounds: u32,
}

impl Moves {
    /// The log directory that was asked for before the partition was there.
    pub fn take_preferred(&self, name: &str) -> Option<PathBuf> {
        self.state.lock().preferred.remove(name)
    }

    pub fn is_moving(&self, partition: &Partition) -> bool {
        self.state.lock().under_way.contains_key(&key(partition))
    }

    pub fn of(&self, partition: &Partition) -> Option<UnderWay> {
        self.state.lock().under_way.get(&key(partition)).cloned()
    }

    fn goes_on(&self, one: &Move) -> bool {
        self.state.lock().under_way.get(&key(&one.partition)).is_some_and(|known| known.id == one.id)
    }

    fn end(&self, one: &Move) {
        let mut state = self.state.lock();
        if state.under_way.get(&key(&one.partition)).is_some_and(|known| known.id == one.id) {
            state.under_way.remove(&key(&one.partition));
        }
    }

    fn note(&self, one: &Move, future: &FutureLog) {
        let mut state = self.state.lock();
        if let Some(known) = state.under_way.get_mut(&key(&one.partition)).filter(|known| known.id == one.id)
        {
            (known.size, known.end_offset) = (future.size(), future.end_offset());
        }
    }
}

fn key(partition: &Partition) -> Key {
    (partition.topic_id(), partition.index())
}

impl Node {
    /// Begins to move a partition to `log_dir`; where it is already, a move under way ends. A partition that is not
    /// there yet will be created in it.
    pub(super) fn move_partition(&self, topic: &str, index: i32, log_dir: &Path) {
        if self.stopping.is_stopping() || !self.log_dirs.iter().any(|known| known.path == log_dir) {
            return;
        }
        let found = self.topics.by_name(topic).and_then(|topic| topic.partition(index).ok().cloned());
        let mut state = self.moves.state.lock();
        let Some(partition) = found else {
            if state.preferred.len() < MAX_PREFERRED {
                state.preferred.insert(format!("{topic}-{index}"), log_dir.to_path_buf());
            }
            return;
        };
        let key = key(&partition);
        if state.under_way.get(&key).is_some_and(|known| known.log_dir == log_dir) {
            return;
        }
        state.under_way.remove(&key);
        if partition.dir().parent() == Some(log_dir) {
            return;
        }
        let id = state.next_id;
        state.next_id += 1;
        let end_offset = partition.offsets().log_start;
        let log_dir = log_dir.to_path_buf();
        state.under_way.insert(key, UnderWay { id, log_dir: log_dir.clone(), size: 0, end_offset });
        drop(state);
        let (unique, future) = (String::new(), None);
        self.push_effect(Effect::Move(Box::new(Move {
            id,
            partition,
            log_dir,
            unique,
            future,
            attempts: 0,
            rounds: 0,
        })));
    }

    /// The next piece of a move.
    pub(super) fn run_move(&self, mut one: Box<Move>, now: Now, notices: &mut Notices) {
        if self.stopping.is_stopping() {
            // The next start removes the copy.
            one.partition.leave_swap(notices);
            return;
        }
        if !self.moves.goes_on(&one) || self.has_failed(&one.log_dir) {
            self.end_move(&mut one, None, now, notices);
            return;
        }
        match self.piece(&mut one, now, notices) {
            Ok(true) if one.attempts >= ATTEMPTS => {
                one.attempts = 0;
                one.partition.leave_swap(notices);
                self.remove_later(Effect::Move(one), PAUSE_MS, now);
            }
            Ok(true) => self.push_effect(Effect::Move(one)),
            Ok(false) => self.moves.end(&one),
            Err(error) => self.end_move(&mut one, Some(error), now, notices),
        }
    }

    /// Whether there is more to do.
    fn piece(&self, one: &mut Move, now: Now, notices: &mut Notices) -> Result<bool, MoveError> {
        let mut future = match one.future.take() {
            Some(future) => future,
            None => {
                // Others of the same partition may wait for their removal.
                let salt = u128::from(one.id) << 64 | u128::from(now.wall_ms as u64);
                one.unique =
                    hex(&Uuid((u128::from_be_bytes(one.partition.topic_id().0) ^ salt).to_be_bytes()));
                one.partition.begin_move(&self.storage, &one.log_dir, &one.unique, now)?
            }
        };
        let copied = one.partition.copy_on(&mut future, PIECE_BYTES, now, notices);
        self.moves.note(one, &future);
        let most_left = LEFT_FOR_THE_SWAP << one.rounds.min(DOUBLINGS);
        match copied {
            Ok(left) if left <= most_left => {
                one.attempts += 1;
                self.swap(one, future, most_left, now, notices)
            }
            Ok(left) => {
                one.rounds += u32::from(left < PIECE_BYTES);
                one.future = Some(future);
                Ok(true)
            }
            Err(error) => {
                one.future = Some(future);
                Err(error)
            }
        }
    }

    fn swap(
        &self,
        one: &mut Move,
        future: FutureLog,
        most_left: u64,
        now: Now,
        notices: &mut Notices,
    ) -> Result<bool, MoveError> {
        let _one_at_a_time = self.checkpointing.lock();
        let offsets = one.partition.offsets();
        // Beside the copy before it is the log: a crash right after the swap must find the log start there.
        let entry = PartitionOffsets {
            recovery_point: future.end_offset(),
            clean_until: future.clean_until(),
            ..offsets
        };
        let mut by_dir = self.offsets_by_dir(PartitionOffsets::clone);
        let here = by_dir.entry(one.log_dir.clone()).or_default();
        here.push((one.partition.topic().to_string(), one.partition.index(), entry));
        if !self.write_checkpoint(&one.log_dir, &CHECKPOINTS, &by_dir, notices) {
            one.future = Some(future);
            return Ok(true);
        }
        match one.partition.swap(future, (offsets.log_start, most_left), &one.unique, now, notices) {
            Swapped::Done(removal) => {
                if let Some(removal) = removal {
                    self.remove_log_later(removal, now);
                }
                if self.has_failed(&one.log_dir) {
                    // It failed while it was not yet known to be the partition's.
                    one.partition.take_offline("its log directory failed", notices);
                }
                self.push_effect(Effect::Checkpoint);
                Ok(false)
            }
            Swapped::NotYet(future) => {
                one.future = Some(future);
                Ok(true)
            }
            Swapped::Failed(future, error) => {
                one.future = Some(future);
                Err(error)
            }
            Swapped::Lost(error) => Err(MoveError::Target(error)),
        }
    }

    /// The partition stays where it is; the copy goes.
    fn end_move(&self, one: &mut Move, error: Option<MoveError>, now: Now, notices: &mut Notices) {
        self.moves.end(one);
        one.partition.leave_swap(notices);
        if let Some(future) = one.future.take() {
            self.remove_later(Effect::Remove(future.discard()), 0, now);
        }
        match error {
            Some(MoveError::Target(error)) if error.is_full() => {
                self.lacks_room(&one.log_dir, &error.to_string())
            }
            Some(MoveError::Target(error @ LogError::Io { .. })) => {
                self.fail_log_dir(&one.log_dir, &error.to_string(), notices);
            }
            Some(MoveError::Unreadable(LogError::Corrupt { path, position, reason })) => {
                self.emit(&Event::Damaged {
                    file: &path.to_string_lossy(),
                    position: i64::try_from(position).unwrap_or(i64::MAX),
                    offset: -1,
                    message: &format!("the log cannot be moved: {reason}"),
                });
            }
            Some(MoveError::Unreadable(error @ LogError::Io { .. })) => {
                if let Some(log_dir) = one.partition.dir().parent() {
                    self.fail_log_dir(log_dir, &error.to_string(), notices);
                }
            }
            _ => {}
        }
    }
}
