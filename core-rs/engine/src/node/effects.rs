//! Work for the disk pool: what may block. The queue hands it out in any order; what must be in order is never in the
//! queue twice at a time.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::load::Load;
use super::loading::Loading;
use super::moving::Move;
use crate::log::{ExpiredFiles, Removal};
use crate::{partition, quorum};

/// One piece of disk work. Every effect that is taken must be run exactly once, with `Node::run_effect`.
#[derive(Debug)]
pub enum Effect {
    /// A partition's own, such as a sync.
    Partition(partition::Effect),
    /// The quorum's write-ahead log.
    Persist(Box<quorum::Persist>),
    /// A snapshot of the metadata.
    Snapshot(Box<quorum::SnapshotJob>),
    /// The next image delta.
    ApplyImage,
    /// A few of the logs that an image delta waits for.
    LoadLogs(Arc<Loading>),
    /// The next chunk of a coordinator's partition.
    Load(Load),
    /// The next piece of what was written long ago.
    Scrub,
    /// The next piece of a partition's way to another log directory.
    Move(Box<Move>),
    /// The files of a deleted partition.
    Remove(Removal),
    /// A look for logs to compact.
    Clean,
    /// A look at every partition's age and size.
    CheckRetention,
    /// A look at every partition's producers.
    ExpireProducers,
    /// The files of segments that retention let go of.
    RemoveExpired(ExpiredFiles),
    /// The DeleteRecords that have gathered.
    DeleteRecords,
    /// Recovery points, log starts and high watermarks, into each log directory.
    Checkpoint,
    /// A log directory that failed: its page cache is not to be trusted by the next start.
    ForgetBoot(PathBuf),
    /// Logs to close for good, some of many.
    CloseLogs(Vec<Arc<partition::Partition>>),
    /// Logs that were closed, to be made durable.
    SyncLogs(Vec<partition::ClosingPartition>),
    /// The same of all logs of a log directory at once.
    SyncAll(PathBuf, Vec<partition::ClosingPartition>),
    /// The end: the quorum closed, the log directories marked.
    MarkClean,
}

#[derive(Debug, Default)]
pub struct Effects {
    queue: Mutex<VecDeque<Effect>>,
    /// Queued or running.
    outstanding: AtomicUsize,
}

impl Effects {
    pub fn push(&self, effect: Effect) {
        self.outstanding.fetch_add(1, Ordering::AcqRel);
        self.queue.lock().push_back(effect);
    }

    pub fn take(&self) -> Option<Effect> {
        self.queue.lock().pop_front()
    }

    pub fn take_at(&self, index: usize) -> Option<Effect> {
        self.queue.lock().remove(index)
    }

    pub fn len(&self) -> usize {
        self.queue.lock().len()
    }

    /// An effect that was taken has run, and what follows from it has been pushed.
    pub fn done(&self) {
        self.outstanding.fetch_sub(1, Ordering::AcqRel);
    }

    /// Queued or running.
    pub fn outstanding(&self) -> usize {
        self.outstanding.load(Ordering::Acquire)
    }
}
