//! A file system in memory that can lose everything that was not synced, by seed, fail on demand, and go back to any
//! of its earlier moments. Deterministic: no clock, no entropy; the same calls and seeds leave the same bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use super::sim_calls::{Call, Journal};
use super::sim_disk::{Disk, FileId, Node, names};
use super::sim_faults::{Fault, Faults, SimOperation};
use super::{DirEntry, Stamp, Storage, StorageFile};

/// Called before each call that changes the disk, by the thread that makes it; no lock of the disk is held.
pub type Pause = Arc<dyn Fn() + Send + Sync>;

/// The simulated disk; a clone is the same disk.
#[derive(Clone, Default)]
pub struct SimStorage {
    machine: Arc<Mutex<Machine>>,
    /// The start of the machine that this one belongs to; `None` lives through all of them.
    boot: Option<u64>,
    pause: Option<Pause>,
}

#[derive(Default)]
struct Machine {
    disk: Disk,
    /// Raised by every crash and restart: handles of before it are dead.
    boots: u64,
    faults: Faults,
    journal: Option<Journal>,
    /// Files that left memory, with the stretches that were read since.
    evicted: BTreeMap<FileId, Vec<Range<u64>>>,
    /// Where the room ends that was asked for, by file.
    reserved: BTreeMap<FileId, u64>,
}

impl fmt::Debug for SimStorage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SimStorage(boot {})", self.machine.lock().boots)
    }
}

impl SimStorage {
    /// An empty disk: just its root directory.
    pub fn new() -> SimStorage {
        SimStorage::default()
    }

    /// Another disk, which is as this one was in an earlier moment.
    fn of(disk: Disk) -> SimStorage {
        let machine = Machine { disk, ..Machine::default() };
        SimStorage { machine: Arc::new(Mutex::new(machine)), ..SimStorage::default() }
    }

    /// The same disk for one process: dead after the next crash or restart, and `pause` is called before its changes.
    pub fn mount(&self, pause: Option<Pause>) -> SimStorage {
        let boot = Some(self.machine.lock().boots);
        SimStorage { machine: Arc::clone(&self.machine), boot, pause }
    }

    /// The machine stops and starts again: of what was not synced, `seed` decides what is left. Open handles die.
    pub fn crash(&self, seed: u64) {
        let mut machine = self.machine.lock();
        machine.boots += 1;
        // A crash of a disk has no way to fail.
        let _ = machine.apply(Call::Crash(seed));
    }

    /// The process stops and starts again: the disk keeps everything, open handles die.
    pub fn restart(&self) {
        self.machine.lock().boots += 1;
    }

    /// A fingerprint of every name and byte as read now.
    pub fn digest(&self) -> u64 {
        self.machine.lock().disk.digest()
    }

    /// From here on every change is remembered, and the disk of any moment can be had again.
    pub fn record(&self) {
        let mut machine = self.machine.lock();
        machine.journal = Some(Journal::new(machine.disk.clone()));
    }

    /// Changes since `record`.
    pub fn calls(&self) -> usize {
        self.machine.lock().journal.as_ref().map_or(0, Journal::len)
    }

    /// What the recorded call at this place does.
    pub fn describe_call(&self, at: usize) -> io::Result<String> {
        self.with_journal(|journal| journal.describe(at))
    }

    /// A new disk, which is as this one was after the first `calls` since `record`. With `amid`, a seed, a write that
    /// came next has got a part of the way.
    pub fn fork(&self, calls: usize, amid: Option<u64>) -> io::Result<SimStorage> {
        self.with_journal(|journal| match amid {
            None => journal.disk_at(calls),
            Some(seed) => journal.disk_amid(calls, seed),
        })
        .map(SimStorage::of)
    }

    fn with_journal<R>(&self, ask: impl FnOnce(&mut Journal) -> io::Result<R>) -> io::Result<R> {
        ask(self.machine.lock().journal.as_mut().ok_or(io::ErrorKind::Unsupported)?)
    }

    /// The next `operation` anywhere fails so; several calls queue up.
    pub fn fail_next(&self, operation: SimOperation, fault: Fault) {
        self.machine.lock().faults.plan(operation, fault);
    }

    /// The next `operation` succeeds, and what is planned behind it comes after that.
    pub fn pass_next(&self, operation: SimOperation) {
        self.machine.lock().faults.pass(operation);
    }

    /// From now on there is no room on the disk, or there is again.
    pub fn set_full(&self, full: bool) {
        self.machine.lock().faults.set_full(full);
    }

    /// The medium decays: some bits of a file are others from now on, and nothing tells of it.
    pub fn decay(&self, path: &Path, position: u64, bits: u8) -> io::Result<()> {
        let position = position_of(position)?;
        self.machine.lock().disk.decay(path, position, bits)
    }

    /// The page cache lets go of all files that there are; what is read of them comes back.
    pub fn evict(&self) {
        let mut machine = self.machine.lock();
        machine.evicted = machine.disk.files().map(|file| (file, Vec::new())).collect();
    }

    /// Bytes of room that a file has behind its end.
    pub fn room(&self, path: &Path) -> io::Result<u64> {
        self.look(|machine| {
            let Some(Node::File(file)) = machine.disk.find(path)? else {
                return Err(io::ErrorKind::NotFound.into());
            };
            let len = machine.disk.file(file)?.contents().len() as u64;
            Ok(machine.reserved.get(&file).map_or(0, |end| end.saturating_sub(len)))
        })
    }

    /// Drops the faults that were planned and did not happen yet.
    pub fn forget_faults(&self) {
        self.machine.lock().faults.forget();
    }

    /// Looks at the disk; an error for a process that is dead.
    fn look<R>(&self, look: impl FnOnce(&mut Machine) -> io::Result<R>) -> io::Result<R> {
        let mut machine = self.machine.lock();
        machine.check(self.boot)?;
        look(&mut machine)
    }

    fn change(&self, operation: SimOperation, call: Call) -> io::Result<Option<FileId>> {
        pause(&self.pause);
        self.look(|machine| {
            machine.suffer(operation)?;
            machine.apply(call)
        })
    }

    fn handle(&self, file: FileId, machine: &Machine) -> Arc<dyn StorageFile> {
        let (boot, pause) = (machine.boots, self.pause.clone());
        Arc::new(SimFile { file, machine: Arc::clone(&self.machine), boot, pause })
    }
}

fn pause(pause: &Option<Pause>) {
    if let Some(pause) = pause {
        pause();
    }
}

impl Machine {
    fn check(&self, boot: Option<u64>) -> io::Result<()> {
        match boot {
            Some(boot) if boot != self.boots => {
                Err(io::Error::other("the process did not survive the restart"))
            }
            _ => Ok(()),
        }
    }

    fn suffer(&mut self, operation: SimOperation) -> io::Result<()> {
        self.faults.take(operation).map_or(Ok(()), |fault| Err(fault.into()))
    }

    fn apply(&mut self, call: Call) -> io::Result<Option<FileId>> {
        let created = self.disk.apply(&call)?;
        if let Some(journal) = &mut self.journal {
            journal.push(call);
        }
        Ok(created)
    }
}

impl Storage for SimStorage {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let file = self.change(SimOperation::Create, Call::Create(path.to_owned()))?;
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        self.look(|machine| Ok(self.handle(file, machine)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        self.look(|machine| {
            machine.suffer(SimOperation::Open)?;
            match machine.disk.find(path)? {
                Some(Node::File(file)) => Ok(self.handle(file, machine)),
                Some(Node::Dir(_)) => Err(io::ErrorKind::IsADirectory.into()),
                None => Err(io::ErrorKind::NotFound.into()),
            }
        })
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match self.look(|machine| machine.disk.find(path)) {
            Ok(found) => Ok(found.is_some()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn stamp(&self, path: &Path) -> io::Result<Stamp> {
        self.look(|machine| machine.disk.stamp(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        self.look(|machine| {
            let entry = |(name, node): (&String, &Node)| match *node {
                Node::File(file) => {
                    let len = machine.disk.file(file)?.contents().len() as u64;
                    Ok(DirEntry { name: name.clone(), is_dir: false, len })
                }
                Node::Dir(_) => Ok(DirEntry { name: name.clone(), is_dir: true, len: 0 }),
            };
            machine.disk.dir(dir)?.names().iter().map(entry).collect()
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(SimOperation::Rename, Call::Rename(from.to_owned(), to.to_owned())).map(drop)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.change(SimOperation::Remove, Call::RemoveFile(path.to_owned())).map(drop)
    }

    /// One call for each directory that is missing.
    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut dir = Path::new("/").to_owned();
        for name in names(path)? {
            dir.push(name);
            match self.look(|machine| machine.disk.find(&dir))? {
                Some(Node::Dir(_)) => {}
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => drop(self.change(SimOperation::CreateDir, Call::CreateDir(dir.clone()))?),
            }
        }
        Ok(())
    }

    /// One call for each name below it, and for itself.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        for entry in self.list(path)? {
            let below = path.join(&entry.name);
            if entry.is_dir {
                self.remove_dir_all(&below)?;
            } else {
                self.remove_file(&below)?;
            }
        }
        self.change(SimOperation::Remove, Call::RemoveDir(path.to_owned())).map(drop)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.change(SimOperation::SyncDir, Call::SyncDir(path.to_owned())).map(drop)
    }

    fn sync_all(&self, _dir: &Path) -> io::Result<()> {
        self.change(SimOperation::SyncAll, Call::SyncAll).map(drop)
    }
}

struct SimFile {
    file: FileId,
    machine: Arc<Mutex<Machine>>,
    boot: u64,
    pause: Option<Pause>,
}

impl fmt::Debug for SimFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SimFile({}, boot {})", self.file, self.boot)
    }
}

impl SimFile {
    /// Hands over the machine, unless a crash left this handle behind.
    fn look<R>(&self, look: impl FnOnce(&mut Machine) -> io::Result<R>) -> io::Result<R> {
        let mut machine = self.machine.lock();
        machine.check(Some(self.boot))?;
        look(&mut machine)
    }

    fn change<R>(&self, change: impl FnOnce(&mut Machine) -> io::Result<R>) -> io::Result<R> {
        pause(&self.pause);
        self.look(change)
    }
}

fn position_of(offset: u64) -> io::Result<usize> {
    usize::try_from(offset).map_err(io::Error::other)
}

impl StorageFile for SimFile {
    fn write_at(&self, offset: u64, bufs: &[IoSlice<'_>]) -> io::Result<()> {
        let mut bytes: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
        let offset = position_of(offset)?;
        self.change(|machine| {
            let fault = machine.faults.take(SimOperation::Write);
            match fault {
                Some(fault @ (Fault::Error(_) | Fault::Panic)) => return Err(fault.into()),
                Some(Fault::Short(len)) => bytes.truncate(position_of(len)?),
                None => {}
            }
            if !bytes.is_empty() {
                machine.apply(Call::Write { file: self.file, offset, bytes: bytes.into() })?;
            }
            fault.map_or(Ok(()), |fault| Err(fault.into()))
        })
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let offset = position_of(offset)?;
        self.look(|machine| {
            machine.suffer(SimOperation::Read)?;
            let rest = machine.disk.file(self.file)?.contents().get(offset..).unwrap_or(&[]);
            let len = rest.len().min(buf.len());
            if let (Some(target), Some(source)) = (buf.get_mut(..len), rest.get(..len)) {
                target.copy_from_slice(source);
            }
            if let Some(read) = machine.evicted.get_mut(&self.file) {
                read.push(offset as u64..(offset + len) as u64);
            }
            Ok(len)
        })
    }

    fn resident(&self, offset: u64, len: u64) -> u64 {
        let machine = self.machine.lock();
        let Some(read) = machine.evicted.get(&self.file) else { return len };
        let mut end = offset;
        while let Some(next) = read.iter().find(|one| one.contains(&end)) {
            end = next.end;
        }
        (end - offset).min(len)
    }

    fn bring(&self, offset: u64, len: u64) -> io::Result<()> {
        self.look(|machine| {
            machine.suffer(SimOperation::Read)?;
            if let Some(read) = machine.evicted.get_mut(&self.file) {
                read.push(offset..offset + len);
            }
            Ok(())
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.look(|machine| Ok(machine.disk.file(self.file)?.contents().len() as u64))
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        let len = position_of(len)?;
        self.change(|machine| {
            machine.suffer(SimOperation::Truncate)?;
            machine.reserved.remove(&self.file);
            machine.apply(Call::Truncate { file: self.file, len }).map(drop)
        })
    }

    fn reserve(&self, offset: u64, len: u64) -> io::Result<()> {
        self.look(|machine| {
            machine.suffer(SimOperation::Reserve)?;
            machine.reserved.insert(self.file, offset + len);
            Ok(())
        })
    }

    fn gains_by_room(&self) -> bool {
        true
    }

    fn sync(&self) -> io::Result<()> {
        self.change(|machine| match machine.faults.take(SimOperation::Sync) {
            Some(fault) => {
                machine.apply(Call::FailSync(self.file))?;
                Err(fault.into())
            }
            None => machine.apply(Call::Sync(self.file)).map(drop),
        })
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
