//! Every way in which a partition refuses an append or a read. It knows no error code numbers: `api::error` maps.

use std::fmt;
use std::sync::Arc;

use millrace_record::{BatchError, BatchErrorKind};

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
    /// What stands there is not what was written: it is not served, what stands around it is.
    #[error("the records there are damaged: {reason}")]
    Damaged { reason: Arc<str> },
    /// There is no room on its disk; nothing was appended, and the same append may succeed later.
    #[error("the log directory is full: {reason}")]
    Full { reason: Arc<str> },
    #[error("offset {offset} is outside of {start} to {end}")]
    OffsetOutOfRange { offset: i64, start: i64, end: i64 },
    /// A fetch as a replica that this partition does not have.
    #[error("replica {replica_id} is not recognized as a valid replica in leader epoch {leader_epoch}")]
    UnknownReplica { replica_id: i32, leader_epoch: i32, knows_epoch: bool },
    /// The high watermark does not yet reach this leader's first offset.
    #[error("the high watermark lags behind the start of this leader epoch")]
    OffsetNotAvailable,
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A produce request must carry exactly one batch per partition.
    #[error("a produce request must contain exactly one record batch per partition, found {what}")]
    NotOneBatch { what: &'static str },
    #[error("The baseOffset of the record batch should be 0, but it is {offset}")]
    BaseOffset { offset: i64 },
    /// Records that break a rule of the topic.
    #[error("{0}")]
    Records(Box<RefusedRecords>),
    #[error(
        "The size of the current ISR : {isr} is insufficient to satisfy the min.isr requirement of {required}"
    )]
    NotEnoughReplicas { isr: u32, required: u32 },
    #[error("the record batch size is {size} bytes which exceeds the maximum configured value of {max}")]
    BatchTooLarge { size: u64, max: u64 },
    #[error("the batch of {size} bytes exceeds the segment size of {max} bytes")]
    BatchLargerThanSegment { size: u64, max: u64 },
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
    #[error("Record was not part of an ongoing transaction")]
    InvalidTxnState,
    /// A batch of no transaction while its producer has one open.
    #[error("Expected transactional write from producer {producer_id} at offset {offset}")]
    OutsideTxn { producer_id: i64, offset: i64 },
    /// A marker of a transaction coordinator that another one has succeeded.
    #[error("Invalid coordinator epoch for producerId {producer_id}: {epoch} (zombie), {current} (current)")]
    CoordinatorFenced { producer_id: i64, epoch: i32, current: i32 },
    /// DeleteRecords where the topic's `cleanup.policy` does not delete.
    #[error("records of this partition cannot be deleted due to the configured policy")]
    RecordsKept,
    #[error("cannot append to an internal topic")]
    InternalTopic,
}

/// The records for which a whole batch is refused, first to last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefusedRecords {
    /// A timestamp is among the reasons.
    pub by_timestamp: bool,
    /// All of them; `named` stops at a bound.
    pub total: usize,
    pub named: Vec<RefusedRecord>,
}

/// One of them: its place in the batch, counted from 0, and Kafka's sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedRecord {
    pub index: i32,
    pub message: String,
}

/// What Kafka says of the batch as a whole.
impl fmt::Display for RefusedRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.by_timestamp {
            return f.write_str("One or more records have been rejected due to invalid timestamp");
        }
        let total = self.total;
        write!(
            f,
            "One or more records have been rejected due to {total} record errors in total, \
             and only showing the first three errors at most: ["
        )?;
        for (place, RefusedRecord { index, message }) in self.named.iter().take(3).enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}RecordError(batchIndex={index}, message='{message}')")?;
        }
        f.write_str("]")
    }
}

impl PartitionError {
    /// Whether the request itself is refused for its shape, before anybody asks for acks, leader or replicas.
    pub fn is_of_shape(&self) -> bool {
        matches!(self, PartitionError::NotOneBatch { .. } | PartitionError::ZstdTooEarly { .. })
    }

    /// The records in the batch that the refusal is about, each with its message.
    pub fn record_errors(&self) -> Vec<(i32, String)> {
        match self {
            PartitionError::Records(refused) => {
                refused.named.iter().map(|record| (record.index, record.message.clone())).collect()
            }
            PartitionError::Batch(BatchError::Record { index, .. }) => vec![(*index, self.to_string())],
            _ => Vec::new(),
        }
    }

    /// Whether Kafka tells the log start beside this refusal of a produce: not when it refused before it looked at the
    /// log, nor for these few kinds.
    pub fn tells_log_start(&self) -> bool {
        match self {
            PartitionError::Records(_)
            | PartitionError::BaseOffset { .. }
            | PartitionError::NotEnoughReplicas { .. }
            | PartitionError::OutOfOrderSequence { .. }
            | PartitionError::InvalidProducerEpoch { .. }
            | PartitionError::OutsideTxn { .. }
            | PartitionError::InvalidTxnState => true,
            PartitionError::Batch(error) => {
                !matches!(error.kind(), BatchErrorKind::CorruptMessage | BatchErrorKind::RecordTooLarge)
            }
            _ => false,
        }
    }
}
