//! The indexes of a segment as a check sees them: their entries one by one, which of them cannot be true, and new ones
//! in their place. What the log file says is the check's to find out.

use std::sync::Arc;

use super::LogError;
use super::folder::Folder;
use super::segment::{IndexEntry, MaxTimestamp, OFFSET_ENTRY, Segment, TIME_ENTRY};
use crate::storage::StorageFile;

/// Entries of an index read at once where all of them are looked at.
const ENTRIES_PER_READ: u32 = 4096;

impl Segment {
    /// A copy for whoever reads without the lock: only what is on disk already, and nothing to append with.
    pub(super) fn for_check(&self) -> Segment {
        Segment {
            offsets: self.offsets.on_disk_part(),
            times: self.times.on_disk_part(),
            verified: self.verified.for_check(),
            ..Segment::closed(self.base, self.size, self.created_ms)
        }
    }

    /// Every entry of the offset index, as it stands there.
    pub(super) fn all_entries(&self, folder: &Folder) -> Result<Vec<IndexEntry>, LogError> {
        let mut entries = Vec::new();
        loop {
            let run = self.offsets.run(folder, self.base, entries.len() as u32, ENTRIES_PER_READ)?;
            if run.is_empty() {
                return Ok(entries);
            }
            entries.extend(run.iter().map(|entry| self.index_entry(entry)));
        }
    }

    /// The entry that leads to `offset` and those behind it, as far as their batches begin within about `bytes`.
    pub(super) fn entries_from(
        &self,
        folder: &Folder,
        offset: i64,
        bytes: u64,
    ) -> Result<Vec<IndexEntry>, LogError> {
        let holds = |entry: &[u8; OFFSET_ENTRY]| self.index_entry(entry).offset <= offset;
        let count = self.offsets.search(folder, self.base, holds)?.count;
        let mut entries: Vec<IndexEntry> = Vec::new();
        let mut first = count.saturating_sub(1);
        loop {
            let run = self.offsets.run(folder, self.base, first, ENTRIES_PER_READ)?;
            first += run.len() as u32;
            entries.extend(run.iter().map(|entry| self.index_entry(entry)));
            let from = entries.first().filter(|_| count > 0).map_or(0, |entry| entry.position);
            let reached = entries.last().is_none_or(|entry| entry.position.saturating_sub(from) > bytes);
            if run.is_empty() || reached {
                if count == 0 {
                    // No entry leads there: the piece begins with the segment.
                    entries.insert(0, IndexEntry { offset: i64::MAX, position: 0 });
                }
                return Ok(entries);
            }
        }
    }

    /// What is wrong with the time index, by what the batches say (`rebuilt`), and where; `None` when nothing is.
    pub(super) fn bad_times(
        &self,
        folder: &Folder,
        rebuilt: &Segment,
    ) -> Result<Option<(u64, String)>, LogError> {
        let mut place = 0;
        let mut before: Option<MaxTimestamp> = None;
        loop {
            let run = self.times.run(folder, self.base, place, ENTRIES_PER_READ)?;
            if run.is_empty() {
                break;
            }
            for entry in run.iter().map(|entry| self.time_entry(entry)) {
                let rises = before.is_none_or(|before| {
                    entry.timestamp > before.timestamp && entry.batch_last_offset > before.batch_last_offset
                });
                let largest = rebuilt.max.is_some_and(|max| entry.timestamp <= max.timestamp);
                if !rises || !largest {
                    let MaxTimestamp { timestamp, batch_last_offset } = entry;
                    let reason =
                        format!("entry {place} says timestamp {timestamp} at offset {batch_last_offset}");
                    return Ok(Some((u64::from(place) * TIME_ENTRY as u64, reason)));
                }
                before = Some(entry);
                place += 1;
            }
        }
        let missing = before.map(|last| last.timestamp) != rebuilt.max.map(|max| max.timestamp);
        let position = u64::from(place) * TIME_ENTRY as u64;
        Ok(missing.then(|| (position, "it does not end with the largest timestamp".to_owned())))
    }

    /// Puts the indexes of `rebuilt` in the place of its own, on disk too. Returns the files to be synced.
    pub(super) fn replace_indexes(
        &mut self,
        folder: &Folder,
        rebuilt: Segment,
    ) -> Result<Vec<Arc<dyn StorageFile>>, LogError> {
        let mut offsets = rebuilt.offsets;
        let is_partial = self.active || rebuilt.size < self.size;
        if is_partial {
            // Behind what was checked go the entries of what was appended since.
            let mut place = 0;
            loop {
                let run = self.offsets.run(folder, self.base, place, ENTRIES_PER_READ)?;
                if run.is_empty() {
                    break;
                }
                place += run.len() as u32;
                let since = |entry: &&[u8; OFFSET_ENTRY]| self.index_entry(entry).position >= rebuilt.size;
                run.iter().filter(since).for_each(|entry| offsets.push(*entry));
            }
        }
        self.offsets = self.offsets.replaced_by(offsets);
        let mut files = vec![self.offsets.finish(folder, self.base)?];
        if !is_partial {
            self.times = self.times.replaced_by(rebuilt.times);
            self.max = rebuilt.max;
            self.indexed_timestamp = rebuilt.indexed_timestamp;
            files.push(self.times.finish(folder, self.base)?);
        }
        Ok(files)
    }
}
