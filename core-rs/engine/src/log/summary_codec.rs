//! The bytes of a log's summary: numbers of eight bytes, −1 for none, lists with their length before them. Whoever
//! keeps them sees to their checksum.

use super::checkpoint::EpochStart;
use super::segment::MaxTimestamp;
use super::summary::{LogSummary, SegmentSummary};
use crate::storage::Stamp;

impl LogSummary {
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut put = |number: i64| out.extend_from_slice(&number.to_be_bytes());
        for stamp in [self.dir, self.active] {
            [stamp.id as i64, stamp.changed_ns, stamp.len as i64].into_iter().for_each(&mut put);
        }
        let max = self.max.map_or((-1, -1), |max| (max.timestamp, max.batch_last_offset));
        let (snapshot, first) = (self.newest_snapshot.unwrap_or(-1), self.first_timestamp.unwrap_or(-1));
        // A first timestamp of −1 is a batch's own as well.
        let knows_first = i64::from(self.first_timestamp.is_some());
        [self.end_offset, snapshot, knows_first, first, max.0, max.1, self.bytes_since_entry as i64]
            .into_iter()
            .for_each(&mut put);
        put(self.segments.len() as i64);
        for segment in &self.segments {
            put(segment.base);
            put(segment.size as i64);
            for len in [segment.index, segment.time_index, segment.txn_index] {
                put(len.map_or(-1, |len| len as i64));
            }
        }
        put(self.epochs.len() as i64);
        for entry in &self.epochs {
            put(i64::from(entry.epoch));
            put(entry.start_offset);
        }
    }

    /// `None` for bytes that are none, or more.
    pub fn decode(bytes: &[u8]) -> Option<LogSummary> {
        let mut numbers = Numbers { rest: bytes };
        let mut stamp = || {
            let (id, changed_ns) = (numbers.next()? as u64, numbers.next()?);
            Some(Stamp { id, changed_ns, len: numbers.next()? as u64 })
        };
        let (dir, active) = (stamp()?, stamp()?);
        let end_offset = numbers.next()?;
        let newest_snapshot = some(numbers.next()?);
        let (knows_first, first) = (numbers.next()? != 0, numbers.next()?);
        let (timestamp, batch_last_offset) = (some(numbers.next()?), numbers.next()?);
        let max = timestamp.map(|timestamp| MaxTimestamp { timestamp, batch_last_offset });
        let bytes_since_entry = numbers.next()? as u64;
        let segments = numbers.list(5, |numbers| {
            Some(SegmentSummary {
                base: numbers.next()?,
                size: numbers.next()? as u64,
                index: some(numbers.next()?).map(|len| len as u64),
                time_index: some(numbers.next()?).map(|len| len as u64),
                txn_index: some(numbers.next()?).map(|len| len as u64),
            })
        })?;
        let epochs = numbers.list(2, |numbers| {
            let epoch = i32::try_from(numbers.next()?).ok()?;
            Some(EpochStart { epoch, start_offset: numbers.next()? })
        })?;
        let first_timestamp = knows_first.then_some(first);
        numbers.rest.is_empty().then_some(LogSummary {
            dir,
            active,
            end_offset,
            newest_snapshot,
            first_timestamp,
            max,
            bytes_since_entry,
            segments,
            epochs,
        })
    }
}

fn some(number: i64) -> Option<i64> {
    (number >= 0).then_some(number)
}

struct Numbers<'a> {
    rest: &'a [u8],
}

impl Numbers<'_> {
    fn next(&mut self) -> Option<i64> {
        let (number, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(i64::from_be_bytes(*number))
    }

    /// A list whose items take so many numbers each.
    fn list<T>(&mut self, numbers: usize, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.next()?).ok()?;
        if count.checked_mul(numbers * 8)? > self.rest.len() {
            return None;
        }
        (0..count).map(|_| item(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_come_back_whole_and_nothing_else_is_taken_for_one() {
        let summary = LogSummary {
            dir: Stamp { id: 7, changed_ns: 1_700_000_000_123_456_789, len: 4096 },
            active: Stamp { id: u64::MAX, changed_ns: -5, len: 0 },
            end_offset: 77,
            newest_snapshot: Some(77),
            first_timestamp: Some(-1),
            max: Some(MaxTimestamp { timestamp: 9, batch_last_offset: 70 }),
            bytes_since_entry: 300,
            segments: vec![
                SegmentSummary { base: 0, size: 100, index: Some(8), time_index: Some(12), txn_index: None },
                SegmentSummary { base: 50, ..SegmentSummary::default() },
            ],
            epochs: vec![EpochStart { epoch: 3, start_offset: 0 }],
        };
        let mut bytes = Vec::new();
        summary.encode(&mut bytes);
        assert_eq!(LogSummary::decode(&bytes).as_ref(), Some(&summary));
        for len in 0..bytes.len() {
            assert_eq!(LogSummary::decode(&bytes[..len]), None, "{len} bytes");
        }
        assert_eq!(LogSummary::decode(&[&bytes[..], &[0]].concat()), None);
        // A list that claims to be longer than memory.
        bytes[104] = 0x7f;
        assert_eq!(LogSummary::decode(&bytes), None);
    }
}
