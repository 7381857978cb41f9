//! Test side of partitions: open ones on a simulated disk, and batches to put into them.

use std::path::PathBuf;
use std::sync::Arc;

use millrace_record::{BatchBuilder, BatchHeader, BatchSpec, Codec};

use super::append::{NewBatch, Writer};
use super::producer_state::IncomingBatch;
use super::{Notices, Partition, PartitionConfig, PartitionSpec, Patience, TxnEnd};
use crate::log::Opening;
use crate::storage::{SimStorage, Storage};
use crate::time::Now;
use crate::uuid::Uuid;

/// A moment at which nothing special happens.
pub(crate) const NOON: Now = Now { monotonic_ms: 5_000, wall_ms: 1_700_000_000_000 };
/// A sync begins at once.
pub(crate) const NO_PATIENCE: Patience = Patience { stopwatch: || 0, may_wait: false };

pub(crate) fn spec(topic: &str, id: u8, index: i32) -> PartitionSpec {
    PartitionSpec {
        topic: topic.into(),
        topic_id: Uuid([id; 16]),
        index,
        dir: PathBuf::from(format!("/data/{topic}-{index}")),
    }
}

/// A partition of a disk, opened after a clean stop and not leading yet.
pub(crate) fn reopen(disk: &SimStorage, spec: PartitionSpec, config: PartitionConfig) -> Arc<Partition> {
    open_as(disk, spec, config, Opening::CLEAN)
}

pub(crate) fn open_as(
    disk: &SimStorage,
    spec: PartitionSpec,
    config: PartitionConfig,
    opening: Opening,
) -> Arc<Partition> {
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    storage.create_dir_all(spec.dir.parent().unwrap()).unwrap();
    Partition::open(&storage, spec, Arc::new(config), opening, NOON).unwrap().partition
}

/// Partition 0 of a topic, leading at epoch 3.
pub(crate) fn leader(disk: &SimStorage, config: PartitionConfig) -> Arc<Partition> {
    let partition = reopen(disk, spec("t", 1, 0), config);
    partition.lead(3, &mut Notices::default());
    partition
}

pub(crate) fn synced_config() -> PartitionConfig {
    PartitionConfig::default().with([("flush.messages", "1")]).unwrap()
}

/// A batch of `count` records with a key, their number as value, at noon.
pub(crate) fn batch(count: i32) -> Vec<u8> {
    batch_of(BatchSpec::default(), count)
}

/// The same of an idempotent producer.
pub(crate) fn idempotent(producer_id: i64, producer_epoch: i16, base_sequence: i32, count: i32) -> Vec<u8> {
    batch_of(BatchSpec { producer_id, producer_epoch, base_sequence, ..BatchSpec::default() }, count)
}

pub(crate) fn batch_of(spec: BatchSpec, count: i32) -> Vec<u8> {
    let mut builder = BatchBuilder::new(spec);
    for place in 0..count {
        let value = format!("value {place}");
        builder.append(NOON.wall_ms + i64::from(place), Some(b"key"), Some(value.as_bytes()), &[]).unwrap();
    }
    builder.finish().unwrap()
}

pub(crate) fn compressed(codec: Codec, count: i32) -> Vec<u8> {
    batch_of(BatchSpec { codec, ..BatchSpec::default() }, count)
}

/// One record of about `bytes` bytes.
pub(crate) fn batch_of_bytes(bytes: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchSpec::default());
    builder.append(NOON.wall_ms, Some(b"key"), Some(&vec![7; bytes]), &[]).unwrap();
    builder.finish().unwrap()
}

/// `count` records in the transaction of a producer, written as a coordinator would have allowed it. Returns the base
/// offset.
pub(crate) fn append_in_txn(
    partition: &Arc<Partition>,
    producer_id: i64,
    base_sequence: i32,
    count: i32,
    notices: &mut Notices,
) -> i64 {
    let spec = BatchSpec {
        producer_id,
        producer_epoch: 0,
        base_sequence,
        is_transactional: true,
        ..BatchSpec::default()
    };
    let mut bytes = batch_of(spec, count);
    let header = BatchHeader::parse(&bytes).unwrap();
    let new = NewBatch {
        bytes: &mut bytes,
        last_offset_delta: count - 1,
        count,
        max_timestamp: header.max_timestamp,
        log_append_time: -1,
        writer: Writer::Producer(IncomingBatch::of(&header)),
    };
    let config = partition.config();
    partition.with(|state| partition.append(state, new, &config, NOON, notices)).unwrap().base_offset
}

/// The marker of a producer's transaction.
pub(crate) fn end_txn(
    partition: &Arc<Partition>,
    producer_id: i64,
    committed: bool,
    notices: &mut Notices,
) -> i64 {
    let end = TxnEnd { producer_id, epoch: 0, coordinator_epoch: 0, committed };
    partition.append_marker(end, 0, NOON, notices).unwrap().base_offset
}

/// Runs every queued effect, and those that follow, until none is left.
pub(crate) fn run_effects(notices: &mut Notices) {
    while let Some(effect) = notices.effects.pop() {
        effect.run(NO_PATIENCE, notices);
    }
}
