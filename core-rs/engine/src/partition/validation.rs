//! The checks of a client's batch that need no partition lock: everything inside it and what the topic allows. It
//! stamps the batch with its final timestamps, never with an offset.

use millrace_record::batch::{MAGIC_V2, NO_TIMESTAMP};
use millrace_record::{
    BatchError, BatchSummary, BatchView, Codec, Origin, TimestampType, ValidateOptions, patch, validate,
};

use super::{PartitionConfig, PartitionError};
use crate::log;
use crate::time::Now;

/// First Produce version whose batches may be compressed with zstd (KIP-110).
const FIRST_ZSTD_VERSION: i16 = 7;
/// A batch may unpack to this many times the largest batch of its topic; Kafka has no such bound, a bomb needs one.
const MAX_EXPANSION: u64 = 256;

/// A client's batch that may be appended as soon as its producer state allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedBatch {
    pub summary: BatchSummary,
    /// Largest timestamp as it now stands in the header, ms.
    pub max_timestamp: i64,
    /// The append's time for a topic with LogAppendTime, else −1: what the producer is told.
    pub log_append_time: i64,
}

/// Checks that `bytes` is exactly one batch that a Produce of `api_version` may carry into a topic of this
/// configuration, and sets its final timestamps (and CRC, if those changed) in place.
///
/// Errors, in Kafka's order: the request's shape, the size, the contents, key and timestamp rules of the topic.
pub fn check_client_batch(
    bytes: &mut [u8],
    api_version: i16,
    config: &PartitionConfig,
    now: Now,
) -> Result<CheckedBatch, PartitionError> {
    let summary = {
        let batch = the_only_batch(bytes)?;
        let codec = batch.codec()?;
        if codec == Codec::Zstd && api_version < FIRST_ZSTD_VERSION {
            return Err(PartitionError::ZstdTooEarly { version: api_version });
        }
        let (size, max) = (batch.total_len() as u64, u64::from(config.log.max_message_bytes));
        if size > max {
            return Err(PartitionError::BatchTooLarge { size, max });
        }
        let max_decompressed = MAX_EXPANSION * max;
        let options = ValidateOptions { origin: Origin::Client, max_decompressed };
        let summary = validate(&batch, &options)?;
        check_topic_rules(&batch, &summary, config, now)?;
        summary
    };
    let (kind, max_timestamp, log_append_time) = match config.log.timestamp_type {
        log::TimestampType::CreateTime => (TimestampType::CreateTime, summary.max_timestamp, -1),
        log::TimestampType::LogAppendTime => (TimestampType::LogAppendTime, now.wall_ms, now.wall_ms),
    };
    patch::set_max_timestamp(bytes, kind, max_timestamp)?;
    Ok(CheckedBatch { summary, max_timestamp, log_append_time })
}

fn the_only_batch(bytes: &[u8]) -> Result<BatchView<'_>, PartitionError> {
    if bytes.is_empty() {
        return Err(PartitionError::NotOneBatch { what: "none" });
    }
    let batch = match BatchView::parse(bytes) {
        Ok(batch) => batch,
        // Kafka refuses old formats by the request's shape, before it looks at a batch.
        Err(BatchError::OldMagic { magic }) if magic < MAGIC_V2 => {
            return Err(PartitionError::NotOneBatch { what: "a message set of an old format" });
        }
        Err(error) => return Err(error.into()),
    };
    match bytes.len() - batch.bytes().len() {
        0 => Ok(batch),
        _ => Err(PartitionError::NotOneBatch { what: "more" }),
    }
}

fn check_topic_rules(
    batch: &BatchView<'_>,
    summary: &BatchSummary,
    config: &PartitionConfig,
    now: Now,
) -> Result<(), PartitionError> {
    if config.compact && summary.has_null_key {
        let index = first_record(batch, |record| record.key.is_none())?.map_or(0, |(index, _)| index);
        return Err(PartitionError::MissingKey { index });
    }
    if config.log.timestamp_type == log::TimestampType::LogAppendTime {
        return Ok(());
    }
    let earliest = now.wall_ms.saturating_sub(config.timestamp_before_max_ms);
    let latest = now.wall_ms.saturating_add(config.timestamp_after_max_ms);
    let allowed = |timestamp| timestamp == NO_TIMESTAMP || (earliest..=latest).contains(&timestamp);
    if allowed(summary.min_timestamp) && allowed(summary.max_timestamp) {
        return Ok(());
    }
    let found = first_record(batch, |record| !allowed(record.timestamp))?;
    let (index, timestamp) = found.unwrap_or((0, summary.max_timestamp));
    Err(PartitionError::Timestamp { index, timestamp, earliest, latest })
}

/// Index and timestamp of the first record that `wanted` picks; only a batch that is refused is read again for it.
fn first_record(
    batch: &BatchView<'_>,
    wanted: impl Fn(&millrace_record::RecordView<'_>) -> bool,
) -> Result<Option<(i32, i64)>, PartitionError> {
    // Validation has unpacked all of it before, within its bound.
    let mut records = batch.records(u64::MAX)?;
    let mut index = 0;
    while let Some(record) = records.next_record()? {
        if wanted(&record) {
            return Ok(Some((index, record.timestamp)));
        }
        index += 1;
    }
    Ok(None)
}
