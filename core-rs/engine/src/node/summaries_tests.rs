//! The start after a clean stop: no log is looked into that is as it was, and all are where nobody can tell.

use std::path::Path;

use super::summaries::SUMMARIES_FILE;
use super::testing::*;
use crate::boundary::{Event, parse_events};
use crate::storage::{SimStorage, Storage};

const PARTITIONS: i32 = 3;

/// A disk after a clean stop, with a record in each partition.
fn stopped() -> SimStorage {
    let mut world = filled(PARTITIONS);
    stop(&mut world);
    world.storage.restart();
    world.storage.clone()
}

/// A running node, and the names of the files that it found damaged.
fn start(storage: &SimStorage) -> (World, Vec<String>) {
    let mut world = World::on(storage.clone(), options());
    let mut packed = vec![world.drain()];
    world.create_topic(PARTITIONS, &[]);
    packed.push(world.drain());
    let events = packed.iter().flat_map(|packed| parse_events(packed).unwrap());
    let named = events.filter_map(|event| match event {
        Event::Damaged { file, .. } => Some(file.to_owned()),
        _ => None,
    });
    let named = named.collect();
    (world, named)
}

/// Makes the leader epochs of each log something that no opening passes over.
fn decay(storage: &SimStorage) {
    for partition in 0..PARTITIONS {
        let path = format!("/data/events-{partition}/leader-epoch-checkpoint");
        storage.decay(Path::new(&path), 0, 0x40).unwrap();
    }
}

fn appended_at(world: &mut World, partition: i32) -> i64 {
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, partition, b"next"));
    let (_, body) = replies(&world.receive(conn)).remove(0);
    world.disconnect(conn);
    i64::from_be_bytes(body[22..30].try_into().unwrap())
}

#[test]
fn a_start_after_a_clean_stop_looks_into_no_log() {
    let storage = stopped();
    decay(&storage);
    for round in 1..4 {
        let (mut world, damaged) = start(&storage);
        assert_eq!(damaged, [""; 0], "round {round}");
        assert!(!storage.exists(&Path::new("/data").join(SUMMARIES_FILE)).unwrap(), "it serves once");
        assert_eq!(appended_at(&mut world, 1), round);
        stop(&mut world);
        storage.restart();
    }
}

#[test]
fn a_log_that_was_touched_is_opened_and_no_other() {
    let storage = stopped();
    decay(&storage);
    storage.create(Path::new("/data/events-1/note")).unwrap();
    let (mut world, damaged) = start(&storage);
    assert_eq!(damaged, ["/data/events-1/leader-epoch-checkpoint"]);
    assert_eq!(appended_at(&mut world, 1), 1);
}

#[test]
fn summaries_that_are_damaged_missing_or_of_another_stop_are_done_without() {
    let file = Path::new("/data").join(SUMMARIES_FILE);
    let epochs: Vec<String> =
        (0..PARTITIONS).map(|index| format!("/data/events-{index}/leader-epoch-checkpoint")).collect();
    let storage = stopped();
    let contents = storage.read_to_vec(&file).unwrap();
    for position in [0, 1, 40, contents.len() as u64 - 1] {
        let storage = stopped();
        decay(&storage);
        storage.decay(&file, position, 1).unwrap();
        let (mut world, mut damaged) = start(&storage);
        assert_eq!(damaged.remove(0), file.to_string_lossy(), "byte {position}");
        assert_eq!(damaged, epochs);
        assert_eq!(appended_at(&mut world, 2), 1);
    }
    let storage = stopped();
    decay(&storage);
    storage.remove_file(&file).unwrap();
    assert_eq!(start(&storage).1, epochs);
    // The file of one clean stop, put back after a life that did not end with one.
    let storage = stopped();
    let (mut world, _) = start(&storage);
    assert_eq!(appended_at(&mut world, 0), 1);
    storage.restart();
    storage.write_atomic(&file, &contents).unwrap();
    let (mut world, _) = start(&storage);
    assert_eq!(appended_at(&mut world, 0), 2);
}
