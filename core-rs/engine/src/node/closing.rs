//! The logs at the end of a clean stop: closed on as many threads as the disk pool has, then synced, then the marks that
//! the next start reads. When each step is due is `stopping`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::effects::Effect;
use super::log_dirs::{CHECKPOINTS, OffsetsByDir};
use super::shared::Node;
use super::summaries;
use crate::log::{LastStop, LogError, clean_shutdown};
use crate::partition::{Closed, ClosedPartition, ClosingPartition, Notices, Partition};
use crate::storage::is_full;

/// Logs that one effect closes: enough for its own cost not to show, few enough to keep every thread busy.
const LOGS_PER_EFFECT: usize = 8;
/// Logs above which one sync of all that the file system holds is cheaper than one of each of their files.
const MANY_LOGS: usize = 100;

/// What the marks need to know of the logs.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// Logs whose files are not synced yet.
    finished: Vec<ClosingPartition>,
    /// As the logs were closed.
    offsets: OffsetsByDir,
    /// For the next start, by log directory.
    left: BTreeMap<PathBuf, Vec<(String, ClosedPartition)>>,
    /// Log directories of logs that could not be closed.
    unclean: BTreeSet<PathBuf>,
}

impl Node {
    /// Queues the closing of every log.
    pub(super) fn queue_closes(&self) {
        let topics = self.topics.all();
        let all: Vec<_> = topics.iter().flat_map(|topic| topic.partitions.iter().flatten()).collect();
        for some in all.chunks(LOGS_PER_EFFECT) {
            self.push_effect(Effect::CloseLogs(some.iter().map(|&partition| partition.clone()).collect()));
        }
    }

    pub(super) fn close_logs(&self, partitions: &[Arc<Partition>], notices: &mut Notices) {
        for partition in partitions {
            let finished = partition.close(notices);
            let mut closing = self.stopping.closing.lock();
            match finished {
                Ok(finished) => closing.finished.push(finished),
                Err(_) => {
                    let dir = partition.dir();
                    closing.unclean.extend(dir.parent().map(Path::to_path_buf));
                }
            }
        }
    }

    /// Queues the syncs of the logs that were closed: of each for itself, or where they are many of all at once.
    pub(super) fn queue_syncs(&self) {
        let mut finished = std::mem::take(&mut self.stopping.closing.lock().finished);
        let many = finished.iter().filter(|log| log.job().is_some()).count() > MANY_LOGS;
        if many {
            let mut by_dir: BTreeMap<PathBuf, Vec<ClosingPartition>> = BTreeMap::new();
            for log in finished {
                by_dir.entry(log.log_dir()).or_default().push(log);
            }
            by_dir.into_iter().for_each(|(dir, logs)| self.push_effect(Effect::SyncAll(dir, logs)));
            return;
        }
        while !finished.is_empty() {
            let some = finished.split_off(finished.len().saturating_sub(LOGS_PER_EFFECT));
            self.push_effect(Effect::SyncLogs(some));
        }
    }

    pub(super) fn sync_logs(&self, logs: Vec<ClosingPartition>, notices: &mut Notices) {
        for log in logs {
            let dir = log.log_dir();
            self.note_closed(dir, log.sync(), notices);
        }
    }

    /// Of one log directory.
    pub(super) fn sync_all_logs(&self, dir: &Path, logs: Vec<ClosingPartition>, notices: &mut Notices) {
        match self.sync_at_once(dir, &logs) {
            Ok(()) => logs.into_iter().for_each(|log| self.note_closed(dir.into(), log.synced(), notices)),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => self.sync_logs(logs, notices),
            Err(source) => {
                self.note_closed(dir.into(), Err(LogError::Io { path: dir.into(), source }), notices);
            }
        }
    }

    /// Two syncs of everything: of what is going to replace a file before it does, and of the names after.
    fn sync_at_once(&self, dir: &Path, logs: &[ClosingPartition]) -> io::Result<()> {
        let mut renames = Vec::new();
        for job in logs.iter().filter_map(ClosingPartition::job) {
            renames.extend(job.write_beside()?);
        }
        self.storage.sync_all(dir)?;
        if renames.is_empty() {
            return Ok(());
        }
        for (from, to) in renames {
            self.storage.rename(&from, &to)?;
        }
        self.storage.sync_all(dir)
    }

    fn note_closed(&self, log_dir: PathBuf, closed: Result<Closed, LogError>, notices: &mut Notices) {
        match closed {
            Ok(Closed { topic, index, offsets, left }) => {
                let mut closing = self.stopping.closing.lock();
                let name = format!("{topic}-{index}");
                closing.left.entry(log_dir.clone()).or_default().extend(left.map(|left| (name, left)));
                closing.offsets.entry(log_dir).or_default().push((topic.to_string(), index, offsets));
            }
            Err(error) => {
                match error.is_full() {
                    true => self.lacks_room(&log_dir, &error.to_string()),
                    false => self.fail_log_dir(&log_dir, &error.to_string(), notices),
                }
                self.stopping.closing.lock().unclean.insert(log_dir);
            }
        }
    }

    /// Closes the quorum and marks each log directory of which everything went well.
    pub(super) fn mark_clean(&self, notices: &mut Notices) {
        let known = self.images.lock().first_applied;
        let Closing { offsets, left, mut unclean, .. } = std::mem::take(&mut *self.stopping.closing.lock());
        let closed = self.quorum.lock().close();
        if let Err(error) = closed {
            let metadata_dir = self.log_dirs.first().map(|log_dir| log_dir.path.clone());
            match &metadata_dir {
                // The next start recovers it as after a crash.
                Some(log_dir) if error.is_full() => self.lacks_room(log_dir, &error.to_string()),
                _ => self.fault(&error.to_string()),
            }
            unclean.extend(metadata_dir);
        }
        for log_dir in &self.log_dirs {
            let path = &log_dir.path;
            // Logs that were never opened are as clean as they were found.
            let clean = (known || log_dir.stop == LastStop::Clean) && !unclean.contains(path);
            let written = !known || (clean && self.write_checkpoint(path, &CHECKPOINTS, &offsets, notices));
            if !clean || !written {
                continue;
            }
            let left = left.get(path).map(Vec::as_slice).unwrap_or_default();
            let marked = match summaries::write(&*self.storage, path, left) {
                // The next start opens every log.
                Err(error) if is_full(&error) => Ok(()),
                written => written,
            };
            let marked = marked.and_then(|()| clean_shutdown::write(&*self.storage, path, -1));
            if let Err(error) = marked {
                match is_full(&error) {
                    true => self.lacks_room(path, &error.to_string()),
                    false => self.fail_log_dir(path, &error.to_string(), notices),
                }
            }
        }
        self.stopped();
    }
}
