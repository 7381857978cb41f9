//! Produce requests that stand one behind the other in what a connection has sent: served together, so that their
//! batches are written together. Each has a reply slot, a timing and an answer of its own.

use super::parked::Asked;
use super::reactor::{Reactor, find};
use super::requests::panicked;
use crate::api::{self, RequestHeader, SettledProduce};
use crate::boundary::ConnId;
use crate::conn::{FrameLimit, Pending, Timing, Work};
use crate::partition::WaiterId;
use crate::time::Now;

impl Reactor {
    /// Serves the requests at the front of `work` if there are several that may be served together, and takes them off.
    pub(super) fn start_run(&mut self, conn: ConnId, work: &mut Work, limit: FrameLimit, now: Now) -> bool {
        // A quota may mute the connection after any of them.
        if self.node.quotas.get().is_some() {
            return false;
        }
        let Some(connection) = find(&mut self.connections, conn).filter(|it| it.authenticated) else {
            return false;
        };
        let mut run = work.run(limit, connection.room(), api::joins_run);
        let first = match run.as_slice() {
            [first, _, ..] => RequestHeader::parse(first),
            _ => return false,
        };
        let Ok(first) = first else { return false };
        let started = (self.stopwatch)();
        // Nothing waits before it is finished, under a token of its own.
        let nobody = WaiterId { thread: self.thread, token: 0 };
        let settled = self.with_context(conn, (&first, nobody), now, |ctx| api::append_run(ctx, &mut run));
        let lengths: Vec<usize> = run.iter().map(|frame| frame.len()).collect();
        if self.refusals.get_mut().is_any() {
            self.tell_refusals(conn, first.api_key);
        }
        match settled {
            Ok(settled) if settled.is_empty() => return false,
            Ok(settled) => {
                for (settled, length) in settled.into_iter().zip(lengths) {
                    self.answer_run(conn, settled, length, started, now);
                    work.advance(length);
                }
            }
            Err(message) => {
                panicked(&self.node, nobody, &mut self.notices);
                self.refuse(conn, (first.api_key, first.api_version), &format!("a panic: {message}"));
            }
        }
        self.dispatch_notices();
        true
    }

    pub(super) fn answer_run(
        &mut self,
        conn: ConnId,
        (header, settled): (RequestHeader, SettledProduce),
        bytes: usize,
        started: u64,
        now: Now,
    ) {
        self.stats().count_data_request(header.api_key);
        let waiter = WaiterId { thread: self.thread, token: self.parked.reserve() };
        let Some(connection) = find(&mut self.connections, conn) else { return };
        let (received, handled) = (connection.received_at, (self.stopwatch)());
        let timing = Timing { api_key: header.api_key, received, started, handled, ..Timing::default() };
        let slot_token = connection.slots.open(Pending::Data { waiter: waiter.token }, timing);
        let outcome = self.outcome_of(conn, (&header, waiter), now, |ctx| settled.finish(ctx));
        self.conclude(conn, (slot_token, waiter), Asked { header, bytes }, outcome, now);
    }
}
