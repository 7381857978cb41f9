//! The one map from what can go wrong in the data plane to Kafka's error codes and the messages beside them.
//! Nothing else in the engine names a code's number.

use millrace_record::BatchErrorKind;

use crate::partition::PartitionError;

/// A Kafka error code as it stands on the wire (org.apache.kafka.common.protocol.Errors).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ErrorCode(pub i16);

impl ErrorCode {
    pub const UNKNOWN_SERVER_ERROR: ErrorCode = ErrorCode(-1);
    pub const NONE: ErrorCode = ErrorCode(0);
    pub const OFFSET_OUT_OF_RANGE: ErrorCode = ErrorCode(1);
    pub const CORRUPT_MESSAGE: ErrorCode = ErrorCode(2);
    pub const UNKNOWN_TOPIC_OR_PARTITION: ErrorCode = ErrorCode(3);
    pub const LEADER_NOT_AVAILABLE: ErrorCode = ErrorCode(5);
    pub const NOT_LEADER_OR_FOLLOWER: ErrorCode = ErrorCode(6);
    pub const REQUEST_TIMED_OUT: ErrorCode = ErrorCode(7);
    pub const MESSAGE_TOO_LARGE: ErrorCode = ErrorCode(10);
    pub const INVALID_TOPIC_EXCEPTION: ErrorCode = ErrorCode(17);
    pub const RECORD_LIST_TOO_LARGE: ErrorCode = ErrorCode(18);
    pub const COORDINATOR_NOT_AVAILABLE: ErrorCode = ErrorCode(15);
    pub const NOT_ENOUGH_REPLICAS: ErrorCode = ErrorCode(19);
    pub const INVALID_REQUIRED_ACKS: ErrorCode = ErrorCode(21);
    pub const TOPIC_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(29);
    pub const INVALID_TIMESTAMP: ErrorCode = ErrorCode(32);
    pub const UNSUPPORTED_VERSION: ErrorCode = ErrorCode(35);
    pub const INVALID_REQUEST: ErrorCode = ErrorCode(42);
    pub const UNSUPPORTED_FOR_MESSAGE_FORMAT: ErrorCode = ErrorCode(43);
    pub const POLICY_VIOLATION: ErrorCode = ErrorCode(44);
    pub const OUT_OF_ORDER_SEQUENCE_NUMBER: ErrorCode = ErrorCode(45);
    pub const INVALID_PRODUCER_EPOCH: ErrorCode = ErrorCode(47);
    pub const INVALID_TXN_STATE: ErrorCode = ErrorCode(48);
    pub const TRANSACTION_COORDINATOR_FENCED: ErrorCode = ErrorCode(52);
    pub const TRANSACTIONAL_ID_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(53);
    pub const KAFKA_STORAGE_ERROR: ErrorCode = ErrorCode(56);
    pub const FETCH_SESSION_ID_NOT_FOUND: ErrorCode = ErrorCode(70);
    pub const INVALID_FETCH_SESSION_EPOCH: ErrorCode = ErrorCode(71);
    pub const FENCED_LEADER_EPOCH: ErrorCode = ErrorCode(74);
    pub const UNKNOWN_LEADER_EPOCH: ErrorCode = ErrorCode(75);
    pub const UNSUPPORTED_COMPRESSION_TYPE: ErrorCode = ErrorCode(76);
    pub const OFFSET_NOT_AVAILABLE: ErrorCode = ErrorCode(78);
    pub const INVALID_RECORD: ErrorCode = ErrorCode(87);
    pub const UNKNOWN_TOPIC_ID: ErrorCode = ErrorCode(100);
    pub const FETCH_SESSION_TOPIC_ID_ERROR: ErrorCode = ErrorCode(106);

    pub fn is_error(self) -> bool {
        self != ErrorCode::NONE
    }
}

impl From<BatchErrorKind> for ErrorCode {
    fn from(kind: BatchErrorKind) -> ErrorCode {
        match kind {
            BatchErrorKind::CorruptMessage => ErrorCode::CORRUPT_MESSAGE,
            BatchErrorKind::RecordTooLarge => ErrorCode::MESSAGE_TOO_LARGE,
            BatchErrorKind::InvalidTimestamp => ErrorCode::INVALID_TIMESTAMP,
            BatchErrorKind::UnsupportedForMessageFormat => ErrorCode::UNSUPPORTED_FOR_MESSAGE_FORMAT,
            BatchErrorKind::UnsupportedCompressionType => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
            BatchErrorKind::InvalidRecord => ErrorCode::INVALID_RECORD,
        }
    }
}

impl From<&PartitionError> for ErrorCode {
    fn from(error: &PartitionError) -> ErrorCode {
        match error {
            PartitionError::NotLeader => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            PartitionError::FencedLeaderEpoch { .. } => ErrorCode::FENCED_LEADER_EPOCH,
            PartitionError::UnknownLeaderEpoch { .. } => ErrorCode::UNKNOWN_LEADER_EPOCH,
            PartitionError::Unknown | PartitionError::Deleted => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            PartitionError::Damaged { .. } => ErrorCode::CORRUPT_MESSAGE,
            // Of all codes for a disk that takes nothing, the one that clients answer by trying again.
            PartitionError::Offline { .. } | PartitionError::Full { .. } => ErrorCode::KAFKA_STORAGE_ERROR,
            PartitionError::OffsetOutOfRange { .. } => ErrorCode::OFFSET_OUT_OF_RANGE,
            // It may be one of an assignment that is still to come; older requests cannot be told so.
            PartitionError::UnknownReplica { knows_epoch: true, .. } => ErrorCode::UNKNOWN_LEADER_EPOCH,
            PartitionError::UnknownReplica { knows_epoch: false, .. } => ErrorCode::NOT_LEADER_OR_FOLLOWER,
            PartitionError::OffsetNotAvailable => ErrorCode::OFFSET_NOT_AVAILABLE,
            PartitionError::Batch(error) => error.kind().into(),
            PartitionError::NotOneBatch { .. } | PartitionError::BaseOffset { .. } => {
                ErrorCode::INVALID_RECORD
            }
            PartitionError::Records(refused) if refused.by_timestamp => ErrorCode::INVALID_TIMESTAMP,
            PartitionError::Records(_) => ErrorCode::INVALID_RECORD,
            PartitionError::NotEnoughReplicas { .. } => ErrorCode::NOT_ENOUGH_REPLICAS,
            PartitionError::BatchTooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
            PartitionError::BatchLargerThanSegment { .. } => ErrorCode::RECORD_LIST_TOO_LARGE,
            PartitionError::ZstdTooEarly { .. } => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
            PartitionError::OutOfOrderSequence { .. } => ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            PartitionError::InvalidProducerEpoch { .. } => ErrorCode::INVALID_PRODUCER_EPOCH,
            PartitionError::InvalidTxnState | PartitionError::OutsideTxn { .. } => {
                ErrorCode::INVALID_TXN_STATE
            }
            PartitionError::CoordinatorFenced { .. } => ErrorCode::TRANSACTION_COORDINATOR_FENCED,
            PartitionError::RecordsKept => ErrorCode::POLICY_VIOLATION,
            PartitionError::InternalTopic => ErrorCode::INVALID_TOPIC_EXCEPTION,
        }
    }
}

impl From<PartitionError> for ErrorCode {
    fn from(error: PartitionError) -> ErrorCode {
        ErrorCode::from(&error)
    }
}
