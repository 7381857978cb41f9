//! What of a log is on disk for good: the list of files that a sync still has to cover, sync jobs, producer
//! snapshots and the clean stop.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::checkpoint::{self, LEADER_EPOCH_FILE};
use super::folder::{Folder, LOG, SEGMENT_FILES, SNAPSHOT, parse_name};
use super::log::Log;
use super::partition_metadata::PARTITION_METADATA_FILE;
use super::producer_snapshot::{self, ProducerSnapshotEntry};
use super::{DamagedPlace, LogError, SyncJob};
use crate::storage::{Storage, StorageFile, WriteError};

/// Closed segments of one log whose files are open because no sync has covered them yet.
const MANY_OPEN: usize = 64;

/// A file that a sync has to cover.
#[derive(Clone, Debug)]
pub(super) enum Unsafe {
    Open(Arc<dyn StorageFile>),
    /// One that nobody has open: a log that is only waiting for its first sync owns no descriptor.
    Named(PathBuf),
}

impl Unsafe {
    fn sync(&self, storage: &dyn Storage) -> io::Result<()> {
        match self {
            Unsafe::Open(file) => file.sync(),
            Unsafe::Named(path) => match storage.open_shared(path) {
                Ok(file) => file.sync(),
                // Retention, truncation or the deletion of the log took it: it is no part of the log any more.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(error),
            },
        }
    }
}

/// Files written and directories changed since the sync that covered them last; the active segment's file is
/// covered by every job anyway.
#[derive(Debug, Default)]
pub(super) struct Unsynced {
    files: Vec<Unsafe>,
    dirs: Vec<PathBuf>,
    /// `partition.metadata`, which the partition writes and leaves to the first sync: no record counts as durable
    /// before it does.
    owner: bool,
    /// Entries of both lists that earlier jobs covered.
    files_done: u64,
    dirs_done: u64,
}

/// How far into the lists a job reaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Covered {
    files: u64,
    dirs: u64,
    owner: bool,
    truncations: u64,
}

impl Unsynced {
    pub(super) fn file(&mut self, file: Arc<dyn StorageFile>) {
        self.files.push(Unsafe::Open(file));
    }

    /// What `Segment::finish` returned. Only the log file stays open until it is synced.
    pub(super) fn finished(&mut self, files: Vec<Arc<dyn StorageFile>>, folder: &Folder, base: i64) {
        for (file, extension) in files.into_iter().zip(SEGMENT_FILES) {
            match extension {
                LOG => self.file(file),
                _ => self.named(folder.path(base, extension)),
            }
        }
    }

    /// A closed segment that nobody has open.
    pub(super) fn segment(&mut self, folder: &Folder, base: i64) {
        for extension in SEGMENT_FILES {
            self.named(folder.path(base, extension));
        }
    }

    /// Whether so many files are kept open for their sync that no more should be.
    pub(super) fn holds_many(&self) -> bool {
        self.files.len() >= MANY_OPEN
            && self.files.iter().filter(|file| matches!(file, Unsafe::Open(_))).count() >= MANY_OPEN
    }

    pub(super) fn named(&mut self, path: PathBuf) {
        self.files.push(Unsafe::Named(path));
    }

    pub(super) fn dir(&mut self, dir: &Path) {
        self.dirs.push(dir.to_path_buf());
    }

    /// The directory itself: its name, those inside it, and whose it is.
    pub(super) fn folder(&mut self, folder: &Folder) {
        if let Some(parent) = folder.dir.parent() {
            self.dir(parent);
        }
        self.dir(&folder.dir);
        self.owner = true;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty() && self.dirs.is_empty()
    }

    fn forget(&mut self, covered: &Covered) {
        let files = covered.files.saturating_sub(self.files_done);
        let dirs = covered.dirs.saturating_sub(self.dirs_done);
        self.files.drain(..(files as usize).min(self.files.len()));
        self.dirs.drain(..(dirs as usize).min(self.dirs.len()));
        self.owner &= !covered.owner;
        self.files_done = self.files_done.max(covered.files);
        self.dirs_done = self.dirs_done.max(covered.dirs);
    }
}

impl Log {
    /// What it takes to make everything appended so far durable. One job at a time: run it without the lock, then
    /// tell `synced`.
    pub fn sync_job(&self) -> SyncJob {
        let end = self.end_position();
        let mut files = self.unsynced.files.clone();
        files.extend(self.segments.last().and_then(|active| active.file.get()).cloned().map(Unsafe::Open));
        if self.unsynced.owner {
            files.push(Unsafe::Named(self.folder.dir.join(PARTITION_METADATA_FILE)));
        }
        let mut dirs: Vec<PathBuf> = Vec::new();
        for dir in &self.unsynced.dirs {
            if !dirs.contains(dir) {
                dirs.push(dir.clone());
            }
        }
        let epochs = self.epochs.dirty.then(|| self.epochs.entries().to_vec());
        let covered = Covered {
            files: self.unsynced.files_done + self.unsynced.files.len() as u64,
            dirs: self.unsynced.dirs_done + self.unsynced.dirs.len() as u64,
            owner: self.unsynced.owner,
            truncations: self.truncations,
        };
        SyncJob {
            storage: Arc::clone(&self.folder.storage),
            epoch_file: epochs.map(|entries| (self.folder.dir.join(LEADER_EPOCH_FILE), entries)),
            files,
            dirs,
            end,
            covered,
        }
    }

    /// `job.run()` succeeded: moves the recovery point to its end. False, with nothing vouched for, when the log was
    /// truncated in between.
    pub fn synced(&mut self, job: &SyncJob) -> bool {
        self.unsynced.forget(&job.covered);
        if let Some((_, entries)) = &job.epoch_file
            && entries == self.epochs.entries()
        {
            self.epochs.dirty = false;
        }
        if job.covered.truncations != self.truncations {
            return false;
        }
        self.recovery_point = self.recovery_point.max(job.end.offset);
        true
    }

    /// Whether everything is durable already and the files look as a clean stop leaves them.
    fn is_settled(&self) -> bool {
        self.recovery_point >= self.end_offset
            && self.unsynced.is_empty()
            && !self.epochs.dirty
            && self.segments.last().is_some_and(|active| active.indexes_finished() && !active.has_room())
    }

    /// The clean stop: indexes trimmed, everything synced; nothing can be written afterwards. The caller has written
    /// the producer snapshot before. Costs nothing for a log that did not change since it was opened.
    pub fn close(&mut self) -> Result<(), LogError> {
        match self.finish()? {
            Some(job) => self.finished(&job, job.run()),
            None => Ok(()),
        }
    }

    /// The same but for the sync: gives the job that is left to be run, if there is one, for `finished`.
    pub fn finish(&mut self) -> Result<Option<SyncJob>, LogError> {
        self.check_online()?;
        self.offline = true;
        self.finish_files().map_err(LogError::or_full)
    }

    /// What came of the job that `finish` gave.
    pub fn finished(&mut self, job: &SyncJob, outcome: Result<(), WriteError>) -> Result<(), LogError> {
        let outcome = outcome.map_err(WriteError::into_io).map_err(self.folder.dir_fault());
        outcome.map_err(LogError::or_full)?;
        self.synced(job);
        Ok(())
    }

    fn finish_files(&mut self) -> Result<Option<SyncJob>, LogError> {
        if self.is_settled() {
            return Ok(None);
        }
        // An empty log has nothing to lose: if a later crash takes its files, opening makes them again.
        let empty = self.size() == 0 && self.unsynced.files.is_empty() && !self.epochs.dirty;
        if let Some(active) = self.segments.last_mut() {
            // Logs may wait together for their sync: none keeps a descriptor for it.
            active.finish(&self.folder)?;
            active.file.take();
            self.unsynced.segment(&self.folder, active.base);
            self.unsynced.dir(&self.folder.dir);
        }
        Ok((!empty).then(|| self.sync_job()))
    }

    /// Runs a sync here and now.
    pub(super) fn sync_now(&mut self) -> Result<(), LogError> {
        let job = self.sync_job();
        job.run().map_err(WriteError::into_io).map_err(self.folder.dir_fault())?;
        self.synced(&job);
        Ok(())
    }

    /// Writes the producer state as of `end_offset`; the next sync makes it durable. Nothing is written when there
    /// is a snapshot of that offset, or nothing in the log that it would save from being replayed.
    pub fn write_producer_snapshot(&mut self, entries: &[ProducerSnapshotEntry]) -> Result<(), LogError> {
        self.write_producer_snapshot_at(self.end_offset, entries)
    }

    /// The same as of `offset`: at a roll, the base offset of the new segment.
    pub fn write_producer_snapshot_at(
        &mut self,
        offset: i64,
        entries: &[ProducerSnapshotEntry],
    ) -> Result<(), LogError> {
        self.check_online()?;
        let pointless = entries.is_empty() && self.size() == 0;
        if pointless || self.newest_snapshot == Some(offset) {
            return Ok(());
        }
        self.folder.remove_if_present(offset, SNAPSHOT)?;
        match self.write_snapshot_file(offset, &producer_snapshot::encode(entries)) {
            // Nothing is lost without it: the batches since the one before are replayed instead.
            Err(error) if error.is_full() => return self.folder.remove_if_present(offset, SNAPSHOT),
            written => written?,
        }
        self.unsynced.named(self.folder.path(offset, SNAPSHOT));
        self.unsynced.dir(&self.folder.dir);
        self.newest_snapshot = Some(offset);
        Ok(())
    }

    fn write_snapshot_file(&self, offset: i64, contents: &[u8]) -> Result<(), LogError> {
        let file = self.folder.create(offset, SNAPSHOT)?;
        file.write_at(0, &[IoSlice::new(contents)]).map_err(self.folder.fault(offset, SNAPSHOT))
    }

    /// The newest producer snapshot that is whole, with the offset up to which it holds; batches from there on are to
    /// be replayed over it. Of those at `limit` or below. Those that are not whole go to `damaged`.
    pub fn read_producer_snapshot(
        &self,
        limit: i64,
        damaged: &mut Vec<DamagedPlace>,
    ) -> Result<Option<(i64, Vec<ProducerSnapshotEntry>)>, LogError> {
        let limit = limit.min(self.end_offset);
        let read = |offset: i64| {
            let contents = self.folder.storage.read_to_vec(&self.folder.path(offset, SNAPSHOT));
            contents.map_err(self.folder.fault(offset, SNAPSHOT))
        };
        // Mostly the newest one is known and whole: then nobody has to list the directory.
        if let Some(newest) = self.newest_snapshot.filter(|newest| *newest <= limit)
            && let Ok(contents) = read(newest)
            && let Ok(entries) = producer_snapshot::decode(&contents)
        {
            return Ok(Some((newest, entries)));
        }
        let mut offsets = snapshot_offsets(&self.folder)?;
        offsets.retain(|offset| *offset <= limit);
        for offset in offsets.into_iter().rev() {
            let path = self.folder.path(offset, SNAPSHOT);
            // The one before it still holds.
            match producer_snapshot::decode(&read(offset)?) {
                Ok(entries) => return Ok(Some((offset, entries))),
                Err(error) => {
                    let reason = error.to_string();
                    damaged.push(DamagedPlace { path, position: 0, offset: -1, reason });
                }
            }
        }
        Ok(None)
    }
}

/// Offsets of the producer snapshots in the directory, rising.
pub(super) fn snapshot_offsets(folder: &Folder) -> Result<Vec<i64>, LogError> {
    let names = folder.storage.names(&folder.dir).map_err(folder.dir_fault())?;
    let snapshot =
        |name: &String| parse_name(name).filter(|(_, kind)| *kind == SNAPSHOT).map(|(offset, _)| offset);
    Ok(names.iter().filter_map(snapshot).collect())
}

impl SyncJob {
    /// Writes the leader epochs beside their file, for a sync of everything: once that is done, they are to be renamed.
    /// Gives both names.
    pub fn write_beside(&self) -> io::Result<Option<(PathBuf, PathBuf)>> {
        let Some((path, entries)) = &self.epoch_file else { return Ok(None) };
        let temporary = checkpoint::write_epochs_beside(&*self.storage, path, entries)?;
        Ok(Some((temporary, path.clone())))
    }

    /// Syncs every file, then the names. Nothing that the job covers counts as durable after an error: ever after
    /// `Failed`, before another run after `Full`, which means that there was no room for the leader epochs.
    pub fn run(&self) -> Result<(), WriteError> {
        for file in &self.files {
            file.sync(&*self.storage).map_err(WriteError::Failed)?;
        }
        if let Some((path, entries)) = &self.epoch_file {
            checkpoint::write_epochs(&*self.storage, path, entries).map_err(WriteError::of)?;
        }
        for dir in &self.dirs {
            self.storage.sync_dir(dir).map_err(WriteError::Failed)?;
        }
        Ok(())
    }
}
