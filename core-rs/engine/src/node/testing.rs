//! A whole node on a simulated disk, driven as the addon drives it: sockets are byte queues, the disk pool runs when a
//! test says so. Requests are written here byte by byte.

use core::net::SocketAddr;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use millrace_record::{BatchBuilder, BatchSpec};

use super::{AcceptError, Node, Reactor};
use crate::boundary::commands::{PartitionImage, TopicImage};
use crate::boundary::{Command, ConnId, Event, NodeOptions, TopicId, parse_events};
use crate::conn::Front;
use crate::storage::{SimStorage, Storage};
use crate::time::Now;

pub const TOPIC: TopicId = [7; 16];
/// When a world begins.
pub const START: Now = Now { monotonic_ms: 1000, wall_ms: 1_700_000_000_000 };

/// A node, its I/O threads and the far ends of its connections.
pub struct World {
    pub storage: SimStorage,
    pub node: Arc<Node>,
    pub reactors: Vec<Reactor>,
    pub now: Now,
    /// The disk pool runs whatever is queued.
    pub runs_effects: bool,
    /// Clients that do not read.
    pub deaf: BTreeSet<ConnId>,
    /// Why the node closed a connection.
    pub ended: BTreeMap<ConnId, String>,
    sockets: BTreeMap<ConnId, Socket>,
}

#[derive(Default)]
struct Socket {
    /// Sent by the client, not yet read by the node.
    to_node: VecDeque<u8>,
    to_client: Vec<u8>,
}

pub fn options() -> NodeOptions {
    let mut options = NodeOptions::new(1, "Mmqd3hZbTKmFbpBZnEjrcQ", vec![PathBuf::from("/data")]);
    options.network_threads = 2;
    options
}

impl World {
    pub fn new(options: NodeOptions) -> World {
        World::on(SimStorage::new(), options)
    }

    pub fn on(storage: SimStorage, options: NodeOptions) -> World {
        World::timed(storage, options, || 0)
    }

    /// Requests are timed by this one.
    pub fn with_stopwatch(options: NodeOptions, stopwatch: fn() -> u64) -> World {
        World::timed(SimStorage::new(), options, stopwatch)
    }

    fn timed(storage: SimStorage, options: NodeOptions, stopwatch: fn() -> u64) -> World {
        let node = Node::open(options, Arc::new(storage.clone()), 42, START).unwrap();
        node.set_stopwatch(stopwatch);
        World::of(storage, node)
    }

    /// A node that was opened at `START`.
    pub fn of(storage: SimStorage, node: Arc<Node>) -> World {
        let (now, threads) = (START, node.options().network_threads);
        let reactors = (0..threads).map(|thread| Reactor::new(node.clone(), thread)).collect();
        let mut world = World {
            storage,
            node,
            reactors,
            now,
            runs_effects: true,
            deaf: BTreeSet::new(),
            ended: BTreeMap::new(),
            sockets: BTreeMap::new(),
        };
        world.run();
        world
    }

    pub fn try_connect(&mut self, thread: u16, peer: &str) -> Result<ConnId, AcceptError> {
        self.connect_through(thread, "PLAINTEXT", peer)
    }

    pub fn connect_through(
        &mut self,
        thread: u16,
        listener: &str,
        peer: &str,
    ) -> Result<ConnId, AcceptError> {
        let peer: SocketAddr = peer.parse().unwrap();
        let conn = self.reactors[usize::from(thread)].accept(listener, peer, self.now)?;
        self.sockets.insert(conn, Socket::default());
        Ok(conn)
    }

    pub fn connect(&mut self, thread: u16) -> ConnId {
        self.try_connect(thread, "127.0.0.1:5000").unwrap()
    }

    /// The client sends; the node reads what it wants of it.
    pub fn send(&mut self, conn: ConnId, bytes: &[u8]) {
        self.sockets.get_mut(&conn).unwrap().to_node.extend(bytes);
        self.run();
    }

    /// The node reads these bytes of a client, and nothing else happens.
    pub fn hand(&mut self, conn: ConnId, bytes: &[u8]) {
        let now = self.now;
        let reactor = self.reactor(conn);
        reactor.read_target(conn)[..bytes.len()].copy_from_slice(bytes);
        reactor.received(conn, bytes.len(), now);
    }

    /// Several clients send, and the node looks at all of their sockets before it serves any.
    pub fn send_together(&mut self, sends: &[(ConnId, Vec<u8>)]) {
        for (conn, bytes) in sends {
            self.sockets.get_mut(conn).unwrap().to_node.extend(bytes);
            self.reactor(*conn).start_gathering();
            self.take_in(*conn);
        }
        let now = self.now;
        self.reactors.iter_mut().for_each(|reactor| reactor.serve_gathered(now));
        self.run();
    }

    /// Takes what the client has received.
    pub fn receive(&mut self, conn: ConnId) -> Vec<u8> {
        std::mem::take(&mut self.sockets.get_mut(&conn).unwrap().to_client)
    }

    /// What the node left unread.
    pub fn unread(&self, conn: ConnId) -> usize {
        self.sockets[&conn].to_node.len()
    }

    pub fn disconnect(&mut self, conn: ConnId) {
        let now = self.now;
        self.reactor(conn).closed(conn, now);
        self.run();
    }

    pub fn reactor(&mut self, conn: ConnId) -> &mut Reactor {
        &mut self.reactors[usize::from(conn.thread())]
    }

    pub fn submit(&mut self, commands: &[Command<'_>]) {
        let mut batch = Vec::new();
        commands.iter().for_each(|command| command.write(&mut batch));
        self.node.submit(&batch, self.now).unwrap();
        self.run();
    }

    pub fn respond(&mut self, conn: ConnId, token: i64, response: &[u8]) {
        self.submit(&[Command::Respond { conn, token, response }]);
    }

    /// Time passes; every deadline on the way fires.
    pub fn advance(&mut self, ms: i64) {
        self.now.monotonic_ms += ms;
        self.now.wall_ms += ms;
        for reactor in &mut self.reactors {
            reactor.on_deadline(self.now);
        }
        self.run();
    }

    /// Runs threads and disk pool until nothing is left to do.
    pub fn run(&mut self) {
        loop {
            let mut busy = false;
            for at in 0..self.reactors.len() {
                self.reactors[at].on_mail(self.now);
                self.serve_sockets(at);
            }
            let readable: Vec<ConnId> = self.sockets.keys().copied().collect();
            for conn in readable {
                busy |= self.read(conn);
            }
            if self.runs_effects
                && let Some(effect) = self.node.take_effect()
            {
                self.node.run_effect(effect, self.now);
                busy = true;
            }
            if !busy && self.node.take_wakes().is_empty() {
                return;
            }
        }
    }

    fn read(&mut self, conn: ConnId) -> bool {
        let has_read = self.take_in(conn);
        self.serve_sockets(usize::from(conn.thread()));
        has_read
    }

    fn take_in(&mut self, conn: ConnId) -> bool {
        let World { sockets, reactors, now, .. } = self;
        let to_node = &mut sockets.get_mut(&conn).unwrap().to_node;
        let reactor = &mut reactors[usize::from(conn.thread())];
        if to_node.is_empty() {
            return false;
        }
        let target = reactor.read_target(conn);
        let count = target.len().min(to_node.len());
        for (at, byte) in to_node.drain(..count).enumerate() {
            target[at] = byte;
        }
        if count > 0 {
            reactor.received(conn, count, *now);
        }
        count > 0
    }

    fn serve_sockets(&mut self, at: usize) {
        while let Some(conn) = self.reactors[at].next_dirty() {
            self.write(conn);
            let reactor = &mut self.reactors[at];
            if let Some(reason) = reactor.closing(conn).map(str::to_owned) {
                self.ended.insert(conn, reason);
                reactor.closed(conn, self.now);
            }
        }
    }

    /// A client that was deaf reads everything that waits for it.
    pub fn hear(&mut self, conn: ConnId) {
        self.deaf.remove(&conn);
        self.write(conn);
        self.run();
    }

    fn write(&mut self, conn: ConnId) {
        if self.deaf.contains(&conn) {
            return;
        }
        loop {
            let reactor = &mut self.reactors[usize::from(conn.thread())];
            let bytes = match reactor.output(conn).and_then(|output| output.front()) {
                None => return,
                Some(Front::Bytes(bytes)) => bytes.to_vec(),
                Some(Front::File(range)) => match range.read() {
                    Ok(bytes) => bytes,
                    Err(error) => {
                        reactor.unreadable(conn, &error, self.now);
                        self.ended.insert(conn, error.to_string());
                        return reactor.closed(conn, self.now);
                    }
                },
            };
            reactor.sent(conn, bytes.len() as u64, self.now);
            self.sockets.get_mut(&conn).unwrap().to_client.extend(bytes);
        }
    }

    /// The control plane takes its events: those that are new, packed.
    pub fn drain(&mut self) -> Vec<u8> {
        let mut packed = Vec::new();
        self.node.drain_events(&mut packed);
        self.run();
        packed
    }

    /// Token and frame of every control request that is new, with its connection.
    pub fn control_requests(&mut self) -> Vec<(ConnId, i64, Vec<u8>)> {
        let packed = self.drain();
        let requests = parse_events(&packed).unwrap().into_iter().filter_map(|event| match event {
            Event::ControlRequest { conn, token, frame, .. } => Some((conn, token, frame.to_vec())),
            _ => None,
        });
        requests.collect()
    }

    pub fn apply(&mut self, offset: i64, removed: &[TopicId], topics: Vec<TopicImage<'_>>) {
        self.submit(&[Command::ApplyImage { offset, removed_topics: removed.to_vec(), topics }]);
    }

    /// Creates topic `events` with these partitions, led by this node in epoch 1.
    pub fn create_topic(&mut self, partitions: i32, configs: &[(&str, &str)]) {
        let topic = TopicImage {
            name: "events",
            topic_id: TOPIC,
            internal: false,
            configs: configs.to_vec(),
            partitions: (0..partitions).map(led_partition).collect(),
        };
        self.apply(5, &[], vec![topic]);
    }
}

pub fn led_partition(index: i32) -> PartitionImage {
    PartitionImage::alone(index, 1)
}

/// A request with its size before it.
pub fn request(api_key: i16, api_version: i16, correlation_id: i32, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(api_key.to_be_bytes());
    frame.extend(api_version.to_be_bytes());
    frame.extend(correlation_id.to_be_bytes());
    frame.extend(2i16.to_be_bytes());
    frame.extend(b"me");
    frame.extend(body);
    sized(&frame)
}

pub fn sized(frame: &[u8]) -> Vec<u8> {
    let mut bytes = (frame.len() as i32).to_be_bytes().to_vec();
    bytes.extend(frame);
    bytes
}

/// Produce version 7 of one record to one partition of topic `events`.
pub fn produce(correlation_id: i32, acks: i16, partition: i32, value: &[u8]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchSpec::default());
    builder.append(1_700_000_000_000, None, Some(value), &[]).unwrap();
    produce_batch(correlation_id, acks, partition, &builder.finish().unwrap())
}

/// The same of a batch.
pub fn produce_batch(correlation_id: i32, acks: i16, partition: i32, records: &[u8]) -> Vec<u8> {
    let mut body = (-1i16).to_be_bytes().to_vec();
    body.extend(acks.to_be_bytes());
    body.extend(30_000i32.to_be_bytes());
    one_topic(&mut body);
    body.extend(partition.to_be_bytes());
    body.extend((records.len() as i32).to_be_bytes());
    body.extend(records);
    request(0, 7, correlation_id, &body)
}

/// Fetch version 4 of one partition of topic `events`.
pub fn fetch(correlation_id: i32, partition: i32, offset: i64, max_wait_ms: i32, min_bytes: i32) -> Vec<u8> {
    let mut body = (-1i32).to_be_bytes().to_vec();
    body.extend(max_wait_ms.to_be_bytes());
    body.extend(min_bytes.to_be_bytes());
    body.extend((1i32 << 20).to_be_bytes());
    body.push(0);
    one_topic(&mut body);
    body.extend(partition.to_be_bytes());
    body.extend(offset.to_be_bytes());
    body.extend((1i32 << 20).to_be_bytes());
    request(1, 4, correlation_id, &body)
}

/// An array of the topic `events` that holds an array of one partition.
fn one_topic(body: &mut Vec<u8>) {
    body.extend(1i32.to_be_bytes());
    body.extend(6i16.to_be_bytes());
    body.extend(b"events");
    body.extend(1i32.to_be_bytes());
}

/// Splits received bytes into correlation ids and what follows them.
pub fn replies(bytes: &[u8]) -> Vec<(i32, Vec<u8>)> {
    let mut rest = bytes;
    let mut replies = Vec::new();
    while let Some((size, after)) = rest.split_first_chunk::<4>() {
        let (reply, after) = after.split_at(i32::from_be_bytes(*size) as usize);
        let (id, body) = reply.split_first_chunk::<4>().unwrap();
        replies.push((i32::from_be_bytes(*id), body.to_vec()));
        rest = after;
    }
    assert!(rest.is_empty(), "bytes behind the last reply");
    replies
}

/// The correlation ids of received bytes.
pub fn correlation_ids(bytes: &[u8]) -> Vec<i32> {
    replies(bytes).into_iter().map(|(id, _)| id).collect()
}

/// Another topic than `TOPIC`.
pub(super) const OTHER: TopicId = [9; 16];

/// What stands in the log directory.
pub(super) fn names(storage: &SimStorage) -> Vec<String> {
    storage.list(Path::new("/data")).unwrap().into_iter().map(|entry| entry.name).collect()
}

/// A node with a record in each of so many partitions.
pub(super) fn filled(partitions: i32) -> World {
    let mut world = World::new(options());
    world.create_topic(partitions, &[]);
    let conn = world.connect(0);
    for partition in 0..partitions {
        world.send(conn, &produce(1, -1, partition, b"record"));
    }
    world.disconnect(conn);
    world
}

/// A clean stop.
pub(super) fn stop(world: &mut World) {
    world.submit(&[Command::Shutdown]);
    assert!(world.node.is_stopped());
}
