//! Full validation of one batch, as Kafka's LogValidator does before an append: CRC, header, then every record
//! inside, compressed ones streaming under an output cap. It changes nothing: offsets are assigned and headers
//! corrected by `patch`.

use crate::batch::{BatchView, CRC_START, NO_PRODUCER_ID, NO_TIMESTAMP, TimestampType, increment_sequence};
use crate::codec::{Codec, Decompressor};
use crate::crc::RunningCrc;
use crate::error::{BatchError, RecordFault};
use crate::walk::{Fault, RecordShape, walk_slice, walk_stream};

/// Who wrote the batch, which decides how much freedom it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A producer: offset deltas 0, 1, 2 …, no control batch, no LogAppendTime, sequences with producer ids.
    Client,
    /// One of this broker's coordinators: may write control batches, and transactional ones without sequence.
    Coordinator,
    /// A log, another replica's or our own: compaction may have removed records, offsets only rise.
    Log,
}

#[derive(Debug, Clone, Copy)]
pub struct ValidateOptions {
    pub origin: Origin,
    /// Most bytes that the records of one compressed batch may unpack to.
    pub max_decompressed: u64,
}

/// What validation learnt of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchSummary {
    /// Bytes of the batch, header included.
    pub len: usize,
    /// Bytes of the records, decompressed.
    pub records_len: u64,
    pub base_offset: i64,
    /// Records inside.
    pub count: i32,
    pub last_offset_delta: i32,
    pub codec: Codec,
    pub timestamp_type: TimestampType,
    /// The true maximum over the records, ms; the header's own for LogAppendTime and for an empty batch. When
    /// it differs from `header_max_timestamp`, Kafka corrects the header (`patch::set_max_timestamp`).
    pub max_timestamp: i64,
    /// Offset delta of the first record with `max_timestamp`; the last one's for LogAppendTime.
    pub offset_of_max_timestamp_delta: i32,
    pub header_max_timestamp: i64,
    /// Smallest timestamp, ms, over the records that have one; −1 when none has.
    pub min_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub is_transactional: bool,
    pub is_control: bool,
    /// Whether any record has no key, which a compacted topic refuses.
    pub has_null_key: bool,
}

impl BatchSummary {
    pub fn has_producer_id(&self) -> bool {
        self.producer_id > NO_PRODUCER_ID
    }

    /// Sequence of the last record; meaningful when the batch has sequences.
    pub fn last_sequence(&self) -> i32 {
        increment_sequence(self.base_sequence, self.last_offset_delta)
    }

    /// The offset delta right after the batch: how many offsets it takes.
    pub fn offset_span(&self) -> i64 {
        i64::from(self.last_offset_delta) + 1
    }
}

/// Checks everything and says what is inside. An uncompressed batch is checked without any allocation.
///
/// Errors: any `BatchError` of reading, in this order: CRC, header, codec, first bad record.
pub fn validate(batch: &BatchView<'_>, options: &ValidateOptions) -> Result<BatchSummary, BatchError> {
    let mut tally = Tally::new(batch, options.origin);
    let header = check_header(batch, options.origin).and_then(|()| batch.codec());
    let (codec, records_len) = match header {
        Ok(Codec::None) if batch.bytes().len() > SUMMED_AHEAD => {
            let mut sum = SumAhead::new(batch);
            let walked = walk_uncompressed(batch, &mut tally, |left| sum.reach(left));
            sum.check(batch)?;
            (Codec::None, walked?)
        }
        header => {
            batch.check_crc()?;
            match header? {
                Codec::None => (Codec::None, walk_uncompressed(batch, &mut tally, |_| {})?),
                codec => (codec, walk_compressed(batch, codec, options.max_decompressed, &mut tally)?),
            }
        }
    };
    Ok(tally.summary(batch, codec, records_len))
}

/// Bytes that the CRC runs ahead of the record walk in a large batch.
const SUMMED_AHEAD: usize = 64 * 1024;

/// Sums a batch piece by piece just ahead of the walk over it, so that the walk finds each record in the nearest
/// cache: summed as a whole first, a large batch would have left it again.
struct SumAhead<'a> {
    crc: RunningCrc,
    rest: &'a [u8],
}

impl<'a> SumAhead<'a> {
    fn new(batch: &BatchView<'a>) -> Self {
        Self { crc: RunningCrc::default(), rest: batch.bytes().get(CRC_START..).unwrap_or_default() }
    }

    /// Makes sure that the sum covers the byte where `left` bytes of the batch, itself included, are left.
    #[inline]
    fn reach(&mut self, left: usize) {
        if left <= self.rest.len() {
            self.sum((self.rest.len() - left).saturating_add(SUMMED_AHEAD));
        }
    }

    fn sum(&mut self, count: usize) {
        let (now, later) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.crc.update(now);
        self.rest = later;
    }

    fn check(mut self, batch: &BatchView<'_>) -> Result<(), BatchError> {
        self.sum(usize::MAX);
        let (stored, computed) = (batch.crc, self.crc.value());
        if stored == computed { Ok(()) } else { Err(BatchError::Crc { stored, computed }) }
    }
}

fn check_header(batch: &BatchView<'_>, origin: Origin) -> Result<(), BatchError> {
    let (count, last_offset_delta) = (batch.count, batch.last_offset_delta);
    let span = i64::from(last_offset_delta) + 1;
    if origin == Origin::Log {
        if count < 0 {
            return Err(BatchError::Count { count });
        }
        if last_offset_delta < 0 || i64::from(count) > span {
            return Err(BatchError::OffsetRange { last_offset_delta, count });
        }
        return Ok(());
    }
    if count <= 0 {
        return Err(BatchError::Count { count });
    }
    if span != i64::from(count) {
        return Err(BatchError::OffsetRange { last_offset_delta, count });
    }
    if origin == Origin::Client {
        check_client_header(batch)?;
    }
    Ok(())
}

fn check_client_header(batch: &BatchView<'_>) -> Result<(), BatchError> {
    if batch.is_control() {
        return Err(BatchError::ControlFromClient);
    }
    // Without a producer id the other two mean nothing, and clients fill them with −1 or 0.
    if batch.has_producer_id() && (batch.base_sequence < 0 || batch.producer_epoch < 0) {
        return Err(BatchError::Producer {
            producer_id: batch.producer_id,
            epoch: batch.producer_epoch,
            sequence: batch.base_sequence,
        });
    }
    if batch.is_transactional() && !batch.has_producer_id() {
        return Err(BatchError::TransactionalWithoutProducer);
    }
    if batch.timestamp_type() == TimestampType::LogAppendTime {
        return Err(BatchError::LogAppendTimeFromClient);
    }
    Ok(())
}

/// `before` is told ahead of each record how many bytes are left from its start on.
fn walk_uncompressed(
    batch: &BatchView<'_>,
    tally: &mut Tally,
    mut before: impl FnMut(usize),
) -> Result<u64, BatchError> {
    let mut records = batch.records_bytes();
    let records_len = records.len() as u64;
    for index in 0..batch.count {
        before(records.len());
        let shape = walk_slice(&mut records).map_err(|fault| fault.of_record(index))?;
        tally.add(&shape, index)?;
    }
    match records.is_empty() {
        true => Ok(records_len),
        false => Err(BatchError::TrailingBytes { count: batch.count }),
    }
}

fn walk_compressed(
    batch: &BatchView<'_>,
    codec: Codec,
    cap: u64,
    tally: &mut Tally,
) -> Result<u64, BatchError> {
    // Kafka writes the header of a batch that compaction emptied with nothing after it, codec bits or not.
    if batch.count == 0 && batch.records_bytes().is_empty() {
        return Ok(0);
    }
    let mut stream = Decompressor::new(codec, batch.records_bytes(), cap)?;
    for index in 0..batch.count {
        let shape = walk_stream(&mut stream).map_err(|fault| fault.of_record(index))?;
        tally.add(&shape, index)?;
    }
    match stream.window()?.is_empty() {
        true => Ok(stream.produced()),
        false => Err(BatchError::TrailingBytes { count: batch.count }),
    }
}

/// What gathers over the records of one batch.
struct Tally {
    dense: bool,
    base_timestamp: i64,
    last_offset_delta: i32,
    next_offset_delta: i32,
    /// Timestamp and offset delta of the newest record so far.
    newest: Option<(i64, i32)>,
    min_timestamp: i64,
    has_null_key: bool,
}

impl Tally {
    fn new(batch: &BatchView<'_>, origin: Origin) -> Self {
        Self {
            dense: origin != Origin::Log,
            base_timestamp: batch.base_timestamp,
            last_offset_delta: batch.last_offset_delta,
            next_offset_delta: 0,
            newest: None,
            min_timestamp: NO_TIMESTAMP,
            has_null_key: false,
        }
    }

    #[inline]
    fn add(&mut self, shape: &RecordShape, index: i32) -> Result<(), BatchError> {
        let (delta, expected) = (shape.offset_delta, self.next_offset_delta);
        let in_order =
            if self.dense { delta == expected } else { delta >= expected && delta <= self.last_offset_delta };
        if !in_order {
            return Err(Fault::from(RecordFault::OffsetDelta { delta, expected }).of_record(index));
        }
        self.next_offset_delta = delta.saturating_add(1);
        self.has_null_key |= shape.null_key;
        let timestamp = self.base_timestamp.wrapping_add(shape.timestamp_delta);
        if self.newest.is_none_or(|(newest, _)| timestamp > newest) {
            self.newest = Some((timestamp, delta));
        }
        if timestamp != NO_TIMESTAMP && (self.min_timestamp == NO_TIMESTAMP || timestamp < self.min_timestamp)
        {
            self.min_timestamp = timestamp;
        }
        Ok(())
    }

    fn summary(&self, batch: &BatchView<'_>, codec: Codec, records_len: u64) -> BatchSummary {
        let timestamp_type = batch.timestamp_type();
        let log_append_time = timestamp_type == TimestampType::LogAppendTime;
        let (max_timestamp, delta) = match self.newest {
            Some(newest) if !log_append_time => newest,
            _ => (batch.max_timestamp, batch.last_offset_delta),
        };
        BatchSummary {
            len: batch.bytes().len(),
            records_len,
            base_offset: batch.base_offset,
            count: batch.count,
            last_offset_delta: batch.last_offset_delta,
            codec,
            timestamp_type,
            max_timestamp,
            offset_of_max_timestamp_delta: delta,
            header_max_timestamp: batch.max_timestamp,
            min_timestamp: if log_append_time { batch.max_timestamp } else { self.min_timestamp },
            producer_id: batch.producer_id,
            producer_epoch: batch.producer_epoch,
            base_sequence: batch.base_sequence,
            is_transactional: batch.is_transactional(),
            is_control: batch.is_control(),
            has_null_key: self.has_null_key,
        }
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
