//! Changes that a broker makes to a batch in place: base offset, leader epoch, timestamps. The first two lie
//! outside the CRC; the timestamp setters recompute it. Lengths and records are never touched.

use crate::batch::{BatchView, CRC_START, HEADER_LEN, TimestampType, attributes};
use crate::crc::crc32c;
use crate::error::BatchError;

const BASE_OFFSET_AT: usize = 0;
const LEADER_EPOCH_AT: usize = 12;
const CRC_AT: usize = 17;
const ATTRIBUTES_AT: usize = 21;
const MAX_TIMESTAMP_AT: usize = 35;

fn put<const N: usize>(batch: &mut [u8], at: usize, value: [u8; N]) -> Result<(), BatchError> {
    let available = batch.len();
    let field = batch.get_mut(at..).and_then(|tail| tail.first_chunk_mut::<N>());
    *field.ok_or(BatchError::Truncated { needed: HEADER_LEN, available })? = value;
    Ok(())
}

/// Sets the base offset of the batch at the start of `batch`. Error: `Truncated`.
pub fn set_base_offset(batch: &mut [u8], offset: i64) -> Result<(), BatchError> {
    put(batch, BASE_OFFSET_AT, offset.to_be_bytes())
}

/// Sets the partition leader epoch of the batch at the start of `batch`. Error: `Truncated`.
pub fn set_partition_leader_epoch(batch: &mut [u8], epoch: i32) -> Result<(), BatchError> {
    put(batch, LEADER_EPOCH_AT, epoch.to_be_bytes())
}

/// Sets max timestamp (ms) and timestamp type of the batch at the start of `batch` and, only if that changed
/// anything, its CRC; attributes that nothing is known by go then, too, as in Kafka. With `LogAppendTime` and the append's time this is how a leader stamps a batch; with
/// `CreateTime` and the true maximum it corrects a client's header. Errors: those of `BatchView::parse`.
pub fn set_max_timestamp(batch: &mut [u8], kind: TimestampType, timestamp: i64) -> Result<(), BatchError> {
    let view = BatchView::parse(batch)?;
    if view.timestamp_type() == kind && view.max_timestamp == timestamp {
        return Ok(());
    }
    let len = view.total_len();
    let known = view.attributes & attributes::KNOWN;
    let attributes = match kind {
        TimestampType::CreateTime => known & !attributes::LOG_APPEND_TIME,
        TimestampType::LogAppendTime => known | attributes::LOG_APPEND_TIME,
    };
    put(batch, ATTRIBUTES_AT, attributes.to_be_bytes())?;
    put(batch, MAX_TIMESTAMP_AT, timestamp.to_be_bytes())?;
    let crc = crc32c(batch.get(CRC_START..len).unwrap_or_default());
    put(batch, CRC_AT, crc.to_be_bytes())
}
