//! The disk as the engine sees it: files, directories and what is durable, behind one trait with a real and a simulated side.
//! It knows nothing of segments or records; everything above it is generic over what stands here.

mod file;
mod page_cache;
mod range;
mod refusal;
mod shared_files;
mod sim;
mod sim_calls;
mod sim_disk;
mod sim_faults;
pub(crate) mod splitmix;
#[cfg(test)]
mod tests;

use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use file::FileStorage;
pub use range::FileRange;
pub use refusal::{WriteError, is_full};
pub use sim::{Pause, SimStorage};
pub use sim_faults::{Fault, SimOperation};

/// One name inside a directory, as `Storage::list` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    pub name: String,
    pub is_dir: bool,
    /// Bytes of a file; 0 for a directory.
    pub len: u64,
}

/// What changes whenever a file is written to, or a name in a directory; a copy of either never bears the same. Decay of
/// the medium does not show in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Of the file (inode).
    pub id: u64,
    /// When it changed last, by the file system's clock, in nanoseconds (ctime).
    pub changed_ns: i64,
    pub len: u64,
}

/// A file system. Nothing is durable before `StorageFile::sync` (contents) and `sync_dir` (names).
pub trait Storage: Send + Sync + Debug {
    /// Creates a new file, open for reading and writing; `AlreadyExists` if the name is taken.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>>;
    /// Opens an existing file for reading and writing; `NotFound` if there is none.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>>;
    /// Like `open`, but the handle may come from (and stays in) a bounded cache: for files that are read now and then.
    fn open_shared(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        self.open(path)
    }
    fn exists(&self, path: &Path) -> io::Result<bool>;
    /// `Unsupported` where nothing tells of changes.
    fn stamp(&self, _path: &Path) -> io::Result<Stamp> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// The entries of one directory, sorted by name.
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>>;
    /// The names that `list` gives, without a look at any file.
    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        Ok(self.list(dir)?.into_iter().map(|entry| entry.name).collect())
    }
    /// Atomically gives `from` (a file or directory) the name `to`, replacing a file of that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a name; handles that are open keep their contents.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Makes the names inside `path` durable: creations, renames and removals so far.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// From now on `sync_all` tells of every write below `dir` that fails, whenever it does.
    fn watch(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }
    /// Makes all of the file system that holds `dir`, which is watched, durable: contents and names. For many files at
    /// once; `Unsupported` where that cannot be had, or not with its errors.
    fn sync_all(&self, _dir: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The whole contents of a small file.
    fn read_to_vec(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path)?;
        let len = usize::try_from(file.len()?).map_err(io::Error::other)?;
        let mut contents = vec![0; len];
        let read = file.read_at(0, &mut contents)?;
        contents.truncate(read);
        Ok(contents)
    }

    /// Writes what is to replace a small file: once that is durable, renaming does the rest.
    fn write_beside(&self, path: &Path, contents: &[u8]) -> io::Result<(PathBuf, Arc<dyn StorageFile>)> {
        let temporary = with_suffix(path, ".tmp");
        if self.exists(&temporary)? {
            self.remove_file(&temporary)?;
        }
        let file = self.create(&temporary)?;
        if let Err(error) = file.write_at(0, &[IoSlice::new(contents)]) {
            let _ = self.remove_file(&temporary);
            return Err(error);
        }
        Ok((temporary, file))
    }

    /// Replaces a small file as a whole, durably: after a crash it holds the old contents or the new, never a mix.
    fn write_atomic(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let (temporary, file) = self.write_beside(path, contents)?;
        if let Err(error) = file.sync() {
            // Where there was no room for it, what it holds of that is missed.
            let _ = self.remove_file(&temporary);
            return Err(error);
        }
        self.rename(&temporary, path)?;
        match path.parent() {
            Some(dir) => self.sync_dir(dir),
            None => Ok(()),
        }
    }
}

/// One open file. Positions are bytes from the start; there is no cursor, so a handle is shared freely.
pub trait StorageFile: Send + Sync + Debug {
    /// Writes all of `bufs`, one after the other, from `offset` on; after an error the bytes there are undefined.
    fn write_at(&self, offset: u64, bufs: &[IoSlice<'_>]) -> io::Result<()>;
    /// Fills `buf` from `offset`; fewer bytes only where the file ends.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
    fn len(&self) -> io::Result<u64>;
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Cuts the file, and gives back the room behind `len`.
    fn truncate(&self, len: u64) -> io::Result<()>;
    /// Asks for room on the disk for what is going to be written there; the file gets no longer by it.
    fn reserve(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Whether writes become cheaper by `reserve`.
    fn gains_by_room(&self) -> bool {
        false
    }
    /// How many of `len` bytes from `offset` on can be read without waiting for the disk, as far as anybody can tell.
    fn resident(&self, _offset: u64, len: u64) -> u64 {
        len
    }
    /// Waits until these bytes are in memory, without looking at them.
    fn bring(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Ok(())
    }
    /// Makes the contents durable (`fdatasync`). After an error nothing written since the last success can be trusted.
    fn sync(&self) -> io::Result<()>;
    /// The descriptor for `sendfile`; `None` where there is no real file.
    fn fd(&self) -> Option<BorrowedFd<'_>>;
}

/// `path` with `suffix` behind its last component.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
