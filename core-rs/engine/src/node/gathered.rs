//! Small Produce requests of several connections: checked one by one as they come, then appended together once all sockets
//! of a round were read, so that those for one partition cost one write. What a client sees stays as it was: a connection
//! goes on with nothing else before its gathered requests are served, and no reply leaves before the end of a round anyway.

use super::reactor::{Reactor, find};
use super::requests::panicked;
use crate::api::{self, RequestHeader, SettledProduce};
use crate::boundary::ConnId;
use crate::conn::{FrameLimit, Next, Work};
use crate::panics;
use crate::partition::WaiterId;
use crate::time::Now;

/// The longest frame that is copied aside: a write of more costs little beside its bytes.
const FRAME_BYTES: usize = 4 << 10;
/// What is kept of the memory for copies between rounds.
const KEPT_BYTES: usize = 128 << 10;

/// What waits for the end of the round.
#[derive(Default)]
pub(super) struct Gathered {
    is_on: bool,
    /// The frames, one behind the other.
    bytes: Vec<u8>,
    requests: Vec<(Owner, SettledProduce)>,
}

/// Whose a request is.
struct Owner {
    conn: ConnId,
    header: RequestHeader,
    /// Of its frame, in bytes.
    length: usize,
}

impl Reactor {
    /// From here on small Produce requests wait until [`serve_gathered`](Self::serve_gathered), which must come before
    /// the thread does anything but read and send. Of use where many sockets are ready.
    pub fn start_gathering(&mut self) {
        self.gathered.is_on = true;
    }

    /// Serves what waits: the end of a round.
    pub fn serve_gathered(&mut self, now: Now) {
        self.gathered.is_on = false;
        if !self.gathered.requests.is_empty() {
            self.append_gathered(now);
            self.settle(now);
        }
    }

    /// Takes the request at the front of `work` off if it may wait for others.
    pub(super) fn gather(&mut self, conn: ConnId, work: &mut Work, limit: FrameLimit, now: Now) -> bool {
        // A quota may mute the connection after any of them.
        if !self.gathered.is_on || self.node.quotas.get().is_some() {
            return false;
        }
        // Room for one more stays, or the connection would stop here, and nothing that is sent might start it again.
        let has_room = find(&mut self.connections, conn).is_some_and(|it| it.authenticated && it.room() > 1);
        let Ok(Next::Frame(frame)) = work.next(limit) else { return false };
        if !has_room || frame.len() > FRAME_BYTES || !api::joins_run(frame) {
            return false;
        }
        let Ok(header) = RequestHeader::parse(frame) else { return false };
        let nobody = WaiterId { thread: self.thread, token: 0 };
        let checked = self.with_context(conn, (&header, nobody), now, |ctx| api::check_for_run(ctx, frame));
        if self.refusals.get_mut().is_any() {
            self.tell_refusals(conn, header.api_key);
        }
        let length = frame.len();
        match checked {
            Ok(None) => return false,
            Ok(Some(request)) => {
                self.gathered.bytes.extend_from_slice(frame);
                self.gathered.requests.push((Owner { conn, header, length }, request));
                if let Some(connection) = find(&mut self.connections, conn) {
                    connection.gathered += 1;
                }
            }
            Err(message) => {
                panicked(&self.node, nobody, &mut self.notices);
                self.refuse(conn, (header.api_key, header.api_version), &format!("a panic: {message}"));
            }
        }
        work.advance(length);
        true
    }

    /// Serves what waits if something of this connection does: it comes before whatever else the connection does.
    pub(super) fn serve_gathered_of(&mut self, conn: ConnId, now: Now) {
        if find(&mut self.connections, conn).is_some_and(|connection| connection.gathered > 0) {
            self.append_gathered(now);
        }
    }

    fn append_gathered(&mut self, now: Now) {
        let gathered = &mut self.gathered;
        let (mut bytes, mut requests) =
            (std::mem::take(&mut gathered.bytes), std::mem::take(&mut gathered.requests));
        let started = (self.stopwatch)();
        let (mut frames, mut rest) = (Vec::with_capacity(requests.len()), bytes.as_mut_slice());
        for (owner, _) in &requests {
            let Some((frame, behind)) = rest.split_at_mut_checked(owner.length) else { break };
            frames.push(frame);
            rest = behind;
        }
        let notices = &mut self.notices;
        let appended = panics::catch(|| api::append_checked(&mut frames, &mut requests, now, notices));
        if appended.is_err() {
            let nobody = WaiterId { thread: self.thread, token: 0 };
            panicked(&self.node, nobody, &mut self.notices);
        }
        for (Owner { conn, header, length }, settled) in requests.drain(..) {
            if let Some(connection) = find(&mut self.connections, conn) {
                connection.gathered -= 1;
            }
            match &appended {
                Ok(()) => self.answer_run(conn, (header, settled), length, started, now),
                // Which of them it was nobody knows, nor what became of the others: none is acked.
                Err(message) => {
                    self.refuse(conn, (header.api_key, header.api_version), &format!("a panic: {message}"));
                }
            }
            self.recharge(conn);
            self.mark_dirty(conn);
        }
        self.dispatch_notices();
        bytes.clear();
        bytes.shrink_to(KEPT_BYTES);
        (self.gathered.bytes, self.gathered.requests) = (bytes, requests);
    }
}
