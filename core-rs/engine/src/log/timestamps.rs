//! Finding records by timestamp: exact, inside compressed batches too, whatever order the timestamps came in.

use millrace_record::BatchView;

use super::log::Log;
use super::segment::Segment;
use super::window::{Batch, Walk};
use super::{LogError, TimestampOffset};

/// What one batch on disk may unpack to; it passed a tighter cap when it was accepted. Unpacking streams, so this
/// bounds work, not memory.
const MAX_UNPACKED_BYTES: u64 = 1 << 32;

impl Log {
    /// Where each segment that clients may read begins, with its newest timestamp (−1 when it has none), oldest first.
    ///
    /// Errors: `Io`.
    pub fn segment_starts(&self) -> Result<Vec<(i64, i64)>, LogError> {
        let segments = self.segments.iter().skip(self.floor_segment(self.start_offset));
        let start = |segment: &Segment| {
            let newest = segment.max_timestamp(&self.folder)?;
            Ok((segment.base, newest.map_or(-1, |max| max.timestamp)))
        };
        segments.map(start).collect()
    }

    /// The first record (by offset) from the log start to below `upper` whose timestamp is at least `timestamp`.
    ///
    /// Errors: `Corrupt`, `Io`.
    pub fn offset_for_timestamp(
        &self,
        timestamp: i64,
        upper: i64,
    ) -> Result<Option<TimestampOffset>, LogError> {
        for segment in self.segments.iter().skip(self.floor_segment(self.start_offset)) {
            if segment.base >= upper {
                return Ok(None);
            }
            let largest = segment.max_timestamp(&self.folder)?.map_or(-1, |max| max.timestamp);
            if largest < timestamp {
                continue;
            }
            let mut walk = segment.walk_from_timestamp(&self.folder, timestamp)?;
            while let Some(batch) = walk.next().map_err(|error| segment.blame(&self.folder, error))? {
                if batch.header.base_offset >= upper {
                    return Ok(None);
                }
                if batch.header.max_timestamp < timestamp || batch.header.last_offset() < self.start_offset {
                    continue;
                }
                let matches = |offset: i64, found: i64| found >= timestamp && offset >= self.start_offset;
                if let Some(found) = self.first_record(segment, &mut walk, &batch, matches)? {
                    return Ok(Some(found).filter(|found| found.offset < upper));
                }
            }
        }
        Ok(None)
    }

    /// The first record with the largest timestamp of the log; `None` while no record has one.
    ///
    /// Errors: `Corrupt`, `Io`.
    pub fn max_timestamp(&self) -> Result<Option<TimestampOffset>, LogError> {
        let mut largest = None;
        for segment in self.segments.iter().skip(self.floor_segment(self.start_offset)) {
            if let Some(max) = segment.max_timestamp(&self.folder)?
                && largest.is_none_or(|(_, timestamp)| max.timestamp > timestamp)
            {
                largest = Some((segment, max.timestamp));
            }
        }
        let Some((segment, timestamp)) = largest else {
            return Ok(None);
        };
        let mut walk = segment.walk_from_timestamp(&self.folder, timestamp)?;
        while let Some(batch) = walk.next().map_err(|error| segment.blame(&self.folder, error))? {
            if batch.header.max_timestamp < timestamp {
                continue;
            }
            let matches = |_, found| found == timestamp;
            if let Some(found) = self.first_record(segment, &mut walk, &batch, matches)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The first record of `batch` whose offset and timestamp `matches`.
    fn first_record(
        &self,
        segment: &Segment,
        walk: &mut Walk,
        batch: &Batch,
        matches: impl Fn(i64, i64) -> bool,
    ) -> Result<Option<TimestampOffset>, LogError> {
        let bytes = walk
            .window
            .copy(batch.position, batch.header.total_len())
            .map_err(|error| segment.blame(&self.folder, error.into()))?;
        let corrupt = |error: millrace_record::BatchError| {
            self.folder.corrupt(segment.base, super::folder::LOG, batch.position, error.to_string())
        };
        let view = BatchView::parse(&bytes).map_err(corrupt)?;
        view.check_crc().map_err(corrupt)?;
        let mut records = view.records(MAX_UNPACKED_BYTES).map_err(corrupt)?;
        while let Some(record) = records.next_record().map_err(corrupt)? {
            if matches(record.offset, record.timestamp) {
                let leader_epoch = view.partition_leader_epoch;
                let (timestamp, offset) = (record.timestamp, record.offset);
                return Ok(Some(TimestampOffset { timestamp, offset, leader_epoch }));
            }
        }
        Ok(None)
    }
}
