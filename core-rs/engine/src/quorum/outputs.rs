//! What the quorum tells its caller: outputs, descriptions and errors. Plain values; no raft type leaves this folder.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::storage::is_full;

use crate::log::CutBytes;

/// One thing that happened, in order; `Quorum::take_outputs` hands them over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuorumOutput {
    /// Records of one committed batch. `proposal_id` is the caller's, or −1 when the batch was replayed at start or
    /// proposed by another node or an earlier start.
    Committed { base_offset: i64, epoch: i32, timestamp: i64, proposal_id: i64, values: Vec<Vec<u8>> },
    /// The leader (node id, −1 = none), its epoch or `caught_up` changed. `high_watermark` is exclusive and counts
    /// control batches too. `caught_up`: this node leads, and everything committed before was delivered.
    Role { leader_id: i32, epoch: i32, high_watermark: i64, caught_up: bool },
    /// Records of the snapshot that this start begins with, in order, before anything else.
    Snapshot { end_offset: i64, epoch: i32, timestamp: i64, done: bool, values: Vec<Vec<u8>> },
    /// A piece of a snapshot was written, the last one when the snapshot stands; or why there will be none.
    SnapshotWritten { end_offset: i64, position: i32, failure: Option<String> },
    /// A snapshot that could not be read, and was passed over for an older one or the log.
    SnapshotDamaged { file: PathBuf, reason: String },
    /// Recovery took a damaged tail out of a file.
    LogCut(CutBytes),
    /// A proposal that will never commit under this id.
    Dropped { proposal_id: i64, error: ProposeError },
    /// There is no room for what is to be written next: nothing more commits until there is, and nothing is lost.
    /// Told for every attempt.
    Full(String),
    /// Storage failed or raft panicked: this quorum does nothing any more. Delivered once, as the last output.
    Fault(String),
}

/// Why a proposal was refused or dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProposeError {
    #[error("this node does not lead the metadata quorum")]
    NotLeader,
    #[error("the proposal holds no records")]
    Empty,
    #[error("the proposal is larger than {} bytes", super::entry::MAX_PAYLOAD_BYTES)]
    TooLarge,
    #[error("too many bytes are waiting to be committed")]
    Busy,
    #[error("the metadata quorum stopped")]
    Stopped,
}

impl ProposeError {
    /// Kafka's error code: NOT_CONTROLLER, INVALID_REQUEST, RECORD_LIST_TOO_LARGE, REQUEST_TIMED_OUT,
    /// KAFKA_STORAGE_ERROR.
    pub const fn code(self) -> i16 {
        match self {
            Self::NotLeader => 41,
            Self::Empty => 42,
            Self::TooLarge => 18,
            Self::Busy => 7,
            Self::Stopped => 56,
        }
    }
}

/// Why a quorum could not be opened or closed.
#[derive(Debug, Error)]
pub enum QuorumError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{} is corrupt at byte {position}: {reason}", path.display())]
    Corrupt { path: PathBuf, position: u64, reason: String },
    #[error("the metadata log: {0}")]
    Log(String),
    #[error("the metadata quorum in {} belongs to node {found}, not to node {expected}", path.display())]
    WrongNode { path: PathBuf, found: i32, expected: i32 },
    #[error("{0}")]
    Fault(String),
}

impl QuorumError {
    /// There was no room: what was synced before is all that there is.
    pub fn is_full(&self) -> bool {
        matches!(self, QuorumError::Io { source, .. } if is_full(source))
    }
}

/// The quorum as DescribeQuorum shows it. Offsets are exclusive ends in the metadata log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumDescription {
    /// Node id, −1 = none known.
    pub leader_id: i32,
    pub epoch: i32,
    pub high_watermark: i64,
    pub voters: Vec<ReplicaDescription>,
    pub observers: Vec<ReplicaDescription>,
}

/// One voter or observer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaDescription {
    pub node_id: i32,
    /// −1 where this node cannot know it: only the leader knows that of others.
    pub log_end_offset: i64,
}
