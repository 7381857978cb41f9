//! The real file system. With `page_cache.rs` the one place of the engine that calls `std::fs`; it decides nothing.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rustix::fs::FallocateFlags;

use super::shared_files::SharedFiles;
use super::{DirEntry, Stamp, Storage, StorageFile, page_cache};

/// Descriptors kept open for files that are not written to (closed segments, indexes).
const SHARED_FILES: usize = 1024;
/// `pwritev` takes at most this many slices (`IOV_MAX`).
const SLICES_PER_WRITE: usize = 1024;
/// `EXT4_SUPER_MAGIC`: it looks for a place for each page that is written, unless there is room already. XFS makes room
/// itself, others copy on write.
const EXT4_MAGIC: rustix::fs::FsWord = 0xEF53;

/// Files of this machine.
#[derive(Debug)]
pub struct FileStorage {
    shared: Mutex<SharedFiles>,
    /// Directories watched for writes that fail, by path: open from then on, as the kernel counts by descriptor.
    watched: Mutex<HashMap<PathBuf, File>>,
}

impl Default for FileStorage {
    fn default() -> FileStorage {
        FileStorage::new()
    }
}

impl FileStorage {
    pub fn new() -> FileStorage {
        FileStorage::with_shared_limit(SHARED_FILES)
    }

    /// At most `limit` descriptors stay open for `open_shared`.
    pub fn with_shared_limit(limit: usize) -> FileStorage {
        FileStorage { shared: Mutex::new(SharedFiles::new(limit)), watched: Mutex::default() }
    }

    /// Descriptors that `open_shared` holds at the moment.
    pub fn shared_open(&self) -> usize {
        self.shared.lock().len()
    }
}

impl Storage for FileStorage {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        Ok(Arc::new(DiskFile::new(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Arc::new(DiskFile::new(file)))
    }

    fn open_shared(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        let mut shared = self.shared.lock();
        if let Some(file) = shared.get(path) {
            return Ok(file);
        }
        let changes = shared.changes();
        drop(shared);
        let file = self.open(path)?;
        let evicted = self.shared.lock().insert(path, &file, changes);
        drop(evicted);
        Ok(file)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn stamp(&self, path: &Path) -> io::Result<Stamp> {
        let metadata = fs::metadata(path)?;
        let changed_ns = metadata.ctime().wrapping_mul(1_000_000_000).wrapping_add(metadata.ctime_nsec());
        Ok(Stamp { id: metadata.ino(), changed_ns, len: metadata.len() })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // The listing itself tells directories, and nobody wants to know more of them.
            if entry.file_type()?.is_dir() {
                entries.push(DirEntry { name, is_dir: true, len: 0 });
                continue;
            }
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                // Removed between the listing and the look at it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            entries.push(DirEntry { name, is_dir: false, len: metadata.len() });
        }
        entries.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(entries)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        let mut shared = self.shared.lock();
        shared.forget_tree(from);
        shared.forget_tree(to);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)?;
        self.shared.lock().forget(path);
        Ok(())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)?;
        self.shared.lock().forget_tree(path);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn watch(&self, dir: &Path) -> io::Result<()> {
        let opened = File::open(dir)?;
        self.watched.lock().insert(dir.to_path_buf(), opened);
        Ok(())
    }

    fn sync_all(&self, dir: &Path) -> io::Result<()> {
        let watched = self.watched.lock();
        match watched.get(dir).filter(|_| syncfs_tells_errors()) {
            Some(opened) => Ok(rustix::fs::syncfs(opened)?),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

/// Before Linux 5.8 `syncfs` kept to itself what it could not write.
fn syncfs_tells_errors() -> bool {
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy();
    let mut numbers = release.split('.').map_while(|number| number.parse::<u32>().ok());
    numbers.next().zip(numbers.next()).is_some_and(|version| version >= (5, 8))
}

#[derive(Debug)]
struct DiskFile {
    file: File,
    /// Its file system keeps what it reads elsewhere than in the page cache (ZFS), so that nobody can tell.
    is_kept_elsewhere: AtomicBool,
}

impl DiskFile {
    fn new(file: File) -> DiskFile {
        DiskFile { file, is_kept_elsewhere: AtomicBool::new(false) }
    }

    /// The rare way of `write_at`: a write came back short, or there are more slices than one call takes.
    fn write_pieces(&self, mut offset: u64, bufs: &[IoSlice<'_>], mut skip: usize) -> io::Result<()> {
        let mut pieces: Vec<IoSlice<'_>> = bufs.iter().map(|buf| IoSlice::new(buf)).collect();
        let mut rest = pieces.as_mut_slice();
        loop {
            IoSlice::advance_slices(&mut rest, skip);
            if rest.is_empty() {
                return Ok(());
            }
            let batch = rest.get(..SLICES_PER_WRITE).unwrap_or(rest);
            skip = match rustix::io::pwritev(&self.file, batch, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => written,
                Err(rustix::io::Errno::INTR) => 0,
                Err(error) => return Err(error.into()),
            };
            offset += skip as u64;
        }
    }
}

impl StorageFile for DiskFile {
    fn write_at(&self, offset: u64, bufs: &[IoSlice<'_>]) -> io::Result<()> {
        let total: usize = bufs.iter().map(|buf| buf.len()).sum();
        if total == 0 {
            return Ok(());
        }
        if bufs.len() > SLICES_PER_WRITE {
            return self.write_pieces(offset, bufs, 0);
        }
        // One batch is the common case, and the plain call is the cheaper one.
        let written = match bufs {
            [only] => rustix::io::pwrite(&self.file, only, offset),
            _ => rustix::io::pwritev(&self.file, bufs, offset),
        };
        match written {
            Ok(written) if written == total => Ok(()),
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => self.write_pieces(offset + written as u64, bufs, written),
            Err(rustix::io::Errno::INTR) => self.write_pieces(offset, bufs, 0),
            Err(error) => Err(error.into()),
        }
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buf.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn reserve(&self, offset: u64, len: u64) -> io::Result<()> {
        Ok(rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, offset, len)?)
    }

    fn gains_by_room(&self) -> bool {
        rustix::fs::fstatfs(&self.file).is_ok_and(|system| system.f_type == EXT4_MAGIC)
    }

    fn resident(&self, offset: u64, len: u64) -> u64 {
        if self.is_kept_elsewhere.load(Ordering::Relaxed) {
            return len;
        }
        page_cache::resident(&self.file, offset, len)
    }

    fn bring(&self, offset: u64, len: u64) -> io::Result<()> {
        let is_cached = page_cache::bring(&self.file, offset, len)?;
        self.is_kept_elsewhere.store(!is_cached, Ordering::Relaxed);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.file.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_asked_for_without_making_the_file_longer_and_goes_back_when_it_is_cut() {
        let path = std::env::temp_dir().join(format!("millrace-room-{}", std::process::id()));
        let file = DiskFile::new(
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path).unwrap(),
        );
        fs::remove_file(&path).unwrap();
        let held = || (file.len().unwrap(), file.file.metadata().unwrap().blocks() * 512);
        file.write_at(0, &[IoSlice::new(&[7; 100])]).unwrap();
        file.sync().unwrap();
        let before = held();
        match file.reserve(4096, 1 << 20) {
            // Not every file system can.
            Err(error) => assert_eq!((error.kind(), held()), (io::ErrorKind::Unsupported, before)),
            Ok(()) => {
                let (len, bytes) = held();
                assert!(len == 100 && bytes >= 1 << 20, "{len} {bytes}");
                file.truncate(100).unwrap();
                assert_eq!(held(), before);
            }
        }
    }

    #[test]
    fn where_nothing_is_kept_in_the_page_cache_nobody_waits_for_it_twice() {
        // A file without pages, as all are on some file systems.
        let file = DiskFile::new(File::open("/sys/devices/system/cpu/online").unwrap());
        assert_eq!(file.resident(0, 2), 0);
        file.bring(0, 2).unwrap();
        assert_eq!(file.resident(0, 2), 2);
    }
}
