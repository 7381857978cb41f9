//! The logs at the end of a clean stop: closed on as many threads as the disk pool has, then the marks that the next
//! start reads. When each step is due is `stopping`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::effects::Effect;
use super::log_dirs::{CHECKPOINTS, OffsetsByDir};
use super::shared::Node;
use super::summaries;
use crate::log::{LastStop, clean_shutdown};
use crate::partition::{Closed, ClosedPartition, Notices, Partition};
use crate::storage::is_full;

/// Logs that one effect closes: enough for its own cost not to show, few enough to keep every thread busy.
const LOGS_PER_EFFECT: usize = 8;

/// What the marks need to know of the logs.
#[derive(Debug, Default)]
pub(super) struct Closing {
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
            let closed = partition.close(notices);
            let Some(log_dir) = partition.dir().parent().map(Path::to_path_buf) else { continue };
            let mut closing = self.stopping.closing.lock();
            match closed {
                Ok(Closed { offsets, left }) => {
                    let entry = (partition.topic().to_string(), partition.index(), offsets);
                    closing.offsets.entry(log_dir.clone()).or_default().push(entry);
                    let name = format!("{}-{}", partition.topic(), partition.index());
                    closing.left.entry(log_dir).or_default().extend(left.map(|left| (name, left)));
                }
                Err(_) => {
                    closing.unclean.insert(log_dir);
                }
            }
        }
    }

    /// Closes the quorum and marks each log directory of which everything went well.
    pub(super) fn mark_clean(&self, notices: &mut Notices) {
        let known = self.images.lock().first_applied;
        let Closing { offsets, left, mut unclean } = std::mem::take(&mut *self.stopping.closing.lock());
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
