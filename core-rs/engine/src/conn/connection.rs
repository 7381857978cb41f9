//! The state of one connection beyond its bytes: who it is, what it waits for, when it may go on.
//! It never handles a request; `node` does, and reports back through `answered`.

use core::net::SocketAddr;
use std::sync::Arc;

use super::{Input, Output, Pending, ReplySlots, Stage, Timing};
use crate::api::Part;

/// Requests of one connection that may be unanswered or have unsent replies at a time.
const MAX_IN_FLIGHT: usize = 64;
/// Reply bytes in memory beyond which a connection that does not read gets no further request started.
const MAX_OUTPUT_BYTES: usize = 512 << 10;

/// Where a connection comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Shared by all connections of the listener.
    pub listener: Arc<str>,
    pub peer: SocketAddr,
}

/// Why and how a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    pub reason: String,
    /// The replies that are queued leave first.
    pub after_output: bool,
}

/// There are tens of thousands, most of them idle: what a request needs beyond this is there while it is under way.
#[derive(Debug)]
pub struct Connection {
    pub origin: Origin,
    /// `User:ANONYMOUS` until authentication says otherwise.
    pub principal: Arc<str>,
    /// Nothing but authentication is served before.
    pub authenticated: bool,
    /// A quota is exceeded: no further request is started before this time, on the monotonic clock.
    pub muted_until_ms: Option<i64>,
    /// When bytes were last read, on the stopwatch.
    pub received_at: u64,
    pub input: Input,
    pub slots: ReplySlots,
    pub output: Output,
    /// Requests that were taken off the input and wait for those of other connections; they have no slot yet.
    pub gathered: u8,
    /// The slot whose reply the next request waits for.
    barrier: Option<i64>,
    /// The frame at the front is whole and may not start yet.
    pub held_back: bool,
    /// A limit that is shared with other connections holds this one back; `node` takes it off.
    pub stalled: bool,
    /// No further request is started: the node is stopping.
    pub draining: bool,
    /// Boxed, as nearly all connections have none.
    closing: Option<Box<Closing>>,
    /// Monotonic time of the last byte in either direction.
    pub last_active_ms: i64,
    /// Bytes of the broker's budget held for the memory of `input` and `output`.
    pub charged: usize,
    /// Already on the list of connections that the shell must look at.
    pub dirty: bool,
}

impl Connection {
    pub fn new(origin: Origin, principal: Arc<str>, authenticated: bool, now_ms: i64) -> Connection {
        Connection {
            origin,
            principal,
            authenticated,
            muted_until_ms: None,
            received_at: 0,
            input: Input::default(),
            slots: ReplySlots::default(),
            output: Output::default(),
            gathered: 0,
            barrier: None,
            held_back: false,
            stalled: false,
            draining: false,
            closing: None,
            last_active_ms: now_ms,
            charged: 0,
            dirty: false,
        }
    }

    /// How many requests more may be unanswered or have unsent replies.
    pub fn room(&self) -> usize {
        let under_way = self.slots.len() + self.output.replies() + usize::from(self.gathered);
        MAX_IN_FLIGHT.saturating_sub(under_way)
    }

    /// Whether a further request may start, apart from what its own stage asks for.
    pub fn may_start(&self) -> bool {
        self.closing.is_none()
            && !self.draining
            && !self.stalled
            && self.muted_until_ms.is_none()
            && self.barrier.is_none()
            && self.room() > 0
            && self.output.memory_bytes() < MAX_OUTPUT_BYTES
    }

    /// Whether more bytes are of use.
    pub fn wants_read(&self) -> bool {
        self.may_start() && !self.held_back
    }

    /// What the connection holds is a frame that is not complete, and only more bytes can complete it.
    pub fn awaits_bytes(&self) -> bool {
        self.closing.is_none()
            && self.barrier.is_none()
            && self.muted_until_ms.is_none()
            && !self.held_back
            && self.input.held_bytes() > 0
    }

    /// Whether a request of this stage may start now.
    pub fn admits(&self, stage: Stage) -> bool {
        stage != Stage::Exclusive || self.slots.is_empty()
    }

    /// Opens the slot of a request that goes to the control plane.
    pub fn open_control(&mut self, stage: Stage, (charged, lane): (usize, u16), timing: Timing) -> i64 {
        let token = self.slots.open(Pending::Control { charged, lane }, timing);
        if stage != Stage::Passes {
            self.barrier = Some(token);
        }
        token
    }

    /// Answers a slot, or frees it (`None`); whatever may leave now goes to the output. `None` when the token is
    /// unknown or answered already.
    pub fn answered(&mut self, token: i64, reply: Option<Vec<Part>>) -> Option<Pending> {
        let pending = match reply {
            Some(parts) => self.slots.fill(token, parts)?,
            None => self.slots.skip(token)?,
        };
        if self.barrier == Some(token) {
            self.barrier = None;
        }
        while let Some((reply, timing)) = self.slots.take_ready() {
            self.output.push_reply(reply, timing);
        }
        Some(pending)
    }

    /// Notes when the reply of an open slot was there, and what it says of quotas.
    pub fn replied(&mut self, token: i64, at: u64, throttle_ms: u32) {
        if let Some(timing) = self.slots.timing_mut(token) {
            timing.replied = at;
            timing.throttle_ms = throttle_ms;
        }
    }

    /// Memory that the connection holds, received and not yet sent.
    pub fn held_memory(&self) -> usize {
        self.input.held_memory() + self.output.memory_bytes()
    }

    /// Only its client can free what it holds: by sending the rest of a frame, or by reading its replies.
    pub fn awaits_client(&self) -> bool {
        self.awaits_bytes() || !self.output.is_empty()
    }

    /// Ends the connection; the first reason stays.
    pub fn close(&mut self, reason: impl Into<String>, after_output: bool) {
        match &mut self.closing {
            None => self.closing = Some(Box::new(Closing { reason: reason.into(), after_output })),
            Some(closing) => closing.after_output &= after_output,
        }
    }

    /// Why the socket must be closed now.
    pub fn closing(&self) -> Option<&str> {
        let closing = self.closing.as_ref()?;
        (!closing.after_output || self.output.is_empty()).then_some(closing.reason.as_str())
    }

    pub fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// Whether anything is unanswered.
    pub fn is_waiting(&self) -> bool {
        !self.slots.is_empty()
    }
}
