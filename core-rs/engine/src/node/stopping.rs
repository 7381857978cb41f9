//! The clean stop, step by step: no new requests, parked ones answered, connections closed, logs closed and synced, marks set.
//! Each step begins when the last I/O thread and the last effect of the one before are done.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::closing::Closing;
use super::effects::Effect;
use super::mail::Mail;
use super::shared::Node;
use super::wakes::ShellAction;
use crate::boundary::Event;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Running,
    /// Threads start no further request; appends under way are being synced.
    Draining,
    /// What is still parked is answered as it stands; connections close as their output leaves.
    Expiring,
    /// Every log is being closed.
    Closing,
    /// What was written for that is being made durable.
    Syncing,
    /// The last effect writes the marks.
    Marking,
    Stopped,
}

#[derive(Debug)]
pub struct Stopping {
    threads: u16,
    begun: AtomicBool,
    stopped: AtomicBool,
    progress: Mutex<Progress>,
    pub(super) closing: Mutex<Closing>,
}

#[derive(Debug)]
struct Progress {
    step: Step,
    /// I/O threads that start no further request.
    drained: u16,
    /// I/O threads without connections.
    empty: u16,
}

impl Stopping {
    pub fn new(threads: u16) -> Stopping {
        let progress = Mutex::new(Progress { step: Step::Running, drained: 0, empty: 0 });
        let [begun, stopped] = [false, false].map(AtomicBool::new);
        Stopping { threads, begun, stopped, progress, closing: Mutex::default() }
    }

    pub fn is_stopping(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }
}

impl Node {
    /// Whether the clean stop is complete: event `stopped` is in the ring.
    pub fn is_stopped(&self) -> bool {
        self.stopping.stopped.load(Ordering::Acquire)
    }

    pub(super) fn begin_stop(&self) {
        if self.stopping.begun.swap(true, Ordering::AcqRel) {
            return;
        }
        self.stopping.progress.lock().step = Step::Draining;
        self.signals.act(ShellAction::StopAccepting);
        self.post_all(|| Mail::Drain);
    }

    /// An I/O thread starts no further request.
    pub(super) fn thread_drained(&self) {
        self.stopping.progress.lock().drained += 1;
        self.advance_stop();
    }

    /// An I/O thread has no connection left and takes no new one.
    pub(super) fn thread_empty(&self) {
        self.stopping.progress.lock().empty += 1;
        self.advance_stop();
    }

    /// Goes on to the next step if the present one is done.
    pub(super) fn advance_stop(&self) {
        if !self.stopping.is_stopping() {
            return;
        }
        let mut progress = self.stopping.progress.lock();
        let idle = self.effects.outstanding() == 0;
        if progress.step == Step::Draining && progress.drained == self.stopping.threads && idle {
            progress.step = Step::Expiring;
            self.post_all(|| Mail::Expire);
        }
        if progress.step == Step::Expiring && progress.empty == self.stopping.threads && idle {
            progress.step = Step::Closing;
            self.queue_closes();
        }
        if progress.step == Step::Closing && self.effects.outstanding() == 0 {
            progress.step = Step::Syncing;
            self.queue_syncs();
        }
        if progress.step == Step::Syncing && self.effects.outstanding() == 0 {
            progress.step = Step::Marking;
            self.push_effect(Effect::MarkClean);
        }
    }

    pub(super) fn stopped(&self) {
        self.stopping.progress.lock().step = Step::Stopped;
        self.emit(&Event::Stopped);
        self.signals.act(ShellAction::Stopped);
        self.stopping.stopped.store(true, Ordering::Release);
        for thread in 0..self.stopping.threads {
            self.signals.wake_thread(thread);
        }
        self.signals.wake_disk_pool();
    }
}
