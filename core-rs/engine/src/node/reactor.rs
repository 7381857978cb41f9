//! The connections of one I/O thread and everything that may happen to them, as state: accept, bytes in, mail,
//! deadlines, bytes out. It owns no socket and never blocks; what a request does is in `requests`.

use core::net::SocketAddr;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;
use slab::Slab;

use super::admission::AcceptError;
use super::authorizer::Refusals;
use super::deadlines::Deadlines;
use super::gathered::Gathered;
use super::lanes::Lane;
use super::mail::Mail;
use super::parked::ParkedRequests;
use super::shared::Node;
use super::stats::{self, ThreadStats};
use crate::api::FetchSessions;
use crate::boundary::{ConnId, Event};
use crate::conn::{Connection, Front, Origin, Output, Pending, new_buffer};
use crate::partition::Notices;
use crate::time::Now;

/// Read buffers that a thread keeps beside its shared one.
const POOLED_BUFFERS: usize = 4;
/// How long connections may take to read their last replies when the node stops or their listener goes.
const STOP_GRACE_MS: i64 = 1000;
/// Who a connection is until it has authenticated.
const ANONYMOUS: &str = "User:ANONYMOUS";

/// The state of one I/O thread.
pub struct Reactor {
    pub(super) node: Arc<Node>,
    pub(super) thread: u16,
    pub(super) connections: Slab<Tenant>,
    /// The generation of each slot of the slab.
    generations: Vec<u16>,
    /// What every read goes into, unless a connection has a large frame under way. Without capacity while what it
    /// holds is being handled.
    pub(super) shared: Vec<u8>,
    pool: Vec<Vec<u8>>,
    pub(super) parked: ParkedRequests,
    pub(super) deadlines: Deadlines<Due>,
    /// A deadline is set for connections that may be idle.
    pub(super) watches_idle: bool,
    dirty: VecDeque<ConnId>,
    /// Connections that a shared limit holds back.
    pub(super) stalled: Vec<ConnId>,
    /// Parked requests of this thread to evaluate again.
    pub(super) woken: VecDeque<u64>,
    /// Connections that may go on with what they hold.
    pub(super) resumed: VecDeque<ConnId>,
    pub(super) notices: Notices,
    pub(super) gathered: Gathered,
    pub(super) sessions: FetchSessions,
    /// What requests were refused, to be told.
    pub(super) refusals: Mutex<Refusals>,
    mail: Vec<Mail>,
    pub(super) stopwatch: fn() -> u64,
    anonymous: Arc<str>,
    draining: bool,
    reported_empty: bool,
}

/// A connection in its slot.
pub(super) struct Tenant {
    pub id: ConnId,
    pub conn: Connection,
}

/// What a deadline is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Parked(u64),
    /// A connection may have been idle for too long.
    Idle,
    /// Its listener is gone, and it had time to read its last replies.
    ListenerGone(ConnId),
    /// What waits for this reader has waited for company long enough.
    Company(Lane),
    /// It was quiet for as long as its quota asked.
    Unmute(ConnId),
    /// The grace of a clean stop is over.
    Stop,
}

impl Reactor {
    /// The state of I/O thread `thread`, counted from 0, of `node`.
    pub fn new(node: Arc<Node>, thread: u16) -> Reactor {
        let slots = node.settings.fetch_session_slots;
        let sessions = FetchSessions::new(slots, thread, node.options.network_threads, node.seed);
        Reactor {
            stopwatch: node.stopwatch(),
            node,
            thread,
            sessions,
            refusals: Mutex::default(),
            connections: Slab::new(),
            generations: Vec::new(),
            shared: new_buffer(),
            pool: Vec::new(),
            parked: ParkedRequests::default(),
            deadlines: Deadlines::default(),
            watches_idle: false,
            dirty: VecDeque::new(),
            stalled: Vec::new(),
            woken: VecDeque::new(),
            resumed: VecDeque::new(),
            notices: Notices::default(),
            gathered: Gathered::default(),
            mail: Vec::new(),
            anonymous: ANONYMOUS.into(),
            draining: false,
            reported_empty: false,
        }
    }

    /// Takes a new connection. On an error the socket must be dropped.
    pub fn accept(
        &mut self,
        listener: impl Into<Arc<str>>,
        peer: SocketAddr,
        now: Now,
    ) -> Result<ConnId, AcceptError> {
        let listener = listener.into();
        if let Err(refused) = self.admit(&listener, peer) {
            stats::add(&self.stats().refused_connections, 1);
            return Err(refused);
        }
        let entry = self.connections.vacant_entry();
        let slot = entry.key();
        if self.generations.len() <= slot {
            self.generations.resize(slot + 1, 0);
        }
        let generation = self.generations.get(slot).copied().unwrap_or(0);
        let id = ConnId::new(self.thread, generation, slot as u32);
        let authenticated = !self.node.must_authenticate(&listener);
        let origin = Origin { listener, peer };
        let conn = Connection::new(origin, self.anonymous.clone(), authenticated, now.monotonic_ms);
        entry.insert(Tenant { id, conn });
        self.watch_idle(now);
        self.update_gauges();
        Ok(id)
    }

    fn admit(&self, listener: &str, peer: SocketAddr) -> Result<(), AcceptError> {
        if self.draining || self.node.stopping.is_stopping() {
            return Err(AcceptError::Stopping);
        }
        self.node.admission.enter(listener, peer.ip())
    }

    /// The system had no descriptor or memory for a connection that waits.
    pub fn count_failed_accept(&self) {
        stats::add(&self.stats().failed_accepts, 1);
    }

    /// Where the next read of a connection may put its bytes. Empty: do not read before the connection is dirty
    /// again. Between this and [`received`](Self::received) there must be no other call.
    pub fn read_target(&mut self, conn: ConnId) -> &mut [u8] {
        if !self.wants_read(conn) {
            return &mut [];
        }
        if self.node.budget.is_exhausted() && self.stall_for_budget(conn) {
            return &mut [];
        }
        let Some(connection) = find(&mut self.connections, conn) else { return &mut [] };
        connection.input.make_room(&mut self.shared);
        let held = connection.held_memory();
        self.node.budget.change_input(std::mem::replace(&mut connection.charged, held), held);
        connection.input.read_target(&mut self.shared)
    }

    /// `count` bytes were read into [`read_target`](Self::read_target): handles every frame that is whole.
    pub fn received(&mut self, conn: ConnId, count: usize, now: Now) {
        let Some(connection) = find(&mut self.connections, conn) else { return };
        connection.last_active_ms = now.monotonic_ms;
        connection.received_at = (self.stopwatch)();
        let work = connection.input.received(count, &mut self.shared);
        stats::add(&self.stats().bytes_in, count as u64);
        self.handle_frames(conn, work, now);
        self.settle(now);
    }

    /// This thread was woken: takes what other threads have for it.
    pub fn on_mail(&mut self, now: Now) {
        self.serve_gathered(now);
        let mut mail = std::mem::take(&mut self.mail);
        if let Some(thread) = self.node.threads.get(usize::from(self.thread)) {
            thread.mailbox.take(&mut mail);
        }
        for letter in mail.drain(..) {
            self.on_letter(letter, now);
        }
        self.mail = mail;
        self.settle(now);
    }

    fn on_letter(&mut self, letter: Mail, now: Now) {
        match letter {
            Mail::Respond { conn, token, reply } => self.answer_control(conn, token, Some(reply)),
            Mail::RespondNone { conn, token } => self.answer_control(conn, token, None),
            Mail::Close { conn, reason } => self.end(conn, reason, false),
            Mail::CloseListener { listener } => self.close_listener(&listener, now),
            Mail::Throttle { conn, throttle_ms } => {
                self.mute(conn, u32::try_from(throttle_ms).unwrap_or(0), now);
            }
            Mail::Principal { conn, principal } => {
                if let Some(connection) = find(&mut self.connections, conn) {
                    connection.principal = principal;
                    connection.authenticated = true;
                }
            }
            Mail::Wake { waiter } => self.woken.push_back(waiter),
            Mail::Resume => self.resume_stalled(),
            Mail::Reclaim => self.reclaim(),
            Mail::LaneLost { lane } => self.close_waiting_for(lane),
            Mail::Drain => self.drain(now),
            Mail::Expire => self.expire_all(now),
        }
    }

    /// When [`on_deadline`](Self::on_deadline) is due, on the monotonic clock.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        self.deadlines.next_ms()
    }

    /// Acts on every deadline that has passed.
    pub fn on_deadline(&mut self, now: Now) {
        self.serve_gathered(now);
        while let Some(due) = self.deadlines.take_due(now.monotonic_ms) {
            match due {
                Due::Parked(token) => self.expire(token, now),
                Due::Idle => self.check_idle(now),
                Due::ListenerGone(conn) => self.end(conn, "its listener was removed", false),
                Due::Company(lane) => self.node.wake_patient(lane),
                Due::Unmute(conn) => self.unmute(conn, now),
                Due::Stop => {
                    for conn in self.ids() {
                        self.end(conn, "the broker stopped", false);
                    }
                }
            }
        }
        self.settle(now);
    }

    /// The next connection whose output, appetite or end the shell must look at.
    pub fn next_dirty(&mut self) -> Option<ConnId> {
        while let Some(id) = self.dirty.pop_front() {
            if let Some(connection) = find(&mut self.connections, id) {
                connection.dirty = false;
                return Some(id);
            }
        }
        None
    }

    /// What is to be sent; `None` for a connection that is gone.
    pub fn output(&self, conn: ConnId) -> Option<&Output> {
        self.find(conn).map(|connection| &connection.output)
    }

    /// `count` bytes of the output have left.
    pub fn sent(&mut self, conn: ConnId, count: u64, now: Now) {
        let Some(connection) = find(&mut self.connections, conn) else { return };
        let was_full = !connection.may_start();
        let thread = self.node.threads.get(usize::from(self.thread));
        let at = (self.stopwatch)();
        connection.output.consume(count, at, |timing, begun| {
            if let Some(thread) = thread {
                thread.stats.times.sent(timing, begun, at);
            }
        });
        connection.last_active_ms = now.monotonic_ms;
        let freed = was_full && connection.may_start();
        let ends = connection.closing().is_some();
        stats::add(&self.stats().bytes_out, count);
        self.recharge(conn);
        if ends {
            self.mark_dirty(conn);
        }
        if freed {
            self.resumed.push_back(conn);
            self.settle(now);
        }
    }

    /// The disk would not give the stretch of a file that is next in the output: its log directory is offline from
    /// here on. The reply cannot be kept: [`closed`](Self::closed) follows.
    pub fn unreadable(&mut self, conn: ConnId, error: &io::Error, now: Now) {
        let Some(Front::File(range)) = self.output(conn).and_then(Output::front) else { return };
        let Some(folder) = range.folder else { return };
        let Some(log_dir) = folder.parent() else { return };
        let reason = format!(
            "{}: {} bytes at {} of a segment could not be sent: {error}",
            folder.display(),
            range.len,
            range.offset
        );
        let mut notices = std::mem::take(&mut self.notices);
        self.node.fail_log_dir(log_dir, &reason, &mut notices);
        self.node.dispatch(&mut notices);
        self.notices = notices;
        self.settle(now);
    }

    /// Whether the socket should be read.
    pub fn wants_read(&self, conn: ConnId) -> bool {
        self.find(conn).is_some_and(Connection::wants_read)
    }

    /// Why the socket must be closed now, if so; [`closed`](Self::closed) follows.
    pub fn closing(&self, conn: ConnId) -> Option<&str> {
        self.find(conn)?.closing()
    }

    /// The socket is gone: frees everything that the connection held.
    pub fn closed(&mut self, conn: ConnId, now: Now) {
        if self.find(conn).is_none() {
            return;
        }
        let slot = conn.slot() as usize;
        let Tenant { id, mut conn } = self.connections.remove(slot);
        if let Some(generation) = self.generations.get_mut(slot) {
            *generation = generation.wrapping_add(1);
        }
        let mut unanswered_control = false;
        let mut usable = self.node.budget.change_input(conn.charged, 0);
        for pending in conn.slots.unanswered() {
            match pending {
                Pending::Data { waiter } => self.cancel(waiter),
                Pending::Control { charged, .. } => {
                    unanswered_control = true;
                    usable |= self.node.budget.remove_request(charged);
                }
            }
        }
        if let Some(buffer) = conn.input.clear() {
            self.give_back(buffer);
        }
        if self.node.admission.leave(&conn.origin.listener, conn.origin.peer.ip()) {
            self.node.signals.wake_thread(0);
        }
        if unanswered_control {
            self.node.emit(&Event::ConnectionClosed { conn: id });
        }
        if usable {
            self.node.resume_stalled();
        }
        self.report_empty();
        self.settle(now);
    }

    /// Connections of this thread.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    pub(super) fn find(&self, conn: ConnId) -> Option<&Connection> {
        let tenant = self.connections.get(conn.slot() as usize)?;
        (tenant.id == conn).then_some(&tenant.conn)
    }

    pub(super) fn ids(&self) -> Vec<ConnId> {
        self.connections.iter().map(|(_, tenant)| tenant.id).collect()
    }

    pub(super) fn mark_dirty(&mut self, conn: ConnId) {
        if let Some(connection) = find(&mut self.connections, conn)
            && !std::mem::replace(&mut connection.dirty, true)
        {
            self.dirty.push_back(conn);
        }
    }

    /// Ends a connection; `after_output`: what it was promised leaves first.
    pub(super) fn end(&mut self, conn: ConnId, reason: impl Into<String>, after_output: bool) {
        if let Some(connection) = find(&mut self.connections, conn) {
            connection.close(reason, after_output);
            self.mark_dirty(conn);
        }
    }

    /// Brings what the broker's budget holds for a connection up to date.
    pub(super) fn recharge(&mut self, conn: ConnId) {
        let Some(connection) = find(&mut self.connections, conn) else { return };
        let held = connection.held_memory();
        let before = std::mem::replace(&mut connection.charged, held);
        if self.node.budget.change_input(before, held) {
            self.node.resume_stalled();
        }
    }

    fn close_listener(&mut self, listener: &str, now: Now) {
        for conn in self.ids() {
            if self.find(conn).is_some_and(|connection| *connection.origin.listener == *listener) {
                self.end(conn, "its listener was removed", true);
                self.deadlines.set(now.monotonic_ms.saturating_add(STOP_GRACE_MS), Due::ListenerGone(conn));
            }
        }
    }

    /// A buffer is free: the one that was used last is the warmest, so it becomes the shared one.
    pub(super) fn give_back(&mut self, buffer: Vec<u8>) {
        let colder = std::mem::replace(&mut self.shared, buffer);
        if colder.capacity() > 0 && self.pool.len() < POOLED_BUFFERS {
            self.pool.push(colder);
        }
    }

    /// Puts a buffer in the place of a shared one that a connection took over.
    pub(super) fn refill(&mut self) {
        if self.shared.capacity() == 0 {
            self.shared = self.pool.pop().unwrap_or_else(new_buffer);
        }
    }

    pub(super) fn stats(&self) -> &ThreadStats {
        static NONE: std::sync::LazyLock<ThreadStats> = std::sync::LazyLock::new(ThreadStats::default);
        self.node.threads.get(usize::from(self.thread)).map_or(&*NONE, |thread| &thread.stats)
    }

    pub(super) fn update_gauges(&self) {
        let stats = self.stats();
        stats.connections.store(self.connections.len() as u64, Ordering::Relaxed);
        stats.parked.store(self.parked.len() as u64, Ordering::Relaxed);
        let touched: usize = self.pool.iter().map(Vec::len).sum();
        stats.buffer_bytes.store((self.shared.len() + touched) as u64, Ordering::Relaxed);
    }

    fn drain(&mut self, now: Now) {
        self.draining = true;
        for conn in self.ids() {
            if let Some(connection) = find(&mut self.connections, conn) {
                connection.draining = true;
                if !connection.is_waiting() {
                    connection.close("the broker is stopping", true);
                }
                self.mark_dirty(conn);
            }
        }
        self.deadlines.set(now.monotonic_ms.saturating_add(STOP_GRACE_MS), Due::Stop);
        self.node.thread_drained();
    }

    fn expire_all(&mut self, now: Now) {
        for token in self.parked.tokens() {
            self.expire(token, now);
        }
        for conn in self.ids() {
            self.end(conn, "the broker is stopping", true);
        }
        self.draining = true;
        self.report_empty();
    }

    /// Tells the node, once, that this thread has nothing left to close.
    fn report_empty(&mut self) {
        if self.draining && self.connections.is_empty() && !std::mem::replace(&mut self.reported_empty, true)
        {
            self.node.thread_empty();
        }
    }
}

/// The connection of an id, if it is still the one in its slot.
pub(super) fn find(connections: &mut Slab<Tenant>, conn: ConnId) -> Option<&mut Connection> {
    let tenant = connections.get_mut(conn.slot() as usize)?;
    (tenant.id == conn).then_some(&mut tenant.conn)
}
