//! `queued.max.request.bytes`: the memory that requests in progress hold over the whole broker. It counts; who is
//! muted or closed because of it is decided by the I/O threads.

use std::sync::atomic::{AtomicI64, Ordering};

#[derive(Debug)]
pub struct Budget {
    /// `i64::MAX` when unlimited.
    limit: i64,
    /// Bytes held by both kinds together: one number, so that exactly one caller sees the limit crossed.
    held: AtomicI64,
    /// Of these, bytes of connections: frames that are not complete or may not start yet, replies that have not left.
    /// The rest is requests that the control plane has in hand.
    input: AtomicI64,
}

impl Budget {
    /// A limit of 0 or less means unlimited, as in Kafka.
    pub fn new(limit: i64) -> Budget {
        let limit = if limit <= 0 { i64::MAX } else { limit };
        Budget { limit, held: AtomicI64::new(0), input: AtomicI64::new(0) }
    }

    pub fn is_exhausted(&self) -> bool {
        self.held.load(Ordering::Acquire) >= self.limit
    }

    /// No reply can free anything: connections hold all of it.
    pub fn is_held_by_input(&self) -> bool {
        self.input_bytes() >= self.limit
    }

    pub fn input_bytes(&self) -> i64 {
        self.input.load(Ordering::Acquire)
    }

    pub fn request_bytes(&self) -> i64 {
        self.held.load(Ordering::Acquire).saturating_sub(self.input_bytes())
    }

    /// A connection that held `before` bytes of input holds `after` now. True when that made the budget usable again.
    pub fn change_input(&self, before: usize, after: usize) -> bool {
        if before == after {
            return false;
        }
        let change = after as i64 - before as i64;
        self.input.fetch_add(change, Ordering::AcqRel);
        self.change(change)
    }

    pub fn add_request(&self, bytes: usize) {
        self.change(bytes as i64);
    }

    /// True when that made the budget usable again.
    pub fn remove_request(&self, bytes: usize) -> bool {
        self.change(-(bytes as i64))
    }

    fn change(&self, change: i64) -> bool {
        let before = self.held.fetch_add(change, Ordering::AcqRel);
        before >= self.limit && before + change < self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_counts_input_and_requests_together() {
        let budget = Budget::new(100);
        assert!(!budget.change_input(0, 60));
        budget.add_request(40);
        assert!(budget.is_exhausted() && !budget.is_held_by_input());
        assert!(budget.remove_request(40), "usable again");
        assert!(!budget.change_input(60, 110));
        assert!(budget.is_held_by_input());
        assert!(budget.change_input(110, 0));
        assert_eq!((budget.input_bytes(), budget.request_bytes()), (0, 0));
    }

    #[test]
    fn no_limit_is_no_limit() {
        let budget = Budget::new(-1);
        budget.add_request(usize::MAX >> 2);
        assert!(!budget.is_exhausted());
    }
}
