//! Building a v2 batch out of records: what coordinators, the metadata log and tests write.

use crate::batch::{
    BatchHeader, CRC_START, HEADER_LEN, LENGTH_PREFIX_LEN, MAGIC_V2, NO_PRODUCER_ID, NO_SEQUENCE,
    NO_TIMESTAMP, attributes,
};
use crate::codec::{Codec, compress};
use crate::crc::crc32c;
use crate::error::BatchError;
use crate::varint::{varint_len, varlong_len, write_varint, write_varlong};

/// Everything of a batch that is not its records. The default is an uncompressed batch at offset 0 without a
/// producer.
#[derive(Debug, Clone, Copy)]
pub struct BatchSpec {
    pub base_offset: i64,
    pub partition_leader_epoch: i32,
    pub codec: Codec,
    /// The codec's own level; `None` for its default.
    pub level: Option<i32>,
    /// ms; stamps the whole batch with LogAppendTime: readers see this time, though each record keeps its own in
    /// the bytes, as in Kafka. `None`: CreateTime.
    pub log_append_time: Option<i64>,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub is_transactional: bool,
    pub is_control: bool,
    /// ms; when tombstones and markers in this batch may be deleted. Takes the place of the base timestamp.
    pub delete_horizon: Option<i64>,
}

impl Default for BatchSpec {
    fn default() -> Self {
        Self {
            base_offset: 0,
            partition_leader_epoch: -1,
            codec: Codec::None,
            level: None,
            log_append_time: None,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: -1,
            base_sequence: NO_SEQUENCE,
            is_transactional: false,
            is_control: false,
            delete_horizon: None,
        }
    }
}

/// A header to write: key and value, null for `None`.
pub type NewHeader<'h> = (&'h [u8], Option<&'h [u8]>);

/// A batch in the making.
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    spec: BatchSpec,
    records: Vec<u8>,
    count: i32,
    base_timestamp: Option<i64>,
    max_timestamp: i64,
    last_offset_delta: i32,
}

impl BatchBuilder {
    pub fn new(spec: BatchSpec) -> Self {
        Self {
            spec,
            records: Vec::new(),
            count: 0,
            base_timestamp: spec.delete_horizon,
            max_timestamp: NO_TIMESTAMP,
            last_offset_delta: -1,
        }
    }

    /// Records appended so far.
    pub fn count(&self) -> i32 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the batch so far, before compression.
    pub fn uncompressed_len(&self) -> usize {
        HEADER_LEN + self.records.len()
    }

    /// Appends a record at the next offset, `timestamp` in ms. Error: `BuildOverflow`.
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[NewHeader<'_>],
    ) -> Result<(), BatchError> {
        let next = self.last_offset_delta.checked_add(1).ok_or(overflow("records"))?;
        self.append_at(next, timestamp, key, value, headers)
    }

    /// Appends a record at an offset delta above the last one's: compaction leaves gaps.
    /// Error: `BuildOverflow`, also for a delta that does not rise.
    pub fn append_at(
        &mut self,
        offset_delta: i32,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[NewHeader<'_>],
    ) -> Result<(), BatchError> {
        if offset_delta <= self.last_offset_delta {
            return Err(overflow("offset delta"));
        }
        let base = self.base_timestamp.unwrap_or(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(base);
        let mut size = 1 + varlong_len(timestamp_delta) + varint_len(offset_delta);
        size += bytes_len(key)? + bytes_len(value)? + varint_len(as_i32(headers.len(), "headers")?);
        for (key, value) in headers {
            size += bytes_len(Some(key))? + bytes_len(*value)?;
        }
        let declared = as_i32(size, "record")?;
        as_i32(self.uncompressed_len() + size + varint_len(declared), "batch")?;
        self.base_timestamp = Some(base);

        let out = &mut self.records;
        out.reserve(size + varint_len(declared));
        write_varint(out, declared);
        out.push(0);
        write_varlong(out, timestamp_delta);
        write_varint(out, offset_delta);
        write_bytes(out, key);
        write_bytes(out, value);
        write_varint(out, headers.len() as i32);
        for (key, value) in headers {
            write_bytes(out, Some(key));
            write_bytes(out, *value);
        }
        self.count += 1;
        self.last_offset_delta = offset_delta;
        self.max_timestamp = self.max_timestamp.max(timestamp);
        Ok(())
    }

    /// Makes the batch reach up to this offset delta although its last records are gone. Never lowers it.
    pub fn keep_last_offset_delta(&mut self, last_offset_delta: i32) {
        self.last_offset_delta = self.last_offset_delta.max(last_offset_delta);
    }

    /// The finished batch. Errors: `Decompress` naming a codec that failed, `BuildOverflow`.
    pub fn finish(self) -> Result<Vec<u8>, BatchError> {
        let mut out = Vec::new();
        self.finish_into(&mut out)?;
        Ok(out)
    }

    /// Appends the finished batch to `out`. Errors as `finish`; `out` is then left as it was.
    pub fn finish_into(self, out: &mut Vec<u8>) -> Result<(), BatchError> {
        let start = out.len();
        let written = self.write(out, start);
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    fn write(&self, out: &mut Vec<u8>, start: usize) -> Result<(), BatchError> {
        let spec = &self.spec;
        out.reserve(HEADER_LEN + self.records.len());
        out.resize(start + HEADER_LEN, 0);
        // A batch without records has nothing after its header, not even an empty compressed stream.
        if !self.is_empty() {
            compress(spec.codec, spec.level, &self.records, out)?;
        }
        let mut header = BatchHeader {
            base_offset: spec.base_offset,
            length: as_i32(out.len() - start - LENGTH_PREFIX_LEN, "batch")?,
            partition_leader_epoch: spec.partition_leader_epoch,
            magic: MAGIC_V2,
            crc: 0,
            attributes: self.attributes(),
            last_offset_delta: self.last_offset_delta.max(0),
            base_timestamp: self.base_timestamp.unwrap_or(NO_TIMESTAMP),
            max_timestamp: spec.log_append_time.unwrap_or(self.max_timestamp),
            producer_id: spec.producer_id,
            producer_epoch: spec.producer_epoch,
            base_sequence: spec.base_sequence,
            count: self.count,
        };
        put_header(out, start, &header);
        header.crc = crc32c(out.get(start + CRC_START..).unwrap_or_default());
        put_header(out, start, &header);
        Ok(())
    }

    fn attributes(&self) -> i16 {
        let flags = [
            (self.spec.log_append_time.is_some(), attributes::LOG_APPEND_TIME),
            (self.spec.is_transactional, attributes::TRANSACTIONAL),
            (self.spec.is_control, attributes::CONTROL),
            (self.spec.delete_horizon.is_some(), attributes::DELETE_HORIZON),
        ];
        flags.iter().filter(|(set, _)| *set).fold(i16::from(self.spec.codec.id()), |all, (_, bit)| all | bit)
    }
}

fn overflow(what: &'static str) -> BatchError {
    BatchError::BuildOverflow { what }
}

fn as_i32(value: usize, what: &'static str) -> Result<i32, BatchError> {
    i32::try_from(value).map_err(|_| overflow(what))
}

fn bytes_len(bytes: Option<&[u8]>) -> Result<usize, BatchError> {
    match bytes {
        Some(bytes) => Ok(varint_len(as_i32(bytes.len(), "field")?) + bytes.len()),
        None => Ok(varint_len(-1)),
    }
}

fn write_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    write_varint(out, bytes.map_or(-1, |bytes| bytes.len() as i32));
    out.extend_from_slice(bytes.unwrap_or_default());
}

fn put_header(out: &mut [u8], start: usize, header: &BatchHeader) {
    if let Some(slot) = out.get_mut(start..).and_then(|batch| batch.first_chunk_mut()) {
        *slot = header.to_bytes();
    }
}
