//! Limits that connections share: the request budget and the room for events. Whoever is held back by one is noted
//! here and goes on when there is room again; it decides which connection pays when nothing else can free memory.

use super::lanes::Lane;
use super::mail::Mail;
use super::reactor::{Reactor, find};
use crate::boundary::ConnId;

impl Reactor {
    /// Whether a control request of this connection must wait for its reader to catch up.
    pub(super) fn stall_for_control(&mut self, conn: ConnId, lane: Lane) -> bool {
        let is_full =
            |reactor: &Reactor| reactor.node.ring(lane).is_full() || reactor.node.budget.is_exhausted();
        is_full(self) && self.stall(conn, is_full)
    }

    /// Whether a read must wait because requests in progress hold all of the budget. When frames that are not complete
    /// and replies that nobody reads hold it, nothing else would ever free it: the connection that has been silent
    /// longest is closed.
    pub(super) fn stall_for_budget(&mut self, conn: ConnId) -> bool {
        let stalls = self.stall(conn, |reactor| reactor.node.budget.is_exhausted());
        if stalls && self.node.budget.is_held_by_input() && !self.close_longest_silent() {
            for thread in (0..self.node.options.network_threads).filter(|thread| *thread != self.thread) {
                self.node.post(thread, Mail::Reclaim);
            }
        }
        stalls
    }

    /// Notes that a connection is held back, unless the limit has got room in the meantime.
    fn stall(&mut self, conn: ConnId, is_full: impl Fn(&Reactor) -> bool) -> bool {
        self.node.note_stalled(self.thread);
        // Once more: room that came before the note was told to nobody.
        if !is_full(self) {
            return false;
        }
        if let Some(connection) = find(&mut self.connections, conn)
            && !std::mem::replace(&mut connection.stalled, true)
        {
            self.stalled.push(conn);
        }
        true
    }

    /// There is room again: every connection that was held back looks for itself.
    pub(super) fn resume_stalled(&mut self) {
        for conn in std::mem::take(&mut self.stalled) {
            if let Some(connection) = find(&mut self.connections, conn) {
                connection.stalled = false;
                self.resumed.push_back(conn);
            }
        }
    }

    /// Another thread found the budget held by incomplete frames, none of them its own.
    pub(super) fn reclaim(&mut self) {
        if self.node.budget.is_held_by_input() {
            self.close_longest_silent();
        }
    }

    /// Closes the connection that has been silent longest, with an incomplete frame or replies that it does not read, if
    /// there is one.
    fn close_longest_silent(&mut self) -> bool {
        let holders = self.connections.iter().map(|(_, tenant)| tenant);
        let waiting = holders.filter(|tenant| tenant.conn.charged > 0 && tenant.conn.awaits_client());
        let silent = waiting.min_by_key(|tenant| (tenant.conn.last_active_ms, tenant.id));
        let silent = silent.map(|tenant| tenant.id);
        let Some(conn) = silent else { return false };
        self.end(conn, "an incomplete request or unread replies held queued.max.request.bytes", false);
        true
    }
}
