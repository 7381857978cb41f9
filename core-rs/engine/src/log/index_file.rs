//! A file of fixed-size index entries in rising order, read with `pread` and a binary search; the newest entries of
//! an active segment wait in memory. What an entry means is the segment's business.

use std::io::IoSlice;
use std::sync::Arc;

use super::LogError;
use super::folder::Folder;
use crate::storage::StorageFile;

/// Entries gathered in memory before they are written: a few hundred bytes per partition under load, none idle.
/// Losing them in a crash costs nothing, since unclean segments get new indexes.
const PENDING_ENTRIES: usize = 64;
/// Bytes of index read at once.
const PAGE_LEN: usize = 2048;

/// A run of entries of one index file, as read from disk.
#[derive(Debug)]
pub(super) struct IndexPage {
    base: i64,
    extension: &'static str,
    first: u32,
    bytes: Vec<u8>,
}

/// An index whose entries take `N` bytes.
#[derive(Debug)]
pub(super) struct IndexFile<const N: usize> {
    extension: &'static str,
    exists: bool,
    on_disk: u32,
    pending: Vec<[u8; N]>,
}

/// The entries up to a bound.
#[derive(Debug, Default)]
pub(super) struct Found<const N: usize> {
    /// How many there are.
    pub(super) count: u32,
    /// The last of them.
    pub(super) last: Option<[u8; N]>,
    /// The first behind the bound, where it is at hand.
    pub(super) next: Option<[u8; N]>,
}

impl<const N: usize> Found<N> {
    /// The leading `count` of `entries`, before which there are `skipped`.
    fn among(entries: &[[u8; N]], skipped: u32, count: usize) -> Found<N> {
        let last = count.checked_sub(1).and_then(|last| entries.get(last));
        Found { count: skipped + count as u32, last: last.copied(), next: entries.get(count).copied() }
    }
}

impl<const N: usize> IndexFile<N> {
    /// An index without entries and, until it has some, without a file.
    pub(super) fn absent(extension: &'static str) -> IndexFile<N> {
        IndexFile { extension, exists: false, on_disk: 0, pending: Vec::new() }
    }

    /// An index file of `len` bytes; `None` when that is no whole number of entries.
    pub(super) fn existing(extension: &'static str, len: u64) -> Option<IndexFile<N>> {
        let on_disk = u32::try_from(len / N as u64).ok()?;
        let whole = u64::from(on_disk) * N as u64 == len;
        whole.then(|| IndexFile { extension, exists: true, on_disk, pending: Vec::new() })
    }

    /// The same index without what is not on disk, for whoever reads it without the log's lock.
    pub(super) fn on_disk_part(&self) -> IndexFile<N> {
        IndexFile {
            extension: self.extension,
            exists: self.exists,
            on_disk: self.on_disk,
            pending: Vec::new(),
        }
    }

    /// The entries of `other`, which was never written, in the place of its own: `finish` writes them over the file.
    pub(super) fn replaced_by(&self, other: IndexFile<N>) -> IndexFile<N> {
        IndexFile { exists: self.exists, on_disk: 0, ..other }
    }

    pub(super) fn exists(&self) -> bool {
        self.exists
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// What waits in memory, as it is written.
    pub(super) fn pending_bytes(&self) -> Vec<u8> {
        self.pending.as_flattened().to_vec()
    }

    pub(super) fn entries(&self) -> u32 {
        self.on_disk + self.pending.len() as u32
    }

    pub(super) fn push(&mut self, entry: [u8; N]) {
        self.pending.push(entry);
    }

    /// Where there is no room, the entries wait in memory until there is some.
    pub(super) fn flush_if_many(&mut self, folder: &Folder, base: i64) -> Result<(), LogError> {
        if self.pending.len() < PENDING_ENTRIES {
            return Ok(());
        }
        match self.flush(folder, base) {
            Err(error) if error.is_full() => Ok(()),
            flushed => flushed.map(drop),
        }
    }

    /// Writes what is pending; leaves the file with exactly the entries it should have, and returns it.
    pub(super) fn finish(&mut self, folder: &Folder, base: i64) -> Result<Arc<dyn StorageFile>, LogError> {
        let file = self.flush(folder, base)?;
        let len = u64::from(self.on_disk) * N as u64;
        if file.len().map_err(folder.fault(base, self.extension))? != len {
            file.truncate(len).map_err(folder.fault(base, self.extension))?;
        }
        self.pending = Vec::new();
        Ok(file)
    }

    fn flush(&mut self, folder: &Folder, base: i64) -> Result<Arc<dyn StorageFile>, LogError> {
        let file = if self.exists {
            folder.open_shared(base, self.extension)?
        } else {
            folder.create(base, self.extension)?
        };
        self.exists = true;
        if !self.pending.is_empty() {
            let bytes = IoSlice::new(self.pending.as_flattened());
            file.write_at(u64::from(self.on_disk) * N as u64, &[bytes])
                .map_err(folder.fault(base, self.extension))?;
            self.on_disk += self.pending.len() as u32;
            self.pending.clear();
        }
        Ok(file)
    }

    pub(super) fn last(&self, folder: &Folder, base: i64) -> Result<Option<[u8; N]>, LogError> {
        if let Some(entry) = self.pending.last() {
            return Ok(Some(*entry));
        }
        let Some(last) = self.on_disk.checked_sub(1) else {
            return Ok(None);
        };
        let mut entry = [0; N];
        self.read(folder, base, &*folder.open_shared(base, self.extension)?, last, &mut entry)?;
        Ok(Some(entry))
    }

    /// Up to `count` entries from place `first` on; none behind the last.
    pub(super) fn run(
        &self,
        folder: &Folder,
        base: i64,
        first: u32,
        count: u32,
    ) -> Result<Vec<[u8; N]>, LogError> {
        let Some(left) = self.on_disk.checked_sub(first).filter(|left| *left > 0) else {
            let skip = first.saturating_sub(self.on_disk) as usize;
            return Ok(self.pending.iter().skip(skip).take(count as usize).copied().collect());
        };
        let mut entries = vec![[0; N]; left.min(count) as usize];
        let file = folder.open_shared(base, self.extension)?;
        self.read(folder, base, &*file, first, entries.as_flattened_mut())?;
        Ok(entries)
    }

    /// The leading entries for which `holds` (true up to some entry, false from there on).
    pub(super) fn search(
        &self,
        folder: &Folder,
        base: i64,
        holds: impl Fn(&[u8; N]) -> bool,
    ) -> Result<Found<N>, LogError> {
        if self.pending.first().is_some_and(&holds) {
            let count = self.pending.partition_point(&holds);
            return Ok(Found::among(&self.pending, self.on_disk, count));
        }
        if self.on_disk == 0 {
            return Ok(Found::among(&self.pending, 0, 0));
        }
        let mut cached = folder.page.lock();
        if let Some(found) = cached.as_ref().and_then(|page| self.search_page(page, base, true, &holds)) {
            return Ok(found);
        }
        let file = folder.open_shared(base, self.extension)?;
        let per_page = (PAGE_LEN / N) as u32;
        let (mut low, mut high) = (0, self.on_disk.div_ceil(per_page));
        while low < high {
            let middle = low + (high - low) / 2;
            let mut entry = [0; N];
            self.read(folder, base, &*file, middle * per_page, &mut entry)?;
            if holds(&entry) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let Some(page) = low.checked_sub(1) else {
            return Ok(Found::default());
        };
        let first = page * per_page;
        let count = per_page.min(self.on_disk - first) as usize;
        let mut bytes = vec![0; count * N];
        self.read(folder, base, &*file, first, &mut bytes)?;
        let page = IndexPage { base, extension: self.extension, first, bytes };
        let found = self.search_page(&page, base, false, &holds).unwrap_or_default();
        *cached = Some(page);
        Ok(found)
    }

    /// Searches one page; `None` when it is another file's, or (if `bounded`) cannot tell where the entries end.
    fn search_page(
        &self,
        page: &IndexPage,
        base: i64,
        bounded: bool,
        holds: impl Fn(&[u8; N]) -> bool,
    ) -> Option<Found<N>> {
        if page.base != base || page.extension != self.extension {
            return None;
        }
        let (entries, _) = page.bytes.as_chunks::<N>();
        let count = entries.partition_point(holds);
        let at_end = page.first + entries.len() as u32 == self.on_disk;
        if bounded && (count == 0 || (count == entries.len() && !at_end)) {
            return None;
        }
        let mut found = Found::among(entries, page.first, count);
        if found.count == self.on_disk {
            found.next = self.pending.first().copied();
        }
        Some(found)
    }

    fn read(
        &self,
        folder: &Folder,
        base: i64,
        file: &dyn StorageFile,
        entry: u32,
        into: &mut [u8],
    ) -> Result<(), LogError> {
        let position = u64::from(entry) * N as u64;
        let read = file.read_at(position, into).map_err(folder.fault(base, self.extension))?;
        if read != into.len() {
            let reason = "the index is shorter than it was".to_owned();
            return Err(folder.corrupt(base, self.extension, position, reason));
        }
        Ok(())
    }

    /// Keeps the leading entries for which `holds`, in memory and on disk.
    pub(super) fn truncate(
        &mut self,
        folder: &Folder,
        base: i64,
        holds: impl Fn(&[u8; N]) -> bool,
    ) -> Result<(), LogError> {
        let keep = self.search(folder, base, holds)?.count;
        folder.forget_page();
        self.pending.truncate(keep.saturating_sub(self.on_disk) as usize);
        if keep < self.on_disk {
            self.on_disk = keep;
            folder
                .open_shared(base, self.extension)?
                .truncate(u64::from(keep) * N as u64)
                .map_err(folder.fault(base, self.extension))?;
        }
        Ok(())
    }
}
