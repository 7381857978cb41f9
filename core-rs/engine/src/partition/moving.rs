//! A partition on its way to another log directory: filled without the lock, swapped under it. Readers keep what they
//! hold, producers wait for the swap alone. The node decides when each piece runs (`node::moving`).

use std::path::Path;
use std::sync::Arc;

use super::{Failure, Notices, Partition, PartitionError, Role, State};
use crate::log::{FutureLog, LogError, Removal, partition_metadata};
use crate::storage::Storage;
use crate::time::Now;

/// Why a move did not go on.
#[derive(Debug)]
pub enum MoveError {
    /// The partition serves no more.
    Source(PartitionError),
    /// The partition's own log cannot be read.
    Unreadable(LogError),
    /// The directory that it was to move to.
    Target(LogError),
}

/// What an attempt to swap came to.
#[derive(Debug)]
pub enum Swapped {
    /// The log serves from its new directory; this removes the old one, after `file.delete.delay.ms`.
    Done(Option<Removal>),
    /// A sync is under way, or there is more to copy, or the log start is another: copy on and try again.
    NotYet(FutureLog),
    Failed(FutureLog, MoveError),
    /// The copy's directory failed amid the swap: which name it has there only the next start can tell.
    Lost(LogError),
}

impl Partition {
    /// An empty copy in `log_dir`; `unique` tells its directory from others of the partition.
    ///
    /// Errors: `Source` once nothing is served, `Target` of the disk.
    pub fn begin_move(
        &self,
        storage: &Arc<dyn Storage>,
        log_dir: &Path,
        unique: &str,
        now: Now,
    ) -> Result<FutureLog, MoveError> {
        let (config, first_base, clean_until) = self
            .with(|state| {
                let log = state.log()?;
                Ok((log.config().clone(), log.first_base(), log.clean_until()))
            })
            .map_err(MoveError::Source)?;
        let name = self.dir_name();
        let log = (config, first_base, clean_until);
        let future =
            FutureLog::create(storage, log_dir, &name, unique, log, now).map_err(MoveError::Target)?;
        let owner = partition_metadata::create(&**storage, future.dir(), self.topic_id);
        let path = future.dir().join(partition_metadata::PARTITION_METADATA_FILE);
        match owner {
            Ok(()) => Ok(future),
            Err(source) => {
                let _ = future.discard().run();
                Err(MoveError::Target(LogError::Io { path, source }))
            }
        }
    }

    /// Copies about `max_bytes` and syncs them. Blocks, without the lock. Returns how many bytes are left.
    ///
    /// Errors: `Source`, `Target`; the log is as it was.
    pub fn copy_on(
        self: &Arc<Self>,
        future: &mut FutureLog,
        max_bytes: u64,
        now: Now,
        notices: &mut Notices,
    ) -> Result<u64, MoveError> {
        let mut copyable = self
            .with(|state| {
                let log = state.log()?;
                let from = future.end_offset().max(log.first_base());
                let found = log.copyable_from(from).map(|copyable| (from, copyable));
                found.map_err(|error| self.fault(state, error, notices))
            })
            .map_err(MoveError::Source)?;
        if copyable.0 > future.end_offset() {
            future.restart_at(copyable.0).map_err(MoveError::Target)?;
        }
        if let Err(error) = future.copy(&mut copyable.1, max_bytes, now) {
            return Err(self.blame(error, future));
        }
        future.sync().map_err(MoveError::Target)?;
        let left = self.with(|state| match state.log()?.bytes_from(future.end_offset()) {
            Ok(left) => Ok(left),
            Err(error) => Err(self.fault(state, error, notices)),
        });
        left.map_err(MoveError::Source)
    }

    /// Puts the copy in the log's place, if what is written down for its new directory still holds, the log start of
    /// `written`, and no more than `most_left` bytes are still to be copied. Blocks, with the lock.
    pub fn swap(
        self: &Arc<Self>,
        mut future: FutureLog,
        (written, most_left): (i64, u64),
        unique: &str,
        now: Now,
        notices: &mut Notices,
    ) -> Swapped {
        let config = self.config();
        self.with(|state| {
            state.swap_waits = true;
            if state.syncing && state.offline.is_none() && !state.deleted {
                return Swapped::NotYet(future);
            }
            let outcome = match self.complete(state, &mut future, (written, most_left), now) {
                Ok(true) => self.take_place(state, future, unique, notices),
                Ok(false) => Swapped::NotYet(future),
                Err(error) => Swapped::Failed(future, error),
            };
            state.swap_waits = false;
            // What waited for a sync that the swap held up.
            self.settle_high_watermark(state, &config, notices);
            outcome
        })
    }

    /// The swap that was tried is not to be tried again soon.
    pub fn leave_swap(self: &Arc<Self>, notices: &mut Notices) {
        let config = self.config();
        self.with(|state| {
            state.swap_waits = false;
            self.settle_high_watermark(state, &config, notices);
        });
    }

    /// False when there is too much left to do under the lock.
    fn complete(
        &self,
        state: &mut State,
        future: &mut FutureLog,
        (written, most_left): (i64, u64),
        now: Now,
    ) -> Result<bool, MoveError> {
        let log = state.log().map_err(MoveError::Source)?;
        let is_behind = future.end_offset() < log.first_base();
        if is_behind || log.start_offset() != written {
            return Ok(false);
        }
        if log.bytes_from(future.end_offset()).map_err(MoveError::Unreadable)? > most_left {
            return Ok(false);
        }
        let mut copyable = log.copyable_from(future.end_offset()).map_err(MoveError::Unreadable)?;
        if let Err(error) = future.copy(&mut copyable, u64::MAX, now) {
            return Err(self.blame(error, future));
        }
        // Offsets that compaction left without a batch at the very end cannot be copied: nothing ends with them.
        if future.end_offset() != log.end_offset() {
            return Ok(false);
        }
        future.complete(log.belongings(), &state.producers.snapshot()).map_err(MoveError::Target)?;
        Ok(true)
    }

    fn take_place(
        self: &Arc<Self>,
        state: &mut State,
        future: FutureLog,
        unique: &str,
        notices: &mut Notices,
    ) -> Swapped {
        let log = match future.take_name(&self.dir_name()) {
            Ok(log) => log,
            Err(error) => return Swapped::Lost(error),
        };
        *self.dir.write() = log.dir().into();
        let Some(old) = state.log.replace(log) else { return Swapped::Done(None) };
        let old_dir = old.dir().to_path_buf();
        let removal = old.delete(unique).and_then(|removal| removal.sync_name().map(|()| removal));
        let removal = match removal {
            Ok(removal) => Some(removal),
            Err(error) => {
                // The next start finds both and takes the longer one.
                notices.failures.push(Failure { dir: old_dir, reason: error.to_string() });
                None
            }
        };
        state.producers.forget_positions();
        state.first_unstable = None;
        if let Err(error) = self.find_positions(state) {
            self.fault(state, error, notices);
            return Swapped::Done(removal);
        }
        // All of the copy is durable.
        if state.role == Role::Leader
            && let Ok(end) = state.log().map(|log| log.end_position())
        {
            self.raise_high_watermark(state, end, notices);
        }
        let _ = self.settle_unstable(state, notices);
        state.unsynced_records = 0;
        Swapped::Done(removal)
    }

    /// Positions are those of the old files.
    fn find_positions(&self, state: &mut State) -> Result<(), LogError> {
        let Some(log) = &state.log else { return Ok(()) };
        let offset = state.high_watermark.offset.clamp(log.start_offset(), log.end_offset());
        state.high_watermark = log.position_of(offset)?;
        Ok(())
    }

    /// What failed in the copy's directory is the target's; anything else the log's own.
    fn blame(&self, error: LogError, future: &FutureLog) -> MoveError {
        match &error {
            LogError::Io { path, .. } | LogError::Full { path, .. } if path.starts_with(future.dir()) => {
                MoveError::Target(error)
            }
            _ => MoveError::Unreadable(error),
        }
    }

    /// An error about a file that the partition had in another log directory.
    pub fn is_past(&self, error: &LogError) -> bool {
        matches!(error, LogError::Io { path, .. } if !path.starts_with(self.dir()))
    }

    fn dir_name(&self) -> String {
        format!("{}-{}", self.topic, self.index)
    }
}
