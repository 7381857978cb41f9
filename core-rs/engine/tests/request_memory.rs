//! One MiB of any bytes costs at most twice that in memory, and is answered or closed. Counts every allocation of this
//! process while one client that never reads sends 1 MiB; nothing else runs here, so that the count is exact.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod counted;

use std::sync::atomic::Ordering;

use counted::{HELD, NOW, PEAK, TOPIC, World};
use millrace_engine::api::wire::Writer;
use millrace_engine::uuid::Uuid;

const MIB: usize = 1 << 20;
/// What a connection and a small reply cost anyway.
const CONNECTION: usize = 16 << 10;

impl World {
    fn input_bytes(&self) -> usize {
        let stats: serde_json::Value = serde_json::from_str(&self.node.stats()).unwrap();
        stats["memory"]["inputBytes"].as_u64().unwrap() as usize
    }

    /// Sends the bytes over one connection that reads nothing: the most memory that they cost, and whether they were
    /// answered or closed.
    fn cost_of(&mut self, bytes: &[u8]) -> (usize, bool) {
        let conn = self.reactor.accept("PLAINTEXT", "127.0.0.1:5000".parse().unwrap(), NOW).unwrap();
        let before = HELD.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let (mut rest, mut input) = (bytes, 0);
        while !rest.is_empty() && self.reactor.closing(conn).is_none() {
            let target = self.reactor.read_target(conn);
            let count = target.len().min(rest.len());
            if count == 0 {
                break;
            }
            target[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            self.reactor.received(conn, count, NOW);
            // Replies that nobody reads are counted where they were allocated.
            let unread = self.reactor.output(conn).map_or(0, |output| output.memory_bytes());
            input = input.max(self.input_bytes().saturating_sub(unread));
        }
        let peak = PEAK.load(Ordering::Relaxed) - before;
        let answered = self.reactor.output(conn).is_some_and(|output| !output.is_empty());
        let settled = answered || self.reactor.closing(conn).is_some();
        self.reactor.closed(conn, NOW);
        // Events of the control plane are its own business: it takes them with every turn.
        self.node.drain_events(&mut Vec::new());
        (peak + input, settled)
    }
}

/// Keys of the data plane with the versions it serves, and whether a version is flexible.
const APIS: [(i16, i16, i16, i16); 5] =
    [(0, 3, 13, 9), (1, 4, 18, 12), (2, 0, 11, 6), (23, 2, 4, 4), (61, 0, 0, 0)];

#[derive(Clone, Copy, Debug)]
enum Shape {
    /// As many topics as there is room for, none with a partition.
    EmptyTopics,
    /// As many partitions as there is room for, of a topic that nobody knows.
    UnknownPartitions,
    /// The same of one that exists.
    KnownPartitions,
    /// Zeros where the partitions should be: one that exists, over and over.
    SamePartition,
    /// Only for Fetch: partitions that leave the session.
    Forgotten,
}

/// A request of about 1 MiB with its size.
fn request(api_key: i16, version: i16, flexible: bool, shape: Shape) -> Vec<u8> {
    sized_request(api_key, version, flexible, shape, usize::MAX)
}

/// As large as 1 MiB or `most` elements make it.
fn sized_request(api_key: i16, version: i16, flexible: bool, shape: Shape, most: usize) -> Vec<u8> {
    let mut head = Vec::new();
    head.extend(api_key.to_be_bytes());
    head.extend(version.to_be_bytes());
    head.extend(7i32.to_be_bytes());
    head.extend((-1i16).to_be_bytes());
    if flexible {
        head.push(0);
    }
    let mut body = Writer::new(flexible, MIB + 64);
    match api_key {
        0 => {
            body.nullable_string(None);
            body.i16(-1);
            body.i32(1000);
        }
        1 => {
            if version <= 14 {
                body.i32(-1);
            }
            body.i32(30_000);
            body.i32(1);
            body.i32(i32::MAX);
            body.i8(0);
            if version >= 7 {
                // Without a session: what those may hold is bounded apart (api/fetch_sessions.rs).
                body.i32(0);
                body.i32(-1);
            }
        }
        2 => {
            body.i32(-1);
            if version >= 2 {
                body.i8(0);
            }
        }
        23 if version >= 3 => body.i32(-1),
        _ => {}
    }
    if matches!(shape, Shape::Forgotten) {
        body.array(0);
    }
    let by_id = matches!((api_key, version), (0, 13..) | (1, 13..));
    let topic = |body: &mut Writer, known: bool| match (by_id, known) {
        (true, true) => body.uuid(Uuid(TOPIC)),
        (true, false) => body.uuid(Uuid([9; 16])),
        (false, true) => body.string("t"),
        (false, false) => body.string(""),
    };
    let element = |body: &mut Writer, index: i32| {
        body.i32(index);
        match (api_key, version) {
            _ if matches!(shape, Shape::Forgotten) => return,
            (0, _) => body.nullable_bytes(None),
            (1, _) => {
                if version >= 9 {
                    body.i32(-1);
                }
                body.i64(0);
                if version >= 12 {
                    body.i32(-1);
                }
                if version >= 5 {
                    body.i64(-1);
                }
                body.i32(1 << 20);
            }
            (2, _) => {
                if version >= 4 {
                    body.i32(-1);
                }
                body.i64(-1);
                if version == 0 {
                    body.i32(i32::MAX);
                }
            }
            (23, _) => {
                body.i32(-1);
                body.i32(1);
            }
            _ => return,
        }
        body.no_tags();
    };
    let length_of = |write: &dyn Fn(&mut Writer)| {
        let mut probe = Writer::new(flexible, 64);
        write(&mut probe);
        probe.into_bytes().len()
    };
    let room = MIB - 100;
    match shape {
        Shape::EmptyTopics => {
            let one = |body: &mut Writer| {
                topic(body, false);
                body.array(0);
                body.no_tags();
            };
            let count = most.min(room / length_of(&one));
            body.array(count);
            (0..count).for_each(|_| one(&mut body));
        }
        _ => {
            let count = most.min(room / length_of(&|body| element(body, 1)));
            body.array(1);
            topic(&mut body, !matches!(shape, Shape::UnknownPartitions));
            body.array(count);
            let index = |at: usize| if matches!(shape, Shape::SamePartition) { 0 } else { at as i32 };
            (0..count).for_each(|at| element(&mut body, index(at)));
            body.no_tags();
        }
    }
    if api_key == 1 {
        if version >= 7 && !matches!(shape, Shape::Forgotten) {
            body.array(0);
        }
        if version >= 11 {
            body.string("");
        }
    }
    if api_key == 2 && version >= 10 {
        body.i32(1000);
    }
    body.no_tags();
    head.extend(body.into_bytes());
    let mut frame = (head.len() as i32).to_be_bytes().to_vec();
    frame.extend(head);
    frame
}

/// A small generator of bytes, the same every time.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn one_mebibyte_of_anything_costs_at_most_twice_that() {
    let mut world = World::new();
    let mut check = |what: &str, bytes: &[u8]| {
        let (cost, settled) = world.cost_of(bytes);
        assert!(cost <= 2 * MIB + CONNECTION, "{what}: {} KiB for {} KiB", cost >> 10, bytes.len() >> 10);
        settled
    };
    for (api_key, oldest, newest, first_flexible) in APIS {
        for version in [oldest, first_flexible - 1, first_flexible, newest] {
            if !(oldest..=newest).contains(&version) {
                continue;
            }
            for shape in [
                Shape::EmptyTopics,
                Shape::UnknownPartitions,
                Shape::KnownPartitions,
                Shape::SamePartition,
                Shape::Forgotten,
            ] {
                if matches!(shape, Shape::Forgotten) && (api_key != 1 || version < 7) {
                    continue;
                }
                let bytes = request(api_key, version, version >= first_flexible, shape);
                let what = format!("API key {api_key} version {version}, {shape:?}");
                assert!(check(&what, &bytes), "{what}: neither answered nor closed");
            }
            // As many as are let through, one request behind the other.
            for (shape, most) in
                [(Shape::EmptyTopics, 1000), (Shape::UnknownPartitions, 1000), (Shape::UnknownPartitions, 10)]
            {
                let one = sized_request(api_key, version, version >= first_flexible, shape, most);
                let many = one.repeat(MIB / one.len());
                let what = format!("API key {api_key} version {version}, {shape:?} {most} at a time");
                assert!(check(&what, &many), "{what}: neither answered nor closed");
            }
            // A true header with anything behind it, and an array that claims to be all of the rest.
            for seed in 0..4 {
                let mut frame = request(api_key, version, version >= first_flexible, Shape::EmptyTopics);
                let start = 40 + seed as usize * 5;
                let length = frame.len() - start;
                frame[start..].copy_from_slice(&noise(seed + version as u64, length));
                let what = format!("API key {api_key} version {version}, noise {seed}");
                assert!(check(&what, &frame), "{what}: neither answered nor closed");
            }
        }
    }
    // A request of the control plane: read here, and once more as the event of it.
    let mut control = ((MIB - 4) as i32).to_be_bytes().to_vec();
    control.extend([0, 19, 0, 7, 0, 0, 0, 1, 0xff, 0xff, 0]);
    control.resize(MIB, 0);
    check("a request of the control plane", &control);
    // The smallest requests there are, one behind the other, to both planes.
    for api_key in [2, 3, 12, 18, 99] {
        let mut one = 8i32.to_be_bytes().to_vec();
        one.extend([0, api_key, 0, 0, 0, 0, 0, 1]);
        check(&format!("tiny requests of key {api_key}"), &one.repeat(MIB / one.len()));
        let mut longer = 18i32.to_be_bytes().to_vec();
        longer.extend([0, api_key, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
        longer.extend([0; 8]);
        check(&format!("small requests of key {api_key}"), &longer.repeat(MIB / longer.len()));
    }
    for seed in 0..8 {
        check(&format!("noise {seed}"), &noise(seed, MIB));
    }
    // A frame that never ends, and one that claims 100 MiB.
    for declared in [MIB as i32 + 1, 100 << 20] {
        let mut bytes = declared.to_be_bytes().to_vec();
        bytes.extend(noise(1, MIB));
        check(&format!("a frame of {declared}"), &bytes);
    }
}
