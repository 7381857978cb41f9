//! One partition's directory: how its files are named, opened and blamed. It keeps no state but one index page.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::LogError;
use super::index_file::IndexPage;
use crate::storage::{Storage, StorageFile};

pub(super) const LOG: &str = "log";
pub(super) const INDEX: &str = "index";
pub(super) const TIME_INDEX: &str = "timeindex";
pub(super) const TXN_INDEX: &str = "txnindex";
pub(super) const SNAPSHOT: &str = "snapshot";

/// What a segment can have beside its log.
pub(super) const SEGMENT_INDEXES: [&str; 3] = [INDEX, TIME_INDEX, TXN_INDEX];
pub(super) const SEGMENT_FILES: [&str; 4] = [LOG, INDEX, TIME_INDEX, TXN_INDEX];

/// Digits of the offset in a file name.
const OFFSET_DIGITS: usize = 20;

#[derive(Debug)]
pub(super) struct Folder {
    pub(super) storage: Arc<dyn Storage>,
    pub(super) dir: Arc<Path>,
    /// The index page read last: neighbouring lookups of one slow reader fall into it.
    pub(super) page: Mutex<Option<IndexPage>>,
}

impl Folder {
    pub(super) fn new(storage: Arc<dyn Storage>, dir: &Path) -> Folder {
        Folder { storage, dir: Arc::from(dir), page: Mutex::new(None) }
    }

    pub(super) fn path(&self, offset: i64, extension: &str) -> PathBuf {
        file_path(&self.dir, offset, extension)
    }

    /// Blames an I/O error on one file; builds its name only when there is an error.
    pub(super) fn fault(&self, offset: i64, extension: &'static str) -> impl FnOnce(io::Error) -> LogError {
        move |source| LogError::Io { path: self.path(offset, extension), source }
    }

    /// Blames an I/O error on the directory.
    pub(super) fn dir_fault(&self) -> impl FnOnce(io::Error) -> LogError {
        move |source| LogError::Io { path: self.dir.to_path_buf(), source }
    }

    pub(super) fn corrupt(&self, base: i64, extension: &str, position: u64, reason: String) -> LogError {
        LogError::Corrupt { path: self.path(base, extension), position, reason }
    }

    pub(super) fn create(
        &self,
        offset: i64,
        extension: &'static str,
    ) -> Result<Arc<dyn StorageFile>, LogError> {
        self.storage.create(&self.path(offset, extension)).map_err(self.fault(offset, extension))
    }

    pub(super) fn open(
        &self,
        offset: i64,
        extension: &'static str,
    ) -> Result<Arc<dyn StorageFile>, LogError> {
        self.storage.open(&self.path(offset, extension)).map_err(self.fault(offset, extension))
    }

    pub(super) fn open_shared(
        &self,
        offset: i64,
        extension: &'static str,
    ) -> Result<Arc<dyn StorageFile>, LogError> {
        self.storage.open_shared(&self.path(offset, extension)).map_err(self.fault(offset, extension))
    }

    pub(super) fn remove_if_present(&self, offset: i64, extension: &'static str) -> Result<(), LogError> {
        match self.storage.remove_file(&self.path(offset, extension)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.fault(offset, extension)(error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn sync_dir(&self) -> Result<(), LogError> {
        self.storage.sync_dir(&self.dir).map_err(self.dir_fault())
    }

    pub(super) fn forget_page(&self) {
        *self.page.lock() = None;
    }
}

pub(super) fn file_path(dir: &Path, offset: i64, extension: &str) -> PathBuf {
    dir.join(format!("{offset:0OFFSET_DIGITS$}.{extension}"))
}

/// The offset and extension of a segment's file or snapshot; `None` for any other name.
pub(super) fn parse_name(name: &str) -> Option<(i64, &str)> {
    let (digits, rest) = name.split_at_checked(OFFSET_DIGITS)?;
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, rest.strip_prefix('.')?))
}
