//! A file system in memory that can lose everything that was not synced, by seed, and fail on demand.
//! Deterministic: no clock, no entropy; the same calls and seeds leave the same bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::path::{Component, Path};
use std::sync::Arc;

use parking_lot::Mutex;

use super::sim_disk::{DirRef, DirState, FileRef, Node};
use super::splitmix::SplitMix;
use super::{DirEntry, Storage, StorageFile};

/// What `SimStorage::fail_next` can make fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SimOperation {
    Create,
    Open,
    Write,
    Read,
    Truncate,
    Sync,
    SyncDir,
    Rename,
    Remove,
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens but the error.
    Error(io::ErrorKind),
    /// A write leaves its first bytes behind, then `StorageFull`; anything else fails whole.
    Short(u64),
    /// A bug: the operation panics.
    Panic,
}

/// The simulated disk; a clone is the same disk.
#[derive(Clone)]
pub struct SimStorage {
    root: DirRef,
    faults: Arc<Mutex<Faults>>,
}

#[derive(Default)]
struct Faults {
    /// Raised by every crash: handles of before it are dead.
    boots: u64,
    planned: BTreeMap<SimOperation, Vec<Fault>>,
}

impl Default for SimStorage {
    fn default() -> SimStorage {
        SimStorage::new()
    }
}

impl fmt::Debug for SimStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SimStorage(boot {})", self.faults.lock().boots)
    }
}

impl SimStorage {
    /// An empty disk: just its root directory.
    pub fn new() -> SimStorage {
        SimStorage { root: DirRef::default(), faults: Arc::default() }
    }

    /// The machine stops and starts again: of what was not synced, `seed` decides what is left. Open handles die.
    pub fn crash(&self, seed: u64) {
        self.faults.lock().boots += 1;
        self.root.lock().crash(&mut SplitMix::new(seed));
    }

    /// The process stops and starts again: the disk keeps everything, open handles die.
    pub fn restart(&self) {
        self.faults.lock().boots += 1;
    }

    /// A fingerprint of every name and byte as read now.
    pub fn digest(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325;
        self.root.lock().digest(&mut hash);
        hash
    }

    /// The next `operation` anywhere fails so; several calls queue up.
    pub fn fail_next(&self, operation: SimOperation, fault: Fault) {
        self.faults.lock().planned.entry(operation).or_default().push(fault);
    }

    /// Drops the faults that were planned and did not happen yet.
    pub fn forget_faults(&self) {
        self.faults.lock().planned.clear();
    }

    fn check(&self, operation: SimOperation) -> io::Result<()> {
        self.faults.lock().take(operation).map_or(Ok(()), |fault| Err(fault.into()))
    }

    fn dir(&self, path: &Path) -> io::Result<DirRef> {
        let mut dir = Arc::clone(&self.root);
        for name in names(path)? {
            let next = dir.lock().get(name).ok_or(io::ErrorKind::NotFound)?;
            let Node::Dir(next) = next else {
                return Err(io::ErrorKind::NotADirectory.into());
            };
            dir = next;
        }
        Ok(dir)
    }

    fn place<'a>(&self, path: &'a Path) -> io::Result<(DirRef, &'a str)> {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidInput)?;
        Ok((self.dir(path.parent().unwrap_or(Path::new("")))?, name))
    }

    fn handle(&self, file: FileRef) -> Arc<dyn StorageFile> {
        let faults = Arc::clone(&self.faults);
        let boot = faults.lock().boots;
        Arc::new(SimFile { file, faults, boot })
    }
}

impl Faults {
    fn take(&mut self, operation: SimOperation) -> Option<Fault> {
        let queue = self.planned.get_mut(&operation)?;
        if queue.is_empty() { None } else { Some(queue.remove(0)) }
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> io::Error {
        match fault {
            Fault::Error(kind) => kind.into(),
            Fault::Short(_) => io::ErrorKind::StorageFull.into(),
            Fault::Panic => panic!("a simulated bug"),
        }
    }
}

fn names(path: &Path) -> io::Result<Vec<&str>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_str().ok_or(io::ErrorKind::InvalidInput)?),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    Ok(names)
}

impl Storage for SimStorage {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        self.check(SimOperation::Create)?;
        let (dir, name) = self.place(path)?;
        let mut dir = dir.lock();
        if dir.get(name).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = FileRef::default();
        dir.put(name, Node::File(Arc::clone(&file)));
        Ok(self.handle(file))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        self.check(SimOperation::Open)?;
        let (dir, name) = self.place(path)?;
        let node = dir.lock().get(name).ok_or(io::ErrorKind::NotFound)?;
        match node {
            Node::File(file) => Ok(self.handle(file)),
            Node::Dir(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match self.place(path) {
            Ok((dir, name)) => Ok(dir.lock().get(name).is_some()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let dir = self.dir(dir)?;
        let dir = dir.lock();
        let entry = |(name, node): (&String, &Node)| match node {
            Node::File(file) => {
                DirEntry { name: name.clone(), is_dir: false, len: file.lock().contents().len() as u64 }
            }
            Node::Dir(_) => DirEntry { name: name.clone(), is_dir: true, len: 0 },
        };
        Ok(dir.names().iter().map(entry).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(SimOperation::Rename)?;
        let (from_dir, from_name) = self.place(from)?;
        let (to_dir, to_name) = self.place(to)?;
        let node = from_dir.lock().get(from_name).ok_or(io::ErrorKind::NotFound)?;
        if let (Node::Dir(_), Some(_)) = (&node, to_dir.lock().get(to_name)) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if Arc::ptr_eq(&from_dir, &to_dir) {
            from_dir.lock().rename(from_name, to_name);
        } else {
            to_dir.lock().put(to_name, node);
            from_dir.lock().remove(from_name);
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.check(SimOperation::Remove)?;
        let (dir, name) = self.place(path)?;
        let mut dir = dir.lock();
        match dir.get(name) {
            Some(Node::File(_)) => dir.remove(name),
            Some(Node::Dir(_)) => return Err(io::ErrorKind::IsADirectory.into()),
            None => return Err(io::ErrorKind::NotFound.into()),
        }
        Ok(())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut dir = Arc::clone(&self.root);
        for name in names(path)? {
            let next = dir.lock().get(name);
            dir = match next {
                Some(Node::Dir(next)) => next,
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => {
                    let next = Arc::new(Mutex::new(DirState::default()));
                    dir.lock().put(name, Node::Dir(Arc::clone(&next)));
                    next
                }
            };
        }
        Ok(())
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.check(SimOperation::Remove)?;
        let (dir, name) = self.place(path)?;
        let mut dir = dir.lock();
        match dir.get(name) {
            Some(Node::Dir(_)) => dir.remove(name),
            Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
            None => return Err(io::ErrorKind::NotFound.into()),
        }
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.check(SimOperation::SyncDir)?;
        self.dir(path)?.lock().sync();
        Ok(())
    }
}

struct SimFile {
    file: FileRef,
    faults: Arc<Mutex<Faults>>,
    boot: u64,
}

impl fmt::Debug for SimFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SimFile(boot {})", self.boot)
    }
}

impl SimFile {
    /// The fault planned for `operation`; an error for a handle that a crash left behind.
    fn begin(&self, operation: SimOperation) -> io::Result<Option<Fault>> {
        let mut faults = self.faults.lock();
        if faults.boots != self.boot {
            return Err(io::Error::other("the handle did not survive the restart"));
        }
        Ok(faults.take(operation))
    }
}

fn position(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(io::Error::other)
}

impl StorageFile for SimFile {
    fn write_at(&self, offset: u64, bufs: &[IoSlice<'_>]) -> io::Result<()> {
        let fault = self.begin(SimOperation::Write)?;
        let mut bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
        match fault {
            Some(fault @ (Fault::Error(_) | Fault::Panic)) => return Err(fault.into()),
            Some(Fault::Short(len)) => bytes.truncate(position(len)?),
            None => {}
        }
        if !bytes.is_empty() {
            self.file.lock().write(position(offset)?, &bytes);
        }
        fault.map_or(Ok(()), |fault| Err(fault.into()))
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(fault) = self.begin(SimOperation::Read)? {
            return Err(fault.into());
        }
        let file = self.file.lock();
        let rest = file.contents().get(position(offset)?..).unwrap_or(&[]);
        let len = rest.len().min(buf.len());
        if let (Some(target), Some(source)) = (buf.get_mut(..len), rest.get(..len)) {
            target.copy_from_slice(source);
        }
        Ok(len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.lock().contents().len() as u64)
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        if let Some(fault) = self.begin(SimOperation::Truncate)? {
            return Err(fault.into());
        }
        self.file.lock().truncate(position(len)?);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let fault = self.begin(SimOperation::Sync)?;
        let mut file = self.file.lock();
        match fault {
            Some(fault) => {
                file.fail_sync();
                Err(fault.into())
            }
            None => {
                file.sync();
                Ok(())
            }
        }
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
