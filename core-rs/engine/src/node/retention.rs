//! Records leaving the node's logs: the periodic check of retention, DeleteRecords, and files whose delay is over.
//! A log start is on disk before anything below it goes or anybody is told, unless retention has to make room for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::effects::Effect;
use super::periodic::Periodic;
use super::shared::Node;
use crate::api::ErrorCode;
use crate::boundary::Event;
use crate::log::ExpiredFiles;
use crate::partition::{Notices, Partition};
use crate::time::Now;
use crate::uuid::Uuid;

/// The first check after a start (Kafka's `log.initial.task.delay.ms`), unless the interval is shorter.
const INITIAL_DELAY_MS: i64 = 30_000;
/// What DeleteRecords answers in place of a low watermark.
const NO_LOW_WATERMARK: i64 = -1;

/// What of retention is under way.
#[derive(Debug)]
pub(super) struct Retention {
    check: Periodic,
    /// Removals that wait for the end of `file.delete.delay.ms`, by that moment (monotonic ms).
    delayed: Mutex<BTreeMap<i64, Vec<Effect>>>,
    deletions: Mutex<Deletions>,
}

/// DeleteRecords commands that wait for the disk pool: one write of the checkpoint serves all of them.
#[derive(Debug, Default)]
struct Deletions {
    queue: Vec<DeleteRecords>,
    /// An effect is queued or running.
    in_flight: bool,
}

/// One partition of a DeleteRecords request.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeleteRecords {
    pub request_id: i64,
    pub topic_id: Uuid,
    pub partition: i32,
    pub leader_epoch: i32,
    pub offset: i64,
}

impl Retention {
    pub fn new(interval_ms: i64, now: Now) -> Retention {
        Retention {
            check: Periodic::new(interval_ms, INITIAL_DELAY_MS, now),
            delayed: Mutex::default(),
            deletions: Mutex::default(),
        }
    }

    fn take_due(&self, now: Now) -> Vec<Effect> {
        let mut delayed = self.delayed.lock();
        let later = delayed.split_off(&now.monotonic_ms.saturating_add(1));
        std::mem::replace(&mut *delayed, later).into_values().flatten().collect()
    }
}

impl Node {
    /// Queues what time has made due.
    pub(super) fn tick_retention(&self, now: Now) {
        if self.retention.check.is_due(now) {
            self.push_effect(Effect::CheckRetention);
        }
        for removal in self.retention.take_due(now) {
            self.push_effect(removal);
        }
    }

    /// Queues a check without waiting for its time.
    pub(super) fn check_retention_now(&self) {
        if !self.stopping.is_stopping() && self.retention.check.begins_now() {
            self.push_effect(Effect::CheckRetention);
        }
    }

    /// Queues the removal of every file whose delay is not over: there is no room for them.
    pub(super) fn remove_delayed_files(&self) {
        let delayed = std::mem::take(&mut *self.retention.delayed.lock());
        for removal in delayed.into_values().flatten() {
            self.push_effect(removal);
        }
    }

    /// Goes over every partition. All log starts that move are made durable together, and only then do files go.
    pub(super) fn check_retention(&self, now: Now, notices: &mut Notices) {
        // Until then the checkpoint would forget the partitions that are not open yet.
        if self.images.lock().first_applied {
            let mut expired: Vec<(Arc<Partition>, i64)> = Vec::new();
            for topic in self.topics.all() {
                for partition in topic.partitions.iter().flatten() {
                    let start = partition.begin_retention(now, notices);
                    expired.extend(start.map(|start| (partition.clone(), start)));
                }
            }
            let written = self.write_log_starts(dirs_of(expired.iter().map(|(p, _)| p)), notices);
            for (partition, start) in &expired {
                // Where there is no room for the checkpoint, the files go all the same, or there never would be any:
                // they are renamed oldest first, so that a crash that undoes some of it leaves no hole behind.
                let is_short = partition.dir().parent().is_some_and(|dir| self.is_short_of_room(dir));
                if (is_short || in_dirs(&written, partition))
                    && let Some(files) = partition.expire_below(*start, notices)
                {
                    let delay_ms = if is_short { 0 } else { partition.config().log.file_delete_delay_ms };
                    self.remove_later(Effect::RemoveExpired(files), delay_ms, now);
                }
            }
        }
        self.retention.check.done();
    }

    /// Has files removed once their delay is over. A stop does not wait for it: the next start finds them by name.
    pub(super) fn remove_later(&self, removal: Effect, delay_ms: i64, now: Now) {
        if delay_ms <= 0 {
            self.push_effect(removal);
            return;
        }
        let due = now.monotonic_ms.saturating_add(delay_ms);
        self.retention.delayed.lock().entry(due).or_default().push(removal);
    }

    pub(super) fn queue_deletion(&self, deletion: DeleteRecords) {
        let mut deletions = self.retention.deletions.lock();
        deletions.queue.push(deletion);
        if !std::mem::replace(&mut deletions.in_flight, true) {
            self.push_effect(Effect::DeleteRecords);
        }
    }

    /// Carries out all DeleteRecords that have gathered and answers them. The segments go with the next check.
    pub(super) fn delete_records(&self, notices: &mut Notices) {
        let queue = std::mem::take(&mut self.retention.deletions.lock().queue);
        let outcomes: Vec<_> = queue.iter().map(|deletion| self.delete_from(deletion, notices)).collect();
        let deleted = outcomes.iter().flatten().map(|(partition, _)| partition);
        let written = self.write_log_starts(dirs_of(deleted), notices);
        for (deletion, outcome) in queue.iter().zip(outcomes) {
            let (low_watermark, error) = match outcome {
                Ok((partition, start)) if in_dirs(&written, &partition) => (start, ErrorCode::NONE),
                Ok(_) => (NO_LOW_WATERMARK, ErrorCode::KAFKA_STORAGE_ERROR),
                Err(error) => (NO_LOW_WATERMARK, error),
            };
            self.emit(&Event::RecordsDeleted {
                request_id: deletion.request_id,
                low_watermark,
                error_code: error.0,
            });
        }
        let mut deletions = self.retention.deletions.lock();
        if deletions.queue.is_empty() {
            deletions.in_flight = false;
        } else {
            self.push_effect(Effect::DeleteRecords);
        }
    }

    fn delete_from(
        &self,
        deletion: &DeleteRecords,
        notices: &mut Notices,
    ) -> Result<(Arc<Partition>, i64), ErrorCode> {
        let partition = self.topics.partition(deletion.topic_id, deletion.partition);
        let partition = partition.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        let start = partition.delete_records(deletion.leader_epoch, deletion.offset, notices)?;
        Ok((partition, start))
    }

    pub(super) fn run_expiry(&self, files: &ExpiredFiles) {
        // What cannot be removed now is found again at the next start, by its `.deleted`.
        let _ = files.run();
    }
}

fn dirs_of<'a>(partitions: impl Iterator<Item = &'a Arc<Partition>>) -> BTreeSet<PathBuf> {
    partitions.filter_map(|partition| partition.dir().parent().map(PathBuf::from)).collect()
}

fn in_dirs(dirs: &BTreeSet<PathBuf>, partition: &Partition) -> bool {
    partition.dir().parent().is_some_and(|dir| dirs.contains(dir))
}
