//! Test side of partitions: open ones on a simulated disk, and batches to put into them.

use std::path::PathBuf;
use std::sync::Arc;

use millrace_record::{BatchBuilder, BatchSpec, Codec};

use super::{Notices, Partition, PartitionConfig, PartitionSpec};
use crate::log::Opening;
use crate::storage::{SimStorage, Storage};
use crate::time::Now;
use crate::uuid::Uuid;

/// A moment at which nothing special happens.
pub(crate) const NOON: Now = Now { monotonic_ms: 5_000, wall_ms: 1_700_000_000_000 };

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
    Partition::open(&storage, spec, config, opening, NOON).unwrap().partition
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

/// Runs every queued effect, and those that follow, until none is left.
pub(crate) fn run_effects(notices: &mut Notices) {
    while let Some(effect) = notices.effects.pop() {
        effect.run(notices);
    }
}
