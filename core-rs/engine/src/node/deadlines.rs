//! Deadlines of one I/O thread, in time order; cancelling one leaves nothing behind. It never reads a clock.

use std::collections::BTreeMap;

/// Names one deadline, so that it can be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeadlineId {
    at_ms: i64,
    sequence: u64,
}

/// What is due when, on the monotonic clock. Equal times fire in the order they were set.
#[derive(Debug)]
pub struct Deadlines<T> {
    by_time: BTreeMap<DeadlineId, T>,
    next_sequence: u64,
}

impl<T> Default for Deadlines<T> {
    fn default() -> Deadlines<T> {
        Deadlines { by_time: BTreeMap::new(), next_sequence: 0 }
    }
}

impl<T> Deadlines<T> {
    pub fn set(&mut self, at_ms: i64, what: T) -> DeadlineId {
        let id = DeadlineId { at_ms, sequence: self.next_sequence };
        self.next_sequence += 1;
        self.by_time.insert(id, what);
        id
    }

    pub fn cancel(&mut self, id: DeadlineId) -> Option<T> {
        self.by_time.remove(&id)
    }

    pub fn next_ms(&self) -> Option<i64> {
        self.by_time.first_key_value().map(|(id, _)| id.at_ms)
    }

    /// Takes the earliest that is due.
    pub fn take_due(&mut self, now_ms: i64) -> Option<T> {
        let first = self.by_time.first_entry()?;
        (first.key().at_ms <= now_ms).then(|| first.remove())
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.by_time.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_fire_in_time_order_and_never_early() {
        let mut deadlines = Deadlines::default();
        deadlines.set(30, 'c');
        deadlines.set(10, 'a');
        deadlines.set(10, 'b');
        assert_eq!(deadlines.next_ms(), Some(10));
        assert_eq!(deadlines.take_due(9), None);
        let due: Vec<char> = std::iter::from_fn(|| deadlines.take_due(10)).collect();
        assert_eq!(due, ['a', 'b']);
        assert_eq!(deadlines.next_ms(), Some(30));
    }

    #[test]
    fn a_cancelled_deadline_is_gone_for_good() {
        let mut deadlines = Deadlines::default();
        let ids: Vec<_> = (0..1000).map(|n| deadlines.set(n, n)).collect();
        for id in &ids {
            assert!(deadlines.cancel(*id).is_some());
        }
        assert_eq!(deadlines.len(), 0);
        assert_eq!(deadlines.cancel(ids[0]), None);
    }
}
