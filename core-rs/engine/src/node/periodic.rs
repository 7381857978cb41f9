//! Work that comes round again and again on the disk pool: when it is due, and that it never runs twice at a time.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::time::Now;

#[derive(Debug)]
pub(super) struct Periodic {
    interval_ms: i64,
    /// Monotonic.
    next_ms: AtomicI64,
    /// Queued or running.
    begun: AtomicBool,
}

impl Periodic {
    /// Due for the first time `initial_delay_ms` from now, or after the interval if that is shorter.
    pub fn new(interval_ms: i64, initial_delay_ms: i64, now: Now) -> Periodic {
        let interval_ms = interval_ms.max(1);
        Periodic {
            interval_ms,
            next_ms: AtomicI64::new(now.monotonic_ms.saturating_add(interval_ms.min(initial_delay_ms))),
            begun: AtomicBool::new(false),
        }
    }

    /// Whether it is to begin; the caller queues it, and whoever has run it calls `done`.
    pub fn is_due(&self, now: Now) -> bool {
        if now.monotonic_ms < self.next_ms.load(Ordering::Acquire) {
            return false;
        }
        self.next_ms.store(now.monotonic_ms.saturating_add(self.interval_ms), Ordering::Release);
        self.begins_now()
    }

    /// Whether it may begin before its time; as for `is_due`.
    pub fn begins_now(&self) -> bool {
        !self.begun.swap(true, Ordering::AcqRel)
    }

    pub fn done(&self) {
        self.begun.store(false, Ordering::Release);
    }
}
