//! Who must be woken and what only the shell can do: listeners, threads, the disk pool. It does none of it itself.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

const JS: u64 = 1 << 32;
const DISK_POOL: u64 = 1 << 33;
/// The first of the bits of coordinator workers.
const WORKERS: u32 = 34;

/// Wakes that are due since they were last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wakes {
    /// Bit n: I/O thread n has mail.
    pub threads: u32,
    /// The event ring turned non-empty while armed.
    pub js: bool,
    /// Effects wait for the disk pool.
    pub disk_pool: bool,
    /// Bit n: the ring of coordinator worker n turned non-empty while armed.
    pub workers: u32,
}

impl Wakes {
    pub fn is_empty(&self) -> bool {
        *self == Wakes::default()
    }

    /// The coordinator workers to wake.
    pub fn worker_ids(&self) -> impl Iterator<Item = u16> {
        let mask = self.workers;
        (0..32).filter(move |worker| mask & (1 << worker) != 0)
    }

    /// The I/O threads to wake.
    pub fn thread_ids(&self) -> impl Iterator<Item = u16> {
        let mask = self.threads;
        (0..32).filter(move |thread| mask & (1 << thread) != 0)
    }
}

/// What the shell must do to sockets; only calls of `submit` and the end of a shutdown bring them about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShellAction {
    /// Open a listener; answer with `listener_up` or `listener_failed`.
    Listen {
        name: String,
        host: String,
        port: i32,
        security_protocol: String,
    },
    Unlisten {
        name: String,
    },
    /// Close every listener.
    StopAccepting,
    /// Everything is closed: threads may end.
    Stopped,
}

/// Collects both until a thread of the shell takes them.
#[derive(Debug, Default)]
pub struct Signals {
    wakes: AtomicU64,
    actions: Mutex<Vec<ShellAction>>,
}

impl Signals {
    pub fn wake_thread(&self, thread: u16) {
        self.wakes.fetch_or(1 << (thread & 31), Ordering::AcqRel);
    }

    pub fn wake_js(&self) {
        self.wakes.fetch_or(JS, Ordering::AcqRel);
    }

    pub fn wake_worker(&self, worker: u16) {
        self.wakes.fetch_or(1 << (WORKERS + u32::from(worker)), Ordering::AcqRel);
    }

    pub fn wake_disk_pool(&self) {
        self.wakes.fetch_or(DISK_POOL, Ordering::AcqRel);
    }

    pub fn take_wakes(&self) -> Wakes {
        // Most calls leave nothing to wake: a load costs less than a swap.
        if self.wakes.load(Ordering::Acquire) == 0 {
            return Wakes::default();
        }
        let bits = self.wakes.swap(0, Ordering::AcqRel);
        Wakes {
            threads: bits as u32,
            js: bits & JS != 0,
            disk_pool: bits & DISK_POOL != 0,
            workers: (bits >> WORKERS) as u32,
        }
    }

    pub fn act(&self, action: ShellAction) {
        self.actions.lock().push(action);
    }

    pub fn take_actions(&self) -> Vec<ShellAction> {
        std::mem::take(&mut *self.actions.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wakes_are_taken_once() {
        let signals = Signals::default();
        signals.wake_thread(0);
        signals.wake_thread(31);
        signals.wake_js();
        signals.wake_worker(29);
        let wakes = signals.take_wakes();
        assert_eq!(wakes.thread_ids().collect::<Vec<_>>(), [0, 31]);
        assert!(wakes.js && !wakes.disk_pool);
        assert_eq!(wakes.worker_ids().collect::<Vec<_>>(), [29]);
        assert!(signals.take_wakes().is_empty());
    }
}
