//! Disk work that runs without the partition's lock: making appends durable, removing a deleted log.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint::EpochStart;
use super::durability::{Covered, Unsafe};
use super::folder_name::{Fate, renamed};
use super::{LogError, LogPosition};
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

    /// Renames a log's directory so that no start takes it for a log; `unique` tells it from others of its name.
    pub fn rename(storage: &Arc<dyn Storage>, dir: &Path, unique: &str) -> Result<Removal, LogError> {
        let name = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let target = dir.with_file_name(renamed(name, unique, Fate::Delete));
        let fault = |source| LogError::Io { path: dir.to_path_buf(), source };
        storage.rename(dir, &target).map_err(fault)?;
        Ok(Removal::new(Arc::clone(storage), target))
    }

    /// Makes the name durable under which the directory waits for its removal.
    ///
    /// Errors: `Io`.
    pub fn sync_name(&self) -> Result<(), LogError> {
        let Some(parent) = self.dir.parent() else { return Ok(()) };
        self.storage.sync_dir(parent).map_err(|source| LogError::Io { path: parent.to_path_buf(), source })
    }

    pub fn run(&self) -> io::Result<()> {
        if let Some(parent) = self.dir.parent() {
            self.storage.sync_dir(parent)?;
        }
        self.storage.remove_dir_all(&self.dir)
    }
}
