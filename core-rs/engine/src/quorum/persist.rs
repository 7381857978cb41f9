//! The quorum's disk work: what must be synced before raft may go on. Made under the quorum's lock, run without it,
//! handed back with its result; it touches no raft state.

use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::wal::Wal;
use crate::log::SyncJob;
use crate::storage::{Storage, WriteError};

/// One write and sync. `Quorum::ready` gives it out, `Quorum::persisted` takes it back.
#[derive(Debug)]
pub struct Persist {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) work: Work,
    /// Kafka's `quorum-state` file, when what it tells has changed.
    pub(super) quorum_state: Option<(PathBuf, Vec<u8>)>,
}

#[derive(Debug)]
pub(super) enum Work {
    /// One frame behind the last one; none when only the order of messages is at stake.
    Append { wal: Wal, frame: Vec<u8> },
    /// The metadata log's sync first, for the new file forgets entries that only the metadata log still holds.
    Replace { log: SyncJob, path: PathBuf, image: Vec<u8>, replaced: Mutex<Option<Wal>> },
}

impl Persist {
    /// Does the work; blocks. The result belongs to `Quorum::persisted`, which alone decides on another run: there is
    /// none after `Failed`, for a failed sync is final.
    pub fn run(&self) -> Result<(), WriteError> {
        match &self.work {
            Work::Append { frame, .. } if frame.is_empty() => {}
            Work::Append { wal, frame } => {
                wal.file.write_at(wal.len, &[IoSlice::new(frame)]).map_err(WriteError::of)?;
                wal.file.sync().map_err(WriteError::Failed)?;
            }
            Work::Replace { log, path, image, replaced } => {
                log.run()?;
                let wal = Wal::replace(&*self.storage, path, image).map_err(WriteError::of)?;
                *replaced.lock() = Some(wal);
            }
        }
        match &self.quorum_state {
            Some((path, contents)) => self.storage.write_atomic(path, contents).map_err(WriteError::of),
            None => Ok(()),
        }
    }

    /// The write-ahead log as this work left it; only after `run` succeeded.
    pub(super) fn wal(self) -> Option<Wal> {
        match self.work {
            Work::Append { mut wal, frame } => {
                wal.len += frame.len() as u64;
                Some(wal)
            }
            Work::Replace { replaced, .. } => replaced.into_inner(),
        }
    }
}
