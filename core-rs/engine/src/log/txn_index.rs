//! The aborted transactions whose markers stand in one segment, in Kafka's `.txnindex` format: what a reader of
//! committed records must be told with a range. There is a file only where there is something to say.

use std::sync::Arc;

use super::folder::{Folder, TXN_INDEX};
use super::index_file::IndexFile;
use super::log::Log;
use super::{LogError, LogPosition, ReadRange};
use crate::storage::StorageFile;

/// Version (2 bytes), producer id, first, last and last stable offset (8 each).
const ENTRY: usize = 34;
const VERSION: i16 = 0;
/// Entries read at once.
const RUN: u32 = 64;

/// A transaction that was aborted, as Kafka's `AbortedTxn` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTxn {
    pub producer_id: i64,
    /// Of its first batch.
    pub first_offset: i64,
    /// Of its marker, inclusive.
    pub last_offset: i64,
    /// The first offset that was undecided once the marker was written: every transaction aborted later begins here
    /// or above.
    pub last_stable_offset: i64,
}

impl AbortedTxn {
    pub fn encode(&self) -> [u8; ENTRY] {
        let mut entry = [0; ENTRY];
        let fields = [self.producer_id, self.first_offset, self.last_offset, self.last_stable_offset];
        let bytes = VERSION.to_be_bytes().into_iter().chain(fields.into_iter().flat_map(i64::to_be_bytes));
        for (slot, byte) in entry.iter_mut().zip(bytes) {
            *slot = byte;
        }
        entry
    }

    /// `None` for a version that is not ours.
    pub fn decode(entry: &[u8; ENTRY]) -> Option<AbortedTxn> {
        let (version, mut rest) = entry.split_first_chunk()?;
        let mut next = || -> Option<i64> {
            let (field, after) = rest.split_first_chunk()?;
            rest = after;
            Some(i64::from_be_bytes(*field))
        };
        if i16::from_be_bytes(*version) != VERSION {
            return None;
        }
        Some(AbortedTxn {
            producer_id: next()?,
            first_offset: next()?,
            last_offset: next()?,
            last_stable_offset: next()?,
        })
    }
}

/// The index of one segment. Both last offsets and last stable offsets rise from entry to entry.
#[derive(Debug)]
pub(super) struct TxnIndex {
    file: IndexFile<ENTRY>,
    /// Entries were added since the file was handed out to be synced.
    unsynced: bool,
}

impl TxnIndex {
    pub(super) fn absent() -> TxnIndex {
        TxnIndex { file: IndexFile::absent(TXN_INDEX), unsynced: false }
    }

    /// An index file of `len` bytes, if there is one; `None` when that is no whole number of entries.
    pub(super) fn existing(len: Option<u64>) -> Option<TxnIndex> {
        match len {
            None => Some(TxnIndex::absent()),
            Some(len) => IndexFile::existing(TXN_INDEX, len).map(|file| TxnIndex { file, unsynced: false }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.file.entries() == 0
    }

    pub(super) fn has_pending(&self) -> bool {
        self.file.has_pending()
    }

    /// Whether every entry can belong to a segment that begins at `base` (Kafka's `sanityCheck`), and they rise.
    pub(super) fn is_sane(&self, folder: &Folder, base: i64) -> Result<bool, LogError> {
        let mut before = base - 1;
        let mut sane = true;
        self.each(folder, base, 0, |entry| {
            let txn = AbortedTxn::decode(entry);
            sane = txn.is_some_and(|txn| txn.last_offset > before && txn.first_offset <= txn.last_offset);
            before = txn.map_or(before, |txn| txn.last_offset);
            sane
        })?;
        Ok(sane)
    }

    /// Adds a transaction; one that is not newer than the last entry is there already.
    pub(super) fn append(&mut self, folder: &Folder, base: i64, txn: &AbortedTxn) -> Result<(), LogError> {
        let last = match self.file.last(folder, base)? {
            Some(entry) => {
                AbortedTxn::decode(&entry).ok_or_else(|| damaged(folder, base, &entry))?.last_offset
            }
            None => -1,
        };
        if txn.last_offset > last {
            self.file.push(txn.encode());
            self.unsynced = true;
        }
        Ok(())
    }

    pub(super) fn flush_if_many(&mut self, folder: &Folder, base: i64) -> Result<(), LogError> {
        self.file.flush_if_many(folder, base)
    }

    /// Writes what is pending; the file, if there is one, is still to be synced.
    pub(super) fn finish(
        &mut self,
        folder: &Folder,
        base: i64,
    ) -> Result<Option<Arc<dyn StorageFile>>, LogError> {
        if !self.file.exists() && !self.file.has_pending() {
            return Ok(None);
        }
        let file = self.file.finish(folder, base)?;
        self.unsynced = false;
        Ok(Some(file))
    }

    /// Drops the transactions whose marker stands at `offset` or above.
    pub(super) fn truncate(&mut self, folder: &Folder, base: i64, offset: i64) -> Result<(), LogError> {
        self.file.truncate(folder, base, |entry| last_offset(entry) < offset)
    }

    /// Adds to `found` what overlaps `from..upper`, and says whether nothing behind this segment can.
    fn collect(
        &self,
        folder: &Folder,
        base: i64,
        (from, upper): (i64, i64),
        found: &mut Vec<AbortedTxn>,
    ) -> Result<bool, LogError> {
        if self.is_empty() {
            return Ok(false);
        }
        let passed = self.file.search(folder, base, |entry| last_offset(entry) < from)?.count;
        let (mut complete, mut damage) = (false, None);
        self.each(folder, base, passed, |entry| {
            let Some(txn) = AbortedTxn::decode(entry) else {
                damage = Some(damaged(folder, base, entry));
                return false;
            };
            if txn.first_offset < upper {
                found.push(txn);
            }
            complete = txn.last_stable_offset >= upper;
            !complete
        })?;
        damage.map_or(Ok(complete), Err)
    }

    /// Shows the entries from place `first` on, until `more` says no.
    fn each(
        &self,
        folder: &Folder,
        base: i64,
        mut first: u32,
        mut more: impl FnMut(&[u8; ENTRY]) -> bool,
    ) -> Result<(), LogError> {
        loop {
            let entries = self.file.run(folder, base, first, RUN)?;
            if entries.is_empty() || !entries.iter().all(&mut more) {
                return Ok(());
            }
            first += entries.len() as u32;
        }
    }
}

fn last_offset(entry: &[u8; ENTRY]) -> i64 {
    AbortedTxn::decode(entry).map_or(i64::MAX, |txn| txn.last_offset)
}

fn damaged(folder: &Folder, base: i64, entry: &[u8; ENTRY]) -> LogError {
    let version = entry.first_chunk().map_or(-1, |version| i16::from_be_bytes(*version));
    folder.corrupt(base, TXN_INDEX, 0, format!("an entry has version {version}"))
}

impl Log {
    /// Notes a transaction whose abort marker stands in the log, in the index of the marker's segment. One that is
    /// there already stays as it is: replaying a log over its indexes completes them.
    ///
    /// Errors: `Io` takes the log offline; `Offline`.
    pub fn append_aborted(&mut self, txn: &AbortedTxn) -> Result<(), LogError> {
        self.check_online()?;
        let place = self.floor_segment(txn.last_offset);
        let Some(segment) = self.segments.get_mut(place) else {
            return Err(LogError::Offline);
        };
        let base = segment.base;
        let appended = segment
            .aborted
            .append(&self.folder, base, txn)
            .and_then(|()| segment.aborted.flush_if_many(&self.folder, base));
        if appended.is_err() {
            self.take_offline();
        }
        appended
    }

    /// The aborted transactions whose markers stand at `offset` or above.
    ///
    /// Errors: `Corrupt`, `Io`.
    pub(super) fn aborted_from(&self, offset: i64) -> Result<Vec<AbortedTxn>, LogError> {
        let mut found = Vec::new();
        for segment in self.segments.iter().skip(self.floor_segment(offset)) {
            segment.aborted.collect(&self.folder, segment.base, (offset, i64::MAX), &mut found)?;
        }
        Ok(found)
    }

    /// Makes durable what `append_aborted` added to segments that take no appends: their log is vouched for already,
    /// so no later recovery would find it again.
    ///
    /// Errors: `Io`.
    pub fn sync_replayed_aborts(&mut self) -> Result<(), LogError> {
        let closed = self.segments.len().saturating_sub(1);
        let mut written = false;
        for segment in self.segments.iter_mut().take(closed).filter(|segment| segment.aborted.unsynced) {
            if let Some(file) = segment.aborted.finish(&self.folder, segment.base)? {
                file.sync().map_err(self.folder.fault(segment.base, TXN_INDEX))?;
                written = true;
            }
        }
        if written { self.folder.sync_dir() } else { Ok(()) }
    }

    /// The aborted transactions that overlap `read`, which was read from `offset` on and below `upper`, by their last
    /// offsets. Those that begin behind the range but before the next index entry are among them, as with Kafka.
    ///
    /// Errors: `Corrupt`, `Io`.
    pub fn aborted_in(
        &self,
        offset: i64,
        read: &ReadRange,
        upper: LogPosition,
    ) -> Result<Vec<AbortedTxn>, LogError> {
        let mut found = Vec::new();
        let first = self.floor_segment(read.first_batch_base);
        if self.segments.iter().skip(first).all(|segment| segment.aborted.is_empty()) {
            return Ok(found);
        }
        let end = self.bound_of(first, read)?.map_or(upper.offset, |bound| bound.min(upper.offset));
        for segment in self.segments.iter().skip(self.floor_segment(offset)) {
            if segment.aborted.collect(&self.folder, segment.base, (offset, end), &mut found)? {
                break;
            }
        }
        Ok(found)
    }

    /// An offset that `read` does not reach, of segment `place`; `None` when it may reach the end of the log.
    fn bound_of(&self, place: usize, read: &ReadRange) -> Result<Option<i64>, LogError> {
        let Some(segment) = self.segments.get(place) else {
            return Ok(None);
        };
        let end = read.range.offset + read.range.len;
        let next_base = self.segments.get(place + 1).map(|next| next.base);
        Ok(segment.offset_behind(&self.folder, end)?.or(next_base))
    }
}
