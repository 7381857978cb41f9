//! Reading a log by offset: from the tail without touching the disk, else through the offset index and a short walk
//! over headers. It hands out file ranges and never looks at records.

use std::sync::Arc;

use super::check::PIECE_BYTES;
use super::folder::LOG;
use super::log::Log;
use super::segment::Segment;
use super::tail::Located;
use super::verified::Look;
use super::{BatchReader, CheckedRead, LogError, LogPosition, ReadRange};
use crate::storage::FileRange;

/// More than the kernel reads ahead of who reads in order: what lies in memory behind it was there before.
const READ_AHEAD_BYTES: u64 = 16 << 20;

impl Log {
    /// Batches from the one that contains `offset` on: at most `max_bytes`, below `upper` (a batch border of this
    /// log), all of one segment; the last may be partial, but not the first: when it is larger than `max_bytes`, it
    /// comes whole with `at_least_one` and not at all without.
    ///
    /// Errors: `OffsetOutOfRange`; `Corrupt` for bytes that are no batch; `Io`.
    pub fn read(
        &self,
        offset: i64,
        max_bytes: u64,
        upper: LogPosition,
        at_least_one: bool,
    ) -> Result<ReadRange, LogError> {
        self.check_offset(offset)?;
        let upper = upper.min(self.end_position());
        if offset >= upper.offset || (max_bytes == 0 && !at_least_one) {
            return Ok(nothing_at(offset));
        }
        let Some((segment, batch)) = self.locate(offset)? else {
            return Ok(nothing_at(offset));
        };
        let limit = match segment.base.cmp(&upper.segment_base) {
            std::cmp::Ordering::Less => segment.size,
            std::cmp::Ordering::Equal => upper.position.min(segment.size),
            std::cmp::Ordering::Greater => 0,
        };
        let from = batch.position.position;
        let available = limit.saturating_sub(from);
        let len = match available.min(max_bytes) {
            len if len >= batch.len => len,
            _ if at_least_one => available.min(batch.len),
            _ => 0,
        };
        if len == 0 {
            return Ok(nothing_at(offset));
        }
        let file = segment.handle(&self.folder)?;
        Ok(ReadRange {
            range: FileRange { file, offset: from, len, folder: Some(Arc::clone(&self.folder.dir)) },
            first_batch_base: batch.position.offset,
            first_batch_len: batch.len,
        })
    }

    /// The same for clients: no byte that nobody has looked at since it was written or scanned, none that is known to
    /// be damaged, and none that the disk would have to be waited for. A range ends where that is not known any more.
    ///
    /// Errors: as `read`; `Corrupt` for an offset that is lost.
    pub fn read_checked(
        &mut self,
        offset: i64,
        max_bytes: u64,
        upper: LogPosition,
        at_least_one: bool,
    ) -> Result<CheckedRead, LogError> {
        if self.tail.find(offset).is_some() {
            let read = self.read(offset, max_bytes, upper, at_least_one)?;
            return Ok(CheckedRead { read, cold: None, clipped: false, ahead: None });
        }
        let (mut cold, mut until) = (None, u64::MAX);
        if self.check_offset(offset).is_ok() && offset < upper.offset.min(self.end_offset) {
            self.look(offset, &mut cold, &mut until)?;
        }
        if cold.is_some() {
            return Ok(cold_at(offset));
        }
        let mut read = self.read(offset, max_bytes, upper, at_least_one)?;
        if read.range.len == 0 {
            return Ok(CheckedRead { read, cold: None, clipped: false, ahead: None });
        }
        // Where compaction has left a gap, it stands in a later segment than the offset would.
        self.look(read.first_batch_base, &mut cold, &mut until)?;
        if cold.is_some() {
            return Ok(cold_at(read.first_batch_base));
        }
        let place = self.floor_segment(read.first_batch_base);
        let left = until.saturating_sub(read.range.offset);
        let mut clipped = left <= read.range.len;
        read.range.len = read.range.len.min(left);
        let Some(in_memory) = self.in_memory(place, &read) else {
            return Ok(cold_at(read.first_batch_base));
        };
        clipped |= in_memory.len < read.range.len;
        read.range.len = read.range.len.min(in_memory.len);
        let end = read.range.offset + read.range.len;
        let verified = self.segments.get(place).map(|segment| &segment.verified);
        let ahead = in_memory.ahead.or_else(|| verified.and_then(|known| known.ahead(end, PIECE_BYTES / 2)));
        Ok(CheckedRead { read, cold: None, clipped, ahead })
    }

    /// How much of a range can be sent without waiting for the disk; `None` when that is not even its first batch.
    fn in_memory(&mut self, place: usize, read: &ReadRange) -> Option<InMemory> {
        let FileRange { file, offset, len, .. } = &read.range;
        let base = self.segments.get(place)?.base;
        if let Some(piece) = self.warm.find(base, self.truncations, *offset) {
            let (to, to_offset) = (piece.to(), piece.to_offset);
            let len = (*len).min(to - offset);
            if !std::mem::replace(&mut piece.is_served, true) || file.resident(*offset, len) >= len {
                return Some(InMemory { len, ahead: self.behind(place, to, to_offset) });
            }
        }
        let len = file.resident(*offset, *len);
        (len >= read.first_batch_len.min(read.range.len)).then_some(InMemory { len, ahead: None })
    }

    /// The offset behind a piece that was brought into memory, if what stands there has to be brought as well.
    fn behind(&self, place: usize, to: u64, to_offset: i64) -> Option<i64> {
        let segment = self.segments.get(place)?;
        if to >= segment.size {
            let next = self.segments.get(place + 1)?.base;
            return (next < self.end_offset && self.tail.find(next).is_none()).then_some(next);
        }
        let is_cold = segment.verified.look(to_offset) == Look::Cold;
        let sample = (to + READ_AHEAD_BYTES).min(segment.size.saturating_sub(1));
        let file = segment.handle(&self.folder).ok()?;
        (is_cold || file.resident(sample, 1) == 0).then_some(to_offset)
    }

    fn look(&self, offset: i64, cold: &mut Option<i64>, until: &mut u64) -> Result<(), LogError> {
        let Some(segment) = self.segments.get(self.floor_segment(offset)) else { return Ok(()) };
        match segment.verified.look(offset) {
            Look::Checked { until: end } => *until = end,
            Look::Cold => *cold = Some(offset),
            Look::Damaged(damage) => {
                let (position, reason) = (damage.place.from, damage.reason.clone());
                return Err(self.folder.corrupt(segment.base, LOG, position, reason));
            }
        }
        Ok(())
    }

    /// Where the batch that contains `offset` begins (`offset` itself stays in the result); the end position for the
    /// end offset.
    ///
    /// Errors: `OffsetOutOfRange`, `Corrupt`, `Io`.
    pub fn position_of(&self, offset: i64) -> Result<LogPosition, LogError> {
        self.check_offset(offset)?;
        Ok(match self.locate(offset)? {
            Some((_, batch)) => LogPosition { offset, ..batch.position },
            None => self.end_position(),
        })
    }

    /// Whole batches from the one that contains `offset` to the present end; reads without the caller's lock.
    ///
    /// Errors: `OffsetOutOfRange`, `Corrupt`, `Io`.
    pub fn batches_from(&self, offset: i64) -> Result<BatchReader, LogError> {
        self.check_offset(offset)?;
        self.replay_from(offset)
    }

    /// The same from anywhere: what stands below the log start in the first segment still tells of producers.
    ///
    /// Errors: `Corrupt`, `Io`.
    pub fn replay_from(&self, offset: i64) -> Result<BatchReader, LogError> {
        let (storage, dir) = (Arc::clone(&self.folder.storage), Arc::clone(&self.folder.dir));
        let Some((_, Located { position: from, .. })) = self.locate(offset)? else {
            // Nothing is left, and nothing is opened: a start after a clean stop comes by here once for each log.
            return Ok(BatchReader::new(storage, dir, Vec::new(), None, 0));
        };
        let first = self.segments.partition_point(|segment| segment.base < from.segment_base);
        let segments = self.segments.get(first..).unwrap_or(&[]);
        let filled = self.segments.last().filter(|active| active.size > 0);
        let active = filled.map(|active| active.handle(&self.folder)).transpose()?;
        // What is empty is not worth a descriptor.
        let filled = segments.iter().filter(|one| one.size > 0).map(|one| (one.base, one.size)).collect();
        Ok(BatchReader::new(storage, dir, filled, active, from.position))
    }

    /// Blames what stands at `position`.
    pub fn corrupt_at(&self, position: LogPosition, reason: String) -> LogError {
        self.folder.corrupt(position.segment_base, LOG, position.position, reason)
    }

    pub(super) fn check_offset(&self, offset: i64) -> Result<(), LogError> {
        let (start, end) = (self.start_offset, self.end_offset);
        if (start..=end).contains(&offset) {
            Ok(())
        } else {
            Err(LogError::OffsetOutOfRange { offset, start, end })
        }
    }

    /// The segment that holds `offset`, or would: the last that begins at or below it.
    pub(super) fn floor_segment(&self, offset: i64) -> usize {
        self.segments.partition_point(|segment| segment.base <= offset).saturating_sub(1)
    }

    /// The batch that contains `offset`, or the first after it; `None` at the end of the log.
    pub(super) fn locate(&self, offset: i64) -> Result<Option<(&Segment, Located)>, LogError> {
        if offset >= self.end_offset {
            return Ok(None);
        }
        if let Some(batch) = self.tail.find(offset) {
            let index = self.segments.partition_point(|segment| segment.base < batch.position.segment_base);
            return Ok(self.segments.get(index).map(|segment| (segment, batch)));
        }
        // Compaction may leave a segment that ends before the next begins: the batch is then in a later one.
        for segment in self.segments.iter().skip(self.floor_segment(offset)) {
            if let Some(batch) = segment.find(&self.folder, offset)? {
                let position = LogPosition {
                    offset: batch.header.base_offset,
                    segment_base: segment.base,
                    position: batch.position,
                };
                return Ok(Some((segment, Located { position, len: batch.len() })));
            }
        }
        Ok(None)
    }
}

/// What of a range can be sent at once, and where to bring more, before the reader gets there.
struct InMemory {
    len: u64,
    ahead: Option<i64>,
}

fn nothing_at(offset: i64) -> ReadRange {
    ReadRange { range: FileRange::empty(), first_batch_base: offset, first_batch_len: 0 }
}

fn cold_at(offset: i64) -> CheckedRead {
    CheckedRead { read: nothing_at(offset), cold: Some(offset), clipped: false, ahead: None }
}
