//! What a partition remembers of idempotent producers: epoch and the last five batches of each, so that a retry gets
//! its first answer and a gap is refused (KIP-98; Kafka's ProducerStateManager). Transactions are not tracked yet.

use std::collections::BTreeMap;

use millrace_record::BatchHeader;
use millrace_record::batch::{NO_SEQUENCE, increment_sequence};

use super::PartitionError;
use crate::log::producer_snapshot::ProducerSnapshotEntry;

/// Batches remembered per producer: a client has at most five requests in flight.
const REMEMBERED: usize = 5;
/// `producer.id.expiration.ms`: a producer that wrote nothing for a day is forgotten.
pub const PRODUCER_EXPIRATION_MS: i64 = 24 * 60 * 60 * 1000;
/// Producers that one partition remembers. Kafka has no such bound, and a client may make up producer ids as fast as
/// it can write: past it, those whose last append is the oldest are forgotten, as if they had expired.
pub const MAX_PRODUCERS: usize = 20_000;
/// How many are forgotten at a time, so that a flood pays for the search once in a while only.
const FORGOTTEN_AT_ONCE: usize = MAX_PRODUCERS / 10;

/// One batch of a producer, as remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchMetadata {
    pub last_sequence: i32,
    pub last_offset: i64,
    /// Last offset − first offset.
    pub offset_delta: i32,
    /// Its largest timestamp, ms.
    pub timestamp: i64,
}

impl BatchMetadata {
    pub fn first_offset(&self) -> i64 {
        self.last_offset.wrapping_sub(i64::from(self.offset_delta))
    }

    fn first_sequence(&self) -> i32 {
        // Sequences wrap from i32::MAX to 0.
        let first = i64::from(self.last_sequence) - i64::from(self.offset_delta);
        (first & i64::from(i32::MAX)) as i32
    }
}

#[derive(Clone, Debug)]
struct Producer {
    epoch: i16,
    /// Oldest first; empty after nothing but a marker.
    batches: Vec<BatchMetadata>,
    /// When it last wrote, ms of the wall clock in its batches.
    last_timestamp: i64,
    /// Of the last transaction marker; −1 when there was none.
    coordinator_epoch: i32,
    current_txn_first_offset: i64,
}

impl Producer {
    fn new(epoch: i16) -> Producer {
        Producer {
            epoch,
            batches: Vec::new(),
            last_timestamp: -1,
            coordinator_epoch: -1,
            current_txn_first_offset: -1,
        }
    }

    fn remember(&mut self, batch: BatchMetadata) {
        if self.batches.len() == REMEMBERED {
            self.batches.remove(0);
        }
        self.batches.push(batch);
        self.last_timestamp = batch.timestamp;
    }

    fn last_sequence(&self) -> i32 {
        self.batches.last().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }
}

/// An idempotent batch on its way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncomingBatch {
    pub producer_id: i64,
    pub epoch: i16,
    pub base_sequence: i32,
    pub last_offset_delta: i32,
}

impl IncomingBatch {
    fn last_sequence(&self) -> i32 {
        increment_sequence(self.base_sequence, self.last_offset_delta)
    }
}

/// Every producer of one partition that has not expired.
#[derive(Clone, Debug, Default)]
pub struct ProducerStates {
    by_id: BTreeMap<i64, Producer>,
}

impl ProducerStates {
    pub fn from_snapshot(entries: &[ProducerSnapshotEntry]) -> ProducerStates {
        let producer = |entry: &ProducerSnapshotEntry| {
            let mut producer = Producer::new(entry.epoch);
            if entry.last_offset >= 0 {
                producer.remember(BatchMetadata {
                    last_sequence: entry.last_sequence,
                    last_offset: entry.last_offset,
                    offset_delta: entry.offset_delta,
                    timestamp: entry.timestamp,
                });
            }
            producer.last_timestamp = entry.timestamp;
            producer.coordinator_epoch = entry.coordinator_epoch;
            producer.current_txn_first_offset = entry.current_txn_first_offset;
            (entry.producer_id, producer)
        };
        ProducerStates { by_id: entries.iter().map(producer).collect() }
    }

    /// Kafka's snapshot keeps the last batch of each producer only.
    pub fn snapshot(&self) -> Vec<ProducerSnapshotEntry> {
        let entry = |(&producer_id, producer): (&i64, &Producer)| {
            let last = producer.batches.last();
            ProducerSnapshotEntry {
                producer_id,
                epoch: producer.epoch,
                last_sequence: producer.last_sequence(),
                last_offset: last.map_or(-1, |batch| batch.last_offset),
                offset_delta: last.map_or(0, |batch| batch.offset_delta),
                timestamp: producer.last_timestamp,
                coordinator_epoch: producer.coordinator_epoch,
                current_txn_first_offset: producer.current_txn_first_offset,
            }
        };
        self.by_id.iter().map(entry).collect()
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Forgets who wrote nothing for `expiration_ms` and has no open transaction.
    pub fn expire(&mut self, wall_ms: i64, expiration_ms: i64) {
        self.by_id.retain(|_, producer| {
            producer.current_txn_first_offset >= 0
                || wall_ms.saturating_sub(producer.last_timestamp) < expiration_ms
        });
    }

    /// Judges a client's batch that would get `end_offset`: `Ok(None)` = append it, `Ok(Some(batch))` = it was
    /// appended before as `batch`.
    ///
    /// Errors: `InvalidProducerEpoch`, `OutOfOrderSequence`. A producer nobody remembers may begin at any sequence,
    /// as retention may have taken its state.
    pub fn check(
        &self,
        incoming: &IncomingBatch,
        end_offset: i64,
    ) -> Result<Option<BatchMetadata>, PartitionError> {
        let Some(known) = self.by_id.get(&incoming.producer_id) else { return Ok(None) };
        if incoming.epoch == known.epoch
            && let Some(duplicate) = known.batches.iter().find(|batch| {
                batch.first_sequence() == incoming.base_sequence
                    && batch.last_sequence == incoming.last_sequence()
            })
        {
            return Ok(Some(*duplicate));
        }
        if incoming.epoch < known.epoch {
            return Err(PartitionError::InvalidProducerEpoch {
                producer_id: incoming.producer_id,
                epoch: incoming.epoch,
                current: known.epoch,
            });
        }
        let last = if incoming.epoch == known.epoch { known.last_sequence() } else { NO_SEQUENCE };
        // From "nothing yet" (−1) the next is 0, as it is after the largest sequence.
        if increment_sequence(last, 1) == incoming.base_sequence {
            return Ok(None);
        }
        Err(PartitionError::OutOfOrderSequence {
            producer_id: incoming.producer_id,
            offset: end_offset,
            sequence: incoming.base_sequence,
            expected_after: last,
        })
    }

    /// Whether remembering this producer makes others be forgotten: the moment to let go of whoever has expired.
    pub fn is_full_for(&self, producer_id: i64) -> bool {
        self.by_id.len() >= MAX_PRODUCERS && !self.by_id.contains_key(&producer_id)
    }

    /// Makes room by forgetting those whose last append is the oldest; never one with an open transaction.
    fn forget_oldest(&mut self) {
        let last_offset = |producer: &Producer| producer.batches.last().map_or(-1, |batch| batch.last_offset);
        let idle = |producer: &Producer| producer.current_txn_first_offset < 0;
        let mut ends: Vec<i64> =
            self.by_id.values().filter(|producer| idle(producer)).map(last_offset).collect();
        ends.sort_unstable();
        let Some(&newest) = ends.get(FORGOTTEN_AT_ONCE.min(ends.len()).wrapping_sub(1)) else { return };
        self.by_id.retain(|_, producer| !idle(producer) || last_offset(producer) > newest);
    }

    /// Remembers a batch that was appended. `timestamp` is its largest, ms.
    pub fn appended(&mut self, incoming: &IncomingBatch, last_offset: i64, timestamp: i64) {
        if self.is_full_for(incoming.producer_id) {
            self.forget_oldest();
        }
        let producer =
            self.by_id.entry(incoming.producer_id).or_insert_with(|| Producer::new(incoming.epoch));
        if producer.epoch != incoming.epoch {
            producer.epoch = incoming.epoch;
            producer.batches.clear();
        }
        producer.remember(BatchMetadata {
            last_sequence: incoming.last_sequence(),
            last_offset,
            offset_delta: incoming.last_offset_delta,
            timestamp,
        });
    }

    /// Takes over a batch that stands in the log already, whatever it is.
    pub fn replay(&mut self, header: &BatchHeader) {
        if !header.has_producer_id() {
            return;
        }
        if header.is_control() {
            let producer =
                self.by_id.entry(header.producer_id).or_insert_with(|| Producer::new(header.producer_epoch));
            if header.producer_epoch > producer.epoch {
                producer.epoch = header.producer_epoch;
                producer.batches.clear();
            }
            producer.last_timestamp = header.max_timestamp;
            producer.current_txn_first_offset = -1;
            return;
        }
        let incoming = IncomingBatch {
            producer_id: header.producer_id,
            epoch: header.producer_epoch,
            base_sequence: header.base_sequence,
            last_offset_delta: header.last_offset_delta,
        };
        self.appended(&incoming, header.last_offset(), header.max_timestamp);
    }
}
