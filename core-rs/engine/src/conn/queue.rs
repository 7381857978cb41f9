//! How the queues of a connection grow: most of the time they hold one thing or nothing.

use std::collections::VecDeque;

/// Appends; the first one takes room for itself alone, where a `VecDeque` would take it for four.
pub(super) fn push_exact<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.capacity() == 0 {
        queue.reserve_exact(1);
    }
    queue.push_back(item);
}
