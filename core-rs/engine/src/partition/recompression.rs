//! A batch written anew in the codec that its topic is kept in (`compression.type`). Whether that is needed, and what
//! the result must satisfy, is `validation`'s business.

use millrace_record::{BatchBuilder, BatchSpec, BatchSummary, BatchView, Codec};

use super::PartitionError;

/// The codec of a topic and its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    pub codec: Codec,
    /// The codec's own; `None` is Kafka's default.
    pub level: Option<i32>,
}

/// `batch`, whose records take `records_len` bytes unpacked, in `target`: producer, sequence and timestamps of the
/// records stay, as do offset deltas. Base offset and leader epoch are still to be set. The records are held
/// unpacked meanwhile; validation has bounded them.
///
/// Errors: what cannot be read or written.
pub(super) fn recompress(
    batch: &BatchView<'_>,
    summary: &BatchSummary,
    target: Compression,
    log_append_time: Option<i64>,
) -> Result<Vec<u8>, PartitionError> {
    let mut builder = BatchBuilder::new(BatchSpec {
        codec: target.codec,
        level: target.level,
        log_append_time,
        producer_id: batch.producer_id,
        producer_epoch: batch.producer_epoch,
        base_sequence: batch.base_sequence,
        is_transactional: batch.is_transactional(),
        ..BatchSpec::default()
    });
    let mut records = batch.records(summary.records_len)?;
    while let Some(record) = records.next_record()? {
        let headers: Vec<_> = record.headers.map(|header| (header.key, header.value)).collect();
        builder.append(record.timestamp, record.key, record.value, &headers)?;
    }
    Ok(builder.finish()?)
}
