//! The queues of a connection, which hold nothing or one thing most of the time: no memory while they are empty, and at
//! first room for one.

use std::collections::VecDeque;

/// Appends; the first one takes room for itself alone, where a `VecDeque` would take it for four.
pub(super) fn push<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.capacity() == 0 {
        queue.reserve_exact(1);
    }
    queue.push_back(item);
}

/// Takes the first one out, and with the last one the memory.
pub(super) fn pop<T>(queue: &mut VecDeque<T>) -> Option<T> {
    let first = queue.pop_front();
    if queue.is_empty() {
        *queue = VecDeque::new();
    }
    first
}
