//! `connections.max.idle.ms`: one deadline of a thread for all of its connections, so that none costs a connection
//! anything. What a connection being idle means is decided here.

use super::reactor::{Due, Reactor};
use crate::time::Now;

/// Looks at all connections within `connections.max.idle.ms` at most: none is closed later than by this share of it.
const LOOKS: i64 = 64;

impl Reactor {
    /// A connection has come.
    pub(super) fn watch_idle(&mut self, now: Now) {
        let idle_ms = self.node.options.connections_max_idle_ms;
        if idle_ms > 0 && !std::mem::replace(&mut self.watches_idle, true) {
            self.deadlines.set(now.monotonic_ms.saturating_add(idle_ms), Due::Idle);
        }
    }

    /// Ends the connections that have been idle for too long, and looks again when the next one may have been.
    pub(super) fn check_idle(&mut self, now: Now) {
        let idle_ms = self.node.options.connections_max_idle_ms;
        let mut next_due = None;
        let mut idle = Vec::new();
        for (_, tenant) in &self.connections {
            // Waiting for an answer of ours is not idleness; not reading one is.
            let since = if tenant.conn.is_waiting() { now.monotonic_ms } else { tenant.conn.last_active_ms };
            let due = since.saturating_add(idle_ms);
            if due <= now.monotonic_ms {
                idle.push(tenant.id);
            } else {
                next_due = Some(next_due.map_or(due, |least: i64| least.min(due)));
            }
        }
        for conn in idle {
            self.end(conn, "idle for longer than connections.max.idle.ms", false);
        }
        self.watches_idle = next_due.is_some();
        if let Some(due) = next_due {
            self.deadlines.set(due.max(now.monotonic_ms.saturating_add(idle_ms / LOOKS)), Due::Idle);
        }
    }
}
