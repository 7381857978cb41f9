//! What a partition remembers of idempotent and transactional producers: epoch, the last five batches and the open
//! transaction of each, so that a retry gets its first answer, a gap is refused and a marker ends what it is for
//! (KIP-98; Kafka's ProducerStateManager).

use std::collections::BTreeMap;

use millrace_record::BatchHeader;
use millrace_record::batch::{NO_SEQUENCE, increment_sequence};

use super::PartitionError;
use super::transactions::Transactions;
use crate::log::producer_snapshot::ProducerSnapshotEntry;
use crate::log::{AbortedTxn, LogPosition};

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
    /// −1 when no transaction is open.
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

    /// Any other epoch than the last one begins anew.
    fn enter_epoch(&mut self, epoch: i16) {
        if self.epoch != epoch {
            self.epoch = epoch;
            self.batches.clear();
        }
    }

    fn remember(&mut self, batch: BatchMetadata) {
        if self.batches.len() == REMEMBERED {
            self.batches.remove(0);
        }
        self.batches.push(batch);
        self.last_timestamp = batch.timestamp;
    }

    /// The batch remembered that `incoming` repeats.
    fn duplicate_of(&self, incoming: &IncomingBatch) -> Option<&BatchMetadata> {
        let same = |batch: &&BatchMetadata| {
            batch.first_sequence() == incoming.base_sequence
                && batch.last_sequence == incoming.last_sequence()
        };
        self.batches.iter().find(same).filter(|_| incoming.epoch == self.epoch)
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
    pub is_transactional: bool,
}

impl IncomingBatch {
    pub fn of(header: &BatchHeader) -> IncomingBatch {
        IncomingBatch {
            producer_id: header.producer_id,
            epoch: header.producer_epoch,
            base_sequence: header.base_sequence,
            last_offset_delta: header.last_offset_delta,
            is_transactional: header.is_transactional(),
        }
    }

    fn last_sequence(&self) -> i32 {
        increment_sequence(self.base_sequence, self.last_offset_delta)
    }
}

/// The end of a producer's transaction, as its marker tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxnEnd {
    pub producer_id: i64,
    pub epoch: i16,
    pub coordinator_epoch: i32,
    pub committed: bool,
}

/// Producers as they were before batches were remembered that are not written yet; none of a transaction.
#[derive(Debug, Default)]
pub struct Undo {
    before: Vec<(i64, Option<Producer>)>,
}

/// Every producer of one partition that has not expired.
#[derive(Clone, Debug, Default)]
pub struct ProducerStates {
    by_id: BTreeMap<i64, Producer>,
    transactions: Transactions,
}

impl ProducerStates {
    pub fn from_snapshot(entries: &[ProducerSnapshotEntry]) -> ProducerStates {
        let mut transactions = Transactions::default();
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
            if entry.current_txn_first_offset >= 0 {
                producer.current_txn_first_offset = entry.current_txn_first_offset;
                transactions.restore(entry.current_txn_first_offset);
            }
            (entry.producer_id, producer)
        };
        let by_id = entries.iter().map(producer).collect();
        ProducerStates { by_id, transactions }
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
    /// Errors: `InvalidProducerEpoch`, `OutOfOrderSequence`, `OutsideTxn`. A producer nobody remembers may begin at
    /// any sequence, as retention may have taken its state.
    pub fn check(
        &self,
        incoming: &IncomingBatch,
        end_offset: i64,
    ) -> Result<Option<BatchMetadata>, PartitionError> {
        let Some(known) = self.by_id.get(&incoming.producer_id) else { return Ok(None) };
        if let Some(duplicate) = known.duplicate_of(incoming) {
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
        if increment_sequence(last, 1) != incoming.base_sequence {
            return Err(PartitionError::OutOfOrderSequence {
                producer_id: incoming.producer_id,
                offset: end_offset,
                sequence: incoming.base_sequence,
                expected_after: last,
            });
        }
        if known.current_txn_first_offset >= 0 && !incoming.is_transactional {
            return Err(PartitionError::OutsideTxn { producer_id: incoming.producer_id, offset: end_offset });
        }
        Ok(None)
    }

    /// Judges a transactional batch that no coordinator has vouched for, in Kafka's order: a retry of what was
    /// appended is fine.
    ///
    /// Errors: `InvalidProducerEpoch` for a stale epoch, `InvalidTxnState`.
    pub fn check_unverified(&self, incoming: &IncomingBatch) -> Result<(), PartitionError> {
        match self.by_id.get(&incoming.producer_id) {
            Some(known) if known.duplicate_of(incoming).is_some() => Ok(()),
            Some(known) if incoming.epoch < known.epoch => Err(PartitionError::InvalidProducerEpoch {
                producer_id: incoming.producer_id,
                epoch: incoming.epoch,
                current: known.epoch,
            }),
            _ => Err(PartitionError::InvalidTxnState),
        }
    }

    /// Judges a marker before it is appended. With `transaction_version` 2 and above every transaction has an epoch
    /// of its own, one below its marker's (KIP-890, KIP-1228): a marker of the epoch in force is a late one, unless no
    /// transaction is open, when it repeats the last.
    ///
    /// Errors: `InvalidProducerEpoch`, `CoordinatorFenced`.
    pub fn check_end(&self, end: &TxnEnd, transaction_version: i16) -> Result<(), PartitionError> {
        let Some(known) = self.by_id.get(&end.producer_id) else { return Ok(()) };
        let repeats = end.epoch == known.epoch && known.current_txn_first_offset < 0;
        let late = match transaction_version {
            ..2 => end.epoch < known.epoch,
            _ => end.epoch <= known.epoch && !repeats,
        };
        if late {
            return Err(PartitionError::InvalidProducerEpoch {
                producer_id: end.producer_id,
                epoch: end.epoch,
                current: known.epoch,
            });
        }
        if end.coordinator_epoch < known.coordinator_epoch {
            return Err(PartitionError::CoordinatorFenced {
                producer_id: end.producer_id,
                epoch: end.coordinator_epoch,
                current: known.coordinator_epoch,
            });
        }
        Ok(())
    }

    /// Takes over a marker that stands at `offset`, of `timestamp` in ms. Returns the transaction that it aborted; one
    /// without records in this partition is none.
    pub fn ended(&mut self, end: &TxnEnd, offset: i64, timestamp: i64) -> Option<AbortedTxn> {
        let producer = self.remembered(end.producer_id, end.epoch);
        let first_offset = std::mem::replace(&mut producer.current_txn_first_offset, -1);
        producer.enter_epoch(end.epoch);
        producer.coordinator_epoch = end.coordinator_epoch;
        producer.last_timestamp = timestamp;
        if first_offset < 0 {
            return None;
        }
        let last_stable_offset = self.transactions.end(first_offset, offset);
        let aborted = AbortedTxn {
            producer_id: end.producer_id,
            first_offset,
            last_offset: offset,
            last_stable_offset,
        };
        (!end.committed).then_some(aborted)
    }

    /// The high watermark has reached this: markers below it are there for good.
    pub fn replicated(&mut self, high_watermark: i64) {
        self.transactions.replicated(high_watermark);
    }

    /// The first offset that belongs to a transaction whose end is not known for good, and where it stands if that is
    /// known.
    pub fn first_unstable(&self) -> Option<(i64, Option<LogPosition>)> {
        self.transactions.first_unstable()
    }

    /// The log's files are others now: where things stand is to be looked up.
    pub fn forget_positions(&mut self) {
        self.transactions.forget_positions();
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

    /// Remembers a batch that was appended at `first`, up to `last_offset`. `timestamp` is its largest, ms.
    pub fn appended(
        &mut self,
        incoming: &IncomingBatch,
        first: LogPosition,
        last_offset: i64,
        timestamp: i64,
    ) {
        let producer = self.remembered(incoming.producer_id, incoming.epoch);
        producer.enter_epoch(incoming.epoch);
        producer.remember(BatchMetadata {
            last_sequence: incoming.last_sequence(),
            last_offset,
            offset_delta: incoming.last_offset_delta,
            timestamp,
        });
        if incoming.is_transactional && producer.current_txn_first_offset < 0 {
            producer.current_txn_first_offset = first.offset;
            self.transactions.begin(first);
        }
    }

    /// Before a batch is remembered that may have to be taken back.
    pub fn note(&self, producer_id: i64, undo: &mut Undo) {
        if !undo.before.iter().any(|(noted, _)| *noted == producer_id) {
            undo.before.push((producer_id, self.by_id.get(&producer_id).cloned()));
        }
    }

    /// The producers that were noted are again what they were.
    pub fn take_back(&mut self, undo: Undo) {
        for (producer_id, before) in undo.before {
            match before {
                Some(before) => self.by_id.insert(producer_id, before),
                None => self.by_id.remove(&producer_id),
            };
        }
    }

    /// The producer as it is remembered, from now on if it was not.
    fn remembered(&mut self, producer_id: i64, epoch: i16) -> &mut Producer {
        if self.is_full_for(producer_id) {
            self.forget_oldest();
        }
        self.by_id.entry(producer_id).or_insert_with(|| Producer::new(epoch))
    }
}
