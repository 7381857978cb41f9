//! What a connection costs in memory that has asked something and waits for nothing, and one with a parked fetch.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod counted;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use counted::{HELD, NOW, World};
use millrace_engine::api::wire::Writer;
use millrace_engine::boundary::ConnId;

/// A power of two, so that what grows by doubling is full.
const CONNECTIONS: usize = 1024;
/// Bytes each; 296 and 489 when this was written.
const IDLE: usize = 320;
const PARKED_FETCH: usize = 536;

/// A Fetch v4 of partition 0 from its end: there is nothing to read.
fn fetch(max_wait_ms: i32) -> Vec<u8> {
    let mut body = Writer::new(false, 128);
    body.i16(1);
    body.i16(4);
    body.i32(7);
    body.string("consumer-1");
    body.i32(-1);
    body.i32(max_wait_ms);
    body.i32(1);
    body.i32(1 << 20);
    body.i8(0);
    body.array(1);
    body.string("t");
    body.array(1);
    body.i32(0);
    body.i64(0);
    body.i32(1 << 20);
    let body = body.into_bytes();
    [(body.len() as i32).to_be_bytes().to_vec(), body].concat()
}

impl World {
    fn send(&mut self, conn: ConnId, frame: &[u8]) {
        let target = self.reactor.read_target(conn);
        target[..frame.len()].copy_from_slice(frame);
        self.reactor.received(conn, frame.len(), NOW);
    }

    /// Connections that have asked and read the answer.
    fn connect(&mut self, count: usize) -> Vec<ConnId> {
        let listener: Arc<str> = "PLAINTEXT".into();
        let connected = (0..count).map(|_| {
            let conn = self.reactor.accept(listener.clone(), "127.0.0.1:5000".parse().unwrap(), NOW).unwrap();
            self.send(conn, &fetch(0));
            let pending = self.reactor.output(conn).unwrap().pending_bytes();
            assert!(pending > 0);
            self.reactor.sent(conn, pending, NOW);
            while self.reactor.next_dirty().is_some() {}
            conn
        });
        connected.collect()
    }
}

#[test]
fn a_connection_costs_little_when_idle_and_not_much_more_with_a_parked_fetch() {
    let mut world = World::new();
    // What the first request of all leaves behind is no connection's.
    let first = world.connect(1);
    world.reactor.closed(first[0], NOW);
    let before = HELD.load(Ordering::Relaxed);
    let connected = world.connect(CONNECTIONS);
    let idle = HELD.load(Ordering::Relaxed) - before;
    for &conn in &connected {
        world.send(conn, &fetch(60_000));
        assert!(world.reactor.output(conn).unwrap().is_empty(), "the fetch was answered");
    }
    let parked = HELD.load(Ordering::Relaxed) - before - idle;
    let (idle, parked) = (idle / CONNECTIONS, parked / CONNECTIONS);
    assert!(idle <= IDLE, "{idle} bytes for an idle connection");
    assert!(parked <= PARKED_FETCH, "{parked} bytes for a parked fetch");
}
