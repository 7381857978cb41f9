//! Every way in which a batch can be refused, and the Kafka error family each belongs to. It never knows error
//! code numbers: the engine's one error map turns a `BatchErrorKind` into a code.

use crate::codec::Codec;

/// Why a batch was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// Fewer bytes than the header, or than the length inside it, asks for.
    #[error("batch cut short: {needed} bytes needed, {available} available")]
    Truncated { needed: usize, available: usize },
    /// The length field is below the smallest possible batch (49 bytes after it).
    #[error("batch length {length} is impossible")]
    Length { length: i32 },
    /// Magic 0 or 1: a message set from before Kafka 0.11.
    #[error("message format v{magic} is not served, only record batches with magic 2")]
    OldMagic { magic: i8 },
    /// A magic that no Kafka version has ever written.
    #[error("invalid magic {magic}")]
    UnknownMagic { magic: i8 },
    #[error("batch is corrupt (stored crc = {stored}, computed crc = {computed})")]
    Crc { stored: u32, computed: u32 },
    /// The codec bits of the attributes say 5, 6 or 7.
    #[error("unknown compression type id {id}")]
    UnknownCodec { id: u8 },
    #[error("invalid reported count {count} for record batch")]
    Count { count: i32 },
    #[error("inconsistent batch offset range: last offset delta {last_offset_delta}, count {count}")]
    OffsetRange { last_offset_delta: i32, count: i32 },
    #[error("clients are not allowed to write control records")]
    ControlFromClient,
    /// Producer id, epoch and base sequence do not belong together.
    #[error("producer id {producer_id} does not go with epoch {epoch} and sequence {sequence}")]
    Producer { producer_id: i64, epoch: i16, sequence: i32 },
    #[error("a transactional batch needs a producer id")]
    TransactionalWithoutProducer,
    #[error("a producer must not set the timestamp type to LogAppendTime")]
    LogAppendTimeFromClient,
    /// One record inside is malformed; `index` counts from 0.
    #[error("record {index}: {fault}")]
    Record { index: i32, fault: RecordFault },
    #[error("bytes remain after the last of {count} records")]
    TrailingBytes { count: i32 },
    /// The codec could not decode the compressed records.
    #[error("cannot decompress {codec}: {reason}")]
    Decompress { codec: Codec, reason: String },
    /// Decompression would pass the caller's cap.
    #[error("decompressed records exceed {cap} bytes")]
    DecompressedTooLarge { cap: u64 },
    /// What is to be built does not fit the format's 32-bit sizes or deltas.
    #[error("batch too large to be written: {what}")]
    BuildOverflow { what: &'static str },
    /// A control record's key or value does not follow its schema.
    #[error("malformed control record: {what}")]
    Control { what: &'static str },
}

/// What is wrong with one record of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    #[error("missing: the batch ends before it")]
    Missing,
    #[error("declared size {size} exceeds what follows")]
    Overrun { size: i32 },
    #[error("declared size {size} is impossible")]
    Size { size: i32 },
    #[error("a field runs past the record's end")]
    Field,
    #[error("a varint is too long")]
    Varint,
    #[error("invalid number of headers {count}")]
    HeaderCount { count: i32 },
    #[error("invalid negative header key size")]
    HeaderKey,
    #[error("{left} bytes left over after its last field")]
    Leftover { left: usize },
    #[error("offset delta {delta} where {expected} was expected")]
    OffsetDelta { delta: i32, expected: i32 },
}

/// The Kafka error that a refused batch is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchErrorKind {
    /// CORRUPT_MESSAGE (2), retriable: the bytes are not what the producer meant to send.
    CorruptMessage,
    /// MESSAGE_TOO_LARGE (10), Kafka's RecordTooLargeException.
    RecordTooLarge,
    /// INVALID_TIMESTAMP (32).
    InvalidTimestamp,
    /// UNSUPPORTED_FOR_MESSAGE_FORMAT (43): what a partition in an older format would answer. Ours are all magic 2,
    /// and Kafka answers an older batch with INVALID_RECORD, so no `BatchError` is of this kind.
    UnsupportedForMessageFormat,
    /// UNSUPPORTED_COMPRESSION_TYPE (76).
    UnsupportedCompressionType,
    /// INVALID_RECORD (87).
    InvalidRecord,
}

impl BatchError {
    /// The error family, as Kafka 4's produce path classifies it.
    pub fn kind(&self) -> BatchErrorKind {
        use BatchErrorKind as Kind;
        match self {
            Self::Truncated { .. } | Self::Length { .. } | Self::UnknownMagic { .. } | Self::Crc { .. } => {
                Kind::CorruptMessage
            }
            Self::UnknownCodec { .. } => Kind::UnsupportedCompressionType,
            Self::LogAppendTimeFromClient => Kind::InvalidTimestamp,
            Self::DecompressedTooLarge { .. } | Self::BuildOverflow { .. } => Kind::RecordTooLarge,
            // A stream that does not decode under a correct CRC was sent like that: retrying cannot help, so it
            // is not the retriable CORRUPT_MESSAGE.
            Self::Decompress { .. }
            | Self::OldMagic { .. }
            | Self::Count { .. }
            | Self::OffsetRange { .. }
            | Self::ControlFromClient
            | Self::Producer { .. }
            | Self::TransactionalWithoutProducer
            | Self::Record { .. }
            | Self::TrailingBytes { .. }
            | Self::Control { .. } => Kind::InvalidRecord,
        }
    }
}
