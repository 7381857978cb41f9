//! Images applied in order and confirmed: topics that come, change, move, go and come again, and what stands in the log
//! directory for them, also after a stop or a crash.

use std::path::Path;

use super::testing::*;
use super::*;
use crate::boundary::commands::{PartitionImage, TopicImage};
use crate::boundary::{Event, TopicId, parse_events};
use crate::storage::{Fault, SimOperation, Storage};
use crate::uuid::Uuid;

fn topic(name: &str, topic_id: TopicId, partitions: i32) -> TopicImage<'_> {
    let partitions = (0..partitions).map(led_partition).collect();
    TopicImage { name, topic_id, internal: false, configs: Vec::new(), partitions }
}

fn names_of(world: &World) -> Vec<String> {
    names(&world.storage)
}

/// The end that the node says a partition has.
fn log_end(world: &World, topic_id: TopicId, index: i32) -> i64 {
    world.node.topics().partition(Uuid(topic_id), index).unwrap().offsets().log_end
}

fn applied(packed: &[u8]) -> Vec<(i64, usize)> {
    let events = parse_events(packed).unwrap().into_iter();
    let applied = events.filter_map(|event| match event {
        Event::ImageApplied { offset, failures } => Some((offset, failures.len())),
        _ => None,
    });
    applied.collect()
}

/// `file.delete.delay.ms` passes.
fn delete_delay_over(world: &mut World) {
    world.advance(60_000);
    world.node.tick(world.now);
    world.run();
}

#[test]
fn images_are_applied_in_order_one_at_a_time_whatever_the_pool_does() {
    let mut world = World::new(options());
    world.runs_effects = false;
    world.apply(1, &[], vec![topic("a", TOPIC, 1)]);
    world.apply(2, &[TOPIC], Vec::new());
    world.apply(3, &[], vec![topic("a", OTHER, 2)]);
    let images = |world: &World| world.node.pending_effects();
    assert_eq!(images(&world), 1, "the others wait for their turn");
    world.runs_effects = true;
    world.run();
    let packed = world.drain();
    assert_eq!(applied(&packed), [(1, 0), (2, 0), (3, 0)]);
    assert!(world.node.topics().by_id(Uuid(TOPIC)).is_none());
    assert_eq!(world.node.topics().by_name("a").unwrap().partitions.len(), 2);
    let deleted = format!("a-0.{}-delete", "07".repeat(16));
    assert!(names(&world.storage).contains(&deleted), "its files go later");
    delete_delay_over(&mut world);
    let kept: Vec<String> = names(&world.storage).into_iter().filter(|name| name.starts_with("a-")).collect();
    assert_eq!(kept, ["a-0", "a-1"], "the files of the old topic are gone");
}

#[test]
fn a_name_that_passes_on_to_a_new_topic_id_starts_empty() {
    let mut world = World::new(options());
    world.create_topic(1, &[]);
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"old"));
    assert_eq!(log_end(&world, TOPIC, 0), 1);
    world.apply(6, &[], vec![topic("events", OTHER, 1)]);
    let packed = world.drain();
    assert_eq!(applied(&packed).last(), Some(&(6, 0)));
    assert_eq!(log_end(&world, OTHER, 0), 0);
}

#[test]
fn an_update_adds_partitions_and_keeps_those_that_are_there() {
    let mut world = World::new(options());
    world.create_topic(1, &[]);
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"x"));
    let mut more = topic("events", TOPIC, 3);
    more.partitions.remove(0);
    world.apply(6, &[], vec![more]);
    assert_eq!(log_end(&world, TOPIC, 0), 1);
    world.send(conn, &produce(2, -1, 2, b"y"));
    assert_eq!(log_end(&world, TOPIC, 2), 1);
}

#[test]
fn a_partition_that_moves_away_answers_who_waits_for_it_and_leaves_no_files() {
    let mut world = World::new(options());
    world.create_topic(2, &[]);
    let conn = world.connect(0);
    world.send(conn, &fetch(1, 0, 0, 30_000, 1));
    assert!(world.receive(conn).is_empty(), "it waits");
    let mut moved = topic("events", TOPIC, 1);
    moved.partitions[0] =
        PartitionImage { partition_epoch: 1, leader: 2, replicas: vec![2], ..led_partition(0) };
    world.apply(6, &[], vec![moved]);
    assert_eq!(correlation_ids(&world.receive(conn)), [1]);
    delete_delay_over(&mut world);
    let kept: Vec<String> =
        names(&world.storage).into_iter().filter(|name| name.starts_with("events-")).collect();
    assert_eq!(kept, ["events-1"]);
    // It comes back: a new log, from the beginning.
    let mut back = topic("events", TOPIC, 1);
    back.partitions[0].partition_epoch = 2;
    world.apply(7, &[], vec![back]);
    let packed = world.drain();
    assert_eq!(applied(&packed), [(5, 0), (6, 0), (7, 0)]);
    assert_eq!(log_end(&world, TOPIC, 0), 0);
}

#[test]
fn a_config_that_cannot_be_read_is_reported_and_the_topic_serves_by_the_defaults() {
    let mut world = World::new(options());
    world.create_topic(1, &[("segment.bytes", "many")]);
    let packed = world.drain();
    let events = parse_events(&packed).unwrap();
    let failures = events.iter().find_map(|event| match event {
        Event::ImageApplied { failures, .. } => Some(failures.clone()),
        _ => None,
    });
    let failures = failures.unwrap();
    assert_eq!((failures.len(), failures[0].1), (1, -1));
    assert!(failures[0].2.contains("segment.bytes"));
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"x"));
    assert_eq!(log_end(&world, TOPIC, 0), 1);
}

#[test]
fn a_clean_stop_marks_the_folder_and_the_next_start_finds_everything() {
    let mut world = World::new(options());
    world.create_topic(2, &[]);
    let (conn, waiting) = (world.connect(0), world.connect(1));
    for id in 0..20 {
        world.send(conn, &produce(id, -1, 0, b"kept"));
    }
    world.receive(conn);
    world.send(waiting, &fetch(1, 1, 0, 600_000, 1));
    world.drain();
    stop(&mut world);
    assert_eq!(correlation_ids(&world.receive(waiting)), [1], "a waiting fetch is answered as it stands");
    assert_eq!(world.ended.len(), 2);
    let packed = world.drain();
    assert_eq!(parse_events(&packed).unwrap().last(), Some(&Event::Stopped));
    assert!(names(&world.storage).contains(&".kafka_cleanshutdown".to_owned()));
    assert_eq!(world.node.take_shell_actions(), [ShellAction::StopAccepting, ShellAction::Stopped]);
    let checkpoint = world.storage.read_to_vec(Path::new("/data/recovery-point-offset-checkpoint")).unwrap();
    assert_eq!(String::from_utf8(checkpoint).unwrap(), "0\n2\nevents 0 20\nevents 1 0\n");

    // Whatever was not synced is lost now; a clean stop left nothing unsynced.
    let storage = world.storage.clone();
    storage.crash(3);
    let mut world = World::on(storage, options());
    assert!(!names(&world.storage).contains(&".kafka_cleanshutdown".to_owned()));
    world.create_topic(2, &[]);
    assert_eq!(log_end(&world, TOPIC, 0), 20);
}

#[test]
fn what_was_acked_after_a_sync_survives_a_crash_that_loses_the_rest() {
    for seed in 0..20 {
        let mut world = World::new(options());
        world.create_topic(1, &[("flush.messages", "1")]);
        let conn = world.connect(0);
        for id in 0..10 {
            world.send(conn, &produce(id, -1, 0, b"synced"));
        }
        assert_eq!(correlation_ids(&world.receive(conn)).len(), 10);
        world.runs_effects = false;
        world.send(conn, &produce(10, -1, 0, b"not yet"));
        assert!(world.receive(conn).is_empty());
        let storage = world.storage.clone();
        storage.crash(seed);
        let mut world = World::on(storage, options());
        world.create_topic(1, &[("flush.messages", "1")]);
        let end = log_end(&world, TOPIC, 0);
        assert!((10..=11).contains(&end), "seed {seed}: the log ends at {end}");
        let conn = world.connect(0);
        world.send(conn, &fetch(1, 0, 0, 0, 0));
        let fetched = world.receive(conn);
        assert_eq!(fetched.windows(6).filter(|window| window == b"synced").count(), 10, "seed {seed}");
    }
}

#[test]
fn directories_that_the_first_image_does_not_know_are_set_aside() {
    let mut world = World::new(options());
    world.apply(1, &[], vec![topic("events", TOPIC, 1), topic("gone", OTHER, 1)]);
    world.storage.create_dir_all(Path::new("/data/old-0.abc-delete")).unwrap();
    world.storage.create_dir_all(Path::new("/data/unknown-4")).unwrap();
    stop(&mut world);
    let mut world = World::on(world.storage.clone(), options());
    // `gone` was recreated with another id while this broker was down.
    world.apply(2, &[], vec![topic("events", TOPIC, 1), topic("gone", [3; 16], 1)]);
    let packed = world.drain();
    assert_eq!(applied(&packed), [(2, 0)]);
    let names = names(&world.storage);
    let stray = format!("gone-0.{}-stray", "09".repeat(16));
    assert!(names.contains(&stray) && names.contains(&"gone-0".to_owned()), "{names:?}");
    assert!(names.contains(&"old-0.abc-delete".to_owned()), "its delay begins anew: {names:?}");
    assert!(!names.contains(&"unknown-4".to_owned()), "a directory without an id is nobody's: {names:?}");
    delete_delay_over(&mut world);
    assert!(!names_of(&world).iter().any(|name| name.ends_with("-delete")));
    assert!(names_of(&world).contains(&stray));
}

#[test]
fn a_directory_whose_owner_a_crash_took_is_kept_if_it_is_empty_and_set_aside_if_not() {
    for (torn, records) in [(None, false), (None, true), (Some(3), false), (Some(3), true), (Some(0), true)] {
        let mut world = World::new(options());
        world.create_topic(1, &[]);
        if records {
            let conn = world.connect(0);
            world.send(conn, &produce(1, -1, 0, b"never synced"));
        }
        let metadata = Path::new("/data/events-0/partition.metadata");
        match torn {
            Some(len) => world.storage.open(metadata).unwrap().truncate(len).unwrap(),
            None => world.storage.remove_file(metadata).unwrap(),
        }
        world.storage.restart();
        let mut world = World::on(world.storage.clone(), options());
        world.create_topic(1, &[]);
        let packed = world.drain();
        assert_eq!(applied(&packed), [(5, 0)], "{torn:?} {records}");
        assert_eq!(log_end(&world, TOPIC, 0), 0);
        let aside = names_of(&world).iter().any(|name| name.ends_with("-stray"));
        assert_eq!(aside, records, "{torn:?}");
        let owner = world.storage.read_to_vec(metadata).unwrap();
        assert!(owner.starts_with(b"version: 0\ntopic_id: "));
    }
}

#[test]
fn a_topic_of_the_longest_name_can_be_deleted() {
    let longest = "x".repeat(249);
    let mut world = World::new(options());
    world.apply(1, &[], vec![topic(&longest, TOPIC, 1)]);
    world.apply(2, &[TOPIC], Vec::new());
    let packed = world.drain();
    assert_eq!(applied(&packed), [(1, 0), (2, 0)]);
    let deleted = names_of(&world).into_iter().find(|name| name.ends_with("-delete")).unwrap();
    assert!(deleted.len() <= 255, "{deleted}");
}

#[test]
fn creating_partitions_waits_for_no_disk_and_the_first_sync_covers_whose_they_are() {
    let mut world = World::new(options());
    world.apply(1, &[], Vec::new());
    world.storage.fail_next(SimOperation::Sync, Fault::Panic);
    world.storage.fail_next(SimOperation::SyncDir, Fault::Panic);
    world.create_topic(3, &[("flush.messages", "1")]);
    world.storage.forget_faults();
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"synced"));
    assert_eq!(correlation_ids(&world.receive(conn)), [1]);
    for seed in 0..20 {
        world.storage.crash(seed);
        let mut world = World::on(world.storage.clone(), options());
        world.create_topic(3, &[("flush.messages", "1")]);
        assert_eq!(log_end(&world, TOPIC, 0), 1, "seed {seed}");
        world.drain();
    }
}
