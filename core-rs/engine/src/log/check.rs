//! Looking at bytes that were on disk before this process: a piece of a segment for a reader who waits, or a whole
//! segment in steps. It runs without the log's lock, blocks, and changes nothing; the log takes over what it found.

use std::collections::VecDeque;
use std::sync::Arc;

use super::LogError;
use super::folder::{Folder, LOG};
use super::log::Log;
use super::segment::{IndexEntry, Segment};
use super::verified::{Damage, Look, Stretch, Verified};
use super::warm::Piece;
use super::window::{Batch, SCAN_WINDOW, Walk, WalkError};
use crate::storage::StorageFile;

/// Bytes that are checked for one reader at a time.
pub const PIECE_BYTES: u64 = 4 << 20;

/// A place in a log that is damaged, for whoever must be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedPlace {
    pub path: std::path::PathBuf,
    pub position: u64,
    /// First offset that is lost with it; −1 for a file that holds no records.
    pub offset: i64,
    pub reason: String,
}

/// A segment being walked over from its start, batch by batch, with every checksum.
#[derive(Debug)]
pub struct SegmentCheck {
    pub(super) folder: Folder,
    base: i64,
    pub(super) size: u64,
    /// Offset behind the part that is checked.
    pub(super) end_offset: i64,
    pub(super) file: Arc<dyn StorageFile>,
    /// As it was: its indexes are to be looked at.
    pub(super) found: Segment,
    pub(super) truncations: u64,
    latest_epoch: i32,
    /// What this process has appended stands behind the part that is checked, or will.
    is_partial: bool,
    walk: Walk,
    /// The batch accepted last: where it stands, and the offset that was expected there.
    before: Option<(Batch, i64)>,
    damages: Vec<Damage>,
    /// Index entries that the walk has not reached; `None` before they were read.
    entries: Option<VecDeque<IndexEntry>>,
    /// What is wrong with the index, and at which byte of it.
    bad_index: Option<(u64, String)>,
    /// The segment's indexes as its batches say.
    rebuilt: Segment,
    interval: u32,
}

/// What a check found; for `Log::checked`.
#[derive(Debug)]
pub struct Checked {
    base: i64,
    truncations: u64,
    stretch: Stretch,
    damages: Vec<Damage>,
    /// Indexes to be put in the place of damaged ones.
    rebuilt: Option<(Segment, DamagedPlace)>,
}

impl Log {
    /// Nothing is known of what stands in the segments, but for those that opening the log has scanned whole.
    pub(super) fn mark_cold(&mut self) {
        let mut end = self.end_offset;
        for segment in self.segments.iter_mut().rev() {
            if segment.size > 0 && !segment.verified.scanned {
                segment.verified = Verified::cold(segment.size, end);
            }
            end = segment.base;
        }
    }

    /// A check of the first closed segment that begins at `base` or above, whatever is known about it.
    pub fn scrub_job(&self, base: i64) -> Result<Option<SegmentCheck>, LogError> {
        let closed = self.segments.split_last().map_or(&[][..], |(_, closed)| closed);
        let next = closed.iter().find(|segment| segment.base >= base);
        next.map(|segment| self.segment_check(segment, (0, 0))).transpose()
    }

    /// A check of the cold part (size and offset behind it), or where there is none, of all.
    pub(super) fn segment_check(
        &self,
        segment: &Segment,
        cold: (u64, i64),
    ) -> Result<SegmentCheck, LogError> {
        let place = self.segments.partition_point(|other| other.base <= segment.base);
        let is_active = place == self.segments.len();
        let next_base = self.segments.get(place).map_or(self.end_offset, |next| next.base);
        let (size, end_offset) = if cold.0 == 0 { (segment.size, next_base) } else { cold };
        let file = segment.handle(&self.folder)?;
        Ok(SegmentCheck {
            folder: Folder::new(Arc::clone(&self.folder.storage), &self.folder.dir),
            base: segment.base,
            size,
            end_offset,
            walk: Walk::new(Arc::clone(&file), SCAN_WINDOW, 0, size, segment.base),
            file,
            found: segment.for_check(),
            truncations: self.truncations,
            latest_epoch: self.leader_epochs().last().map_or(i32::MAX, |last| last.epoch),
            before: None,
            damages: Vec::new(),
            is_partial: is_active || size < segment.size,
            entries: None,
            bad_index: None,
            rebuilt: Segment::closed(segment.base, 0, segment.created_ms),
            interval: self.config.index_interval_bytes,
        })
    }

    /// Takes over what a check found. Returns the damage that was not known before.
    ///
    /// Errors: `Io` when a damaged index cannot be replaced.
    pub fn checked(&mut self, checked: Checked) -> Result<Vec<DamagedPlace>, LogError> {
        let place = self.segments.partition_point(|segment| segment.base < checked.base);
        let segment = self.segments.get_mut(place).filter(|segment| segment.base == checked.base);
        let Some(segment) = segment.filter(|_| checked.truncations == self.truncations) else {
            return Ok(Vec::new());
        };
        let known =
            |damage: &&Damage| matches!(segment.verified.look(damage.place.from_offset), Look::Damaged(_));
        let new = checked.damages.iter().filter(|damage| !known(damage));
        let mut told: Vec<DamagedPlace> = new
            .map(|damage| DamagedPlace {
                path: self.folder.path(checked.base, LOG),
                position: damage.place.from,
                offset: damage.place.from_offset,
                reason: damage.reason.clone(),
            })
            .collect();
        segment.verified.checked(checked.stretch, checked.damages);
        if let Some((rebuilt, damaged)) = checked.rebuilt {
            self.folder.forget_page();
            match segment.replace_indexes(&self.folder, rebuilt) {
                Ok(files) => files.into_iter().for_each(|file| self.unsynced.file(file)),
                // In memory it is right already; the file is when there is room.
                Err(error) if error.is_full() => {}
                Err(error) => return Err(error),
            }
            told.push(damaged);
        }
        segment.verified.index_is_sane = true;
        Ok(told)
    }
}

impl Checked {
    /// It lies in memory now.
    pub(super) fn piece(&self) -> Piece {
        let Stretch { from, to, to_offset, .. } = self.stretch;
        Piece::new(self.base, self.truncations, from..to, to_offset)
    }
}

impl SegmentCheck {
    /// Checks a piece that holds the offset, with the index entries that lead there; the whole segment where anything
    /// is not as it should be. Blocks.
    ///
    /// Errors: `Io`.
    pub(super) fn around(mut self, offset: i64) -> Result<Checked, LogError> {
        if let Some(checked) = self.piece(offset)? {
            return Ok(checked);
        }
        while !self.step(u64::MAX)? {}
        self.finish()
    }

    /// Checks about `bytes` more; true once the segment is done. Blocks.
    ///
    /// Errors: `Io`.
    pub fn step(&mut self, bytes: u64) -> Result<bool, LogError> {
        if self.entries.is_none() {
            self.read_entries()?;
        }
        let stop = self.walk.position().saturating_add(bytes);
        while self.walk.position() < stop {
            let expected = self.walk.next_offset();
            match self.walk.next_checked() {
                Ok(Some(batch)) => self.accept(batch, expected)?,
                Ok(None) => {
                    self.end();
                    return Ok(true);
                }
                Err(WalkError::Bad { position, reason }) => self.pass_over(position, expected, reason)?,
                Err(error @ WalkError::Io(_)) => return Err(self.found.blame(&self.folder, error)),
            }
        }
        Ok(false)
    }

    pub fn base(&self) -> i64 {
        self.base
    }

    pub fn checked_bytes(&self) -> u64 {
        self.walk.position()
    }

    /// What was found, once `step` has said that it is done.
    ///
    /// Errors: `Io`.
    pub fn finish(mut self) -> Result<Checked, LogError> {
        let rebuilt = match self.bad_index.take() {
            Some((position, reason)) => {
                let path = self.folder.path(self.base, super::folder::INDEX);
                Some((self.rebuilt, DamagedPlace { path, position, offset: -1, reason }))
            }
            None if self.is_partial => None,
            None => match self.found.bad_times(&self.folder, &self.rebuilt)? {
                Some((position, reason)) => {
                    let path = self.folder.path(self.base, super::folder::TIME_INDEX);
                    Some((self.rebuilt, DamagedPlace { path, position, offset: -1, reason }))
                }
                None => None,
            },
        };
        Ok(Checked {
            base: self.base,
            truncations: self.truncations,
            stretch: Stretch { from: 0, to: self.size, from_offset: self.base, to_offset: self.end_offset },
            damages: self.damages,
            rebuilt,
        })
    }

    /// The quick way: from the index entry before `offset`, one piece. `None` when anything is amiss.
    fn piece(&mut self, offset: i64) -> Result<Option<Checked>, LogError> {
        if !self.found.verified.index_is_sane {
            if self.entries.is_none() {
                self.read_entries()?;
            }
            if self.bad_index.is_some() {
                return Ok(None);
            }
        }
        let entries = self.found.entries_from(&self.folder, offset, PIECE_BYTES)?;
        let mut entries: VecDeque<IndexEntry> = entries.into_iter().collect();
        // Offsets below the first entry are found by one that is not looked at here.
        let led_from = entries.front().copied();
        let from = led_from.map_or(0, |entry| entry.position);
        let mut walk = Walk::new(Arc::clone(&self.file), SCAN_WINDOW, from, self.size, self.base);
        let mut first_offset = None;
        let (mut expected, mut reached) = (None, false);
        while !reached || walk.position() - from < PIECE_BYTES {
            let batch = match walk.next_checked() {
                Ok(Some(batch)) => batch,
                Ok(None) => break,
                Err(WalkError::Bad { .. }) => return Ok(None),
                Err(error @ WalkError::Io(_)) => return Err(self.found.blame(&self.folder, error)),
            };
            let is_gap = expected.is_some_and(|expected| batch.header.base_offset != expected);
            // Whether a gap is what compaction left or a wrong offset, only the whole segment tells.
            if is_gap || !self.is_plausible(&batch) || !passes(&mut entries, &batch) {
                return Ok(None);
            }
            first_offset.get_or_insert(batch.header.base_offset);
            expected = Some(batch.header.next_offset());
            reached |= batch.header.last_offset() >= offset;
        }
        let to = walk.position();
        let at_end = to >= self.size;
        // Led too far by the index: what stands between is not known.
        let too_far = from > 0 && first_offset.is_none_or(|first| first > offset);
        let misleads = entries.front().is_some_and(|next| next.offset < walk.next_offset());
        if !reached || too_far || misleads || (at_end && walk.next_offset() != self.end_offset) {
            return Ok(None);
        }
        let stretch = Stretch {
            from,
            to,
            from_offset: led_from.filter(|_| from > 0).map_or(self.base, |entry| entry.offset),
            to_offset: walk.next_offset(),
        };
        let (base, truncations) = (self.base, self.truncations);
        Ok(Some(Checked { base, truncations, stretch, damages: Vec::new(), rebuilt: None }))
    }

    /// A header says what the checksum does not cover.
    fn is_plausible(&self, batch: &Batch) -> bool {
        batch.header.next_offset() <= self.end_offset
            && batch.header.partition_leader_epoch <= self.latest_epoch
    }

    fn read_entries(&mut self) -> Result<(), LogError> {
        let entries = self.found.all_entries(&self.folder)?;
        let mut before = IndexEntry { offset: self.base - 1, position: 0 };
        for (place, entry) in entries.iter().enumerate() {
            let rises = entry.offset > before.offset && (entry.position > before.position || place == 0);
            let is_inside = entry.position < self.size && entry.offset < self.end_offset;
            if !rises || !(is_inside || self.is_partial) {
                let reason = format!("entry {place} says offset {} at {}", entry.offset, entry.position);
                self.bad_index.get_or_insert((place as u64 * 8, reason));
            }
            before = *entry;
        }
        // Behind the part that is checked stands what this process has appended.
        let size = self.size;
        self.entries = Some(entries.into_iter().filter(|entry| entry.position < size).collect());
        Ok(())
    }

    fn accept(&mut self, batch: Batch, expected: i64) -> Result<(), LogError> {
        if !self.is_plausible(&batch) {
            let (base, last) = (batch.header.base_offset, batch.header.last_offset());
            let epoch = batch.header.partition_leader_epoch;
            let reason = format!("offsets {base} to {last} of leader epoch {epoch} cannot stand here");
            return self.pass_over(batch.position, expected, reason);
        }
        if let Some(entries) = &mut self.entries
            && !passes(entries, &batch)
        {
            let reason = format!("no entry leads to the batch at {} as it should", batch.position);
            self.bad_index.get_or_insert((0, reason));
        }
        self.rebuilt.size = batch.position;
        self.rebuilt.note(&batch.header, self.interval);
        self.before = Some((batch, expected));
        Ok(())
    }

    /// What stands at `position` is not what was written: goes on at the next batch that is.
    fn pass_over(&mut self, position: u64, expected: i64, reason: String) -> Result<(), LogError> {
        let (mut from, mut from_offset, mut reason) = (position, expected, reason);
        if let Some((before, before_expected)) = self.before.take()
            && before.end() == position
            && before.header.base_offset > before_expected
            && self.is_batch_at(position, before_expected)?
        {
            // This one fits what came before the last, and the last jumped ahead: it is the wrong one.
            (from, from_offset) = (before.position, before_expected);
            let base = before.header.base_offset;
            reason = format!("offset {base} where {before_expected} is next");
        }
        let next = self.next_batch(from, position, from_offset)?;
        let to = next.as_ref().map_or(self.size, |batch| batch.position);
        let to_offset = next.as_ref().map_or(self.end_offset, |batch| batch.header.base_offset);
        let place = Stretch { from, to, from_offset, to_offset: to_offset.max(from_offset) };
        self.damages.push(Damage { place, reason });
        if let Some(entries) = &mut self.entries {
            entries.retain(|entry| entry.position >= to);
        }
        self.walk = Walk::new(Arc::clone(&self.file), SCAN_WINDOW, to, self.size, place.to_offset);
        Ok(())
    }

    fn end(&mut self) {
        self.rebuilt.size = self.size;
        self.rebuilt.index_max_timestamp();
        if let Some(left) = self.entries.as_ref().and_then(VecDeque::front) {
            let reason = format!("an entry leads to {}, where no batch begins", left.position);
            self.bad_index.get_or_insert((0, reason));
        }
    }

    /// The next whole batch behind `from` that another one, or the end, follows: bytes inside a record may look like
    /// a batch, but nothing fits behind them. `first` is looked at before all others.
    fn next_batch(&self, from: u64, first: u64, least: i64) -> Result<Option<Batch>, LogError> {
        // Where the header is right, it says where the next one stands.
        let mut walk = Walk::new(Arc::clone(&self.file), SCAN_WINDOW, from, self.size, i64::MIN);
        let first = match walk.next() {
            Ok(Some(batch)) if first == from => batch.end(),
            _ => first,
        };
        if first == self.size {
            return Ok(None);
        }
        if first > from
            && let Some(batch) = self.batch_at(first, least)?
        {
            return Ok(Some(batch));
        }
        let mut window = Walk::new(Arc::clone(&self.file), SCAN_WINDOW, from, self.size, least).window;
        for position in from + 1..self.size {
            let may_be = window
                .looks_like_a_batch(position, least, self.end_offset)
                .map_err(|error| self.found.blame(&self.folder, error.into()))?;
            if may_be
                && let Some(batch) = self.batch_at(position, least)?
                && (batch.end() == self.size || self.is_batch_at(batch.end(), batch.header.next_offset())?)
            {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }

    fn batch_at(&self, position: u64, least: i64) -> Result<Option<Batch>, LogError> {
        let mut walk = Walk::new(Arc::clone(&self.file), SCAN_WINDOW, position, self.size, least);
        match walk.next_checked() {
            Ok(batch) => Ok(batch.filter(|batch| self.is_plausible(batch))),
            Err(WalkError::Bad { .. }) => Ok(None),
            Err(error @ WalkError::Io(_)) => Err(self.found.blame(&self.folder, error)),
        }
    }

    fn is_batch_at(&self, position: u64, least: i64) -> Result<bool, LogError> {
        Ok(self.batch_at(position, least)?.is_some())
    }
}

/// Whether the entries up to this batch lead to batches; takes those out that do.
fn passes(entries: &mut VecDeque<IndexEntry>, batch: &Batch) -> bool {
    let mut passes = true;
    while let Some(entry) = entries.front().copied().filter(|entry| entry.position <= batch.position) {
        entries.pop_front();
        passes &= entry.position == batch.position && entry.offset >= batch.header.base_offset;
    }
    passes
}
