//! One segment: a run of batches in one file with its indexes. It appends to the indexes by Kafka's rules and
//! finds batches; writing batches, rolling and durability are the log's.

use std::sync::{Arc, OnceLock};

use millrace_record::{BatchHeader, HEADER_LEN};

use super::LogError;
use super::folder::{Folder, INDEX, LOG, SEGMENT_INDEXES, TIME_INDEX};
use super::index_file::IndexFile;
use super::txn_index::TxnIndex;
use super::verified::Verified;
use super::window::{Batch, LOOKUP_WINDOW, Walk, WalkError};
use crate::storage::StorageFile;

/// Relative offset (4 bytes) and position (4) of a batch, found by its last offset.
pub(super) const OFFSET_ENTRY: usize = 8;
/// Largest timestamp so far (8 bytes) and the relative last offset (4) of the first batch that has it.
pub(super) const TIME_ENTRY: usize = 12;
/// Where the entries of the offset index are further apart than this, batches are so large that each has its own: the
/// one that is looked for stands mostly where the next entry says, and not behind another one's header.
const SPARSE_ENTRIES: u64 = 2 * LOOKUP_WINDOW as u64;

/// An entry of the offset index: the batch at `position` is the last that begins at `offset` or below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IndexEntry {
    pub(super) offset: i64,
    pub(super) position: u64,
}

/// The largest timestamp of a segment, and the last offset of the first batch that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MaxTimestamp {
    pub(super) timestamp: i64,
    pub(super) batch_last_offset: i64,
}

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) base: i64,
    /// Bytes of batches.
    pub(super) size: u64,
    /// Wall clock when it was created or opened, ms.
    pub(super) created_ms: i64,
    /// Max timestamp of the first batch, once known.
    pub(super) first_timestamp: Option<i64>,
    /// It takes the appends.
    pub(super) active: bool,
    /// The log file of the active segment, from its first use on: an idle log holds no descriptor. Others come from
    /// the storage's cache whenever they are read.
    pub(super) file: OnceLock<Arc<dyn StorageFile>>,
    pub(super) offsets: IndexFile<OFFSET_ENTRY>,
    pub(super) times: IndexFile<TIME_ENTRY>,
    pub(super) aborted: TxnIndex,
    /// Kept current while the segment takes appends; otherwise the time index ends with it.
    pub(super) max: Option<MaxTimestamp>,
    /// Largest timestamp that the time index holds.
    pub(super) indexed_timestamp: i64,
    pub(super) bytes_since_entry: u64,
    /// Bytes of the log file for which the disk was asked (`room.rs`).
    pub(super) room: u64,
    pub(super) verified: Verified,
}

impl Segment {
    pub(super) fn create(folder: &Folder, base: i64, now_ms: i64) -> Result<Segment, LogError> {
        let mut segment = Segment::closed(base, 0, now_ms);
        // Left over when its log file vanished in a crash, or was never written.
        for extension in SEGMENT_INDEXES {
            folder.remove_if_present(base, extension)?;
        }
        segment.file = OnceLock::from(folder.create(base, LOG)?);
        segment.active = true;
        Ok(segment)
    }

    /// A segment whose log file exists and whose indexes are absent.
    pub(super) fn closed(base: i64, size: u64, now_ms: i64) -> Segment {
        Segment {
            base,
            size,
            created_ms: now_ms,
            first_timestamp: None,
            active: false,
            file: OnceLock::new(),
            offsets: IndexFile::absent(INDEX),
            times: IndexFile::absent(TIME_INDEX),
            aborted: TxnIndex::absent(),
            max: None,
            indexed_timestamp: -1,
            bytes_since_entry: 0,
            room: 0,
            verified: Verified::default(),
        }
    }

    /// Takes over a transaction index of this size, if there is one; false when it cannot belong to the segment.
    pub(super) fn take_txn_index(&mut self, folder: &Folder, len: Option<u64>) -> Result<bool, LogError> {
        match TxnIndex::existing(len) {
            Some(aborted) if aborted.is_sane(folder, self.base)? => self.aborted = aborted,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Takes over index files of these sizes; false when they cannot belong to the segment.
    pub(super) fn take_indexes(&mut self, index_len: Option<u64>, time_index_len: Option<u64>) -> bool {
        let offsets = index_len.and_then(|len| IndexFile::existing(INDEX, len));
        let times = time_index_len.and_then(|len| IndexFile::existing(TIME_INDEX, len));
        let plausible = match (&offsets, &times) {
            (Some(offsets), Some(times)) => self.size > 0 || (offsets.entries() == 0 && times.entries() == 0),
            // They are first written when there is something to write.
            _ => self.size == 0 && index_len.is_none() && time_index_len.is_none(),
        };
        self.offsets = offsets.unwrap_or(IndexFile::absent(INDEX));
        self.times = times.unwrap_or(IndexFile::absent(TIME_INDEX));
        plausible
    }

    /// Where the batch stands that the offset index names last; 0 when it names none inside the segment.
    pub(super) fn indexed_position(&self, folder: &Folder) -> Result<u64, LogError> {
        let last = self.offsets.last(folder, self.base)?;
        let position = last.map_or(0, |entry| self.index_entry(&entry).position);
        Ok(if position < self.size { position } else { 0 })
    }

    /// Its index files are there and hold everything that they should.
    pub(super) fn indexes_finished(&self) -> bool {
        let written = |exists: bool, pending: bool| exists && !pending;
        written(self.offsets.exists(), self.offsets.has_pending())
            && written(self.times.exists(), self.times.has_pending())
            && !self.aborted.has_pending()
            && self.max.is_none_or(|max| max.timestamp <= self.indexed_timestamp)
    }

    pub(super) fn index_is_full(&self, index_bytes: u32) -> bool {
        let room = |entry: usize| index_bytes as usize / entry;
        self.offsets.entries() as usize >= room(OFFSET_ENTRY)
            || self.times.entries() as usize + 1 >= room(TIME_ENTRY)
    }

    pub(super) fn can_hold_offset(&self, offset: i64) -> bool {
        offset.checked_sub(self.base).is_some_and(|relative| (0..=i64::from(i32::MAX)).contains(&relative))
    }

    /// Kafka's `timeWaitedForRoll`: by the first batch's timestamp if it has one, else by age.
    pub(super) fn waited_ms(&self, now_ms: i64, timestamp: i64) -> i64 {
        match self.first_timestamp {
            Some(first) if first >= 0 => timestamp.saturating_sub(first),
            _ => now_ms.saturating_sub(self.created_ms),
        }
    }

    /// Accounts for a batch that now ends the segment.
    pub(super) fn note(&mut self, header: &BatchHeader, interval: u32) {
        let last_offset = header.last_offset();
        if self.max.is_none_or(|max| header.max_timestamp > max.timestamp) && header.max_timestamp >= 0 {
            self.max = Some(MaxTimestamp { timestamp: header.max_timestamp, batch_last_offset: last_offset });
        }
        if self.size == 0 {
            self.first_timestamp = Some(header.max_timestamp);
        }
        if self.bytes_since_entry > u64::from(interval) {
            let mut entry = [0; OFFSET_ENTRY];
            join(&mut entry, &self.relative(last_offset), &(self.size as u32).to_be_bytes());
            self.offsets.push(entry);
            self.index_max_timestamp();
            self.bytes_since_entry = 0;
        }
        let len = header.total_len() as u64;
        self.size += len;
        self.bytes_since_entry += len;
    }

    pub(super) fn index_max_timestamp(&mut self) {
        if let Some(max) = self.max.filter(|max| max.timestamp > self.indexed_timestamp) {
            let mut entry = [0; TIME_ENTRY];
            join(&mut entry, &max.timestamp.to_be_bytes(), &self.relative(max.batch_last_offset));
            self.times.push(entry);
            self.indexed_timestamp = max.timestamp;
        }
    }

    fn relative(&self, offset: i64) -> [u8; 4] {
        (offset.wrapping_sub(self.base) as u32).to_be_bytes()
    }

    pub(super) fn flush_indexes_if_many(&mut self, folder: &Folder) -> Result<(), LogError> {
        self.offsets.flush_if_many(folder, self.base)?;
        self.times.flush_if_many(folder, self.base)
    }

    /// The segment takes no more appends: its indexes end with the largest timestamp and have no spare bytes.
    /// Returns the files that have to be synced.
    pub(super) fn finish(&mut self, folder: &Folder) -> Result<Vec<Arc<dyn StorageFile>>, LogError> {
        self.index_max_timestamp();
        let log = self.handle(folder)?;
        self.give_back_room(folder, &*log)?;
        let mut files =
            vec![log, self.offsets.finish(folder, self.base)?, self.times.finish(folder, self.base)?];
        files.extend(self.aborted.finish(folder, self.base)?);
        Ok(files)
    }

    /// The contents of the indexes of a segment that was only noted and never written, ending as `finish` ends them.
    pub(super) fn index_contents(&mut self) -> (Vec<u8>, Vec<u8>) {
        self.index_max_timestamp();
        (self.offsets.pending_bytes(), self.times.pending_bytes())
    }

    /// The log file. All users of an active segment share one handle: by it truncation sees whether it is in use.
    pub(super) fn handle(&self, folder: &Folder) -> Result<Arc<dyn StorageFile>, LogError> {
        if !self.active {
            return folder.open_shared(self.base, LOG);
        }
        if let Some(file) = self.file.get() {
            return Ok(Arc::clone(file));
        }
        let file = folder.open(self.base, LOG)?;
        Ok(Arc::clone(self.file.get_or_init(|| file)))
    }

    /// From now on another segment takes the appends.
    pub(super) fn retire(&mut self) {
        self.active = false;
        self.file = OnceLock::new();
    }

    /// The largest timestamp of the segment; reads the end of the time index unless it is known.
    pub(super) fn max_timestamp(&self, folder: &Folder) -> Result<Option<MaxTimestamp>, LogError> {
        if self.max.is_some() || self.size == 0 {
            return Ok(self.max);
        }
        Ok(self.times.last(folder, self.base)?.map(|entry| self.time_entry(&entry)))
    }

    /// What retention by age goes by; remembered once it was read. Kafka takes the file's time for a segment without
    /// timestamps: here it is when the segment was made, or the log opened.
    pub(super) fn largest_timestamp(&mut self, folder: &Folder) -> Result<i64, LogError> {
        if self.max.is_none() {
            self.max = self.max_timestamp(folder)?;
        }
        Ok(self.max.map_or(self.created_ms, |max| max.timestamp))
    }

    pub(super) fn index_entry(&self, entry: &[u8; OFFSET_ENTRY]) -> IndexEntry {
        let (relative, position) = entry.split_at(4);
        IndexEntry { offset: self.base + i64::from(number(relative)), position: u64::from(number(position)) }
    }

    pub(super) fn time_entry(&self, entry: &[u8; TIME_ENTRY]) -> MaxTimestamp {
        let (timestamp, relative) = entry.split_first_chunk().unwrap_or((&[0; 8], &[]));
        MaxTimestamp {
            timestamp: i64::from_be_bytes(*timestamp),
            batch_last_offset: self.base + i64::from(number(relative)),
        }
    }

    /// Two neighbouring batch borders that the index knows: one at or before the batch that contains `offset`, and
    /// one at that batch or behind it, where it is at hand and not behind it for certain.
    fn borders(&self, folder: &Folder, offset: i64) -> Result<(u64, Option<u64>), LogError> {
        let found =
            self.offsets.search(folder, self.base, |entry| self.index_entry(entry).offset <= offset)?;
        let [last, next] = [found.last, found.next].map(|entry| entry.map(|entry| self.index_entry(&entry)));
        let is_found = last.is_some_and(|last| last.offset == offset);
        let behind = next.filter(|_| !is_found).map(|next| next.position);
        Ok((last.map_or(0, |last| last.position), behind))
    }

    /// Offset of a batch that begins at `position` or behind it, by the index; `None` when it knows none.
    pub(super) fn offset_behind(&self, folder: &Folder, position: u64) -> Result<Option<i64>, LogError> {
        let before = |entry: &[u8; OFFSET_ENTRY]| self.index_entry(entry).position < position;
        let count = self.offsets.search(folder, self.base, before)?.count;
        let entries = self.offsets.run(folder, self.base, count, 1)?;
        Ok(entries.first().map(|entry| self.index_entry(entry).offset))
    }

    /// Walks the segment from a batch border at or before the batch that contains `offset`, up to `end`.
    pub(super) fn walk_from(&self, folder: &Folder, offset: i64) -> Result<Walk, LogError> {
        self.walk_from_border(folder, self.borders(folder, offset)?.0, offset)
    }

    fn walk_from_border(&self, folder: &Folder, border: u64, offset: i64) -> Result<Walk, LogError> {
        let position = border.max(self.verified.behind_damage(offset));
        Ok(Walk::new(self.handle(folder)?, LOOKUP_WINDOW, position, self.size, self.base))
    }

    /// The first batch that ends at or above `offset`; `None` when the segment ends before.
    pub(super) fn find(&self, folder: &Folder, offset: i64) -> Result<Option<Batch>, LogError> {
        let (before, behind) = self.borders(folder, offset)?;
        if let Some(behind) = behind.filter(|behind| behind.saturating_sub(before) > SPARSE_ENTRIES)
            && let Some(batch) = self.batch_at(folder, behind, offset)?
        {
            return Ok(Some(batch));
        }
        let mut walk = self.walk_from_border(folder, before, offset)?;
        while let Some(batch) = walk.next().map_err(|error| self.blame(folder, error))? {
            if batch.header.last_offset() >= offset {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    /// The batch at the border `position`, if it contains `offset`.
    fn batch_at(&self, folder: &Folder, position: u64, offset: i64) -> Result<Option<Batch>, LogError> {
        if position < self.verified.behind_damage(offset) {
            return Ok(None);
        }
        let mut header = Walk::new(self.handle(folder)?, HEADER_LEN, position, self.size, self.base);
        match header.next() {
            Ok(batch) => Ok(batch
                .filter(|batch| (batch.header.base_offset..=batch.header.last_offset()).contains(&offset))),
            // Whoever walks there finds out what to say of it.
            Err(WalkError::Bad { .. }) => Ok(None),
            Err(error) => Err(self.blame(folder, error)),
        }
    }

    /// Walks the segment from the place before which no timestamp reaches `timestamp`.
    pub(super) fn walk_from_timestamp(&self, folder: &Folder, timestamp: i64) -> Result<Walk, LogError> {
        let found =
            self.times.search(folder, self.base, |entry| self.time_entry(entry).timestamp <= timestamp)?;
        let offset = found.last.map_or(self.base, |entry| self.time_entry(&entry).batch_last_offset);
        self.walk_from(folder, offset)
    }

    pub(super) fn blame(&self, folder: &Folder, error: WalkError) -> LogError {
        error.of(&folder.path(self.base, LOG))
    }

    /// Makes the segment ready for appends by what its indexes and its last batches say, and returns the offset
    /// after its last record; `None` when the index does not match the log.
    pub(super) fn activate(&mut self, folder: &Folder) -> Result<Option<i64>, LogError> {
        self.max = self.times.last(folder, self.base)?.map(|entry| self.time_entry(&entry));
        self.indexed_timestamp = self.max.map_or(-1, |max| max.timestamp);
        self.first_timestamp = None;
        self.bytes_since_entry = 0;
        if self.size == 0 {
            return Ok(Some(self.base));
        }
        let mut first = Walk::new(self.handle(folder)?, LOOKUP_WINDOW, 0, self.size, self.base);
        let Some(batch) = self.unless_bad(folder, first.next())? else {
            return Ok(None);
        };
        self.first_timestamp = batch.map(|batch| batch.header.max_timestamp);

        let entry = self.offsets.last(folder, self.base)?;
        let indexed = entry.map(|entry| self.index_entry(&entry));
        let position = indexed.map_or(0, |entry| entry.position);
        if position >= self.size {
            return Ok(None);
        }
        self.bytes_since_entry = self.size - position;
        let mut expected = indexed.map(|entry| entry.offset);
        let mut walk = Walk::new(self.handle(folder)?, LOOKUP_WINDOW, position, self.size, self.base);
        loop {
            let batch = match self.unless_bad(folder, walk.next())? {
                Some(Some(batch)) => batch,
                Some(None) => return Ok(Some(walk.next_offset())),
                None => return Ok(None),
            };
            let batch_last_offset = batch.header.last_offset();
            if expected.take().is_some_and(|expected| expected != batch_last_offset) {
                return Ok(None);
            }
            let timestamp = batch.header.max_timestamp;
            if timestamp > self.max.map_or(-1, |max| max.timestamp) {
                self.max = Some(MaxTimestamp { timestamp, batch_last_offset });
            }
        }
    }

    /// `None` in place of a bad batch: the index may have led astray, so the whole segment is to be looked at.
    fn unless_bad<T>(&self, folder: &Folder, result: Result<T, WalkError>) -> Result<Option<T>, LogError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(WalkError::Bad { .. }) => Ok(None),
            Err(error) => Err(self.blame(folder, error)),
        }
    }

    /// Forgets the indexes, in memory and on disk, and everything they told: the log is about to be walked again.
    pub(super) fn reset(&mut self, folder: &Folder) -> Result<(), LogError> {
        folder.forget_page();
        for extension in SEGMENT_INDEXES {
            folder.remove_if_present(self.base, extension)?;
        }
        *self = Segment::closed(self.base, 0, self.created_ms);
        Ok(())
    }

    /// Cuts the indexes to what stands before the batch at `position`, which begins at `offset`.
    pub(super) fn truncate_indexes(
        &mut self,
        folder: &Folder,
        offset: i64,
        position: u64,
    ) -> Result<(), LogError> {
        self.offsets
            .truncate(folder, self.base, |entry| u64::from(number(entry.split_at(4).1)) < position)?;
        let base = self.base;
        self.aborted.truncate(folder, base, offset)?;
        self.times.truncate(folder, base, |entry| {
            let (_, relative) = entry.split_at(8);
            base + i64::from(number(relative)) < offset
        })
    }
}

fn join(entry: &mut [u8], first: &[u8], second: &[u8]) {
    for (target, source) in entry.iter_mut().zip(first.iter().chain(second)) {
        *target = *source;
    }
}

pub(super) fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}
