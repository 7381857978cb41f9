//! Compaction of closed segments (Kafka's `Cleaner`): which records a later one with the same key has made obsolete,
//! and the files that hold the others. It reads and writes files of its own without the log's lock; the log takes them
//! over in `cleaning.rs`.

use std::collections::HashMap;
use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::Arc;

use millrace_record::{BatchBuilder, BatchHeader, BatchSpec, BatchView, Codec, TimestampType};

use super::folder::{INDEX, LOG, TIME_INDEX};
use super::leftovers::CLEANED;
use super::reader::BatchReader;
use super::segment::Segment;
use super::{LogConfig, LogError, StoredBatch};
use crate::log::folder::Folder;
use crate::storage::{StorageFile, with_suffix};
use crate::time::Now;

/// Kafka's default of `log.cleaner.dedupe.buffer.size`: bytes that the map of keys may take.
pub const DEDUPE_BYTES: usize = 128 << 20;
/// What an entry of the map takes beside its key, about.
const ENTRY_BYTES: usize = 64;
/// Most bytes that one stored batch may unpack to.
const MAX_DECOMPRESSED: u64 = 1 << 30;
/// Bytes of rewritten batches gathered for one write.
const WRITE_BYTES: usize = 1 << 20;

/// `min.cleanable.dirty.ratio` and its companions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleaningPolicy {
    /// `min.cleanable.dirty.ratio`, in millionths.
    pub min_dirty_millionths: u32,
    /// `delete.retention.ms`: how long tombstones stay for readers that began before them.
    pub delete_retention_ms: i64,
    /// `min.compaction.lag.ms`: younger records are left alone.
    pub min_lag_ms: i64,
    /// `max.compaction.lag.ms`: older ones are compacted whatever the ratio.
    pub max_lag_ms: i64,
}

impl Default for CleaningPolicy {
    fn default() -> CleaningPolicy {
        CleaningPolicy {
            min_dirty_millionths: 500_000,
            delete_retention_ms: 24 * 60 * 60 * 1000,
            min_lag_ms: 0,
            max_lag_ms: i64::MAX,
        }
    }
}

/// One closed segment as a cleaning sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    pub base: i64,
    /// Base offset of the segment behind it.
    pub end: i64,
    pub size: u64,
    /// Its transaction index has entries: it stays as it is.
    pub has_aborted: bool,
}

/// What is to be cleaned, taken under the log's lock.
#[derive(Debug)]
pub struct CleaningPlan {
    pub(super) folder: Folder,
    pub(super) config: LogConfig,
    /// From the first segment of the log to the last that may be cleaned.
    pub(super) sources: Vec<Source>,
    /// Where the last cleaning ended.
    pub(super) first_dirty: i64,
    pub(super) truncations: u64,
}

/// A run of segments and the one that is to take their place; its files have `.cleaned` names and are durable.
#[derive(Debug)]
pub(super) struct Replacement {
    pub sources: Vec<Source>,
    pub size: u64,
    pub index_len: u64,
    pub time_index_len: u64,
}

/// The outcome of a cleaning, to be handed to the log.
#[derive(Debug)]
pub struct Cleaned {
    pub(super) replacements: Vec<Replacement>,
    pub(super) truncations: u64,
    /// Everything below it is clean once the log has taken this over.
    pub(super) clean_until: i64,
}

/// The newest offset of each key.
#[derive(Debug, Default)]
struct OffsetMap {
    newest: HashMap<Box<[u8]>, i64>,
    bytes: usize,
}

impl OffsetMap {
    fn put(&mut self, key: &[u8], offset: i64) {
        match self.newest.get_mut(key) {
            Some(newest) => *newest = offset,
            None => {
                self.bytes += key.len() + ENTRY_BYTES;
                self.newest.insert(key.into(), offset);
            }
        }
    }

    fn is_superseded(&self, key: &[u8], offset: i64) -> bool {
        self.newest.get(key).is_some_and(|newest| *newest > offset)
    }
}

/// What becomes of one batch.
enum Kept {
    /// As it stands.
    Whole,
    Rewritten(Vec<u8>),
    Nothing,
}

impl CleaningPlan {
    /// Reads the dirty segments for their keys, then writes what is left of all of them. Segments are looked at only
    /// as far as their keys fit `dedupe_bytes`, the first one always.
    ///
    /// Errors: `Corrupt`, `Io` (also where there is no room): the log is as it was; `.cleaned` files go with the next
    /// cleaning or opening.
    pub fn run(&self, dedupe_bytes: usize, now: Now) -> Result<Cleaned, LogError> {
        let (map, clean_until) = self.map_keys(dedupe_bytes)?;
        let mut replacements = Vec::new();
        let mut producers = self.last_batches(clean_until)?;
        for group in self.groups(clean_until) {
            replacements.extend(self.rewrite(group, &map, &mut producers, now)?);
        }
        Ok(Cleaned { replacements, truncations: self.truncations, clean_until })
    }

    fn batches(&self, source: &Source) -> BatchReader {
        let segments = vec![(source.base, source.size)];
        BatchReader::new(Arc::clone(&self.folder.storage), Arc::clone(&self.folder.dir), segments, None, 0)
    }

    fn map_keys(&self, dedupe_bytes: usize) -> Result<(OffsetMap, i64), LogError> {
        let mut map = OffsetMap::default();
        let mut clean_until = self.first_dirty;
        for source in self.sources.iter().filter(|source| source.end > self.first_dirty) {
            if map.bytes >= dedupe_bytes {
                break;
            }
            for batch in self.batches(source) {
                let batch = batch?;
                // Who aborts a transaction has superseded nothing: what is in one counts for nobody's key.
                if batch.header.is_control() || batch.header.is_transactional() {
                    continue;
                }
                self.each_record(source, &batch, |record| {
                    if let Some(key) = record.key {
                        map.put(key, record.offset);
                    }
                    Ok(())
                })?;
            }
            clean_until = source.end;
        }
        Ok((map, clean_until))
    }

    /// The last offset of each producer's last batch: the batch stays, so that its sequence is known after a replay.
    fn last_batches(&self, clean_until: i64) -> Result<HashMap<i64, i64>, LogError> {
        let mut last = HashMap::new();
        for source in self.sources.iter().filter(|source| source.end <= clean_until) {
            let mut batches = self.batches(source);
            while let Some(batch) = batches.next_replayed()? {
                if batch.header.has_producer_id() {
                    last.insert(batch.header.producer_id, batch.header.last_offset());
                }
            }
        }
        Ok(last)
    }

    /// Neighbours whose sizes together fit one segment become one.
    fn groups(&self, clean_until: i64) -> Vec<Vec<Source>> {
        let mut groups: Vec<Vec<Source>> = Vec::new();
        let mut bytes = 0;
        for source in self.sources.iter().filter(|source| source.end <= clean_until) {
            let open = groups.last_mut().filter(|group| {
                let first = group.first().map_or(source.base, |first| first.base);
                let apart = group.iter().chain([source]).any(|one| one.has_aborted);
                !apart
                    && bytes + source.size <= u64::from(self.config.segment_bytes)
                    && source.end - first <= i64::from(i32::MAX)
            });
            match open {
                Some(group) => group.push(*source),
                None => {
                    bytes = 0;
                    groups.push(vec![*source]);
                }
            }
            bytes += source.size;
        }
        groups.retain(|group| group.iter().all(|source| !source.has_aborted));
        groups
    }

    /// Writes what is left of a group; `None` when that is the one segment as it stands.
    fn rewrite(
        &self,
        group: Vec<Source>,
        map: &OffsetMap,
        producers: &mut HashMap<i64, i64>,
        now: Now,
    ) -> Result<Option<Replacement>, LogError> {
        let Some(first) = group.first().copied() else { return Ok(None) };
        let mut segment = Segment::closed(first.base, 0, now.wall_ms);
        let mut output = Output::create(&self.folder, first.base, LOG)?;
        let mut changed = group.len() > 1;
        for source in &group {
            for batch in self.batches(source) {
                let batch = batch?;
                let ends_producer =
                    producers.get(&batch.header.producer_id) == Some(&batch.header.last_offset());
                let bytes = match self.keep(source, &batch, map, ends_producer, now)? {
                    Kept::Whole => batch.bytes,
                    Kept::Rewritten(bytes) => {
                        changed = true;
                        bytes
                    }
                    Kept::Nothing => {
                        changed = true;
                        continue;
                    }
                };
                let header = BatchHeader::parse(&bytes).map_err(LogError::InvalidBatch)?;
                segment.note(&header, self.config.index_interval_bytes);
                output.write(&bytes)?;
            }
        }
        if !changed {
            output.discard()?;
            return Ok(None);
        }
        output.finish()?;
        let (index, time_index) = segment.index_contents();
        for (extension, contents) in [(INDEX, &index), (TIME_INDEX, &time_index)] {
            let mut output = Output::create(&self.folder, first.base, extension)?;
            output.write(contents)?;
            output.finish()?;
        }
        self.folder.sync_dir()?;
        Ok(Some(Replacement {
            sources: group,
            size: segment.size,
            index_len: index.len() as u64,
            time_index_len: time_index.len() as u64,
        }))
    }

    fn keep(
        &self,
        source: &Source,
        batch: &StoredBatch,
        map: &OffsetMap,
        ends_producer: bool,
        now: Now,
    ) -> Result<Kept, LogError> {
        let header = &batch.header;
        if header.is_control() || header.is_transactional() {
            return Ok(Kept::Whole);
        }
        let policy = self.config.cleaning;
        let horizon = header.has_delete_horizon().then_some(header.base_timestamp);
        let tombstones_go = horizon.is_some_and(|horizon| now.wall_ms >= horizon);
        let (mut kept, mut total, mut tombstones) = (0, 0, 0);
        let stays = |record: &millrace_record::RecordView<'_>, is_last: bool| {
            let superseded = record.key.is_none_or(|key| map.is_superseded(key, record.offset));
            let gone = superseded || (tombstones_go && record.value.is_none());
            !gone || (is_last && ends_producer)
        };
        self.each_record(source, batch, |record| {
            total += 1;
            if stays(record, record.offset == header.last_offset()) {
                kept += 1;
                tombstones += i32::from(record.value.is_none());
            }
            Ok(())
        })?;
        // From the first cleaning on that meets a tombstone, its days are counted.
        let counts_days = tombstones > 0 && horizon.is_none();
        if kept == 0 {
            return Ok(Kept::Nothing);
        }
        if kept == total && !counts_days {
            return Ok(Kept::Whole);
        }
        let delete_horizon = horizon
            .filter(|_| tombstones > 0)
            .or_else(|| counts_days.then(|| now.wall_ms.saturating_add(policy.delete_retention_ms)));
        let codec = header.codec().map_err(LogError::InvalidBatch)?;
        let mut builder = BatchBuilder::new(self.spec(header, codec, delete_horizon));
        self.each_record(source, batch, |record| {
            if stays(record, record.offset == header.last_offset()) {
                let delta = i32::try_from(record.offset - header.base_offset).unwrap_or(i32::MAX);
                let headers: Vec<_> = record.headers.map(|header| (header.key, header.value)).collect();
                builder.append_at(delta, record.timestamp, record.key, record.value, &headers)?;
            }
            Ok(())
        })?;
        builder.keep_last_offset_delta(header.last_offset_delta);
        builder.finish().map(Kept::Rewritten).map_err(LogError::InvalidBatch)
    }

    fn spec(&self, header: &BatchHeader, codec: Codec, delete_horizon: Option<i64>) -> BatchSpec {
        let append_time = header.timestamp_type() == TimestampType::LogAppendTime;
        BatchSpec {
            base_offset: header.base_offset,
            partition_leader_epoch: header.partition_leader_epoch,
            codec,
            level: None,
            log_append_time: append_time.then_some(header.max_timestamp),
            producer_id: header.producer_id,
            producer_epoch: header.producer_epoch,
            base_sequence: header.base_sequence,
            is_transactional: header.is_transactional(),
            is_control: header.is_control(),
            delete_horizon,
        }
    }

    fn each_record(
        &self,
        source: &Source,
        batch: &StoredBatch,
        mut visit: impl FnMut(&millrace_record::RecordView<'_>) -> Result<(), millrace_record::BatchError>,
    ) -> Result<(), LogError> {
        let blame = |error: millrace_record::BatchError| {
            self.folder.corrupt(source.base, LOG, batch.position.position, error.to_string())
        };
        let view = BatchView::parse(&batch.bytes).map_err(blame)?;
        let mut records = view.records(MAX_DECOMPRESSED).map_err(blame)?;
        while let Some(record) = records.next_record().map_err(blame)? {
            visit(&record).map_err(blame)?;
        }
        Ok(())
    }
}

/// A `.cleaned` file in the making.
struct Output<'a> {
    folder: &'a Folder,
    path: PathBuf,
    file: Arc<dyn StorageFile>,
    written: u64,
    buffer: Vec<u8>,
}

impl<'a> Output<'a> {
    fn create(folder: &'a Folder, base: i64, extension: &'static str) -> Result<Output<'a>, LogError> {
        let path = with_suffix(&folder.path(base, extension), CLEANED);
        let create = || {
            if folder.storage.exists(&path)? {
                folder.storage.remove_file(&path)?;
            }
            folder.storage.create(&path)
        };
        let file = create().map_err(|source| LogError::Io { path: path.clone(), source })?;
        Ok(Output { folder, path, file, written: 0, buffer: Vec::new() })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= WRITE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), LogError> {
        let written = self.file.write_at(self.written, &[IoSlice::new(&self.buffer)]);
        written.map_err(|source| LogError::Io { path: self.path.clone(), source })?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<(), LogError> {
        self.flush()?;
        self.file.sync().map_err(|source| LogError::Io { path: self.path.clone(), source })
    }

    fn discard(self) -> Result<(), LogError> {
        let removed = self.folder.storage.remove_file(&self.path);
        removed.map_err(|source| LogError::Io { path: self.path.clone(), source })
    }
}
