//! From frames to replies on one I/O thread: each request goes to the data plane at once or to the control plane as
//! an event; parked ones are evaluated when they are woken. Which plane serves a key is all it knows of the protocol.

use super::lanes::Lane;
use super::parked::{Asked, ParkedRequest};
use super::quotas::Used;
use super::reactor::{Due, Reactor, find};
use super::shared::Node;
use super::stats;
use crate::api::{self, Outcome, Part, RequestContext, RequestHeader};
use crate::boundary::{ConnId, Event, NodeOptions};
use crate::conn::{Connection, FrameLimit, Next, Pending, Stage, Timing, Work};
use crate::panics;
use crate::partition::{Notices, WaiterId};
use crate::time::Now;

/// Key, version and correlation id: the least that a request has.
const SMALLEST_REQUEST: usize = 8;
/// SaslHandshake, ApiVersions, SaslAuthenticate: what a connection may ask before it has authenticated.
const AUTHENTICATION: [i16; 3] = [17, 18, 36];

const HEARTBEAT: i16 = 12;
/// Nobody waits for the answer to a heartbeat: it waits so long for others, so that the coordinator wakes once for all.
/// Whatever else comes for the coordinator takes it along at once.
const HEARTBEAT_PATIENCE_MS: i64 = 2;

/// Whether the frame at the front was dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Started {
    Yes,
    /// It stays where it is until something changes.
    NotYet,
}

impl Reactor {
    /// Starts every request that is whole and may start; the rest stays with the connection.
    pub(super) fn handle_frames(&mut self, conn: ConnId, mut work: Work, now: Now) {
        let mut held_back = false;
        while let Some(connection) = find(&mut self.connections, conn)
            && connection.may_start()
        {
            let limit = frame_limit(&self.node.options, connection.authenticated);
            if work.remaining() == 0 {
                break;
            }
            if self.gather(conn, &mut work, limit, now) {
                continue;
            }
            self.serve_gathered_of(conn, now);
            if self.start_run(conn, &mut work, limit, now) {
                continue;
            }
            let started = match work.next(limit) {
                Ok(Next::Partial) => break,
                Ok(Next::Frame(frame)) => {
                    let length = frame.len();
                    self.start(conn, frame, now).then(length)
                }
                Err(error) => {
                    self.refuse(conn, (-1, -1), &error.to_string());
                    break;
                }
            };
            match started {
                Some(length) => work.advance(length),
                None => {
                    held_back = true;
                    break;
                }
            }
        }
        self.keep(conn, work, held_back);
    }

    /// Leaves what was not handled with its connection and takes back the buffer if it is free.
    fn keep(&mut self, conn: ConnId, work: Work, held_back: bool) {
        let Some(connection) = find(&mut self.connections, conn) else {
            self.refill();
            return;
        };
        connection.held_back = held_back;
        if let Some(buffer) = connection.input.keep(work) {
            self.give_back(buffer);
        }
        self.refill();
        self.recharge(conn);
        self.mark_dirty(conn);
    }

    fn start(&mut self, conn: ConnId, frame: &mut [u8], now: Now) -> Started {
        let fixed = frame.first_chunk::<SMALLEST_REQUEST>().copied();
        let Some([key_high, key_low, version_high, version_low, ..]) = fixed else {
            self.refuse(conn, (-1, -1), &format!("a request of {} bytes", frame.len()));
            return Started::Yes;
        };
        let api = (i16::from_be_bytes([key_high, key_low]), i16::from_be_bytes([version_high, version_low]));
        let authenticated = self.find(conn).is_some_and(|connection| connection.authenticated);
        if !authenticated && !AUTHENTICATION.contains(&api.0) {
            self.refuse(conn, api, "a request before authentication");
            return Started::Yes;
        }
        match api::serves(api.0) {
            Some((oldest, newest)) if (oldest..=newest).contains(&api.1) => {
                self.start_data(conn, frame, now);
                Started::Yes
            }
            Some(_) => {
                self.refuse(conn, api, "a version that is not served");
                Started::Yes
            }
            None => self.start_control(conn, api, frame, now),
        }
    }

    fn start_data(&mut self, conn: ConnId, frame: &mut [u8], now: Now) {
        let header = match RequestHeader::parse(frame) {
            Ok(header) => header,
            Err(error) => {
                self.refuse(conn, (-1, -1), &format!("a malformed request header: {error}"));
                return;
            }
        };
        self.stats().count_data_request(header.api_key);
        let waiter = WaiterId { thread: self.thread, token: self.parked.reserve() };
        let started = (self.stopwatch)();
        let Some(connection) = find(&mut self.connections, conn) else { return };
        let received = connection.received_at;
        let timing = Timing { api_key: header.api_key, received, started, ..Timing::default() };
        let slot_token = connection.slots.open(Pending::Data { waiter: waiter.token }, timing);
        let outcome = self.outcome_of(conn, (&header, waiter), now, |ctx| api::handle(ctx, frame));
        let handled = (self.stopwatch)();
        if self.refusals.get_mut().is_any() {
            self.tell_refusals(conn, header.api_key);
        }
        if let Some(timing) =
            find(&mut self.connections, conn).and_then(|connection| connection.slots.timing_mut(slot_token))
        {
            timing.handled = handled;
        }
        let asked = Asked { header, bytes: frame.len() };
        self.conclude(conn, (slot_token, waiter), asked, outcome, now);
        self.dispatch_notices();
    }

    /// What became of a request that `serve` serves; a panic closes its connection.
    pub(super) fn outcome_of(
        &mut self,
        conn: ConnId,
        (header, waiter): (&RequestHeader, WaiterId),
        now: Now,
        serve: impl FnOnce(&mut RequestContext<'_>) -> Outcome,
    ) -> Outcome {
        self.with_context(conn, (header, waiter), now, serve).unwrap_or_else(|message| {
            panicked(&self.node, waiter, &mut self.notices);
            Outcome::Close(format!("a panic: {message}"))
        })
    }

    /// Calls `serve` with what a request may look at. Error: its panic.
    pub(super) fn with_context<R>(
        &mut self,
        conn: ConnId,
        (header, waiter): (&RequestHeader, WaiterId),
        now: Now,
        serve: impl FnOnce(&mut RequestContext<'_>) -> R,
    ) -> Result<R, String> {
        let Some(connection) = find(&mut self.connections, conn) else {
            return Err("its connection is gone".to_owned());
        };
        let authorizer =
            self.node.authorizer.for_request(connection.origin.peer.ip(), now.monotonic_ms, &self.refusals);
        let mut context = RequestContext {
            topics: &self.node.topics,
            settings: &self.node.settings,
            nodes: &self.node.nodes,
            listener: &connection.origin.listener,
            header,
            now,
            waiter,
            principal: &connection.principal,
            authorize: &authorizer,
            sessions: &mut self.sessions,
            notices: &mut self.notices,
        };
        panics::catch(|| serve(&mut context))
    }

    /// Does with a request of the data plane what became of it; it was handled a moment ago.
    pub(super) fn conclude(
        &mut self,
        conn: ConnId,
        (slot_token, waiter): (i64, WaiterId),
        asked: Asked,
        outcome: Outcome,
        now: Now,
    ) {
        let Some(connection) = find(&mut self.connections, conn) else { return };
        let timing = connection.slots.timing_mut(slot_token).map_or_else(Timing::default, |timing| *timing);
        let handled = timing.handled;
        match outcome {
            Outcome::Reply(mut parts) => {
                let throttle_ms = throttle(&self.node, connection, &asked, &mut parts, now);
                connection.replied(slot_token, handled, throttle_ms);
                connection.answered(slot_token, Some(parts));
                self.mute(conn, throttle_ms, now);
            }
            Outcome::NoReply => {
                let throttle_ms = throttle(&self.node, connection, &asked, &mut [], now);
                connection.answered(slot_token, None);
                let timing = Timing { replied: handled, throttle_ms, ..timing };
                self.stats().times.sent(&timing, handled, handled);
                self.mute(conn, throttle_ms, now);
            }
            Outcome::Park(request) => {
                let deadline = self.deadlines.set(request.deadline_ms(), Due::Parked(waiter.token));
                self.parked.park((conn, slot_token), deadline, request, asked);
            }
            Outcome::Close(reason) => {
                connection.answered(slot_token, None);
                self.refuse(conn, (asked.header.api_key, asked.header.api_version), &reason);
            }
        }
    }

    /// Tells the audit log what the request just now was refused.
    pub(super) fn tell_refusals(&mut self, conn: ConnId, api_key: i16) {
        let refusals = self.refusals.get_mut().take();
        let Some(connection) = find(&mut self.connections, conn) else { return };
        let peer = connection.origin.peer.to_string();
        for refusal in refusals {
            self.node.emit(&Event::AccessDenied {
                principal: &connection.principal,
                peer: &peer,
                api_key,
                operation: refusal.operation,
                resource_type: refusal.resource_type,
                resource_name: &refusal.resource_name,
                untold: refusal.untold,
            });
        }
    }

    fn start_control(&mut self, conn: ConnId, api: (i16, i16), frame: &[u8], now: Now) -> Started {
        let stage = Stage::of(api.0);
        let admitted = find(&mut self.connections, conn).is_some_and(|connection| connection.admits(stage));
        let lane = self.node.lane_of_request(frame);
        if !admitted || self.stall_for_control(conn, lane) {
            return Started::NotYet;
        }
        let Some(connection) = find(&mut self.connections, conn) else { return Started::Yes };
        let timing = Timing { api_key: api.0, received: connection.received_at, ..Timing::default() };
        let token = connection.open_control(stage, (frame.len(), lane), timing);
        self.node.budget.add_request(frame.len());
        let peer = connection.origin.peer.to_string();
        let event = Event::ControlRequest {
            conn,
            token,
            api_key: api.0,
            api_version: api.1,
            listener: &connection.origin.listener,
            peer: &peer,
            principal: &connection.principal,
            arrival_monotonic_ms: now.monotonic_ms,
            arrival_wall_ms: now.wall_ms,
            frame,
        };
        if api.0 != HEARTBEAT {
            self.node.emit_to(lane, &event);
        } else if self.node.emit_patiently(lane, &event) {
            self.deadlines.set(now.monotonic_ms + HEARTBEAT_PATIENCE_MS, Due::Company(lane));
        }
        stats::add(&self.stats().control, 1);
        Started::Yes
    }

    /// Closes a connection because of what it sent, and says so.
    pub(super) fn refuse(&mut self, conn: ConnId, (api_key, api_version): (i16, i16), message: &str) {
        // A flood of bad requests must not fill the ring of a control plane that is behind.
        if let Some(connection) = self.find(conn)
            && !self.node.events.is_full()
        {
            let peer = connection.origin.peer.to_string();
            self.node.emit(&Event::RequestRefused { conn, peer: &peer, api_key, api_version, message });
        }
        stats::add(&self.stats().refused, 1);
        self.end(conn, message, false);
    }

    /// The control plane's answer to a slot: bytes, or no reply at all.
    pub(super) fn answer_control(&mut self, conn: ConnId, token: i64, reply: Option<Vec<u8>>) {
        let Some(connection) = find(&mut self.connections, conn) else { return };
        // A slot of the data plane is none of the control plane's.
        let Some(Pending::Control { charged, .. }) = connection.slots.pending(token) else { return };
        connection.replied(token, (self.stopwatch)(), 0);
        connection.answered(token, reply.map(|bytes| vec![Part::Bytes(bytes)]));
        if self.node.budget.remove_request(charged) {
            self.node.resume_stalled();
        }
        self.went_on(conn);
    }

    /// A reader of requests is gone: whoever waits for it must ask again.
    pub(super) fn close_waiting_for(&mut self, lost: Lane) {
        let waits = |pending: Pending| matches!(pending, Pending::Control { lane, .. } if lane == lost);
        let waiting: Vec<ConnId> = self
            .connections
            .iter()
            .filter(|(_, tenant)| tenant.conn.slots.unanswered().any(waits))
            .map(|(_, tenant)| tenant.id)
            .collect();
        for conn in waiting {
            self.end(conn, "the coordinator failed", false);
        }
    }

    /// No further request of a connection is started for so long.
    pub(super) fn mute(&mut self, conn: ConnId, throttle_ms: u32, now: Now) {
        if throttle_ms == 0 {
            return;
        }
        let until = now.monotonic_ms.saturating_add(i64::from(throttle_ms));
        if let Some(connection) = find(&mut self.connections, conn) {
            let until = connection.muted_until_ms.map_or(until, |before| before.max(until));
            connection.muted_until_ms = Some(until);
            self.deadlines.set(until, Due::Unmute(conn));
        }
    }

    pub(super) fn unmute(&mut self, conn: ConnId, now: Now) {
        if let Some(connection) = find(&mut self.connections, conn)
            && connection.muted_until_ms.is_some_and(|until| until <= now.monotonic_ms)
        {
            connection.muted_until_ms = None;
            self.went_on(conn);
        }
    }

    /// Answers a request that was parked; one that panicked costs its connection.
    fn end_parked(
        &mut self,
        ParkedRequest { conn, slot_token, asked, .. }: ParkedRequest,
        waiter: WaiterId,
        parts: Result<Vec<Part>, String>,
        now: Now,
    ) {
        let (mut parts, panic) = match parts {
            Ok(parts) => (Some(parts), None),
            Err(message) => (None, Some(message)),
        };
        if let Some(connection) = find(&mut self.connections, conn) {
            let reply = parts.as_deref_mut().unwrap_or_default();
            let throttle_ms = throttle(&self.node, connection, &asked, reply, now);
            connection.replied(slot_token, (self.stopwatch)(), throttle_ms);
            connection.answered(slot_token, parts);
            self.mute(conn, throttle_ms, now);
            self.went_on(conn);
        }
        if let Some(message) = panic {
            panicked(&self.node, waiter, &mut self.notices);
            self.refuse(conn, (-1, -1), &format!("a panic: {message}"));
        }
    }

    fn went_on(&mut self, conn: ConnId) {
        self.recharge(conn);
        self.resumed.push_back(conn);
        self.mark_dirty(conn);
    }

    /// Follows up on everything that came about, until nothing is left to do on this thread.
    pub(super) fn settle(&mut self, now: Now) {
        loop {
            if let Some(token) = self.woken.pop_front() {
                self.evaluate(token, now);
            } else if let Some(conn) = self.resumed.pop_front() {
                self.resume(conn, now);
            } else {
                break;
            }
        }
        self.update_gauges();
    }

    fn resume(&mut self, conn: ConnId, now: Now) {
        let Some(connection) = find(&mut self.connections, conn) else { return };
        connection.held_back = false;
        if connection.draining && !connection.is_waiting() {
            connection.close("the broker is stopping", true);
        } else if connection.may_start()
            && let Some(work) = connection.input.resume()
        {
            self.handle_frames(conn, work, now);
        }
        self.mark_dirty(conn);
    }

    fn evaluate(&mut self, token: u64, now: Now) {
        let waiter = WaiterId { thread: self.thread, token };
        let Some(parked) = self.parked.get_mut(token) else { return };
        let notices = &mut self.notices;
        let parts = panics::catch(|| parked.request.try_complete(now, waiter, notices));
        if let Some(parts) = parts.transpose()
            && let Some(parked) = self.parked.remove(token)
        {
            self.deadlines.cancel(parked.deadline);
            self.end_parked(parked, waiter, parts, now);
        }
        self.dispatch_notices();
    }

    /// The deadline of a parked request has passed, or nothing can complete it any more.
    pub(super) fn expire(&mut self, token: u64, now: Now) {
        let waiter = WaiterId { thread: self.thread, token };
        let Some(mut parked) = self.parked.remove(token) else { return };
        self.deadlines.cancel(parked.deadline);
        let notices = &mut self.notices;
        let parts = panics::catch(|| parked.request.expire(now, waiter, notices));
        self.end_parked(parked, waiter, parts, now);
        self.dispatch_notices();
    }

    /// The connection of a parked request is gone.
    pub(super) fn cancel(&mut self, token: u64) {
        if let Some(mut parked) = self.parked.remove(token) {
            self.deadlines.cancel(parked.deadline);
            parked.request.cancel(WaiterId { thread: self.thread, token });
        }
    }

    /// Passes on what happened under partition locks; wakes of this thread need no mail.
    pub(super) fn dispatch_notices(&mut self) {
        if self.notices.is_empty() {
            return;
        }
        let (thread, woken) = (self.thread, &mut self.woken);
        self.notices.waiters.retain(|waiter| {
            let is_own = waiter.thread == thread;
            if is_own {
                woken.push_back(waiter.token);
            }
            !is_own
        });
        self.node.dispatch(&mut self.notices);
    }
}

/// The largest frame of a connection, and the key that says so.
fn frame_limit(options: &NodeOptions, authenticated: bool) -> FrameLimit {
    let all = FrameLimit { bytes: options.socket_request_max_bytes, key: "socket.request.max.bytes" };
    let before =
        FrameLimit { bytes: options.sasl_server_max_receive_size, key: "sasl.server.max.receive.size" };
    if authenticated || all.bytes <= before.bytes { all } else { before }
}

/// For how long the client must be quiet because of this request; the reply says so too.
fn throttle(node: &Node, connection: &Connection, asked: &Asked, reply: &mut [Part], now: Now) -> u32 {
    let Some(quotas) = node.quotas.get() else { return 0 };
    let header = &asked.header;
    let used = Used {
        principal: &connection.principal,
        client_id: header.client_id.as_deref(),
        api_key: header.api_key,
        request_bytes: asked.bytes,
        reply_bytes: reply.iter().map(Part::len).sum(),
    };
    let throttle_ms = quotas.throttle_ms(&used, now);
    if throttle_ms > 0 {
        api::set_throttle_time(reply, (header.api_key, header.api_version), header.flexible, throttle_ms);
    }
    throttle_ms
}

/// A request panicked, and the partition whose lock it held went offline with it: whoever waits there is told, and
/// the request waits nowhere any more.
pub(super) fn panicked(node: &Node, waiter: WaiterId, notices: &mut Notices) {
    for topic in node.topics.all() {
        for partition in topic.partitions.iter().flatten() {
            partition.remove_waiter(waiter);
            if let Some(reason) = partition.offline_reason() {
                partition.take_offline(&reason, notices);
            }
        }
    }
}

impl Started {
    fn then<T>(self, value: T) -> Option<T> {
        (self == Started::Yes).then_some(value)
    }
}
