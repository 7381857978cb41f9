//! The quorum's snapshots: which there are, the one being written, and what of the log they make superfluous. What they
//! hold is the control plane's to say; disk work is handed out as a `SnapshotJob` and never runs under the lock.
//!
//! A snapshot gets its name only when the write-ahead log's base has reached it, and a log start is in that base before
//! any file below it goes: wherever the machine stops, a whole snapshot or the whole log is left.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Quorum;
use super::checkpoint_file::{Batches, SnapshotId};
use super::outputs::QuorumOutput;
use super::wal::Base;
use crate::log::ExpiredFiles;
use crate::storage::Storage;

/// A segment of the metadata log as small as this is not worth files of its own: it goes on after a snapshot.
const MIN_SEGMENT_BYTES: u64 = 1024 * 1024;

/// A piece of a snapshot, in order; the control plane sends the next one when this one is told as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotChunk {
    pub id: SnapshotId,
    /// Of the last record that the snapshot stands for, ms.
    pub timestamp: i64,
    /// Counted from 0, which begins a new snapshot.
    pub position: i32,
    /// The last one.
    pub done: bool,
    pub values: Vec<Vec<u8>>,
}

/// How long snapshots, and the log below them, are kept: Kafka's `metadata.max.retention.bytes` and
/// `metadata.max.retention.ms`; negative = without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotRetention {
    pub bytes: i64,
    pub ms: i64,
}

impl Default for SnapshotRetention {
    fn default() -> Self {
        Self { bytes: 100 * 1024 * 1024, ms: 7 * 24 * 60 * 60 * 1000 }
    }
}

/// A snapshot that stands on disk, whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownSnapshot {
    pub id: SnapshotId,
    pub bytes: u64,
    pub timestamp: i64,
}

/// The oldest of `known` (oldest first) that stays, by position. `log_bytes` gives the size of the log from an offset on.
/// The newest always stays.
pub fn first_kept(
    known: &[KnownSnapshot],
    log_start: i64,
    log_bytes: impl Fn(i64) -> u64,
    retention: SnapshotRetention,
    now_ms: i64,
) -> usize {
    let mut start = log_start;
    for (index, pair) in known.windows(2).enumerate() {
        let [oldest, next] = pair else { break };
        let snapshots: u64 = known.iter().skip(index).map(|snapshot| snapshot.bytes).sum();
        let total = i64::try_from(snapshots.saturating_add(log_bytes(start))).unwrap_or(i64::MAX);
        let too_large = retention.bytes >= 0 && total > retention.bytes;
        let too_old = retention.ms >= 0 && now_ms.saturating_sub(oldest.timestamp) > retention.ms;
        if !too_large && !too_old {
            return index;
        }
        start = next.id.end_offset;
    }
    known.len().saturating_sub(1)
}

/// Disk work for a snapshot. `Quorum::ready_snapshot` gives it out, `Quorum::snapshot_done` takes it back.
#[derive(Debug)]
pub struct SnapshotJob {
    storage: Arc<dyn Storage>,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Write { path: PathBuf, at: u64, bytes: Vec<u8>, last: bool },
    Seal { part: PathBuf, path: PathBuf },
    Remove { files: Vec<PathBuf>, segments: Option<ExpiredFiles> },
}

impl SnapshotJob {
    /// Does the work; blocks.
    pub fn run(&self) -> io::Result<()> {
        let storage = &*self.storage;
        match &self.work {
            Work::Write { path, at, bytes, last } => {
                let file = if *at == 0 {
                    remove_if_present(storage, path)?;
                    storage.create(path)?
                } else {
                    storage.open(path)?
                };
                file.write_at(*at, &[IoSlice::new(bytes)])?;
                if *last { file.sync() } else { Ok(()) }
            }
            Work::Seal { part, path } => {
                storage.rename(part, path)?;
                path.parent().map_or(Ok(()), |dir| storage.sync_dir(dir))
            }
            Work::Remove { files, segments } => {
                for file in files {
                    remove_if_present(storage, file)?;
                }
                segments.as_ref().map_or(Ok(()), ExpiredFiles::run)
            }
        }
    }
}

fn remove_if_present(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    match storage.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// One snapshot under way at a time.
#[derive(Debug)]
enum Stage {
    Idle,
    Writing(Writing),
    /// Whole under its temporary name; the write-ahead log's base has to reach it.
    Covering(KnownSnapshot, i32),
    /// It gets its name.
    Sealing(KnownSnapshot, i32),
    /// The write-ahead log's base has to hold this log start.
    Trimming(i64),
    /// What lies below the log start goes.
    Removing,
}

#[derive(Debug)]
struct Writing {
    id: SnapshotId,
    timestamp: i64,
    batches: Batches,
    /// The chunk that comes next.
    position: i32,
    bytes: u64,
    /// The chunk on its way to the disk is the last.
    last: bool,
}

#[derive(Debug)]
pub(super) struct Snapshots {
    dir: PathBuf,
    retention: SnapshotRetention,
    min_segment_bytes: u64,
    /// Oldest first.
    known: Vec<KnownSnapshot>,
    stage: Stage,
    /// The next job, until it is given out.
    work: Option<Work>,
    /// A job is out.
    busy: bool,
}

impl Snapshots {
    pub fn new(dir: PathBuf, known: Vec<KnownSnapshot>) -> Snapshots {
        Snapshots {
            dir,
            retention: SnapshotRetention::default(),
            min_segment_bytes: MIN_SEGMENT_BYTES,
            known,
            stage: Stage::Idle,
            work: None,
            busy: false,
        }
    }

    #[cfg(test)]
    pub fn set_min_segment_bytes(&mut self, bytes: u64) {
        self.min_segment_bytes = bytes;
    }

    /// Whether the write-ahead log must be compacted for the snapshot under way to go on.
    pub fn waits_for(&self, base: &Base) -> bool {
        match &self.stage {
            Stage::Covering(snapshot, _) => base.end_offset < snapshot.id.end_offset,
            Stage::Trimming(start) => base.start_offset < *start,
            _ => false,
        }
    }

    /// The log start that the write-ahead log's next base holds.
    pub fn start_offset(&self, base: &Base) -> i64 {
        match self.stage {
            Stage::Trimming(start) => start.max(base.start_offset),
            _ => base.start_offset,
        }
    }

    fn newest(&self) -> i64 {
        self.known.last().map_or(0, |snapshot| snapshot.id.end_offset)
    }

    /// Takes the chunk's batches; they become the next job.
    fn take(&mut self, chunk: SnapshotChunk) -> Result<(), String> {
        if chunk.position == 0 {
            if !matches!(self.stage, Stage::Idle | Stage::Writing(_)) || self.busy {
                return Err("another snapshot is under way".to_owned());
            }
            let (id, timestamp) = (chunk.id, chunk.timestamp);
            let batches = Batches::new(id, timestamp);
            self.stage =
                Stage::Writing(Writing { id, timestamp, batches, position: 0, bytes: 0, last: false });
        }
        let Stage::Writing(writing) = &mut self.stage else {
            return Err("no snapshot is being written".to_owned());
        };
        if self.busy || self.work.is_some() || (writing.id, writing.position) != (chunk.id, chunk.position) {
            return Err(format!("chunk {} is not the next of the snapshot", chunk.position));
        }
        let bytes = encode(&mut writing.batches, &chunk).map_err(|error| error.to_string())?;
        let at = writing.bytes;
        writing.bytes += bytes.len() as u64;
        writing.position += 1;
        writing.last = chunk.done;
        let path = self.dir.join(chunk.id.part_name());
        self.work = Some(Work::Write { path, at, bytes, last: chunk.done });
        Ok(())
    }

    /// Gives the snapshot under way up; its file goes.
    fn abandon(&mut self) {
        if let Stage::Writing(Writing { id, .. }) | Stage::Covering(KnownSnapshot { id, .. }, _) = &self.stage
        {
            self.work = Some(Work::Remove { files: vec![self.dir.join(id.part_name())], segments: None });
            self.stage = Stage::Removing;
        }
    }
}

fn encode(batches: &mut Batches, chunk: &SnapshotChunk) -> Result<Vec<u8>, millrace_record::BatchError> {
    let mut bytes = Vec::new();
    if chunk.position == 0 {
        bytes.extend(batches.header()?);
    }
    if !chunk.values.is_empty() {
        bytes.extend(batches.records(&chunk.values)?);
    }
    if chunk.done {
        bytes.extend(batches.footer()?);
    }
    Ok(bytes)
}

impl Quorum {
    /// Writes a piece of a snapshot. Told as `SnapshotWritten` once it is on its way safely (the last one: once the
    /// snapshot stands), or with the reason why there will be no such snapshot.
    pub fn write_snapshot(&mut self, chunk: SnapshotChunk) {
        let (SnapshotId { end_offset, .. }, position) = (chunk.id, chunk.position);
        let (newest, end) = (self.snapshots.newest(), self.high_watermark());
        let taken = if end_offset <= newest || end_offset > end {
            Err(format!("offset {end_offset} does not lie between the last snapshot ({newest}) and {end}"))
        } else {
            self.snapshots.take(chunk)
        };
        if let Err(reason) = taken {
            self.tell_snapshot(end_offset, position, Some(reason));
        }
    }

    /// The next disk work for snapshots. `None` while one is out, and when there is none.
    pub fn ready_snapshot(&mut self) -> Option<SnapshotJob> {
        self.run(Self::advance_snapshot);
        if self.is_faulted() || self.snapshots.busy {
            return None;
        }
        let work = self.snapshots.work.take()?;
        self.snapshots.busy = true;
        Some(SnapshotJob { storage: Arc::clone(&self.storage), work })
    }

    /// Takes back what `ready_snapshot` gave, with the result of its `run`. `now_ms`: the wall clock.
    pub fn snapshot_done(&mut self, result: io::Result<()>, now_ms: i64) {
        self.snapshots.busy = false;
        self.run(|quorum| quorum.finish_snapshot_job(result, now_ms));
    }

    pub fn set_snapshot_retention(&mut self, retention: SnapshotRetention) {
        self.snapshots.retention = retention;
    }

    /// The size at which a segment of the metadata log ends (`metadata.log.segment.bytes`).
    pub fn segment_bytes(&self) -> u32 {
        self.log.segment_bytes()
    }

    pub fn set_segment_bytes(&mut self, bytes: u32) {
        self.log.set_segment_bytes(bytes);
    }

    fn advance_snapshot(&mut self) -> Result<(), String> {
        let snapshots = &mut self.snapshots;
        match &snapshots.stage {
            Stage::Covering(snapshot, position) if !snapshots.waits_for(&self.base) => {
                let (snapshot, position) = (*snapshot, *position);
                let part = snapshots.dir.join(snapshot.id.part_name());
                let path = snapshots.dir.join(snapshot.id.file_name());
                snapshots.work = Some(Work::Seal { part, path });
                snapshots.stage = Stage::Sealing(snapshot, position);
            }
            Stage::Trimming(start) if !snapshots.waits_for(&self.base) => {
                let start = *start;
                let segments = self.log.trim(start)?;
                let below = snapshots.known.iter().filter(|snapshot| snapshot.id.end_offset < start);
                let files = below.map(|snapshot| snapshots.dir.join(snapshot.id.file_name())).collect();
                snapshots.known.retain(|snapshot| snapshot.id.end_offset >= start);
                snapshots.work = Some(Work::Remove { files, segments: Some(segments) });
                snapshots.stage = Stage::Removing;
            }
            _ => {}
        }
        Ok(())
    }

    fn finish_snapshot_job(&mut self, result: io::Result<()>, now_ms: i64) -> Result<(), String> {
        match std::mem::replace(&mut self.snapshots.stage, Stage::Idle) {
            Stage::Writing(writing) => {
                let (end_offset, position, last) =
                    (writing.id.end_offset, writing.position - 1, writing.last);
                let Writing { id, timestamp, bytes, .. } = writing;
                let whole = KnownSnapshot { id, bytes, timestamp };
                self.snapshots.stage =
                    if last { Stage::Covering(whole, position) } else { Stage::Writing(writing) };
                match result {
                    Ok(()) if last => {}
                    Ok(()) => self.tell_snapshot(end_offset, position, None),
                    Err(error) => {
                        self.snapshots.abandon();
                        self.tell_snapshot(end_offset, position, Some(error.to_string()));
                    }
                }
            }
            Stage::Sealing(snapshot, position) => {
                let reason = result.err().map(|error| error.to_string());
                if reason.is_none() {
                    self.snapshots.known.push(snapshot);
                    self.log.roll_beyond(self.snapshots.min_segment_bytes)?;
                    self.plan_trimming(now_ms);
                }
                self.tell_snapshot(snapshot.id.end_offset, position, reason);
            }
            // What could not be removed is found again at the next start.
            Stage::Removing | Stage::Idle => {}
            waiting @ (Stage::Covering(..) | Stage::Trimming(_)) => self.snapshots.stage = waiting,
        }
        Ok(())
    }

    fn plan_trimming(&mut self, now_ms: i64) {
        let Snapshots { known, retention, .. } = &self.snapshots;
        let log_bytes = |start| self.log.bytes_from(start);
        let kept = first_kept(known, self.log.start_offset(), log_bytes, *retention, now_ms);
        if let Some(oldest) = known.get(kept).filter(|_| kept > 0) {
            self.snapshots.stage = Stage::Trimming(oldest.id.end_offset);
        }
    }

    fn tell_snapshot(&mut self, end_offset: i64, position: i32, failure: Option<String>) {
        self.outputs.push(QuorumOutput::SnapshotWritten { end_offset, position, failure });
    }
}
