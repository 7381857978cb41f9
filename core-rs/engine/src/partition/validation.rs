//! The checks of a client's batch that need no partition lock: everything inside it and what the topic allows. It
//! stamps the batch with its final timestamps, never with an offset.

use std::sync::Arc;

use millrace_record::batch::{LENGTH_PREFIX_LEN, MAGIC_END, MAGIC_V2, NO_TIMESTAMP};
use millrace_record::{
    BatchError, BatchSummary, BatchView, Codec, Origin, TimestampType, ValidateOptions, patch, validate,
};

use super::error::{RefusedRecord, RefusedRecords};
use super::recompression::recompress;
use super::{PartitionConfig, PartitionError};
use crate::log;
use crate::time::Now;

/// First Produce version whose batches may be compressed with zstd (KIP-110).
const FIRST_ZSTD_VERSION: i16 = 7;
/// What follows the length of the shortest message of any format (`LegacyRecord.RECORD_OVERHEAD_V0`).
const SHORTEST_MESSAGE: i32 = 14;
/// A batch may unpack to this many times the largest batch of its topic; Kafka has no such bound, a bomb needs one.
const MAX_EXPANSION: u64 = 256;
/// The same where its records must be held unpacked, to be compressed anew.
const MAX_RECOMPRESSED_EXPANSION: u64 = 32;

/// Most records of one batch that an answer names, however many are refused.
const MAX_NAMED: usize = 1000;

/// A client's batch that may be appended as soon as its producer state allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedBatch {
    /// Of the batch as it came.
    pub summary: BatchSummary,
    /// The batch in the topic's own codec, if that is another: it is appended in the place of what came.
    pub recompressed: Option<Vec<u8>>,
    /// Largest timestamp as it now stands in the header, ms.
    pub max_timestamp: i64,
    /// The append's time for a topic with LogAppendTime, else −1: what the producer is told.
    pub log_append_time: i64,
    /// What it was checked by, and is appended by.
    pub config: Arc<PartitionConfig>,
}

impl CheckedBatch {
    /// Bytes that the log will keep.
    pub fn stored_len(&self) -> usize {
        self.recompressed.as_ref().map_or(self.summary.len, Vec::len)
    }
}

/// Checks that `bytes` holds exactly one whole batch that a Produce of `api_version` may carry into partition `index` of
/// `topic` with this configuration, and sets its final timestamps (and CRC, if those changed) in place, or writes it
/// anew if the topic is kept in another codec.
///
/// Errors, in Kafka's order: the request's shape, the size, the contents, key and timestamp rules of the topic, the
/// size as it would be stored.
pub fn check_client_batch(
    bytes: &mut [u8],
    api_version: i16,
    config: Arc<PartitionConfig>,
    (topic, index): (&str, i32),
    now: Now,
) -> Result<CheckedBatch, PartitionError> {
    let log_append_time = match config.log.timestamp_type {
        log::TimestampType::CreateTime => None,
        log::TimestampType::LogAppendTime => Some(now.wall_ms),
    };
    let batch = the_only_batch(bytes, api_version)?;
    let len = batch.total_len();
    let codec = batch.codec()?;
    if batch.base_offset != 0 {
        return Err(PartitionError::BaseOffset { offset: batch.base_offset });
    }
    let max = u64::from(config.log.max_message_bytes);
    check_size(batch.total_len() as u64, max)?;
    let target = config.compression.filter(|target| target.codec != codec);
    // What is written anew is held unpacked; what is to be stored unpacked must be small enough for that.
    let expansion = match target.map(|target| target.codec) {
        None => MAX_EXPANSION,
        Some(Codec::None) => 1,
        Some(_) => MAX_RECOMPRESSED_EXPANSION,
    };
    let max_decompressed = expansion * max;
    let summary = validate(&batch, &ValidateOptions { origin: Origin::Client, max_decompressed })?;
    check_topic_rules(&batch, &summary, &config, (topic, index), now)?;
    let recompressed = match target {
        Some(target) => Some(recompress(&batch, &summary, target, log_append_time)?),
        None => None,
    };
    match &recompressed {
        Some(stored) => check_size(stored.len() as u64, max)?,
        None => {
            let kind = log_append_time.map_or(TimestampType::CreateTime, |_| TimestampType::LogAppendTime);
            let bytes = bytes.get_mut(..len).unwrap_or_default();
            patch::set_max_timestamp(bytes, kind, log_append_time.unwrap_or(summary.max_timestamp))?;
        }
    }
    Ok(CheckedBatch {
        max_timestamp: log_append_time.unwrap_or(summary.max_timestamp),
        log_append_time: log_append_time.unwrap_or(-1),
        summary,
        recompressed,
        config,
    })
}

fn check_size(size: u64, max: u64) -> Result<(), PartitionError> {
    if size > max { Err(PartitionError::BatchTooLarge { size, max }) } else { Ok(()) }
}

fn the_only_batch(bytes: &[u8], api_version: i16) -> Result<BatchView<'_>, PartitionError> {
    if !begins_batch(bytes)? {
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
    if api_version < FIRST_ZSTD_VERSION && batch.codec()? == Codec::Zstd {
        return Err(PartitionError::ZstdTooEarly { version: api_version });
    }
    // What is cut off after it is passed over, as by Kafka's reader of batches.
    match begins_batch(bytes.get(batch.bytes().len()..).unwrap_or_default())? {
        false => Ok(batch),
        true => Err(PartitionError::NotOneBatch { what: "more" }),
    }
}

/// Whether `bytes` holds all of what it says it begins with. Error: a length that no batch of any format has.
fn begins_batch(bytes: &[u8]) -> Result<bool, BatchError> {
    let Some((prefix, _)) = bytes.split_first_chunk::<LENGTH_PREFIX_LEN>() else {
        return Ok(false);
    };
    let length = prefix.last_chunk().map_or(0, |length| i32::from_be_bytes(*length));
    match usize::try_from(length) {
        Ok(after) if length >= SHORTEST_MESSAGE => {
            Ok(bytes.len() >= MAGIC_END && bytes.len() - LENGTH_PREFIX_LEN >= after)
        }
        _ => Err(BatchError::Length { length }),
    }
}

fn check_topic_rules(
    batch: &BatchView<'_>,
    summary: &BatchSummary,
    config: &PartitionConfig,
    (topic, index): (&str, i32),
    now: Now,
) -> Result<(), PartitionError> {
    let needs_keys = config.log.compact && summary.has_null_key;
    let earliest = now.wall_ms.saturating_sub(config.timestamp_before_max_ms);
    let latest = now.wall_ms.saturating_add(config.timestamp_after_max_ms);
    let stamps = config.log.timestamp_type == log::TimestampType::LogAppendTime;
    let allowed = |timestamp| stamps || timestamp == NO_TIMESTAMP || (earliest..=latest).contains(&timestamp);
    if !needs_keys && allowed(summary.min_timestamp) && allowed(summary.max_timestamp) {
        return Ok(());
    }
    // Only a batch that is refused is read again; validation has unpacked all of it before, within its bound.
    let mut refused = RefusedRecords::default();
    let mut records = batch.records(summary.records_len)?;
    let mut place = 0;
    while let Some(record) = records.next_record()? {
        let message = if needs_keys && record.key.is_none() {
            Some(format!(
                "Compacted topic cannot accept message without key in topic partition {topic}-{index}"
            ))
        } else if !allowed(record.timestamp) {
            refused.by_timestamp = true;
            let (timestamp, offset) = (record.timestamp, record.offset);
            Some(format!(
                "Timestamp {timestamp} of message with offset {offset} is out of range. \
                 The timestamp should be within [{earliest}, {latest}]"
            ))
        } else {
            None
        };
        if let Some(message) = message {
            refused.total += 1;
            if refused.named.len() < MAX_NAMED {
                refused.named.push(RefusedRecord { index: place, message });
            }
        }
        place += 1;
    }
    Err(PartitionError::Records(Box::new(refused)))
}
