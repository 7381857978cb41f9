//! Every way in which a partition refuses an append or a read. It knows no error code numbers: `api::error` maps.

use std::sync::Arc;

use millrace_record::BatchError;

/// Why a partition refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartitionError {
    #[error("this broker is not the leader of the partition")]
    NotLeader,
    /// The request knows an older epoch than this leader has.
    #[error("leader epoch {requested} is older than the current epoch {current}")]
    FencedLeaderEpoch { requested: i32, current: i32 },
    /// The request knows a newer epoch than this leader has.
    #[error("leader epoch {requested} is newer than the current epoch {current}")]
    UnknownLeaderEpoch { requested: i32, current: i32 },
    #[error("this topic has no such partition")]
    Unknown,
    #[error("the partition was deleted")]
    Deleted,
    /// Its disk failed, its bytes are corrupt, or a panic left its state in doubt: nothing is served any more.
    #[error("the partition is offline: {reason}")]
    Offline { reason: Arc<str> },
    #[error("offset {offset} is outside of {start} to {end}")]
    OffsetOutOfRange { offset: i64, start: i64, end: i64 },
    /// The high watermark does not yet reach this leader's first offset.
    #[error("the high watermark lags behind the start of this leader epoch")]
    OffsetNotAvailable,
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A produce request must carry exactly one batch per partition.
    #[error("a produce request must contain exactly one record batch per partition, found {what}")]
    NotOneBatch { what: &'static str },
    #[error("compacted topic cannot accept message without key")]
    MissingKey { index: i32 },
    #[error("the record batch size is {size} bytes which exceeds the maximum configured value of {max}")]
    BatchTooLarge { size: u64, max: u64 },
    #[error("the batch of {size} bytes exceeds the segment size of {max} bytes")]
    BatchLargerThanSegment { size: u64, max: u64 },
    #[error("timestamp {timestamp} of record {index} is out of range [{earliest}, {latest}]")]
    Timestamp { index: i32, timestamp: i64, earliest: i64, latest: i64 },
    #[error("produce version {version} must not use zstd")]
    ZstdTooEarly { version: i16 },
    #[error(
        "out of order sequence number for producer {producer_id} at offset {offset}: {sequence} (incoming), {expected_after} (current end)"
    )]
    OutOfOrderSequence { producer_id: i64, offset: i64, sequence: i32, expected_after: i32 },
    #[error(
        "epoch of producer {producer_id} is {epoch}, which is smaller than the last seen epoch {current}"
    )]
    InvalidProducerEpoch { producer_id: i64, epoch: i16, current: i16 },
    #[error("record was not part of an ongoing transaction")]
    InvalidTxnState,
    #[error("cannot append to an internal topic")]
    InternalTopic,
}

impl PartitionError {
    /// The record in the batch that the refusal is about, counted from 0.
    pub fn record_index(&self) -> Option<i32> {
        match self {
            PartitionError::Timestamp { index, .. } | PartitionError::MissingKey { index } => Some(*index),
            PartitionError::Batch(BatchError::Record { index, .. }) => Some(*index),
            _ => None,
        }
    }
}
