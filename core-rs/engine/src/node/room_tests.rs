//! A whole node on a simulated disk without room: what it refuses, what it goes on serving, and that all is well again
//! once there is room, without a restart.

use std::path::Path;

use super::testing::*;
use crate::boundary::records::AppendRequest;
use crate::boundary::{Command, Event, PackedValues, parse_events};
use crate::storage::{SimStorage, Storage};

const STORAGE_ERROR: i16 = 56;
const MINUTE: i64 = 60_000;

fn produce_error(world: &mut World, value: &[u8]) -> i16 {
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, value));
    let (_, body) = replies(&world.receive(conn)).remove(0);
    i16::from_be_bytes([body[20], body[21]])
}

/// The bytes of records that a fetch gives from the start.
fn fetched(world: &mut World) -> usize {
    let conn = world.connect(1);
    world.send(conn, &fetch(1, 0, 0, 0, 0));
    world.receive(conn).len()
}

fn tick_for(world: &mut World, ms: i64) {
    for _ in 0..ms / 500 {
        world.advance(500);
        world.node.tick(world.now);
        world.run();
    }
}

/// Whether the directory was told to be full or not, in order; nothing else may have gone wrong.
fn told(world: &mut World) -> Vec<bool> {
    let packed = world.drain();
    let mut told = Vec::new();
    for event in parse_events(&packed).unwrap() {
        match event {
            Event::LogDirRoom { path, full, .. } => {
                assert_eq!(path, "/data");
                told.push(full);
            }
            Event::LogDirFailed { .. } | Event::Fault { .. } => panic!("{event:?}"),
            _ => {}
        }
    }
    told
}

fn append_code(world: &World) -> i16 {
    let records = vec![(Some(&b"k"[..]), Some(&b"v"[..]))];
    let request = AppendRequest { topic_id: TOPIC, partition: 1, leader_epoch: 1, timestamp: 0, records };
    let mut bytes = Vec::new();
    request.write(&mut bytes);
    world.node.append(&bytes, world.now).unwrap().error_code
}

#[test]
fn a_full_disk_refuses_what_needs_room_serves_the_rest_and_heals() {
    for flush in ["1", "9223372036854775807"] {
        let mut world = World::new(options());
        world.create_topic(2, &[("flush.messages", flush)]);
        assert_eq!(produce_error(&mut world, b"before"), 0);
        let size = fetched(&mut world);
        assert!(told(&mut world).is_empty());

        world.storage.set_full(true);
        for _ in 0..3 {
            assert_eq!(produce_error(&mut world, b"refused"), STORAGE_ERROR);
        }
        assert_eq!(append_code(&world), 15, "COORDINATOR_NOT_AVAILABLE: its shard stays");
        assert_eq!(fetched(&mut world), size);
        tick_for(&mut world, MINUTE + MINUTE / 2);
        assert_eq!(
            told(&mut world),
            [true, false, true, false],
            "once for the produces, once for a checkpoint"
        );

        world.storage.set_full(false);
        assert_eq!((produce_error(&mut world, b"after"), append_code(&world)), (0, 0));
        tick_for(&mut world, MINUTE);
        let storage = world.storage.clone();
        if flush == "1" {
            storage.crash(1)
        } else {
            storage.restart()
        }
        let mut world = World::on(storage, options());
        world.create_topic(2, &[("flush.messages", flush)]);
        let kept = world.node.topics().partition(crate::uuid::Uuid(TOPIC), 0).unwrap().offsets();
        assert_eq!((kept.log_end, told(&mut world)), (2, Vec::new()));
    }
}

#[test]
fn proposals_wait_for_room_and_commit_then() {
    let mut world = World::new(options());
    world.drain();
    let values = vec![b"one".to_vec()];
    world.storage.set_full(true);
    let records = PackedValues::borrowed(&values);
    world.submit(&[Command::Propose { proposal_id: 5, timestamp: 77, records }]);
    tick_for(&mut world, 3_000);
    assert_eq!(told(&mut world), [true]);
    world.storage.set_full(false);
    tick_for(&mut world, 1_000);
    let packed = world.drain();
    let committed = parse_events(&packed).unwrap();
    assert!(matches!(committed[..], [Event::MetadataCommitted { proposal_id: 5, .. }]), "{committed:?}");
}

#[test]
fn a_topic_made_while_there_is_no_room_is_served_once_there_is_some() {
    let mut world = World::new(options());
    world.create_topic(1, &[]);
    world.storage.set_full(true);
    world.create_topic(2, &[]);
    let packed = world.drain();
    let failed = parse_events(&packed)
        .unwrap()
        .into_iter()
        .any(|event| matches!(event, Event::ImageApplied { failures, .. } if failures.len() == 1));
    assert!(failed);
    world.storage.set_full(false);
    tick_for(&mut world, 1_000);
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 1, b"x"));
    let (_, body) = replies(&world.receive(conn)).remove(0);
    assert_eq!(i16::from_be_bytes([body[20], body[21]]), 0);
}

fn logs(storage: &SimStorage) -> Vec<String> {
    let entries = storage.list(Path::new("/data/events-0")).unwrap();
    entries.into_iter().map(|entry| entry.name).filter(|name| name.contains(".log")).collect()
}

#[test]
fn retention_makes_room_on_a_full_disk_without_its_checkpoint_and_without_delay() {
    let mut world = World::new(options());
    world.create_topic(1, &[("segment.bytes", "200"), ("retention.bytes", "400")]);
    for _ in 0..12 {
        assert_eq!(produce_error(&mut world, b"record"), 0);
    }
    assert!(logs(&world.storage).len() > 5);
    world.storage.set_full(true);
    assert_eq!(produce_error(&mut world, b"record"), STORAGE_ERROR);
    world.run();
    let kept = logs(&world.storage);
    assert!(kept.len() <= 4 && kept.iter().all(|name| name.ends_with(".log")), "{kept:?}");
    assert_eq!(told(&mut world), [true]);
    // What was let go of stays away, wherever the machine stops.
    let start = kept[0].strip_suffix(".log").unwrap().parse::<i64>().unwrap();
    world.storage.set_full(false);
    let storage = world.storage.clone();
    storage.crash(3);
    let mut world = World::on(storage, options());
    world.create_topic(1, &[("segment.bytes", "200")]);
    assert_eq!(produce_error(&mut world, b"record"), 0);
    let offsets = world.node.topics().partition(crate::uuid::Uuid(TOPIC), 0).unwrap().offsets();
    assert!(offsets.log_start <= start, "{offsets:?}");
}
