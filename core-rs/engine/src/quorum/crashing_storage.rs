//! A simulated disk that goes away after a chosen number of operations, as a machine does that loses power.

use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::storage::{DirEntry, SimStorage, Storage, StorageFile};

#[derive(Clone, Debug)]
pub struct CrashingStorage {
    disk: SimStorage,
    left: Arc<AtomicI64>,
}

impl CrashingStorage {
    /// Serves `operations` changing operations; all that follow fail without effect.
    pub fn new(disk: SimStorage, operations: i64) -> Self {
        Self { disk, left: Arc::new(AtomicI64::new(operations)) }
    }

    /// Changing operations served so far, out of `operations`.
    pub fn served(&self, operations: i64) -> i64 {
        operations - self.left.load(Ordering::Relaxed)
    }

    fn file(&self, file: Arc<dyn StorageFile>) -> Arc<dyn StorageFile> {
        Arc::new(CrashingFile { file, left: Arc::clone(&self.left) })
    }
}

fn spend(left: &AtomicI64) -> io::Result<()> {
    if left.fetch_sub(1, Ordering::Relaxed) > 0 { Ok(()) } else { Err(io::Error::other("the power is off")) }
}

impl Storage for CrashingStorage {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        spend(&self.left)?;
        self.disk.create(path).map(|file| self.file(file))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        self.disk.open(path).map(|file| self.file(file))
    }
    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        self.disk.list(dir)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        spend(&self.left)?;
        self.disk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        spend(&self.left)?;
        self.disk.remove_file(path)
    }
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        spend(&self.left)?;
        self.disk.create_dir_all(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        spend(&self.left)?;
        self.disk.remove_dir_all(path)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        spend(&self.left)?;
        self.disk.sync_dir(path)
    }
}

#[derive(Debug)]
struct CrashingFile {
    file: Arc<dyn StorageFile>,
    left: Arc<AtomicI64>,
}

impl StorageFile for CrashingFile {
    fn write_at(&self, offset: u64, bufs: &[IoSlice<'_>]) -> io::Result<()> {
        spend(&self.left)?;
        self.file.write_at(offset, bufs)
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buf)
    }
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        spend(&self.left)?;
        self.file.truncate(len)
    }
    fn sync(&self) -> io::Result<()> {
        spend(&self.left)?;
        self.file.sync()
    }
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
