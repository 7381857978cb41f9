//! Transaction markers: the control batches by which a transaction coordinator ends a transaction in this partition
//! (Kafka's WriteTxnMarkers), and reading them back out of the log. Clients never write them.

use std::sync::Arc;

use millrace_record::{BatchSpec, BatchView, ControlRecord, EndTxnMarker, control_batch};

use super::append::{Appended, NewBatch, Writer};
use super::producer_state::TxnEnd;
use super::{Notices, Partition, PartitionError};
use crate::log::TimestampType;
use crate::time::Now;

/// Most bytes that the records of a stored control batch may unpack to; Kafka never compresses them.
const MAX_UNPACKED: u64 = 1 << 20;

impl Partition {
    /// Appends the marker that ends `end`'s transaction. `transaction_version` is the one under which the coordinator
    /// writes it (0 and 1: the marker has the epoch of the records; 2: one above). It counts for readers of committed
    /// records once the high watermark has passed it: `Appended::required`.
    ///
    /// Errors: `NotLeader`, `NotEnoughReplicas`, `InvalidProducerEpoch`, `CoordinatorFenced`, `Offline`.
    pub fn append_marker(
        self: &Arc<Self>,
        end: TxnEnd,
        transaction_version: i16,
        now: Now,
        notices: &mut Notices,
    ) -> Result<Appended, PartitionError> {
        let config = self.config();
        let stamps = config.log.timestamp_type == TimestampType::LogAppendTime;
        let spec = BatchSpec {
            producer_id: end.producer_id,
            producer_epoch: end.epoch,
            log_append_time: stamps.then_some(now.wall_ms),
            ..BatchSpec::default()
        };
        let marker = EndTxnMarker { committed: end.committed, coordinator_epoch: end.coordinator_epoch };
        let mut bytes = control_batch(spec, now.wall_ms, &[ControlRecord::EndTxn(marker)])?;
        let batch = NewBatch {
            bytes: &mut bytes,
            last_offset_delta: 0,
            count: 1,
            max_timestamp: now.wall_ms,
            log_append_time: if stamps { now.wall_ms } else { -1 },
            writer: Writer::Marker(end),
        };
        self.with(|state| {
            state.check_leader(-1)?;
            state.check_in_sync(true, &config)?;
            state.producers.check_end(&end, transaction_version)?;
            self.append(state, batch, &config, now, notices)
        })
    }
}

/// The end of a transaction that a control batch of the log tells, with its timestamp; `None` for other control
/// records, and for a batch that compaction has emptied.
///
/// Errors: what cannot be read.
pub(super) fn end_in(batch: &[u8]) -> Result<Option<(TxnEnd, i64)>, PartitionError> {
    let batch = BatchView::parse(batch)?;
    let mut records = batch.records(MAX_UNPACKED)?;
    let Some(record) = records.next_record()? else {
        return Ok(None);
    };
    let ControlRecord::EndTxn(marker) = ControlRecord::decode(&record)? else {
        return Ok(None);
    };
    let end = TxnEnd {
        producer_id: batch.producer_id,
        epoch: batch.producer_epoch,
        coordinator_epoch: marker.coordinator_epoch,
        committed: marker.committed,
    };
    Ok(Some((end, record.timestamp)))
}
