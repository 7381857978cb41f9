//! Damage through a whole node on a simulated disk: named, counted, answered CORRUPT_MESSAGE, and nothing else with it.

use std::io::IoSlice;
use std::path::Path;

use super::testing::*;
use crate::boundary::{Event, parse_events};
use crate::storage::{SimStorage, Storage};

const CORRUPT_MESSAGE: i16 = 2;

/// A node after a clean stop, with `count` records of which two stand in each segment but the last.
pub(super) fn written(count: i32) -> SimStorage {
    let mut world = World::new(options());
    world.create_topic(1, &[("segment.bytes", "200")]);
    let conn = world.connect(0);
    for id in 0..count {
        world.send(conn, &produce(id, -1, 0, b"record"));
    }
    world.disconnect(conn);
    stop(&mut world);
    world.storage.restart();
    world.storage.clone()
}

pub(super) fn spoil(storage: &SimStorage, base: i64, position: u64) {
    let file = storage.open(Path::new(&format!("/data/events-0/{base:020}.log"))).unwrap();
    file.write_at(position, &[IoSlice::new(b"!")]).unwrap();
}

pub(super) fn reopened(storage: SimStorage) -> World {
    let mut world = World::on(storage, options());
    world.create_topic(1, &[("segment.bytes", "200")]);
    world.drain();
    world
}

/// Error code and bytes of a fetch.
pub(super) fn fetched(world: &mut World, offset: i64) -> (i16, usize) {
    let conn = world.connect(1);
    world.send(conn, &fetch(1, 0, offset, 0, 1));
    let (_, body) = replies(&world.receive(conn)).remove(0);
    (i16::from_be_bytes([body[24], body[25]]), body.len())
}

pub(super) fn damaged(world: &mut World) -> Vec<(String, i64, i64)> {
    let packed = world.drain();
    let events = parse_events(&packed).unwrap().into_iter();
    let damaged = events.filter_map(|event| match event {
        Event::Damaged { file, position, offset, .. } => Some((file.to_owned(), position, offset)),
        Event::LogDirFailed { .. } | Event::Fault { .. } => panic!("{event:?}"),
        _ => None,
    });
    damaged.collect()
}

pub(super) fn damaged_places(world: &World) -> u64 {
    let stats: serde_json::Value = serde_json::from_str(&world.node.stats()).unwrap();
    stats["damagedPlaces"].as_u64().unwrap()
}

#[test]
fn damage_that_a_reader_comes_upon_is_named_and_only_it_is_refused() {
    let storage = written(9);
    // The second batch of the second segment: offset 3, in its value.
    spoil(&storage, 2, 74 + 70);
    let mut world = reopened(storage);
    let (_, empty) = fetched(&mut world, 9);
    for _ in 0..2 {
        for offset in 0..9 {
            let (error, bytes) = fetched(&mut world, offset);
            match offset {
                3 => assert_eq!((error, bytes), (CORRUPT_MESSAGE, empty)),
                _ => assert!(error == 0 && bytes > empty, "offset {offset}: error {error}, {bytes} bytes"),
            }
        }
    }
    let file = "/data/events-0/00000000000000000002.log".to_owned();
    let told = damaged(&mut world);
    assert!(matches!(&told[..], [(name, _, 3)] if *name == file), "{told:?}");
    assert_eq!(damaged_places(&world), 1);
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"goes on"));
    assert_eq!(fetched(&mut world, 9).0, 0);
}

#[test]
fn a_reader_of_old_bytes_is_parked_until_they_are_checked_even_if_it_would_not_wait() {
    let mut world = reopened(written(9));
    world.runs_effects = false;
    let conn = world.connect(1);
    world.send(conn, &fetch(1, 0, 0, 0, 0));
    assert!(world.receive(conn).is_empty(), "and no thread of connections has read the disk for it");
    assert_eq!(world.node.pending_effects(), 1);
    world.runs_effects = true;
    world.run();
    assert!(!world.receive(conn).is_empty());
    // Who asks again, and at the end of the log, finds everything ready.
    world.runs_effects = false;
    for offset in [0, 1, 9] {
        world.send(conn, &fetch(1, 0, offset, 0, 0));
        assert!(!world.receive(conn).is_empty(), "offset {offset}");
    }
}

#[test]
fn a_reader_of_bytes_that_left_memory_is_parked_until_the_disk_has_given_them_back() {
    let mut world = World::new(options());
    world.create_topic(1, &[]);
    let conn = world.connect(1);
    for sequence in 0..40 {
        world.send(conn, &produce(1, -1, 0, &[sequence; 6000]));
    }
    world.receive(conn);
    world.storage.evict();
    world.runs_effects = false;
    world.send(conn, &fetch(1, 0, 39, 0, 0));
    assert!(!world.receive(conn).is_empty(), "the end of a log is in memory");
    world.send(conn, &fetch(1, 0, 0, 0, 0));
    assert!(world.receive(conn).is_empty(), "and no thread of connections waits for the disk");
    assert_eq!(world.node.pending_effects(), 1);
    world.runs_effects = true;
    world.run();
    assert!(!world.receive(conn).is_empty());
}

#[test]
fn the_scrubber_finds_damage_that_nobody_reads_and_again_after_it_was_sound() {
    let storage = written(9);
    spoil(&storage, 4, 30);
    let mut world = reopened(storage.clone());
    let minute = |world: &mut World, minutes: usize| {
        for _ in 0..60 * minutes {
            world.advance(1000);
            world.node.tick(world.now);
            world.run();
        }
    };
    minute(&mut world, 2);
    assert_eq!(damaged(&mut world), [("/data/events-0/00000000000000000004.log".to_owned(), 0, 4)]);
    assert_eq!(fetched(&mut world, 4).0, CORRUPT_MESSAGE);
    // Checked once and served since; then the disk rots. What this process had open is the same file.
    assert_eq!(fetched(&mut world, 0).0, 0);
    spoil(&world.storage, 0, 70);
    minute(&mut world, 62);
    assert_eq!(damaged(&mut world), [("/data/events-0/00000000000000000000.log".to_owned(), 0, 0)]);
    assert_eq!((fetched(&mut world, 0).0, damaged_places(&world)), (CORRUPT_MESSAGE, 2));
}

#[test]
fn a_scrubber_that_is_switched_off_reads_nothing() {
    let mut options = options();
    options.log_scrub_bytes_per_second = 0;
    let mut world = World::on(written(9), options);
    world.create_topic(1, &[]);
    for _ in 0..200 {
        world.advance(1000);
        world.node.tick(world.now);
        world.run();
    }
    let stats: serde_json::Value = serde_json::from_str(&world.node.stats()).unwrap();
    assert_eq!(stats["scrubbedBytes"], 0);
}
