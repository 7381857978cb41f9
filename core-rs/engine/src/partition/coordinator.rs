//! What the control plane's coordinators do with their own partitions: append small records as one batch, and read
//! everything back when they load. Clients never come this way.

use std::sync::Arc;

use millrace_record::{BatchBuilder, BatchSpec, BatchView, split_batches};

use super::append::{Appended, NewBatch, Writer};
use super::{Notices, Partition, PartitionError};
use crate::time::Now;

/// Most bytes that one stored batch may unpack to while loading.
const MAX_DECOMPRESSED: u64 = 1 << 30;

/// Key and value of a record; `None` is null.
pub type CoordinatorRecord<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// One record of a coordinator's partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadedRecord {
    pub offset: i64,
    /// ms.
    pub timestamp: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
}

/// A stretch of a coordinator's partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadedChunk {
    pub records: Vec<LoadedRecord>,
    /// Where the next chunk begins.
    pub next_offset: i64,
    /// Nothing is left: the next chunk would begin at the end of the log.
    pub done: bool,
}

impl Partition {
    /// Appends `records` as one uncompressed batch with `timestamp` (ms), at exactly the epoch at which the
    /// coordinator was loaded. Internal topics are what this is for. Watches the partition.
    ///
    /// Errors: `NotLeader` for any other epoch, `BatchTooLarge`, `NotOneBatch` without records, `Offline`.
    pub fn append_records(
        self: &Arc<Self>,
        leader_epoch: i32,
        timestamp: i64,
        records: &[CoordinatorRecord<'_>],
        now: Now,
        notices: &mut Notices,
    ) -> Result<Appended, PartitionError> {
        if records.is_empty() {
            return Err(PartitionError::NotOneBatch { what: "none" });
        }
        let mut builder = BatchBuilder::new(BatchSpec::default());
        for (key, value) in records {
            builder.append(timestamp, *key, *value, &[])?;
        }
        let count = builder.count();
        let mut bytes = builder.finish()?;
        let config = self.config();
        let (size, max) = (bytes.len() as u64, u64::from(config.log.max_message_bytes));
        if size > max {
            return Err(PartitionError::BatchTooLarge { size, max });
        }
        let batch = NewBatch {
            bytes: &mut bytes,
            last_offset_delta: count - 1,
            count,
            max_timestamp: timestamp,
            log_append_time: -1,
            writer: Writer::Plain,
        };
        self.with(|state| {
            state.check_online()?;
            if state.leader_epoch != leader_epoch {
                return Err(PartitionError::NotLeader);
            }
            state.check_leader(leader_epoch)?;
            state.watched = true;
            self.append(state, batch, &config, now, notices)
        })
    }

    /// The records from `offset` up to the end of the log, about `max_bytes` of batches at a time (one whole batch at
    /// least); control batches are skipped. What the high watermark has not reached is read too, as Kafka's loader
    /// does: a coordinator that missed it would contradict it later. Watches the partition. The bytes are read
    /// without the lock: this may block on the disk.
    ///
    /// Errors: `NotLeader` for any other epoch, `OffsetOutOfRange`, `Offline`, a batch that cannot be decoded.
    pub fn load_chunk(
        &self,
        leader_epoch: i32,
        offset: i64,
        max_bytes: u64,
        notices: &mut Notices,
    ) -> Result<LoadedChunk, PartitionError> {
        let (read, end) = self.with(|state| {
            state.check_online()?;
            if state.leader_epoch != leader_epoch {
                return Err(PartitionError::NotLeader);
            }
            state.check_leader(leader_epoch)?;
            state.watched = true;
            let upper = state.log()?.end_position();
            let offset = offset.max(state.log()?.start_offset());
            if offset >= upper.offset {
                return Ok((None, upper.offset));
            }
            match state.log()?.read(offset, max_bytes, upper, true) {
                Ok(read) => Ok((Some(read.range), upper.offset)),
                Err(error) => Err(self.fault(state, error, notices)),
            }
        })?;
        let Some(range) = read else {
            return Ok(LoadedChunk { records: Vec::new(), next_offset: offset.max(end), done: true });
        };
        let bytes = range.read().map_err(|error| {
            let reason: Arc<str> = error.to_string().into();
            self.take_offline(&reason, notices);
            notices
                .failures
                .push(super::Failure { dir: self.dir().to_path_buf(), reason: reason.to_string() });
            PartitionError::Offline { reason }
        })?;
        decode_chunk(&bytes, offset, end)
    }
}

fn decode_chunk(bytes: &[u8], offset: i64, end: i64) -> Result<LoadedChunk, PartitionError> {
    let mut chunk = LoadedChunk { records: Vec::new(), next_offset: offset, done: false };
    for batch in split_batches(bytes) {
        // Only the last batch of a range may be cut, and never the first.
        let batch = match batch {
            Ok(batch) => batch,
            Err(_) if chunk.next_offset > offset => break,
            Err(error) => return Err(error.into()),
        };
        decode_batch(&batch, offset, &mut chunk.records)?;
        chunk.next_offset = batch.next_offset();
    }
    // An empty range has nothing for anybody: going on from the same offset would never end.
    chunk.done = chunk.next_offset >= end || bytes.is_empty();
    Ok(chunk)
}

fn decode_batch(
    batch: &BatchView<'_>,
    from: i64,
    records: &mut Vec<LoadedRecord>,
) -> Result<(), PartitionError> {
    batch.check_crc()?;
    if batch.is_control() {
        return Ok(());
    }
    let mut reader = batch.records(MAX_DECOMPRESSED)?;
    while let Some(record) = reader.next_record()? {
        if record.offset >= from {
            records.push(LoadedRecord {
                offset: record.offset,
                timestamp: record.timestamp,
                key: record.key.map(<[u8]>::to_vec),
                value: record.value.map(<[u8]>::to_vec),
            });
        }
    }
    Ok(())
}
