//! The log held to its promises; the batches and directories that the tests share.

mod check;
mod cleaning;
mod crash;
mod files;
mod full;
mod leftovers;
mod model;
mod reading;
mod recovery;
mod retention;
mod room;
mod summary;
mod timestamps;
mod truncation;
mod txn_index;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use millrace_record::{BatchBuilder, BatchSpec, Codec};

use super::{
    AppendBatch, AppendOutcome, LastStop, Log, LogConfig, LogError, LogPosition, OpenReport, Opening,
    RetentionPolicy,
};
use crate::storage::{FileStorage, SimStorage, Storage};
use crate::time::Now;

pub(super) const NOW: Now = Now { monotonic_ms: 0, wall_ms: 1_700_000_000_000 };

/// A batch of one record per timestamp, each of `value_len` bytes.
pub(super) fn build(
    base_offset: i64,
    epoch: i32,
    codec: Codec,
    value_len: usize,
    timestamps: &[i64],
) -> Vec<u8> {
    let spec = BatchSpec { base_offset, partition_leader_epoch: epoch, codec, ..BatchSpec::default() };
    let mut builder = BatchBuilder::new(spec);
    for (index, timestamp) in timestamps.iter().enumerate() {
        let value: Vec<u8> = (0..value_len).map(|i| (i as i64 + base_offset + index as i64) as u8).collect();
        builder.append(*timestamp, None, Some(&value), &[]).unwrap();
    }
    builder.finish().unwrap()
}

/// `count` records of `value_len` bytes with timestamps that follow the offsets.
pub(super) fn plain(base_offset: i64, count: i64, value_len: usize) -> Vec<u8> {
    let timestamps: Vec<i64> = (0..count).map(|index| base_offset + index).collect();
    build(base_offset, 0, Codec::None, value_len, &timestamps)
}

pub(super) fn append(log: &mut Log, batches: &[Vec<u8>]) -> Result<AppendOutcome, LogError> {
    let headers = batches.iter().map(|bytes| millrace_record::BatchHeader::parse(bytes).unwrap());
    let batches: Vec<AppendBatch<'_>> = batches
        .iter()
        .zip(headers)
        .map(|(bytes, header)| AppendBatch {
            bytes,
            last_offset: header.last_offset(),
            max_timestamp: header.max_timestamp,
        })
        .collect();
    log.append(&batches, NOW)
}

/// Appends one batch of `count` records at the end and returns its bytes.
pub(super) fn grow(log: &mut Log, count: i64, value_len: usize) -> Vec<u8> {
    let bytes = plain(log.end_offset(), count, value_len);
    append(log, std::slice::from_ref(&bytes)).unwrap();
    bytes
}

pub(super) fn small_segments(segment_bytes: u32) -> LogConfig {
    LogConfig { segment_bytes, index_interval_bytes: 200, ..LogConfig::default() }
}

pub(super) fn open(storage: &Arc<dyn Storage>, config: &LogConfig, opening: Opening) -> (Log, OpenReport) {
    Log::open(Arc::clone(storage), &dir(), config.clone(), opening, NOW).unwrap()
}

/// The partition directory inside a simulated disk.
pub(super) fn dir() -> PathBuf {
    PathBuf::from("/logs/orders-0")
}

pub(super) fn sim() -> (SimStorage, Arc<dyn Storage>) {
    let sim = SimStorage::new();
    sim.create_dir_all(Path::new("/logs")).unwrap();
    sim.sync_dir(Path::new("/")).unwrap();
    (sim.clone(), Arc::new(sim))
}

pub(super) fn sync(log: &mut Log) -> LogPosition {
    let job = log.sync_job();
    job.run().unwrap();
    assert!(log.synced(&job));
    job.end()
}

/// Every byte of every batch from the log start on, read the way fetches do.
pub(super) fn read_all(log: &Log) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut offset = log.start_offset();
    while offset < log.end_offset() {
        let read = log.read(offset, 1000, log.end_position(), true).unwrap();
        let chunk = read.range.read().unwrap();
        let mut whole = 0;
        for batch in millrace_record::split_batches(&chunk) {
            let Ok(batch) = batch else { break };
            batch.check_crc().unwrap();
            whole += batch.bytes().len();
            offset = batch.next_offset();
        }
        assert!(whole > 0, "a read gives at least one whole batch");
        bytes.extend_from_slice(&chunk[..whole]);
    }
    bytes
}

/// A directory of the real file system that goes away with the test.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Scratch {
        let dir = std::env::temp_dir().join(format!("millrace-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Scratch(dir)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn storage(&self) -> Arc<dyn Storage> {
        Arc::new(FileStorage::new())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
