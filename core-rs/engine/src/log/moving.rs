//! A log's copy in another log directory, as Kafka's future replica: filled batch by batch while the log goes on, then
//! put in its place. When to copy and when to swap is the partition's; this never touches the log that it copies.

use std::path::Path;
use std::sync::Arc;

use super::checkpoint::EpochStart;
use super::folder::Folder;
use super::folder_name::{Fate, renamed};
use super::log::Log;
use super::producer_snapshot::ProducerSnapshotEntry;
use super::{AbortedTxn, AppendBatch, BatchReader, LogConfig, LogError, Opening, Removal};
use crate::storage::{Storage, WriteError};
use crate::time::Now;

/// Batches to copy, with what the transaction index says of them. Reading them needs no lock.
#[derive(Debug)]
pub struct Copyable {
    batches: BatchReader,
    aborted: Vec<AbortedTxn>,
}

/// What a log has beside its batches.
#[derive(Debug)]
pub struct Belongings {
    pub start_offset: i64,
    pub config: LogConfig,
    epochs: Vec<EpochStart>,
    truncations: u64,
}

impl Log {
    /// Base offset of the first segment: below the log start stands what still tells of producers.
    pub fn first_base(&self) -> i64 {
        self.segments.first().map_or(self.start_offset, |first| first.base)
    }

    /// How often a tail was cut off.
    pub fn truncations(&self) -> u64 {
        self.truncations
    }

    /// Everything from `offset` on.
    ///
    /// Errors: `Corrupt`, `Io`.
    pub fn copyable_from(&self, offset: i64) -> Result<Copyable, LogError> {
        Ok(Copyable { batches: self.replay_from(offset)?, aborted: self.aborted_from(offset)? })
    }

    /// Bytes from the batch that contains `offset` on.
    ///
    /// Errors: `Corrupt`, `Io`.
    pub fn bytes_from(&self, offset: i64) -> Result<u64, LogError> {
        let Some((segment, batch)) = self.locate(offset)? else { return Ok(0) };
        let later = self.segments.iter().filter(|other| other.base > segment.base);
        let rest: u64 = later.map(|other| other.size).sum();
        Ok(rest + segment.size.saturating_sub(batch.position.position))
    }

    pub fn belongings(&self) -> Belongings {
        Belongings {
            start_offset: self.start_offset,
            config: self.config.clone(),
            epochs: self.epochs.entries().to_vec(),
            truncations: self.truncations,
        }
    }
}

/// The copy, in a directory `<topic>-<index>.<unique>-future` until it takes the log's place.
#[derive(Debug)]
pub struct FutureLog {
    log: Log,
    /// Compaction of the log had come so far when the copy began: it has no key twice below.
    clean_until: i64,
    storage: Arc<dyn Storage>,
}

impl FutureLog {
    /// An empty one for the log of directory `name`, to be filled from `first_base` on.
    ///
    /// Errors: `Io`, `Full`.
    pub fn create(
        storage: &Arc<dyn Storage>,
        log_dir: &Path,
        name: &str,
        unique: &str,
        log: (LogConfig, i64, i64),
        now: Now,
    ) -> Result<FutureLog, LogError> {
        let (config, first_base, clean_until) = log;
        let dir = log_dir.join(renamed(name, unique, Fate::Future));
        let opening = Opening { start_offset: first_base, ..Opening::unclean(0) };
        let opened = Log::open(Arc::clone(storage), &dir, config, opening, now);
        let (log, _) = opened.map_err(|error| {
            // What cannot be removed now is found again at the next start, by its `-future`.
            let _ = storage.remove_dir_all(&dir);
            error.or_full()
        })?;
        Ok(FutureLog { log, clean_until, storage: Arc::clone(storage) })
    }

    pub fn dir(&self) -> &Path {
        self.log.dir()
    }

    /// The next offset to be copied.
    pub fn end_offset(&self) -> i64 {
        self.log.end_offset
    }

    pub fn size(&self) -> u64 {
        self.log.size()
    }

    pub fn clean_until(&self) -> i64 {
        self.clean_until
    }

    /// Begins anew at `offset`: retention has gone past what was copied.
    ///
    /// Errors: `Io`.
    pub fn restart_at(&mut self, offset: i64) -> Result<(), LogError> {
        self.log.truncate_fully_and_start_at(offset)
    }

    /// Appends batches as they stand, until about `max_bytes` are copied. Returns how many bytes were.
    ///
    /// Errors: as reading the batches, which blames the log's files, and as `Log::append`, which blames the copy's.
    pub fn copy(&mut self, from: &mut Copyable, max_bytes: u64, now: Now) -> Result<u64, LogError> {
        let mut copied = 0;
        let mut aborted = from.aborted.iter().peekable();
        while copied < max_bytes {
            let Some(batch) = from.batches.next().transpose()? else { break };
            let (last_offset, len) = (batch.header.last_offset(), batch.bytes.len());
            if last_offset < self.log.end_offset {
                continue;
            }
            // One that was appended when segments could be larger.
            let least = u32::try_from(len).unwrap_or(u32::MAX);
            self.log.config.segment_bytes = self.log.config.segment_bytes.max(least);
            let max_timestamp = batch.header.max_timestamp;
            self.log.append(&[AppendBatch { bytes: &batch.bytes, last_offset, max_timestamp }], now)?;
            while let Some(txn) = aborted.next_if(|txn| txn.last_offset <= last_offset) {
                self.log.append_aborted(txn)?;
            }
            copied += len as u64;
        }
        Ok(copied)
    }

    /// Makes durable what was copied.
    ///
    /// Errors: `Io`, `Full`.
    pub fn sync(&mut self) -> Result<(), LogError> {
        let job = self.log.sync_job();
        job.run()
            .map_err(WriteError::into_io)
            .map_err(self.log.folder.dir_fault())
            .map_err(LogError::or_full)?;
        self.log.synced(&job);
        Ok(())
    }

    /// Gives the copy what else the log has, durably: from here on either may serve.
    ///
    /// Errors: `Io`, `Full`.
    pub fn complete(
        &mut self,
        belongings: Belongings,
        producers: &[ProducerSnapshotEntry],
    ) -> Result<(), LogError> {
        let log = &mut self.log;
        log.config = belongings.config;
        log.start_offset = belongings.start_offset.min(log.end_offset);
        log.epochs.replace(belongings.epochs);
        log.truncations = belongings.truncations + 1;
        log.clean_until = self.clean_until.min(log.end_offset);
        log.write_producer_snapshot(producers)?;
        self.sync()
    }

    /// Renames the copy to the log's own name, durably.
    ///
    /// Errors: `Io`; which name it has on disk is then not known.
    pub fn take_name(mut self, name: &str) -> Result<Log, LogError> {
        let dir = self.log.folder.dir.with_file_name(name);
        let parent = dir.parent().unwrap_or(&dir).to_path_buf();
        let renamed = self.storage.rename(&self.log.folder.dir, &dir);
        renamed.and_then(|()| self.storage.sync_dir(&parent)).map_err(self.log.folder.dir_fault())?;
        self.log.folder = Folder::new(self.storage, &dir);
        Ok(self.log)
    }

    /// What removes a copy that is not wanted any more.
    pub fn discard(self) -> Removal {
        Removal::new(self.storage, self.log.folder.dir.to_path_buf())
    }
}
