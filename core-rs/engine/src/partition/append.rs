//! The leader's append: producer state judged, offset and epoch patched into the batch, one write, watermark moved.
//! Everything that needs no lock was done before (`validation`).

use std::sync::Arc;

use millrace_record::patch;

use super::producer_state::{BatchMetadata, IncomingBatch, TxnEnd};
use super::{CheckedBatch, Notices, Partition, PartitionConfig, PartitionError, State};
use crate::log::{AppendBatch, LogPosition, RolledSegment};
use crate::time::Now;

/// A batch that stands in the log, just now or since its first attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub base_offset: i64,
    /// Inclusive.
    pub last_offset: i64,
    /// ms, −1 for a topic with CreateTime; of a duplicate the timestamp of the batch remembered, as Kafka answers.
    pub log_append_time: i64,
    pub log_start_offset: i64,
    /// acks=all is satisfied when the high watermark has reached this.
    pub required: i64,
    /// The watermark after the append.
    pub high_watermark: i64,
}

impl Appended {
    /// What a batch is told that was appended before as `first`.
    pub(super) fn repeated(first: &BatchMetadata, log_start_offset: i64) -> Appended {
        Appended {
            base_offset: first.first_offset(),
            last_offset: first.last_offset,
            log_append_time: first.timestamp,
            log_start_offset,
            required: first.last_offset + 1,
            high_watermark: -1,
        }
    }
}

/// A client's batch on its way into the log.
#[derive(Debug)]
pub struct ClientBatch<'a> {
    /// The batch that `check_client_batch` returned `checked` for.
    pub bytes: &'a mut [u8],
    pub checked: CheckedBatch,
    /// Enough replicas must be in sync.
    pub acks_all: bool,
}

impl ClientBatch<'_> {
    /// The bytes that the log keeps.
    pub(super) fn stored(&mut self) -> &mut [u8] {
        match self.checked.recompressed.as_deref_mut() {
            Some(recompressed) => recompressed,
            None => self.bytes.get_mut(..self.checked.summary.len).unwrap_or_default(),
        }
    }

    pub(super) fn as_new(&mut self) -> NewBatch<'_> {
        let (summary, max_timestamp) = (self.checked.summary, self.checked.max_timestamp);
        let log_append_time = self.checked.log_append_time;
        let incoming = summary.has_producer_id().then_some(IncomingBatch {
            producer_id: summary.producer_id,
            epoch: summary.producer_epoch,
            base_sequence: summary.base_sequence,
            last_offset_delta: summary.last_offset_delta,
            is_transactional: summary.is_transactional,
        });
        NewBatch {
            bytes: self.stored(),
            last_offset_delta: summary.last_offset_delta,
            count: summary.count,
            max_timestamp,
            log_append_time,
            writer: incoming.map_or(Writer::Plain, Writer::Producer),
        }
    }
}

/// One batch whose bytes are final but for base offset and leader epoch.
pub(super) struct NewBatch<'a> {
    pub bytes: &'a mut [u8],
    pub last_offset_delta: i32,
    pub count: i32,
    pub max_timestamp: i64,
    pub log_append_time: i64,
    pub writer: Writer,
}

/// Who wrote a batch, as far as producer state goes.
#[derive(Clone, Copy)]
pub(super) enum Writer {
    /// Somebody who takes no sequences.
    Plain,
    Producer(IncomingBatch),
    /// A transaction coordinator: already judged.
    Marker(TxnEnd),
}

impl Partition {
    /// Why nothing can be appended now, whatever it is; `None` when something could be.
    pub fn refusal(&self, acks_all: bool) -> Option<PartitionError> {
        let config = self.config();
        self.with(|state| state.check_leader(-1).and_then(|()| state.check_in_sync(acks_all, &config)).err())
    }

    /// Appends a client's batch. `bytes` is the batch that `check_client_batch` returned `checked` for; its base
    /// offset and leader epoch are set in place. `acks_all`: enough replicas must be in sync.
    ///
    /// Errors: leader and epoch (Produce carries none, so only `NotLeader`), `NotEnoughReplicas`, producer state,
    /// `InvalidTxnState` for a transactional batch that is no retry, `BatchLargerThanSegment`, `Offline`.
    pub fn append_as_leader(
        self: &Arc<Self>,
        bytes: &mut [u8],
        checked: CheckedBatch,
        acks_all: bool,
        now: Now,
        notices: &mut Notices,
    ) -> Result<Appended, PartitionError> {
        let mut batch = ClientBatch { bytes, checked, acks_all };
        self.with(|state| self.append_client(state, &mut batch, now, notices))
    }

    pub(super) fn append_client(
        self: &Arc<Self>,
        state: &mut State,
        batch: &mut ClientBatch<'_>,
        now: Now,
        notices: &mut Notices,
    ) -> Result<Appended, PartitionError> {
        let config = batch.checked.config.clone();
        state.check_leader(-1)?;
        state.check_in_sync(batch.acks_all, &config)?;
        let batch = batch.as_new();
        if let Writer::Producer(incoming) = &batch.writer
            && incoming.is_transactional
        {
            // No coordinator vouches for a client's transaction yet, so none may begin or go on.
            state.producers.check_unverified(incoming)?;
        }
        self.append(state, batch, &config, now, notices)
    }

    pub(super) fn append(
        self: &Arc<Self>,
        state: &mut State,
        batch: NewBatch<'_>,
        config: &PartitionConfig,
        now: Now,
        notices: &mut Notices,
    ) -> Result<Appended, PartitionError> {
        let log = state.log()?;
        let (base_offset, log_start_offset) = (log.end_offset(), log.start_offset());
        if let Writer::Producer(incoming) = &batch.writer
            && let Some(duplicate) = state.producers.check(incoming, base_offset)?
        {
            let appended = Appended::repeated(&duplicate, log_start_offset);
            return Ok(Appended { high_watermark: state.high_watermark.offset, ..appended });
        }
        let last_offset = base_offset + i64::from(batch.last_offset_delta);
        patch::set_base_offset(batch.bytes, base_offset)?;
        patch::set_partition_leader_epoch(batch.bytes, state.leader_epoch)?;
        let append = AppendBatch { bytes: batch.bytes, last_offset, max_timestamp: batch.max_timestamp };
        let outcome = match state.log_mut()?.append(&[append], now) {
            Ok(outcome) => outcome,
            Err(error) => return Err(self.fault(state, error, notices)),
        };
        if let Some(rolled) = &outcome.rolled {
            self.rolled(state, rolled, notices)?;
        }
        self.remember(state, &batch, outcome.first_position, config, now, notices)?;
        self.appended(state, (1, batch.count.max(0) as u64), config, notices);
        Ok(Appended {
            base_offset,
            last_offset,
            log_append_time: batch.log_append_time,
            log_start_offset,
            required: last_offset + 1,
            high_watermark: state.high_watermark.offset,
        })
    }

    /// So many batches with so many records were written to the log.
    pub(super) fn appended(
        self: &Arc<Self>,
        state: &mut State,
        (batches, records): (u32, u64),
        config: &PartitionConfig,
        notices: &mut Notices,
    ) {
        if state.company.came(batches) {
            self.company_came.notify_one();
        }
        state.unsynced_records = state.unsynced_records.saturating_add(records);
        if !config.syncs_every_append() && state.unsynced_records >= config.log.flush_messages {
            self.want_sync(state, notices);
        }
        self.settle_high_watermark(state, config, notices);
    }

    /// Takes a batch that was just appended at `first` over into the producer state; of an aborted transaction, into
    /// the transaction index too.
    fn remember(
        &self,
        state: &mut State,
        batch: &NewBatch<'_>,
        first: LogPosition,
        config: &PartitionConfig,
        now: Now,
        notices: &mut Notices,
    ) -> Result<(), PartitionError> {
        let producer_id = match batch.writer {
            Writer::Plain => return Ok(()),
            Writer::Producer(incoming) => incoming.producer_id,
            Writer::Marker(end) => end.producer_id,
        };
        if state.producers.is_full_for(producer_id) {
            state.producers.expire(now.wall_ms, config.producer_expiration_ms);
        }
        let aborted = match &batch.writer {
            Writer::Plain => None,
            Writer::Producer(incoming) => {
                let last_offset = first.offset + i64::from(batch.last_offset_delta);
                state.producers.appended(incoming, first, last_offset, batch.max_timestamp);
                None
            }
            Writer::Marker(end) => state.producers.ended(end, first.offset, batch.max_timestamp),
        };
        if let Some(aborted) = aborted
            && let Err(error) = state.log_mut()?.append_aborted(&aborted)
        {
            return Err(self.fault(state, error, notices));
        }
        self.settle_unstable(state, notices)
    }

    /// A segment was closed: its bytes should become durable soon, and a restart should not read it for producers,
    /// whose state is still that of the closed segment's end.
    pub(super) fn rolled(
        self: &Arc<Self>,
        state: &mut State,
        rolled: &RolledSegment,
        notices: &mut Notices,
    ) -> Result<(), PartitionError> {
        let entries = state.producers.snapshot();
        if let Err(error) = state.log_mut()?.write_producer_snapshot_at(rolled.end_offset, &entries) {
            return Err(self.fault(state, error, notices));
        }
        self.want_sync(state, notices);
        Ok(())
    }
}
