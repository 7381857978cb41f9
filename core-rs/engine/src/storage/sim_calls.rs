//! The calls that change a simulated disk, and the journal of them: from it the disk of any earlier moment is made
//! again, which is how a test visits every point at which a process can die. It judges nothing and fails nothing.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::sim_disk::{Disk, FileId};
use super::splitmix::SplitMix;

/// One change of the disk, or of what of it is durable. Atomic, but for a write.
#[derive(Clone, Debug)]
pub enum Call {
    Create(PathBuf),
    CreateDir(PathBuf),
    Write {
        file: FileId,
        offset: usize,
        bytes: Arc<[u8]>,
    },
    Truncate {
        file: FileId,
        len: usize,
    },
    Sync(FileId),
    /// A sync that failed: what it was about is never written.
    FailSync(FileId),
    SyncDir(PathBuf),
    /// Everything that was written and named so far.
    SyncAll,
    Rename(PathBuf, PathBuf),
    RemoveFile(PathBuf),
    /// Of an empty directory.
    RemoveDir(PathBuf),
    /// The machine lost its power; the seed says what was left.
    Crash(u64),
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Call::Create(path) => write!(formatter, "create {}", path.display()),
            Call::CreateDir(path) => write!(formatter, "mkdir {}", path.display()),
            Call::Write { file, offset, bytes } => {
                write!(formatter, "write file {file} at {offset}, {} bytes", bytes.len())
            }
            Call::Truncate { file, len } => write!(formatter, "truncate file {file} to {len}"),
            Call::Sync(file) => write!(formatter, "sync file {file}"),
            Call::FailSync(file) => write!(formatter, "a sync of file {file} that fails"),
            Call::SyncDir(path) => write!(formatter, "sync directory {}", path.display()),
            Call::SyncAll => write!(formatter, "sync everything"),
            Call::Rename(from, to) => write!(formatter, "rename {} to {}", from.display(), to.display()),
            Call::RemoveFile(path) => write!(formatter, "unlink {}", path.display()),
            Call::RemoveDir(path) => write!(formatter, "rmdir {}", path.display()),
            Call::Crash(seed) => write!(formatter, "power loss {seed}"),
        }
    }
}

/// Every change since recording began.
#[derive(Debug)]
pub struct Journal {
    base: Disk,
    calls: Vec<Call>,
    /// A disk on its way through the calls, and how many of them it has seen.
    cursor: (usize, Disk),
}

impl Journal {
    pub fn new(base: Disk) -> Journal {
        Journal { cursor: (0, base.clone()), base, calls: Vec::new() }
    }

    pub fn push(&mut self, call: Call) {
        self.calls.push(call);
    }

    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// What the call at this place does, its file by name.
    pub fn describe(&mut self, at: usize) -> io::Result<String> {
        let before = self.disk_at(at)?;
        let call = self.calls.get(at).ok_or(io::ErrorKind::InvalidInput)?;
        let file = match call {
            Call::Write { file, .. } | Call::Truncate { file, .. } | Call::Sync(file) => Some(*file),
            Call::FailSync(file) => Some(*file),
            _ => None,
        };
        let name = file.and_then(|file| before.name_of(file));
        Ok(name.map_or_else(|| call.to_string(), |name| format!("{call} ({name})")))
    }

    /// The disk as it was after the first `calls` of them. Cheap when asked for rising numbers.
    pub fn disk_at(&mut self, calls: usize) -> io::Result<Disk> {
        if calls < self.cursor.0 {
            self.cursor = (0, self.base.clone());
        }
        while self.cursor.0 < calls {
            let call = self.calls.get(self.cursor.0).ok_or(io::ErrorKind::InvalidInput)?;
            self.cursor.1.apply(call)?;
            self.cursor.0 += 1;
        }
        Ok(self.cursor.1.clone())
    }

    /// As [`disk_at`](Self::disk_at), but the next call, if it is a write, has got as far as `seed` says.
    pub fn disk_amid(&mut self, calls: usize, seed: u64) -> io::Result<Disk> {
        let mut disk = self.disk_at(calls)?;
        if let Some(Call::Write { file, offset, bytes }) = self.calls.get(calls) {
            let done = SplitMix::new(seed).below(bytes.len() as u64) as usize;
            let bytes: Arc<[u8]> = bytes.get(..done).unwrap_or_default().into();
            disk.apply(&Call::Write { file: *file, offset: *offset, bytes })?;
        }
        Ok(disk)
    }
}
