//! A clean stop with more logs than are worth a sync each.

use std::path::Path;

use super::testing::*;
use crate::boundary::{Event, parse_events};
use crate::log::LastStop;
use crate::storage::{Fault, SimOperation, SimStorage, Storage};

const PARTITIONS: i32 = 110;

/// What the start after it finds: how it was left, whether anything was damaged, and where some logs end.
fn start(storage: &SimStorage) -> (LastStop, bool, Vec<i64>) {
    storage.restart();
    let mut world = World::on(storage.clone(), options());
    world.create_topic(PARTITIONS, &[]);
    let packed = world.drain();
    let is_damaged =
        parse_events(&packed).unwrap().iter().any(|event| matches!(event, Event::Damaged { .. }));
    let conn = world.connect(0);
    let mut ends = Vec::new();
    for partition in (0..PARTITIONS).step_by(13) {
        world.send(conn, &produce(1, -1, partition, b"next"));
        let (_, body) = replies(&world.receive(conn)).remove(0);
        assert_eq!(i16::from_be_bytes([body[20], body[21]]), 0, "partition {partition}");
        ends.push(i64::from_be_bytes(body[22..30].try_into().unwrap()));
    }
    (world.node.log_dirs[0].stop, is_damaged, ends)
}

#[test]
fn many_logs_are_durable_after_a_few_syncs_of_everything() {
    let mut world = filled(PARTITIONS);
    world.storage.record();
    stop(&mut world);
    let calls: Vec<String> =
        (0..world.storage.calls()).map(|at| world.storage.describe_call(at).unwrap()).collect();
    let count = |what: &str| calls.iter().filter(|call| call.starts_with(what)).count();
    assert_eq!(count("sync everything"), 2);
    assert!(count("sync") < 40, "{}", count("sync"));
    // The power fails as soon as it is done.
    for seed in 0..5 {
        let storage = world.storage.fork(calls.len(), None).unwrap();
        storage.crash(seed);
        let (stop, is_damaged, ends) = start(&storage);
        assert_eq!((stop, is_damaged), (LastStop::Clean, false));
        assert!(ends.iter().all(|end| *end == 1), "{ends:?}");
    }
    // Or before: then what was not durable may be lost, and nothing else.
    for at in (0..calls.len()).step_by(9) {
        let storage = world.storage.fork(at, Some(at as u64)).unwrap();
        storage.crash(at as u64);
        let (stop, is_damaged, ends) = start(&storage);
        assert_ne!(stop, LastStop::Clean, "at {at}: {}", calls[at]);
        assert!(!is_damaged && ends.iter().all(|end| *end <= 1), "at {at}: {ends:?}");
    }
}

#[test]
fn a_sync_of_everything_that_fails_leaves_no_mark_of_a_clean_stop() {
    for passed in 0..2 {
        let mut world = filled(PARTITIONS);
        (0..passed).for_each(|_| world.storage.pass_next(SimOperation::SyncAll));
        world.storage.fail_next(SimOperation::SyncAll, Fault::Error(std::io::ErrorKind::Other));
        world.drain();
        stop(&mut world);
        let packed = world.drain();
        let failed = |event: &Event<'_>| matches!(event, Event::LogDirFailed { path: "/data", .. });
        assert!(parse_events(&packed).unwrap().iter().any(failed));
        assert!(!world.storage.exists(Path::new("/data/.kafka_cleanshutdown")).unwrap());
        let (stop, _, ends) = start(&world.storage);
        assert_ne!(stop, LastStop::Clean);
        assert!(ends.iter().all(|end| *end == 1));
    }
}

#[test]
fn a_disk_that_cannot_sync_everything_syncs_each_log() {
    let mut world = filled(PARTITIONS);
    world.storage.fail_next(SimOperation::SyncAll, Fault::Error(std::io::ErrorKind::Unsupported));
    world.storage.record();
    stop(&mut world);
    let storage = world.storage.fork(world.storage.calls(), None).unwrap();
    storage.crash(0);
    let (stop, is_damaged, ends) = start(&storage);
    assert_eq!((stop, is_damaged), (LastStop::Clean, false));
    assert!(ends.iter().all(|end| *end == 1), "{ends:?}");
}
