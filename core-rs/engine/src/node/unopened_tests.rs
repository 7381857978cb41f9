//! Logs that cannot be opened: named, offline, still there and to be deleted; nothing else suffers.

use std::path::Path;

use super::scrubbing_tests::{damaged, fetched, reopened, spoil, written};
use super::testing::*;
use crate::boundary::Command;
use crate::log::checkpoint::{self, PartitionOffset};
use crate::storage::Storage;

/// What Fetch below version 6 says for KAFKA_STORAGE_ERROR.
const NOT_LEADER_OR_FOLLOWER: i16 = 6;
const LAST: &str = "/data/events-0/00000000000000000008.log";

/// A node whose only log ends in bytes that are no batch.
fn world_of_damage() -> World {
    let storage = written(9);
    // The magic of the last batch: where the log ends cannot be known.
    spoil(&storage, 8, 16);
    World::on(storage, options())
}

#[test]
fn a_log_that_cannot_be_opened_is_named_and_answers_that_its_storage_failed() {
    let mut world = world_of_damage();
    world.create_topic(2, &[("segment.bytes", "200")]);
    assert_eq!(damaged(&mut world), [(LAST.to_owned(), 0, -1)]);
    assert_eq!(fetched(&mut world, 0).0, NOT_LEADER_OR_FOLLOWER);
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"refused"));
    world.send(conn, &produce(2, -1, 1, b"another partition"));
    let errors = replies(&world.receive(conn)).into_iter().map(|(_, body)| body[20..22].to_vec());
    assert_eq!(errors.collect::<Vec<_>>(), [[0, 56], [0, 0]], "KAFKA_STORAGE_ERROR of one alone");
    let described: serde_json::Value = serde_json::from_str(&world.node.describe()).unwrap();
    let sizes = described["logDirs"][0]["partitions"].as_array().unwrap();
    assert!(sizes.len() == 2 && sizes[0]["size"].as_u64().unwrap() > 500, "{described}");
    assert_eq!(described["logDirs"][0]["online"], true);
}

#[test]
fn a_log_that_could_not_be_opened_keeps_its_checkpoints_and_is_as_it_was_for_the_next_start() {
    let storage = written(9);
    let entry = |offset| [PartitionOffset { topic: "events".to_owned(), partition: 0, offset }];
    let starts = Path::new("/data/log-start-offset-checkpoint");
    checkpoint::write_offsets(&storage, starts, &entry(3)).unwrap();
    let file = "/data/events-0/00000000000000000008.log";
    let contents = storage.read_to_vec(Path::new(file)).unwrap();
    spoil(&storage, 8, 16);
    let mut world = World::on(storage.clone(), options());
    world.create_topic(1, &[("segment.bytes", "200")]);
    world.submit(&[Command::Shutdown]);
    world.advance(1000);
    assert_eq!(checkpoint::read_offsets(&storage, starts).unwrap(), entry(3));
    storage.restart();
    // Somebody has it from a backup.
    storage.open(Path::new(file)).unwrap().write_at(0, &[std::io::IoSlice::new(&contents)]).unwrap();
    let mut world = reopened(storage);
    let codes: Vec<i16> = (2..9).map(|offset| fetched(&mut world, offset).0).collect();
    assert_eq!(codes, [1, 0, 0, 0, 0, 0, 0], "OFFSET_OUT_OF_RANGE below the start");
}

#[test]
fn a_topic_whose_log_could_not_be_opened_is_deleted_and_made_anew() {
    let mut world = world_of_damage();
    world.create_topic(1, &[]);
    world.apply(6, &[TOPIC], Vec::new());
    let names = |world: &World| -> Vec<String> {
        let entries = world.storage.list(Path::new("/data")).unwrap().into_iter();
        entries.filter(|entry| entry.name.starts_with("events-0")).map(|entry| entry.name).collect()
    };
    assert!(matches!(&names(&world)[..], [name] if name.ends_with("-delete")), "{:?}", names(&world));
    world.advance(70_000);
    world.node.tick(world.now);
    world.run();
    assert_eq!(names(&world), [""; 0]);
    world.create_topic(1, &[]);
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"first"));
    assert_eq!(fetched(&mut world, 0).0, 0);
}
