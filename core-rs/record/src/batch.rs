//! The record batch v2 header and zero-copy views of whole batches. It reads fields and finds batch borders; it
//! never judges records (see `validate`) and never changes bytes (see `patch`).

use crate::codec::Codec;
use crate::crc::crc32c;
use crate::error::BatchError;

/// Bytes of a batch header, from base offset to record count.
pub const HEADER_LEN: usize = 61;
/// Bytes before what the length field counts: base offset (8) and the length itself (4).
pub const LENGTH_PREFIX_LEN: usize = 12;
/// Bytes up to and with the magic, enough to tell a batch's format.
pub const MAGIC_END: usize = 17;
/// Where the bytes that the CRC covers begin: the attributes.
pub const CRC_START: usize = 21;
/// The only magic served.
pub const MAGIC_V2: i8 = 2;
/// Producer id of batches that are not idempotent.
pub const NO_PRODUCER_ID: i64 = -1;
/// Timestamp of a record that has none.
pub const NO_TIMESTAMP: i64 = -1;
/// Sequence of batches that are not idempotent, and of those that brokers write.
pub const NO_SEQUENCE: i32 = -1;

/// Bits of the attributes field.
pub mod attributes {
    pub const CODEC_MASK: i16 = 0x07;
    pub const LOG_APPEND_TIME: i16 = 0x08;
    pub const TRANSACTIONAL: i16 = 0x10;
    pub const CONTROL: i16 = 0x20;
    pub const DELETE_HORIZON: i16 = 0x40;
    /// All of these.
    pub const KNOWN: i16 = 0x7f;
}

/// Who sets a batch's timestamps (`message.timestamp.type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimestampType {
    CreateTime,
    LogAppendTime,
}

/// Every header field as it stands in the bytes, with the names of Kafka's RecordBatch schema. Nothing but the
/// magic and the smallest length is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    pub base_offset: i64,
    /// Bytes after this field, at least 49.
    pub length: i32,
    pub partition_leader_epoch: i32,
    pub magic: i8,
    pub crc: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    /// First record's timestamp; the delete horizon in a batch that `has_delete_horizon`.
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub count: i32,
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`, which may hold less or more than the batch.
    ///
    /// Errors: `OldMagic` and `UnknownMagic` as soon as 17 bytes are there, `Length`, `Truncated`.
    pub fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        if let Some(&[magic]) = bytes.get(MAGIC_END - 1..MAGIC_END) {
            match magic as i8 {
                MAGIC_V2 => {}
                magic @ 0..=1 => return Err(BatchError::OldMagic { magic }),
                magic => return Err(BatchError::UnknownMagic { magic }),
            }
        }
        let truncated = BatchError::Truncated { needed: HEADER_LEN, available: bytes.len() };
        let header = Self::read(bytes).ok_or(truncated)?;
        if header.length < (HEADER_LEN - LENGTH_PREFIX_LEN) as i32 {
            return Err(BatchError::Length { length: header.length });
        }
        Ok(header)
    }

    fn read(mut bytes: &[u8]) -> Option<Self> {
        let b = &mut bytes;
        Some(Self {
            base_offset: i64::from_be_bytes(take(b)?),
            length: i32::from_be_bytes(take(b)?),
            partition_leader_epoch: i32::from_be_bytes(take(b)?),
            magic: i8::from_be_bytes(take(b)?),
            crc: u32::from_be_bytes(take(b)?),
            attributes: i16::from_be_bytes(take(b)?),
            last_offset_delta: i32::from_be_bytes(take(b)?),
            base_timestamp: i64::from_be_bytes(take(b)?),
            max_timestamp: i64::from_be_bytes(take(b)?),
            producer_id: i64::from_be_bytes(take(b)?),
            producer_epoch: i16::from_be_bytes(take(b)?),
            base_sequence: i32::from_be_bytes(take(b)?),
            count: i32::from_be_bytes(take(b)?),
        })
    }

    /// The 61 bytes of this header.
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        let fields: [&[u8]; 13] = [
            &self.base_offset.to_be_bytes(),
            &self.length.to_be_bytes(),
            &self.partition_leader_epoch.to_be_bytes(),
            &self.magic.to_be_bytes(),
            &self.crc.to_be_bytes(),
            &self.attributes.to_be_bytes(),
            &self.last_offset_delta.to_be_bytes(),
            &self.base_timestamp.to_be_bytes(),
            &self.max_timestamp.to_be_bytes(),
            &self.producer_id.to_be_bytes(),
            &self.producer_epoch.to_be_bytes(),
            &self.base_sequence.to_be_bytes(),
            &self.count.to_be_bytes(),
        ];
        for (slot, byte) in out.iter_mut().zip(fields.into_iter().flatten()) {
            *slot = *byte;
        }
        out
    }

    /// Bytes of the whole batch, header included.
    pub fn total_len(&self) -> usize {
        LENGTH_PREFIX_LEN + usize::try_from(self.length).unwrap_or(0)
    }

    /// Offset of the last record, inclusive.
    pub fn last_offset(&self) -> i64 {
        self.base_offset.wrapping_add(i64::from(self.last_offset_delta))
    }

    /// Offset after the last record: where the next batch begins.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().wrapping_add(1)
    }

    /// Error: `UnknownCodec` for the ids 5 to 7.
    pub fn codec(&self) -> Result<Codec, BatchError> {
        let id = (self.attributes & attributes::CODEC_MASK) as u8;
        Codec::from_id(id).ok_or(BatchError::UnknownCodec { id })
    }

    pub fn timestamp_type(&self) -> TimestampType {
        match self.attributes & attributes::LOG_APPEND_TIME {
            0 => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        }
    }

    pub fn is_transactional(&self) -> bool {
        self.attributes & attributes::TRANSACTIONAL != 0
    }

    pub fn is_control(&self) -> bool {
        self.attributes & attributes::CONTROL != 0
    }

    /// Whether the base timestamp is the time at which tombstones and markers in this batch may be deleted.
    pub fn has_delete_horizon(&self) -> bool {
        self.attributes & attributes::DELETE_HORIZON != 0
    }

    pub fn has_producer_id(&self) -> bool {
        self.producer_id > NO_PRODUCER_ID
    }

    /// Sequence of the last record: sequences wrap from i32::MAX to 0. −1 in a batch without sequences.
    pub fn last_sequence(&self) -> i32 {
        match self.base_sequence {
            NO_SEQUENCE => NO_SEQUENCE,
            base => increment_sequence(base, self.last_offset_delta),
        }
    }
}

/// Adds to a producer sequence, which wraps from i32::MAX to 0.
pub fn increment_sequence(sequence: i32, by: i32) -> i32 {
    ((i64::from(sequence) + i64::from(by)) & i64::from(i32::MAX)) as i32
}

/// One whole batch over borrowed bytes; dereferences to its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchView<'a> {
    header: BatchHeader,
    bytes: &'a [u8],
}

impl std::ops::Deref for BatchView<'_> {
    type Target = BatchHeader;

    fn deref(&self) -> &BatchHeader {
        &self.header
    }
}

impl<'a> BatchView<'a> {
    /// The batch at the start of `bytes`; what follows it is not part of the view.
    ///
    /// Errors: those of `BatchHeader::parse`, and `Truncated` if `bytes` ends before the batch does.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BatchError> {
        let header = BatchHeader::parse(bytes)?;
        let needed = header.total_len();
        match bytes.get(..needed) {
            Some(bytes) => Ok(Self { header, bytes }),
            None => Err(BatchError::Truncated { needed, available: bytes.len() }),
        }
    }

    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch, header included; exactly `total_len` bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// What follows the header: records, compressed as `codec` says.
    pub fn records_bytes(&self) -> &'a [u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or_default()
    }

    /// CRC-32C of what the stored CRC covers, attributes to end.
    pub fn computed_crc(&self) -> u32 {
        crc32c(self.bytes.get(CRC_START..).unwrap_or_default())
    }

    /// Error: `Crc` when the stored and the computed sum differ.
    pub fn check_crc(&self) -> Result<(), BatchError> {
        let (stored, computed) = (self.crc, self.computed_crc());
        if stored == computed { Ok(()) } else { Err(BatchError::Crc { stored, computed }) }
    }
}

/// The batches of a records field or of a region of a log file, first to last; see `split_batches`.
#[derive(Debug, Clone)]
pub struct Batches<'a> {
    bytes: &'a [u8],
    position: usize,
    failed: bool,
}

/// Cuts `bytes` into batches. An error ends the iteration; a batch that the end of `bytes` cuts is `Truncated`.
pub fn split_batches(bytes: &[u8]) -> Batches<'_> {
    Batches { bytes, position: 0, failed: false }
}

impl Batches<'_> {
    /// Bytes consumed: where the next batch starts, or the one that failed.
    pub fn position(&self) -> usize {
        self.position
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<BatchView<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        if self.failed || rest.is_empty() {
            return None;
        }
        let batch = BatchView::parse(rest);
        match &batch {
            Ok(batch) => self.position += batch.bytes.len(),
            Err(_) => self.failed = true,
        }
        Some(batch)
    }
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
