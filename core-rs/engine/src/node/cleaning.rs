//! The periodic look for logs to compact (Kafka's log cleaner), one log after the other on the disk pool.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::effects::Effect;
use super::periodic::Periodic;
use super::shared::Node;
use crate::boundary::{Event, NodeOptions};
use crate::log::{DEDUPE_BYTES, LogError};
use crate::partition::{Notices, Partition};
use crate::time::Now;

/// Kafka's default of `log.cleaner.backoff.ms`.
const BACKOFF_MS: i64 = 15_000;

/// How the node cleans, by the keys that Kafka has for a broker.
#[derive(Debug)]
pub(super) struct Cleaning {
    check: Periodic,
    enabled: bool,
    dedupe_bytes: usize,
    /// Directories of logs with damage that keeps compaction out.
    uncleanable: Mutex<BTreeSet<PathBuf>>,
}

impl Cleaning {
    pub fn new(options: &NodeOptions, now: Now) -> Cleaning {
        let number = |key: &str| options.default_of(key).and_then(|text| text.parse::<i64>().ok());
        let backoff_ms = number("log.cleaner.backoff.ms").unwrap_or(BACKOFF_MS);
        let dedupe_bytes = number("log.cleaner.dedupe.buffer.size");
        Cleaning {
            check: Periodic::new(backoff_ms, backoff_ms, now),
            enabled: options.default_of("log.cleaner.enable") != Some("false"),
            dedupe_bytes: dedupe_bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(DEDUPE_BYTES),
            uncleanable: Mutex::default(),
        }
    }
}

impl Node {
    pub(super) fn tick_cleaning(&self, now: Now) {
        if self.cleaning.enabled && self.cleaning.check.is_due(now) {
            self.push_effect(Effect::Clean);
        }
    }

    /// Compacts every log that needs it.
    pub(super) fn clean_logs(&self, now: Now, notices: &mut Notices) {
        for topic in self.topics.all() {
            for partition in topic.partitions.iter().flatten() {
                if self.stopping.is_stopping() {
                    break;
                }
                self.clean(partition, now, notices);
            }
        }
        self.cleaning.check.done();
    }

    fn clean(&self, partition: &Arc<Partition>, now: Now, notices: &mut Notices) {
        // As Kafka, none while it is copied to another directory.
        if self.moves.is_moving(partition) {
            return;
        }
        if self.cleaning.uncleanable.lock().contains(&*partition.dir()) {
            return;
        }
        match partition.clean(self.cleaning.dedupe_bytes, now, notices) {
            Ok(None) => {}
            Ok(Some(files)) if files.is_empty() => {}
            Ok(Some(files)) => {
                let delay_ms = partition.config().log.file_delete_delay_ms;
                self.remove_later(Effect::RemoveExpired(files), delay_ms, now);
            }
            Err(error) => self.cleaning_failed(partition, error, notices),
        }
    }

    fn cleaning_failed(&self, partition: &Partition, error: LogError, notices: &mut Notices) {
        if partition.is_past(&error) {
            return;
        }
        let dir = partition.dir();
        let log_dir = dir.parent().unwrap_or(&dir);
        match error {
            LogError::Corrupt { path, position, reason } => {
                // As Kafka's uncleanable partitions: said once, and left alone until the next start.
                self.cleaning.uncleanable.lock().insert(partition.dir().to_path_buf());
                self.emit(&Event::Damaged {
                    file: &path.to_string_lossy(),
                    position: i64::try_from(position).unwrap_or(i64::MAX),
                    offset: -1,
                    message: &format!("the log cannot be compacted: {reason}"),
                });
            }
            error if error.is_full() => self.lacks_room(log_dir, &error.to_string()),
            error => self.fail_log_dir(log_dir, &error.to_string(), notices),
        }
    }
}
