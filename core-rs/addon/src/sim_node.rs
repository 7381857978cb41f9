//! A node without threads, sockets or clock, for the simulator: the same engine, events and commands, driven call by
//! call.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use millrace_engine::boundary::{ConnId, NodeOptions};
use millrace_engine::conn::Front;
use millrace_engine::node::{Node, Reactor, ShellAction};
use millrace_engine::storage::SimStorage;
use millrace_engine::time::Now;
use napi::Env;
use napi::bindgen_prelude::{BufferSlice, Uint8ArraySlice};
use napi_derive::napi;

use crate::append::append_into;
use crate::failure::{closed, failure};
use crate::sim_disk::SimDisk;
use crate::sim_effects::UnderWay;

/// What a simulated socket holds.
#[derive(Default)]
struct Peer {
    /// Sent by the client, not read by the broker.
    unread: Vec<u8>,
}

/// A node whose every step is a call.
#[napi]
pub struct SimNode {
    /// `None` once killed or closed.
    node: Option<Arc<Node>>,
    storage: SimStorage,
    under_way: UnderWay,
    reactors: Vec<Reactor>,
    peers: BTreeMap<i64, Peer>,
    now: Now,
    next_tick_ms: i64,
    connected: u16,
}

#[napi]
impl SimNode {
    /// Opens a node on a simulated disk. `options_json`: NodeOptions; the seed sets election timeouts.
    #[napi(factory, catch_unwind)]
    pub fn open(options_json: String, disk: &SimDisk, seed: i64) -> napi::Result<SimNode> {
        let options = NodeOptions::parse(&options_json).map_err(failure)?;
        let threads = options.network_threads;
        let now = Now::default();
        let under_way = UnderWay::default();
        let mounted = disk.storage.mount(Some(under_way.pause()));
        let node = Node::open(options, Arc::new(mounted), seed as u64, now).map_err(failure)?;
        under_way.watch(&node);
        let reactors = (0..threads).map(|thread| Reactor::new(node.clone(), thread)).collect();
        Ok(SimNode {
            node: Some(node),
            storage: disk.storage.clone(),
            under_way,
            reactors,
            peers: BTreeMap::new(),
            now,
            next_tick_ms: 0,
            connected: 0,
        })
    }

    fn node(&self) -> napi::Result<&Arc<Node>> {
        self.node.as_ref().ok_or_else(closed)
    }

    /// All events that have gathered, packed.
    #[napi(catch_unwind)]
    pub fn drain<'env>(&mut self, env: &'env Env) -> napi::Result<BufferSlice<'env>> {
        let mut events = Vec::new();
        if let Some(node) = &self.node {
            node.drain_events(&mut events);
            self.settle();
        }
        BufferSlice::from_data(env, events)
    }

    /// Carries out a batch of packed commands. A malformed batch throws and nothing of it is carried out.
    #[napi(catch_unwind)]
    pub fn submit(&mut self, batch: Uint8ArraySlice<'_>) -> napi::Result<()> {
        let node = self.node()?.clone();
        let submitted = node.submit(&batch, self.now);
        for action in node.take_shell_actions() {
            if let ShellAction::Listen { name, host, port, .. } = action {
                node.listener_up(&name, &host, if port == 0 { 1 } else { port });
            }
        }
        self.settle();
        submitted.map_err(failure)
    }

    /// Appends to a coordinator partition at once: packed request; the packed reply fills `reply`.
    #[napi(catch_unwind)]
    pub fn append(&mut self, request: Uint8ArraySlice<'_>, mut reply: BufferSlice<'_>) -> napi::Result<()> {
        append_into(&mut reply, || self.node()?.append(&request, self.now).map_err(failure))?;
        self.settle();
        Ok(())
    }

    /// Counters and gauges as JSON.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> napi::Result<String> {
        Ok(self.node()?.stats())
    }

    /// Log directories and the quorum, as JSON.
    #[napi(catch_unwind)]
    pub fn describe(&self) -> napi::Result<String> {
        Ok(self.node()?.describe())
    }

    /// Drops the node as it is: nothing is flushed, no file is closed in order, disk work ends where it stands.
    #[napi(catch_unwind)]
    pub fn kill(&mut self) {
        if self.node.is_some() {
            self.storage.restart();
            self.under_way.abandon();
        }
        self.reactors.clear();
        self.peers.clear();
        self.node = None;
    }

    /// The same as `kill`, by the name that a real node has for it.
    #[napi(catch_unwind)]
    pub fn close(&mut self) {
        self.kill();
    }

    /// A client connects. Gives the connection's id; throws when the broker refuses it.
    #[napi(catch_unwind)]
    pub fn connect(&mut self, listener: String, monotonic_ms: i64, wall_ms: i64) -> napi::Result<i64> {
        self.now = Now { monotonic_ms, wall_ms };
        let now = self.now;
        let lane = usize::from(self.connected) % self.reactors.len().max(1);
        self.connected = self.connected.wrapping_add(1);
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 10_000 + self.connected % 50_000));
        let reactor = self.reactors.get_mut(lane).ok_or_else(closed)?;
        let conn = reactor.accept(listener, peer, now).map_err(failure)?;
        self.peers.insert(conn.raw(), Peer::default());
        self.settle();
        Ok(conn.raw())
    }

    /// Bytes arrive from the client. What the broker does not want yet waits, as in a socket's buffer.
    #[napi(catch_unwind)]
    pub fn feed(&mut self, conn: i64, bytes: Uint8ArraySlice<'_>, monotonic_ms: i64, wall_ms: i64) {
        self.now = Now { monotonic_ms, wall_ms };
        if let Some(peer) = self.peers.get_mut(&conn) {
            peer.unread.extend_from_slice(&bytes);
        }
        self.settle();
    }

    /// Takes what the broker has sent on this connection so far, stretches of files included.
    #[napi(catch_unwind)]
    pub fn output<'env>(&mut self, env: &'env Env, conn: i64) -> napi::Result<BufferSlice<'env>> {
        let bytes = self.take_output(conn)?;
        self.settle();
        BufferSlice::from_data(env, bytes)
    }

    fn take_output(&mut self, raw: i64) -> napi::Result<Vec<u8>> {
        let now = self.now;
        let mut bytes = Vec::new();
        let Some((conn, reactor)) = find(&mut self.reactors, raw) else { return Ok(bytes) };
        let mut unreadable = None;
        while let Some(output) = reactor.output(conn) {
            let before = bytes.len();
            match output.front() {
                None => break,
                Some(Front::Bytes(slice)) => bytes.extend_from_slice(slice),
                Some(Front::File(range)) => {
                    let end = before + range.len as usize;
                    bytes.resize(end, 0);
                    let target = bytes.get_mut(before..).unwrap_or_default();
                    match range.file.read_at(range.offset, target) {
                        Ok(read) if read as u64 == range.len => {}
                        Ok(_) => return Err(failure("a file range is longer than its file")),
                        Err(error) => {
                            bytes.truncate(before);
                            unreadable = Some(error);
                            break;
                        }
                    }
                }
            }
            reactor.sent(conn, (bytes.len() - before) as u64, now);
        }
        if let Some(error) = unreadable {
            reactor.unreadable(conn, &error, now);
            self.hang_up(raw);
        }
        Ok(bytes)
    }

    /// The client goes away.
    #[napi(catch_unwind)]
    pub fn disconnect(&mut self, conn: i64) {
        self.hang_up(conn);
        self.settle();
    }

    fn hang_up(&mut self, raw: i64) {
        let now = self.now;
        self.peers.remove(&raw);
        if let Some((conn, reactor)) = find(&mut self.reactors, raw) {
            reactor.closed(conn, now);
        }
    }

    /// False once the broker has closed the connection, or the client has gone.
    #[napi(catch_unwind)]
    pub fn is_open(&self, conn: i64) -> bool {
        self.peers.contains_key(&conn)
    }

    /// Whether the broker reads from this connection.
    #[napi(catch_unwind)]
    pub fn wants_read(&mut self, conn: i64) -> bool {
        find(&mut self.reactors, conn).is_some_and(|(conn, reactor)| reactor.wants_read(conn))
    }

    /// Time passes: deadlines fire and the raft clock ticks.
    #[napi(catch_unwind)]
    pub fn advance(&mut self, monotonic_ms: i64, wall_ms: i64) {
        self.now = Now { monotonic_ms, wall_ms };
        let now = self.now;
        if let Some(node) = &self.node
            && now.monotonic_ms >= self.next_tick_ms
        {
            self.next_tick_ms = node.tick(now);
        }
        for reactor in &mut self.reactors {
            if reactor.next_deadline_ms().is_some_and(|due| due <= now.monotonic_ms) {
                reactor.on_deadline(now);
            }
        }
        self.settle();
    }

    /// The next deadline of the data plane on the monotonic clock, or null.
    #[napi(catch_unwind)]
    pub fn next_deadline(&self) -> Option<i64> {
        self.reactors.iter().filter_map(Reactor::next_deadline_ms).min()
    }

    /// Disk work that waits to be run.
    #[napi(catch_unwind)]
    pub fn pending_effects(&self) -> u32 {
        self.node.as_ref().map_or(0, |node| node.pending_effects() as u32)
    }

    /// Runs the disk work at that place of the queue from start to end; nothing if there is none.
    #[napi(catch_unwind)]
    pub fn run_effect(&mut self, index: u32) {
        let Some(node) = self.node.clone() else { return };
        if let Some(effect) = node.take_effect_at(index as usize) {
            node.run_effect(effect, self.now);
        }
        self.settle();
    }

    /// Takes the disk work at that place of the queue and leaves it standing before its first change of the disk.
    #[napi(catch_unwind)]
    pub fn begin_effect(&mut self, index: u32) -> napi::Result<()> {
        let Some(node) = self.node.clone() else { return Ok(()) };
        let begun = match node.take_effect_at(index as usize) {
            Some(effect) => self.under_way.begin(&node, effect, self.now),
            None => Ok(()),
        };
        self.settle();
        begun.map_err(failure)
    }

    /// Disk work that was begun and stands between two changes of the disk.
    #[napi(catch_unwind)]
    pub fn effects_under_way(&self) -> u32 {
        self.under_way.len() as u32
    }

    /// Lets the disk work at that place make its next change and stand before the one after it, or run to its end.
    #[napi(catch_unwind)]
    pub fn step_effect(&mut self, index: u32, to_the_end: bool) -> napi::Result<()> {
        let stepped = self.under_way.step(index as usize, to_the_end);
        self.settle();
        stepped.map_err(failure)
    }

    /// Delivers mail, reads what is wanted and closes what is to be closed, until nothing changes.
    fn settle(&mut self) {
        let Some(node) = self.node.clone() else { return };
        loop {
            let mut changed = false;
            for thread in node.take_wakes().thread_ids() {
                if let Some(reactor) = self.reactors.get_mut(usize::from(thread)) {
                    reactor.on_mail(self.now);
                    changed = true;
                }
            }
            self.reactors.iter_mut().for_each(Reactor::start_gathering);
            for raw in self.peers.keys().copied().collect::<Vec<_>>() {
                changed |= self.read(raw);
            }
            for reactor in &mut self.reactors {
                reactor.serve_gathered(self.now);
                while reactor.next_dirty().is_some() {
                    changed = true;
                }
            }
            for raw in self.peers.keys().copied().collect::<Vec<_>>() {
                let closing = |(conn, reactor): (ConnId, &mut Reactor)| reactor.closing(conn).is_some();
                if find(&mut self.reactors, raw).is_none_or(closing) {
                    self.hang_up(raw);
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// Hands one read's worth of waiting bytes to the broker, if it wants them.
    fn read(&mut self, raw: i64) -> bool {
        let now = self.now;
        let Some(peer) = self.peers.get_mut(&raw) else { return false };
        if peer.unread.is_empty() {
            return false;
        }
        let Some((conn, reactor)) = find(&mut self.reactors, raw) else { return false };
        let target = reactor.read_target(conn);
        let count = target.len().min(peer.unread.len());
        if count == 0 {
            return false;
        }
        for (to, from) in target.iter_mut().zip(peer.unread.drain(..count)) {
            *to = from;
        }
        reactor.received(conn, count, now);
        true
    }
}

fn find(reactors: &mut [Reactor], raw: i64) -> Option<(ConnId, &mut Reactor)> {
    let conn = ConnId::from_raw(raw)?;
    Some((conn, reactors.get_mut(usize::from(conn.thread()))?))
}
