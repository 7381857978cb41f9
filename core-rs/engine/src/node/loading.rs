//! The logs that an image delta names and that are not open yet: opened on as many threads as the disk pool has, with
//! progress told once a second. What the delta says beyond that is `image`'s, which goes on when the last log is open.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::effects::Effect;
use super::image::{ImageDelta, Unopened};
use super::shared::Node;
use crate::boundary::Event;
use crate::log::{DamagedPlace, LogError, Opening};
use crate::partition::{Notices, OpenedPartition, Partition, PartitionConfig, PartitionSpec};
use crate::time::Now;
use crate::uuid::Uuid;

/// Logs opened in one go, so that other disk work gets its turn, and below which threads are not worth it.
const LOGS_PER_EFFECT: usize = 8;
/// Between two tellings of progress.
const PROGRESS_MS: i64 = 1000;

/// One log that is to be opened.
#[derive(Debug)]
pub(super) struct Unloaded {
    pub spec: PartitionSpec,
    pub config: Arc<PartitionConfig>,
    pub opening: Opening,
}

/// Logs that were opened ahead of their delta, or the reason why not, by topic id and partition.
pub(super) type Loaded = BTreeMap<(Uuid, i32), Result<Arc<Partition>, Unopened>>;

/// The logs of one delta on their way.
#[derive(Debug)]
pub struct Loading {
    delta: Arc<ImageDelta>,
    total: usize,
    work: Mutex<Work>,
}

#[derive(Debug, Default)]
struct Work {
    queue: VecDeque<Unloaded>,
    loaded: Loaded,
    checked_bytes: u64,
    /// Monotonic; when progress was told last.
    told_ms: i64,
}

impl Node {
    /// Has the logs of `delta` opened, if they are many, and `finish_image` called with them; else does that at once.
    pub(super) fn load_logs(self: &Arc<Self>, delta: Arc<ImageDelta>, now: Now, notices: &mut Notices) {
        let queue = self.unloaded_of(&delta, LOGS_PER_EFFECT);
        if queue.is_empty() {
            self.finish_image(&delta, Loaded::new(), now, notices);
            return;
        }
        let total = queue.len();
        let threads = total.div_ceil(LOGS_PER_EFFECT).min(usize::from(self.options.io_threads.max(1)));
        let work = Mutex::new(Work { queue, told_ms: now.monotonic_ms, ..Work::default() });
        let loading = Arc::new(Loading { delta, total, work });
        for _ in 0..threads {
            self.push_effect(Effect::LoadLogs(loading.clone()));
        }
    }

    /// Opens a few of the logs; whoever opens the last goes on with the delta.
    pub(super) fn run_loading(self: &Arc<Self>, loading: &Arc<Loading>, now: Now, notices: &mut Notices) {
        for _ in 0..LOGS_PER_EFFECT {
            let Some(unloaded) = loading.work.lock().queue.pop_front() else { return };
            let key = (unloaded.spec.topic_id, unloaded.spec.index);
            let (opened, checked_bytes) = self.open_log(unloaded, now, notices);
            let mut work = loading.work.lock();
            work.checked_bytes += checked_bytes;
            work.loaded.insert(key, opened);
            if work.loaded.len() == loading.total {
                let loaded = std::mem::take(&mut work.loaded);
                drop(work);
                self.finish_image(&loading.delta, loaded, now, notices);
                return;
            }
        }
        let mut work = loading.work.lock();
        if now.monotonic_ms - work.told_ms >= PROGRESS_MS {
            work.told_ms = now.monotonic_ms;
            let count = |logs: usize| i32::try_from(logs).unwrap_or(i32::MAX);
            self.emit(&Event::LogsLoading {
                loaded: count(work.loaded.len()),
                total: count(loading.total),
                checked_bytes: i64::try_from(work.checked_bytes).unwrap_or(i64::MAX),
            });
        }
        drop(work);
        self.push_effect(Effect::LoadLogs(loading.clone()));
    }

    fn resume_or_open(
        &self,
        unloaded: &Unloaded,
        log_dir: &Path,
        now: Now,
    ) -> Result<OpenedPartition, LogError> {
        let Unloaded { spec, config, opening } = unloaded;
        let log_dir = self.log_dirs.iter().find(|known| known.path == *log_dir);
        let name = spec.dir.file_name().and_then(|name| name.to_str());
        if let Some(left) = log_dir.zip(name).and_then(|(log_dir, name)| log_dir.take_left(name))
            && let Some(resumed) = Partition::resume(&self.storage, spec, config, *opening, &left, now)?
        {
            return Ok(resumed);
        }
        Partition::open(&self.storage, spec.clone(), Arc::clone(config), *opening, now)
    }

    /// Opens one log and tells what recovery cut; the bytes that it had to check.
    pub(super) fn open_log(
        &self,
        unloaded: Unloaded,
        now: Now,
        notices: &mut Notices,
    ) -> (Result<Arc<Partition>, Unopened>, u64) {
        let log_dir = unloaded.spec.dir.parent().map(PathBuf::from).unwrap_or_default();
        match self.resume_or_open(&unloaded, &log_dir, now) {
            Ok(opened) => {
                opened.report.cut.iter().for_each(|cut| self.tell_cut(cut));
                opened.report.damaged.iter().for_each(|damage| self.report_damage(damage));
                (Ok(opened.partition), opened.report.scanned_bytes)
            }
            Err(error) => {
                let (reason, for_want_of_room) = (error.to_string(), error.is_full());
                if for_want_of_room {
                    self.lacks_room(&log_dir, &reason);
                } else if let LogError::Corrupt { path, position, reason } = error {
                    self.report_damage(&DamagedPlace { path, position, offset: -1, reason });
                } else if matches!(error, LogError::Io { .. }) {
                    self.fail_log_dir(&log_dir, &reason, notices);
                }
                (Err(self.unopened(&unloaded, reason, for_want_of_room)), 0)
            }
        }
    }
}
