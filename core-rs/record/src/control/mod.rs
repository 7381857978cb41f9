//! Control records: what brokers write into logs for each other and for read_committed consumers. Encodes and
//! decodes key and value (KIP-98, KIP-595, KIP-630, KIP-853) and makes whole control batches; what a record
//! means is decided elsewhere.

mod fields;
mod quorum;

use crate::batch::NO_PRODUCER_ID;
use crate::builder::{BatchBuilder, BatchSpec};
use crate::error::BatchError;
use crate::records::RecordView;
use fields::{Fields, put_tags};
pub use quorum::{LeaderChange, QuorumVoter, Voter, VoterEndpoint};

/// 16 bytes of a Kafka uuid.
pub type Uuid = [u8; 16];

/// One control record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlRecord {
    /// Types 0 and 1: a transaction was aborted or committed.
    EndTxn(EndTxnMarker),
    /// Type 2: a quorum leader starts its epoch.
    LeaderChange(LeaderChange),
    /// Type 3: the first record of a snapshot; append time, ms, of the last record that it contains.
    SnapshotHeader { last_contained_log_timestamp: i64 },
    /// Type 4: the last record of a snapshot.
    SnapshotFooter,
    /// Type 5: the finalized `kraft.version`.
    KraftVersion { kraft_version: i16 },
    /// Type 6: the quorum's voters.
    Voters(Vec<Voter>),
    /// A type of a later Kafka: readers pass over it.
    Unknown { kind: i16 },
}

/// The outcome of a transaction, with the epoch of the coordinator that wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndTxnMarker {
    pub committed: bool,
    pub coordinator_epoch: i32,
}

const ABORT: i16 = 0;
const COMMIT: i16 = 1;
const LEADER_CHANGE: i16 = 2;
const SNAPSHOT_HEADER: i16 = 3;
const SNAPSHOT_FOOTER: i16 = 4;
const KRAFT_VERSION: i16 = 5;
const VOTERS: i16 = 6;
/// Of the key, of the end marker, and of every quorum record but LeaderChange.
const VERSION_0: i16 = 0;

impl ControlRecord {
    /// The type id in the key.
    pub fn kind(&self) -> i16 {
        match self {
            Self::EndTxn(marker) if marker.committed => COMMIT,
            Self::EndTxn(_) => ABORT,
            Self::LeaderChange(_) => LEADER_CHANGE,
            Self::SnapshotHeader { .. } => SNAPSHOT_HEADER,
            Self::SnapshotFooter => SNAPSHOT_FOOTER,
            Self::KraftVersion { .. } => KRAFT_VERSION,
            Self::Voters(_) => VOTERS,
            Self::Unknown { kind } => *kind,
        }
    }

    /// Reads a record of a control batch. Error: `Control`.
    pub fn decode(record: &RecordView<'_>) -> Result<Self, BatchError> {
        let key = record.key.ok_or(BatchError::Control { what: "null key" })?;
        let kind = decode_kind(key)?;
        let value = || record.value.ok_or(BatchError::Control { what: "null value" }).map(Fields::new);
        match kind {
            ABORT | COMMIT => decode_marker(value()?, kind == COMMIT),
            LEADER_CHANGE => LeaderChange::decode(value()?).map(Self::LeaderChange),
            SNAPSHOT_HEADER => {
                let mut value = versioned(value()?)?;
                Ok(Self::SnapshotHeader { last_contained_log_timestamp: value.i64()? })
            }
            SNAPSHOT_FOOTER => versioned(value()?).map(|_| Self::SnapshotFooter),
            KRAFT_VERSION => Ok(Self::KraftVersion { kraft_version: versioned(value()?)?.i16()? }),
            VOTERS => quorum::decode_voters(versioned(value()?)?).map(Self::Voters),
            kind => Ok(Self::Unknown { kind }),
        }
    }

    /// The key: version 0 and the type.
    pub fn key(&self) -> [u8; 4] {
        let [a, b] = VERSION_0.to_be_bytes();
        let [c, d] = self.kind().to_be_bytes();
        [a, b, c, d]
    }

    /// The value. Error: `BuildOverflow` for more voters or longer names than the format holds.
    pub fn value(&self) -> Result<Vec<u8>, BatchError> {
        let mut out = Vec::new();
        if let Self::LeaderChange(change) = self {
            change.encode(&mut out)?;
            return Ok(out);
        }
        out.extend_from_slice(&VERSION_0.to_be_bytes());
        match self {
            Self::EndTxn(marker) => {
                out.extend_from_slice(&marker.coordinator_epoch.to_be_bytes());
                return Ok(out);
            }
            Self::SnapshotHeader { last_contained_log_timestamp } => {
                out.extend_from_slice(&last_contained_log_timestamp.to_be_bytes());
            }
            Self::KraftVersion { kraft_version } => out.extend_from_slice(&kraft_version.to_be_bytes()),
            Self::Voters(voters) => quorum::encode_voters(voters, &mut out)?,
            Self::LeaderChange(_) | Self::SnapshotFooter | Self::Unknown { .. } => {}
        }
        put_tags(&mut out);
        Ok(out)
    }
}

fn decode_kind(key: &[u8]) -> Result<i16, BatchError> {
    let mut key = Fields::new(key);
    // Later key versions may append fields; version and type stay where they are.
    if key.i16()? < 0 {
        return Err(BatchError::Control { what: "negative key version" });
    }
    key.i16()
}

fn decode_marker(value: Fields<'_>, committed: bool) -> Result<ControlRecord, BatchError> {
    let coordinator_epoch = versioned(value)?.i32()?;
    Ok(ControlRecord::EndTxn(EndTxnMarker { committed, coordinator_epoch }))
}

/// Steps over the version that opens a value; later versions only append.
fn versioned(mut value: Fields<'_>) -> Result<Fields<'_>, BatchError> {
    match value.i16()? {
        0.. => Ok(value),
        _ => Err(BatchError::Control { what: "negative value version" }),
    }
}

/// A whole control batch of `records`, all stamped `timestamp` (ms). `spec` gives offset, leader epoch and, for
/// end markers, the producer; the flags are set here. Errors: `Control` for an end marker without a producer id,
/// beside other records, or for no record at all; `BuildOverflow`.
pub fn control_batch(
    spec: BatchSpec,
    timestamp: i64,
    records: &[ControlRecord],
) -> Result<Vec<u8>, BatchError> {
    let ends_txn = records.iter().any(|record| matches!(record, ControlRecord::EndTxn(_)));
    match records.len() {
        0 => return Err(BatchError::Control { what: "no record" }),
        2.. if ends_txn => return Err(BatchError::Control { what: "an end marker stands alone" }),
        _ if ends_txn && spec.producer_id <= NO_PRODUCER_ID => {
            return Err(BatchError::Control { what: "an end marker needs a producer id" });
        }
        _ => {}
    }
    let spec = BatchSpec { is_control: true, is_transactional: ends_txn, ..spec };
    let mut builder = BatchBuilder::new(spec);
    for record in records {
        builder.append(timestamp, Some(&record.key()), Some(&record.value()?), &[])?;
    }
    builder.finish()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
