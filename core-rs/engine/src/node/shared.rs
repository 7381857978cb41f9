//! The node: everything that its threads share, and the calls by which the shell drives it. It owns no thread, no
//! socket and no clock; what may block is an [`Effect`] for the disk pool.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::admission::{Admission, ConnectionLimits, Gate};
use super::authorizer::NodeAuthorizer;
use super::budget::Budget;
use super::cleaning::Cleaning;
use super::effects::{Effect, Effects};
use super::event_ring::EventRing;
use super::image::{ImageDelta, TopicDelta};
use super::lanes::MAIN;
use super::load::Load;
use super::log_dirs::LogDir;
use super::mail::{Mail, Mailbox};
use super::metadata::CHECKPOINT_MS;
use super::moving::Moves;
use super::periodic::Periodic;
use super::quotas::Quotas;
use super::request_metrics::RequestMetrics;
use super::retention::Retention;
use super::room::Room;
use super::scrubbing::Scrubbing;
use super::stats::ThreadStats;
use super::stopping::Stopping;
use super::wakes::{ShellAction, Signals, Wakes};
use crate::api::{NodeTable, Settings};
use crate::boundary::{Event, NodeOptions};
use crate::partition::{Failure, Notices, PartitionConfig, Patience, Topics};
use crate::quorum::Quorum;
use crate::storage::Storage;
use crate::time::Now;

/// One broker. Shared by its I/O threads, its disk pool and the thread of the control plane.
pub struct Node {
    pub(super) options: NodeOptions,
    pub(super) settings: Settings,
    pub(super) authorizer: NodeAuthorizer,
    /// Where the ids of fetch sessions come from.
    pub(super) seed: u64,
    /// Topic settings where a topic has none of its own.
    pub(super) defaults: PartitionConfig,
    pub(super) storage: Arc<dyn Storage>,
    pub(super) log_dirs: Vec<LogDir>,
    pub(super) topics: Topics,
    /// Where clients are sent.
    pub(super) nodes: Arc<NodeTable>,
    pub(super) quorum: Mutex<Quorum>,
    pub(super) events: EventRing,
    /// The rings of the coordinator workers.
    pub(super) workers: Vec<EventRing>,
    pub(super) signals: Signals,
    pub(super) effects: Effects,
    pub(super) budget: Budget,
    pub(super) admission: Admission,
    /// Security protocol of each listener that is open.
    pub(super) listeners: Mutex<BTreeMap<String, String>>,
    stopwatch: OnceLock<fn() -> u64>,
    /// What the control plane says of its own requests.
    pub(super) control_times: Mutex<RequestMetrics>,
    pub(super) quotas: OnceLock<Box<dyn Quotas>>,
    pub(super) images: Mutex<Images>,
    /// Loads that wait until the control plane has taken what was loaded.
    pub(super) waiting_loads: Mutex<Vec<Load>>,
    pub(super) stopping: Stopping,
    pub(super) threads: Vec<Thread>,
    /// Bit n: I/O thread n holds connections back because of a shared limit.
    stalled_threads: AtomicU32,
    failed_dirs: Mutex<BTreeSet<PathBuf>>,
    /// Monotonic.
    pub(super) next_checkpoint_ms: AtomicI64,
    pub(super) retention: Retention,
    pub(super) cleaning: Cleaning,
    pub(super) moves: Moves,
    pub(super) producer_expiry: Periodic,
    pub(super) room: Room,
    pub(super) scrubbing: Scrubbing,
    /// Held while offsets are gathered and written as checkpoints: the files never go back in time.
    pub(super) checkpointing: Mutex<()>,
}

/// What the node keeps for each I/O thread.
#[derive(Debug, Default)]
pub(super) struct Thread {
    pub mailbox: Mailbox,
    pub stats: ThreadStats,
}

/// Image deltas that wait for the disk pool, in order.
#[derive(Debug, Default)]
pub(super) struct Images {
    pub queue: VecDeque<ImageDelta>,
    /// Partitions for whose logs there was no room.
    pub unopened: Vec<TopicDelta>,
    /// An effect is queued or running: one delta at a time.
    pub in_flight: bool,
    /// The first delta has been applied: what it did not name was set aside.
    pub first_applied: bool,
    /// The first delta left directories out.
    pub had_strays: bool,
}

impl Node {
    pub(super) fn assemble(
        options: NodeOptions,
        (settings, authorizer, seed): (Settings, NodeAuthorizer, u64),
        defaults: PartitionConfig,
        storage: Arc<dyn Storage>,
        log_dirs: Vec<LogDir>,
        quorum: Quorum,
        now: Now,
    ) -> Node {
        let threads = (0..options.network_threads).map(|_| Thread::default()).collect();
        Node {
            budget: Budget::new(options.queued_max_request_bytes),
            admission: Admission::new(ConnectionLimits::new(
                options.max_connections,
                options.max_connections_per_ip,
            )),
            listeners: Mutex::default(),
            stopwatch: OnceLock::new(),
            control_times: Mutex::default(),
            quotas: OnceLock::new(),
            stopping: Stopping::new(options.network_threads),
            producer_expiry: Periodic::new(settings.producer_expiry_interval_ms, i64::MAX, now),
            settings,
            authorizer,
            seed,
            defaults,
            storage,
            log_dirs,
            topics: Topics::default(),
            nodes: Arc::default(),
            quorum: Mutex::new(quorum),
            events: EventRing::default(),
            workers: (0..options.coordinator_threads).map(|_| EventRing::default()).collect(),
            signals: Signals::default(),
            effects: Effects::default(),
            images: Mutex::default(),
            waiting_loads: Mutex::default(),
            threads,
            stalled_threads: AtomicU32::new(0),
            failed_dirs: Mutex::default(),
            next_checkpoint_ms: AtomicI64::new(now.monotonic_ms + CHECKPOINT_MS),
            moves: Moves::default(),
            cleaning: Cleaning::new(&options, now),
            retention: Retention::new(options.log_retention_check_interval_ms, now),
            room: Room::default(),
            scrubbing: Scrubbing::new(&options, now),
            checkpointing: Mutex::default(),
            options,
        }
    }

    pub fn options(&self) -> &NodeOptions {
        &self.options
    }

    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    /// Appends every waiting event to `out`, packed, and arms the wake again. Whatever waited for room goes on.
    pub fn drain_events(&self, out: &mut Vec<u8>) {
        self.events.drain(out);
        self.went_on();
    }

    /// A reader of events has made room.
    pub(super) fn went_on(&self) {
        for load in std::mem::take(&mut *self.waiting_loads.lock()) {
            self.push_effect(Effect::Load(load));
        }
        self.resume_stalled();
    }

    /// Wakes that became due; the calling thread must carry them out. Call it after every call into the node or a
    /// reactor.
    pub fn take_wakes(&self) -> Wakes {
        self.signals.take_wakes()
    }

    /// What is to be done to listeners, in order. For the thread that calls `submit`.
    pub fn take_shell_actions(&self) -> Vec<ShellAction> {
        self.signals.take_actions()
    }

    /// Where request times come from: nanoseconds of a steady clock. Without one they are all 0.
    pub fn set_stopwatch(&self, nanos: fn() -> u64) {
        let _ = self.stopwatch.set(nanos);
    }

    pub(super) fn stopwatch(&self) -> fn() -> u64 {
        self.stopwatch.get().copied().unwrap_or(|| 0)
    }

    /// A sync that waits has a thread of the pool: not while there is other work for it.
    fn patience(&self) -> Patience {
        Patience { stopwatch: self.stopwatch(), may_wait: self.pending_effects() == 0 }
    }

    /// Installs the quotas of the data plane, once, before the first connection.
    pub fn set_quotas(&self, quotas: Box<dyn Quotas>) {
        let _ = self.quotas.set(quotas);
    }

    /// Whether connections of a listener must say who they are before anything else.
    pub(super) fn must_authenticate(&self, listener: &str) -> bool {
        self.listeners.lock().get(listener).is_some_and(|protocol| protocol.starts_with("SASL_"))
    }

    /// The system has no more to give: caps above this are this.
    pub fn set_most_connections(&self, connections: u32) {
        self.admission.set_ceiling(connections);
    }

    /// To be asked before each accept: whether one more connection may come through this listener.
    pub fn gate(&self, listener: &str, now: Now) -> Gate {
        self.admission.gate(listener, now.monotonic_ms)
    }

    pub fn listener_up(&self, name: &str, host: &str, port: i32) {
        self.emit(&Event::ListenerUp { name, host, port });
    }

    pub fn listener_failed(&self, name: &str, message: &str) {
        self.emit(&Event::ListenerFailed { name, message });
    }

    /// Something fatal happened in the shell, such as a panic of a thread.
    pub fn fault(&self, message: &str) {
        self.emit(&Event::Fault { message });
    }

    /// Takes the oldest effect. Whoever takes one must run it.
    pub fn take_effect(&self) -> Option<Effect> {
        self.effects.take()
    }

    /// Takes the effect at a place of the queue: a simulator's choice.
    pub fn take_effect_at(&self, index: usize) -> Option<Effect> {
        self.effects.take_at(index)
    }

    /// Effects that nobody has taken.
    pub fn pending_effects(&self) -> usize {
        self.effects.len()
    }

    /// Whether a lock is held under which there is disk work, other than that of a partition: a simulator whose
    /// threads take turns must not switch then.
    pub fn is_locked(&self) -> bool {
        self.quorum.is_locked() || self.checkpointing.is_locked()
    }

    /// Runs an effect on the calling thread; it may block. Any number may run at a time.
    pub fn run_effect(self: &Arc<Self>, effect: Effect, now: Now) {
        let mut notices = Notices::default();
        match effect {
            Effect::Partition(effect) => effect.run(self.patience(), &mut notices),
            Effect::Persist(persist) => {
                let result = persist.run();
                self.with_quorum(|quorum| quorum.persisted(*persist, result));
            }
            Effect::Snapshot(job) => {
                let result = job.run();
                self.with_quorum(|quorum| quorum.snapshot_done(result, now.wall_ms));
            }
            Effect::ApplyImage => self.apply_next_image(now, &mut notices),
            Effect::LoadLogs(loading) => self.run_loading(&loading, now, &mut notices),
            Effect::Load(load) => self.run_load(load, &mut notices),
            Effect::Scrub => self.scrub(&mut notices),
            Effect::Move(one) => self.run_move(one, now, &mut notices),
            Effect::Remove(removal) => self.run_removal(&removal),
            Effect::Clean => self.clean_logs(now, &mut notices),
            Effect::CheckRetention => self.check_retention(now, &mut notices),
            Effect::ExpireProducers => self.expire_producers(now),
            Effect::RemoveExpired(files) => self.run_expiry(&files),
            Effect::DeleteRecords => self.delete_records(&mut notices),
            Effect::Checkpoint => self.write_checkpoints(&mut notices),
            Effect::CloseLogs(partitions) => self.close_logs(&partitions, &mut notices),
            Effect::SyncLogs(logs) => self.sync_logs(logs, &mut notices),
            Effect::SyncAll(dir, logs) => self.sync_all_logs(&dir, logs, &mut notices),
            Effect::ForgetBoot(log_dir) => self.forget_boot(&log_dir),
            Effect::MarkClean => self.mark_clean(&mut notices),
        }
        self.dispatch(&mut notices);
        self.effects.done();
        self.advance_stop();
    }

    pub(super) fn push_effect(&self, effect: Effect) {
        self.effects.push(effect);
        self.signals.wake_disk_pool();
    }

    pub(super) fn emit(&self, event: &Event<'_>) {
        self.emit_to(MAIN, event);
    }

    pub(super) fn post(&self, thread: u16, mail: Mail) {
        if let Some(known) = self.threads.get(usize::from(thread))
            && known.mailbox.post(mail)
        {
            self.signals.wake_thread(thread);
        }
    }

    pub(super) fn post_all(&self, mail: impl Fn() -> Mail) {
        for thread in 0..self.options.network_threads {
            self.post(thread, mail());
        }
    }

    /// Acts on what happened under partition locks. No lock may be held.
    pub(super) fn dispatch(&self, notices: &mut Notices) {
        while !notices.is_empty() {
            for waiter in notices.waiters.drain(..) {
                self.post(waiter.thread, Mail::Wake { waiter: waiter.token });
            }
            for (topic_id, partition, high_watermark) in notices.committed.drain(..) {
                let event = Event::Committed { topic_id: topic_id.0, partition, high_watermark };
                self.emit_to(self.lane_of_partition(partition), &event);
            }
            for effect in notices.effects.drain(..) {
                self.push_effect(Effect::Partition(effect));
            }
            for effect in notices.later.drain(..) {
                self.run_later(Effect::Partition(effect));
            }
            for damage in notices.damages.drain(..) {
                self.report_damage(&damage);
            }
            for full in notices.full.drain(..) {
                if let Some(log_dir) = full.dir.parent() {
                    self.lacks_room(log_dir, &full.reason);
                }
            }
            for failure in std::mem::take(&mut notices.failures) {
                self.fail_log_dir_of(&failure, notices);
            }
        }
    }

    fn fail_log_dir_of(&self, failure: &Failure, notices: &mut Notices) {
        if let Some(log_dir) = failure.dir.parent() {
            self.fail_log_dir(log_dir, &failure.reason, notices);
        }
    }

    /// A write, sync or read failed: nothing of this log directory is served any more, for good.
    pub(super) fn fail_log_dir(&self, log_dir: &Path, reason: &str, notices: &mut Notices) {
        if !self.failed_dirs.lock().insert(log_dir.to_path_buf()) {
            return;
        }
        self.emit(&Event::LogDirFailed { path: &log_dir.to_string_lossy(), message: reason });
        // The quorum's files stand in the first directory and can be trusted no more than any other there.
        if self.log_dirs.first().is_some_and(|first| first.path == log_dir) {
            self.with_quorum(|quorum| quorum.fail(reason));
        }
        self.push_effect(Effect::ForgetBoot(log_dir.to_path_buf()));
        for topic in self.topics.all() {
            for partition in topic.partitions.iter().flatten() {
                if partition.dir().parent() == Some(log_dir) {
                    partition.take_offline(reason, notices);
                }
            }
        }
    }

    pub(super) fn has_failed(&self, log_dir: &Path) -> bool {
        self.failed_dirs.lock().contains(log_dir)
    }

    /// A thread holds connections back until [`resume_stalled`](Self::resume_stalled). It must look at the limit
    /// once more after this, or it may miss the moment.
    pub(super) fn note_stalled(&self, thread: u16) {
        self.stalled_threads.fetch_or(1 << thread, Ordering::AcqRel);
    }

    /// A shared limit has room again.
    pub(super) fn resume_stalled(&self) {
        if self.stalled_threads.load(Ordering::Acquire) == 0 {
            return;
        }
        let threads = self.stalled_threads.swap(0, Ordering::AcqRel);
        for thread in (0..self.options.network_threads).filter(|thread| threads & (1 << thread) != 0) {
            self.post(thread, Mail::Resume);
        }
    }

    /// Partitions by log directory.
    pub(super) fn partition_counts(&self) -> BTreeMap<PathBuf, usize> {
        let mut counts = BTreeMap::new();
        for topic in self.topics.all() {
            for log_dir in topic
                .partitions
                .iter()
                .flatten()
                .filter_map(|partition| partition.dir().parent().map(Path::to_path_buf))
            {
                *counts.entry(log_dir).or_insert(0) += 1;
            }
        }
        counts
    }
}
