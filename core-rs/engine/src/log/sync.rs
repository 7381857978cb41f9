//! Disk work that runs without the partition's lock: making appends durable, removing a deleted log.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::LogPosition;
use super::checkpoint::EpochStart;
use super::durability::{Covered, Unsafe};
use crate::storage::Storage;

/// Makes everything appended up to `end` durable. Give it back with `Log::synced` once `run` succeeded; after an
/// error the log must go offline (`Log::take_offline`): a later sync could succeed without having written the bytes.
#[derive(Clone, Debug)]
pub struct SyncJob {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) files: Vec<Unsafe>,
    /// The leader epoch checkpoint, when it changed.
    pub(super) epoch_file: Option<(PathBuf, Vec<EpochStart>)>,
    pub(super) dirs: Vec<PathBuf>,
    pub(super) end: LogPosition,
    pub(super) covered: Covered,
}

impl SyncJob {
    /// What is durable when the job succeeded: everything below this.
    pub fn end(&self) -> LogPosition {
        self.end
    }
}

/// A deleted log's directory, already renamed away; `run` removes its files.
#[derive(Clone, Debug)]
pub struct Removal {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) dir: PathBuf,
}

impl Removal {
    pub fn new(storage: Arc<dyn Storage>, dir: PathBuf) -> Removal {
        Removal { storage, dir }
    }

    pub fn run(&self) -> io::Result<()> {
        if let Some(parent) = self.dir.parent() {
            self.storage.sync_dir(parent)?;
        }
        self.storage.remove_dir_all(&self.dir)
    }
}
