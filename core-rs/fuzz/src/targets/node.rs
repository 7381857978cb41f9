//! Hostile clients, through a whole connection on a simulated disk; and packed bytes on the boundary.

use std::path::PathBuf;
use std::sync::Arc;

use millrace_engine::boundary::commands::{PartitionImage, TopicImage};
use millrace_engine::boundary::{Command, ConnId, NodeOptions, parse_commands, parse_events};
use millrace_engine::conn::Front;
use millrace_engine::node::{Node, Reactor};
use millrace_engine::storage::SimStorage;
use millrace_engine::time::Now;

const NOW: Now = Now { monotonic_ms: 1000, wall_ms: 1_700_000_000_000 };

/// The input is what a client sends, in frames: two bytes of length, then that many bytes of a request without its
/// size. A last frame of length 0 is the rest as it is, size and all. Whatever it was, a good client is served after.
pub fn frames(input: &[u8]) {
    let mut options = NodeOptions::new(1, "Mmqd3hZbTKmFbpBZnEjrcQ", vec![PathBuf::from("/data")]);
    options.socket_request_max_bytes = 1 << 20;
    let node = Node::open(options, Arc::new(SimStorage::new()), 42, NOW).expect("an empty disk");
    let mut reactor = Reactor::new(node.clone(), 0);
    create_topic(&node);
    run(&node, &mut reactor);
    let hostile = accept(&mut reactor);
    send(&node, &mut reactor, hostile, &stream(input));
    reactor.on_deadline(Now { monotonic_ms: NOW.monotonic_ms + 60_000, ..NOW });
    run(&node, &mut reactor);
    let good = accept(&mut reactor);
    let reply = send(&node, &mut reactor, good, &LIST_OFFSETS);
    assert_eq!(reply.get(4..8), Some(&[0, 0, 0, 5][..]), "a good client has its answer");
}

/// ListOffsets version 1 of partition 0 of topic `t`: the latest offset, correlation id 5, no client id.
const LIST_OFFSETS: [u8; 41] = [
    0, 0, 0, 37, 0, 2, 0, 1, 0, 0, 0, 5, 255, 255, 255, 255, 255, 255, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0,
    0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
];

fn stream(mut input: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let [high, low, rest @ ..] = input {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        if len == 0 {
            out.extend_from_slice(rest);
            break;
        }
        let (frame, rest) = rest.split_at(len.min(rest.len()));
        out.extend_from_slice(&(frame.len() as i32).to_be_bytes());
        out.extend_from_slice(frame);
        input = rest;
    }
    out
}

fn create_topic(node: &Arc<Node>) {
    let topic = TopicImage {
        name: "t",
        topic_id: [7; 16],
        internal: false,
        configs: Vec::new(),
        partitions: (0..2).map(|index| PartitionImage::alone(index, 1)).collect(),
    };
    let mut batch = Vec::new();
    Command::ApplyImage { offset: 5, removed_topics: Vec::new(), topics: vec![topic] }.write(&mut batch);
    node.submit(&batch, NOW).expect("an honest image");
}

fn accept(reactor: &mut Reactor) -> ConnId {
    reactor.accept("PLAINTEXT", ([127, 0, 0, 1], 5000).into(), NOW).expect("room for two connections")
}

/// Sends, a piece at a time, until all is read or the connection is closed; gives what came back.
fn send(node: &Arc<Node>, reactor: &mut Reactor, conn: ConnId, mut bytes: &[u8]) -> Vec<u8> {
    let mut received = Vec::new();
    loop {
        received.extend(run(node, reactor));
        if bytes.is_empty() || reactor.output(conn).is_none() {
            return received;
        }
        let target = reactor.read_target(conn);
        let count = target.len().min(bytes.len());
        if count == 0 {
            return received;
        }
        let (now, later) = bytes.split_at(count);
        target[..count].copy_from_slice(now);
        bytes = later;
        reactor.received(conn, count, NOW);
    }
}

/// Everything that threads and disk pool would do; gives what any client was sent.
fn run(node: &Arc<Node>, reactor: &mut Reactor) -> Vec<u8> {
    let mut sent = Vec::new();
    loop {
        reactor.on_mail(NOW);
        while let Some(conn) = reactor.next_dirty() {
            while let Some(front) = reactor.output(conn).and_then(|output| output.front()) {
                let bytes = match front {
                    Front::Bytes(bytes) => bytes.to_vec(),
                    Front::File(range) => range.read().expect("a range that was promised"),
                };
                reactor.sent(conn, bytes.len() as u64, NOW);
                sent.extend(bytes);
            }
            if reactor.closing(conn).is_some() {
                reactor.closed(conn, NOW);
            }
        }
        node.drain_events(&mut Vec::new());
        match node.take_effect() {
            Some(effect) => node.run_effect(effect, NOW),
            None if node.take_wakes().is_empty() => return sent,
            None => {}
        }
    }
}

/// Commands, events and options: what is understood is written again as it was.
pub fn boundary(input: &[u8]) {
    if let Ok(commands) = parse_commands(input) {
        let mut again = Vec::new();
        commands.iter().for_each(|command| command.write(&mut again));
        assert_eq!(parse_commands(&again).expect("its own commands"), commands);
    }
    if let Ok(events) = parse_events(input) {
        let mut again = Vec::new();
        events.iter().for_each(|event| event.write(&mut again));
        assert_eq!(parse_events(&again).expect("its own events"), events);
    }
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = NodeOptions::parse(text);
    }
}
