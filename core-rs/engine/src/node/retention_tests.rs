//! Retention and DeleteRecords through a whole node on a simulated disk, with crashes; several log directories.

use std::path::{Path, PathBuf};

use super::testing::*;
use crate::boundary::commands::TopicImage;
use crate::boundary::{Command, Event, NodeOptions, TopicId, parse_events};
use crate::partition::PartitionOffsets;
use crate::storage::{Fault, SimOperation, SimStorage, Storage};
use crate::uuid::Uuid;

/// Two records to a segment.
const SMALL_SEGMENTS: (&str, &str) = ("segment.bytes", "200");
const MINUTE: i64 = 60_000;

fn offsets(world: &World, topic_id: TopicId, index: i32) -> PartitionOffsets {
    world.node.topics().partition(Uuid(topic_id), index).unwrap().offsets()
}

fn files(storage: &SimStorage, suffix: &str) -> Vec<String> {
    let entries = storage.list(Path::new("/data/events-0")).unwrap();
    entries.into_iter().map(|entry| entry.name).filter(|name| name.ends_with(suffix)).collect()
}

fn log_starts(storage: &SimStorage) -> String {
    let contents = storage.read_to_vec(Path::new("/data/log-start-offset-checkpoint")).unwrap();
    String::from_utf8(contents).unwrap()
}

fn produce_records(world: &mut World, count: i32) {
    let conn = world.connect(0);
    for id in 0..count {
        world.send(conn, &produce(id, -1, 0, b"record"));
    }
    assert_eq!(correlation_ids(&world.receive(conn)).len(), count as usize);
}

fn tick_after(world: &mut World, ms: i64) {
    world.advance(ms);
    world.node.tick(world.now);
    world.run();
}

/// The error code of the one partition in a reply to `fetch`.
fn fetch_error(world: &mut World, offset: i64) -> i16 {
    let conn = world.connect(1);
    world.send(conn, &fetch(1, 0, offset, 0, 0));
    let (_, body) = replies(&world.receive(conn)).remove(0);
    i16::from_be_bytes([body[24], body[25]])
}

/// Sends DeleteRecords for partition 0 and returns low watermark and error code.
fn delete_records(world: &mut World, topic_id: TopicId, leader_epoch: i32, offset: i64) -> (i64, i16) {
    world.drain();
    world.submit(&[Command::DeleteRecords { request_id: 9, topic_id, partition: 0, leader_epoch, offset }]);
    let packed = world.drain();
    let answers: Vec<_> = parse_events(&packed)
        .unwrap()
        .into_iter()
        .filter_map(|event| match event {
            Event::RecordsDeleted { request_id: 9, low_watermark, error_code } => {
                Some((low_watermark, error_code))
            }
            _ => None,
        })
        .collect();
    assert_eq!(answers.len(), 1);
    answers[0]
}

#[test]
fn old_segments_go_at_the_next_check_and_their_files_a_delay_later() {
    let mut world = World::new(options());
    world.create_topic(1, &[SMALL_SEGMENTS, ("retention.ms", "600000")]);
    produce_records(&mut world, 5);
    assert_eq!(files(&world.storage, ".log").len(), 3);
    tick_after(&mut world, 9 * MINUTE);
    assert_eq!(offsets(&world, TOPIC, 0).log_start, 0);
    tick_after(&mut world, 2 * MINUTE);
    assert_eq!(offsets(&world, TOPIC, 0).log_start, 0, "the next check is five minutes after the last");
    tick_after(&mut world, 3 * MINUTE);
    let PartitionOffsets { log_start, log_end, high_watermark, .. } = offsets(&world, TOPIC, 0);
    assert_eq!((log_start, log_end, high_watermark), (5, 5, 5), "the active segment was rolled and went too");
    assert_eq!(log_starts(&world.storage), "0\n1\nevents 0 5\n");
    assert_eq!(files(&world.storage, ".log"), ["00000000000000000005.log"]);
    assert_eq!(files(&world.storage, ".log.deleted").len(), 3);
    assert_eq!((fetch_error(&mut world, 4), fetch_error(&mut world, 5)), (1, 0));
    tick_after(&mut world, MINUTE - 1);
    assert_eq!(files(&world.storage, ".log.deleted").len(), 3);
    tick_after(&mut world, 1);
    assert_eq!(files(&world.storage, ".deleted"), [""; 0]);
    produce_records(&mut world, 1);
    assert_eq!(offsets(&world, TOPIC, 0).log_end, 6);
}

#[test]
fn what_retention_took_does_not_come_back_after_any_crash() {
    for seed in 0..30 {
        let mut world = World::new(options());
        world.create_topic(1, &[SMALL_SEGMENTS, ("retention.bytes", "300"), ("flush.messages", "1")]);
        produce_records(&mut world, 9);
        tick_after(&mut world, MINUTE);
        let before = offsets(&world, TOPIC, 0);
        assert!(before.log_start > 0 && before.log_start < 9);
        let storage = world.storage.clone();
        storage.crash(seed);
        let mut world = World::on(storage, options());
        world.create_topic(1, &[]);
        let after = offsets(&world, TOPIC, 0);
        assert_eq!((after.log_start, after.log_end), (before.log_start, 9), "seed {seed}");
        assert_eq!(fetch_error(&mut world, before.log_start), 0);
    }
}

#[test]
fn nothing_is_deleted_while_its_log_start_cannot_be_made_durable() {
    let mut world = World::new(options());
    world.create_topic(1, &[SMALL_SEGMENTS, ("retention.ms", "1000")]);
    produce_records(&mut world, 4);
    tick_after(&mut world, 10_000);
    world.storage.fail_next(SimOperation::Sync, Fault::Error(std::io::ErrorKind::Other));
    tick_after(&mut world, MINUTE);
    assert_eq!(files(&world.storage, ".deleted"), [""; 0]);
    let packed = world.drain();
    let events = parse_events(&packed).unwrap();
    assert!(events.iter().any(|event| matches!(event, Event::LogDirFailed { path: "/data", .. })));
}

#[test]
fn changed_configs_act_at_once() {
    let mut world = World::new(options());
    world.create_topic(1, &[]);
    produce_records(&mut world, 3);
    assert_eq!(files(&world.storage, ".log").len(), 1);
    world.create_topic(1, &[SMALL_SEGMENTS, ("retention.bytes", "0"), ("file.delete.delay.ms", "0")]);
    produce_records(&mut world, 1);
    assert_eq!(files(&world.storage, ".log").len(), 2, "the next append rolls by the new segment.bytes");
    tick_after(&mut world, MINUTE);
    assert_eq!(offsets(&world, TOPIC, 0).log_start, 4);
    assert_eq!(files(&world.storage, ".deleted"), [""; 0], "without a delay the files go at once");
    world.create_topic(1, &[("cleanup.policy", "compact"), ("retention.bytes", "0")]);
    assert_eq!(delete_records(&mut world, TOPIC, 1, -1), (-1, 44));
    world.create_topic(1, &[("max.message.bytes", "10")]);
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"too large"));
    let (_, body) = replies(&world.receive(conn)).remove(0);
    assert_eq!(i16::from_be_bytes([body[20], body[21]]), 10);
}

#[test]
fn deleted_records_are_refused_to_readers_and_stay_deleted() {
    for seed in 0..30 {
        let mut world = World::new(options());
        world.create_topic(1, &[("flush.messages", "1")]);
        produce_records(&mut world, 6);
        assert_eq!(delete_records(&mut world, TOPIC, 1, 4), (4, 0));
        assert_eq!(delete_records(&mut world, TOPIC, 1, 2), (4, 0), "it never moves back");
        assert_eq!(delete_records(&mut world, TOPIC, 1, 7), (-1, 1), "beyond the high watermark");
        assert_eq!(delete_records(&mut world, TOPIC, 1, -2), (-1, 1));
        assert_eq!(delete_records(&mut world, TOPIC, 0, 5), (-1, 6), "another leader epoch");
        assert_eq!(delete_records(&mut world, [1; 16], 1, 5), (-1, 3));
        assert_eq!((fetch_error(&mut world, 3), fetch_error(&mut world, 4)), (1, 0));
        let storage = world.storage.clone();
        storage.crash(seed);
        let mut world = World::on(storage, options());
        world.create_topic(1, &[("flush.messages", "1")]);
        let after = offsets(&world, TOPIC, 0);
        assert_eq!((after.log_start, after.log_end), (4, 6), "seed {seed}");
        assert_eq!(delete_records(&mut world, TOPIC, 1, -1), (6, 0));
    }
}

#[test]
fn one_checkpoint_serves_the_deletions_that_gathered_and_answers_keep_their_order() {
    let mut world = World::new(options());
    world.create_topic(2, &[]);
    produce_records(&mut world, 3);
    world.drain();
    world.runs_effects = false;
    for (request_id, partition, offset) in [(1, 0, 1), (2, 1, 0), (3, 0, 3)] {
        let leader_epoch = 1;
        let topic_id = TOPIC;
        world.submit(&[Command::DeleteRecords { request_id, topic_id, partition, leader_epoch, offset }]);
    }
    assert_eq!(world.node.pending_effects(), 1);
    world.runs_effects = true;
    world.run();
    let packed = world.drain();
    let answers: Vec<_> = parse_events(&packed)
        .unwrap()
        .into_iter()
        .filter_map(|event| match event {
            Event::RecordsDeleted { request_id, low_watermark, .. } => Some((request_id, low_watermark)),
            _ => None,
        })
        .collect();
    assert_eq!(answers, [(1, 1), (2, 0), (3, 3)]);
}

#[test]
fn a_new_topic_of_an_old_name_inherits_no_offsets_even_after_a_crash() {
    const OTHER: TopicId = [8; 16];
    for seed in 0..20 {
        let mut world = World::new(options());
        world.create_topic(1, &[("flush.messages", "1")]);
        produce_records(&mut world, 6);
        delete_records(&mut world, TOPIC, 1, 5);
        let other = || {
            let configs = vec![("flush.messages", "1")];
            let partitions = vec![led_partition(0)];
            vec![TopicImage { name: "events", topic_id: OTHER, internal: false, configs, partitions }]
        };
        world.apply(6, &[TOPIC], vec![]);
        world.apply(7, &[], other());
        assert_eq!(offsets(&world, OTHER, 0).log_end, 0);
        produce_records(&mut world, 2);
        let storage = world.storage.clone();
        storage.crash(seed);
        let mut world = World::on(storage, options());
        world.apply(7, &[], other());
        let after = offsets(&world, OTHER, 0);
        assert_eq!((after.log_start, after.log_end), (0, 2), "seed {seed}");
    }
}

#[test]
fn new_partitions_go_where_the_fewest_are_and_stay_there() {
    let two = || {
        let mut two =
            NodeOptions { log_dirs: vec![PathBuf::from("/data"), PathBuf::from("/more")], ..options() };
        two.network_threads = 1;
        two
    };
    let dirs = |world: &World, count: i32| -> Vec<String> {
        let partition = |index| world.node.topics().partition(Uuid(TOPIC), index).unwrap();
        (0..count).map(|index| partition(index).dir().to_string_lossy().into_owned()).collect()
    };
    let mut world = World::new(two());
    world.create_topic(3, &[]);
    assert_eq!(dirs(&world, 3), ["/data/events-0", "/more/events-1", "/data/events-2"]);
    produce_records(&mut world, 3);
    world.submit(&[Command::Shutdown]);
    world.advance(MINUTE);
    assert!(world.node.is_stopped());
    let checkpoint = world.storage.read_to_vec(Path::new("/more/recovery-point-offset-checkpoint")).unwrap();
    assert_eq!(String::from_utf8(checkpoint).unwrap(), "0\n1\nevents 1 0\n");
    let mut world = World::on(world.storage.clone(), two());
    world.create_topic(4, &[]);
    let expected = ["/data/events-0", "/more/events-1", "/data/events-2", "/more/events-3"];
    assert_eq!(dirs(&world, 4), expected);
    assert_eq!(offsets(&world, TOPIC, 0).log_end, 3);
}
