//! AlterReplicaLogDirs: a partition moves between log directories with all that it has; what fails or crashes on the
//! way leaves it in one of them, whole.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::testing::*;
use crate::boundary::{Command, Event, parse_events};
use crate::log::{AbortedTxn, Opening};
use crate::partition::testing::*;
use crate::partition::{Isolation, Notices, Partition, PartitionConfig, ReadSpec, Swapped};
use crate::storage::{Fault, SimOperation, SimStorage, Storage};
use crate::uuid::Uuid;

fn two_dirs() -> crate::boundary::NodeOptions {
    let mut options = options();
    options.log_dirs = vec![PathBuf::from("/data"), PathBuf::from("/more")];
    options
}

fn world_with(count: i32, configs: &[(&str, &str)]) -> (World, crate::boundary::ConnId) {
    let mut world = World::new(two_dirs());
    world.create_topic(1, configs);
    let conn = world.connect(0);
    for id in 0..count {
        world.send(conn, &produce(id, -1, 0, b"synced"));
    }
    assert_eq!(correlation_ids(&world.receive(conn)).len(), count as usize);
    (world, conn)
}

fn partition(world: &World) -> Arc<Partition> {
    world.node.topics().partition(Uuid(TOPIC), 0).unwrap()
}

fn log_dir(world: &World) -> PathBuf {
    partition(world).dir().parent().unwrap().to_path_buf()
}

fn move_to(world: &mut World, log_dir: &str) {
    world.submit(&[Command::MovePartition { topic: "events", partition: 0, log_dir }]);
}

/// Directories of the partition in either log directory, by what is behind the last dash.
fn directories(storage: &SimStorage) -> Vec<String> {
    let mut found = Vec::new();
    for log_dir in ["/data", "/more"] {
        let entries = storage.list(Path::new(log_dir)).unwrap();
        let own = entries.iter().filter(|entry| entry.name.starts_with("events-"));
        found.extend(own.map(|entry| format!("{log_dir}:{}", entry.name.rsplit('-').next().unwrap())));
    }
    found
}

/// How many records a fetch from the start finds.
fn fetched(world: &mut World) -> usize {
    let conn = world.connect(0);
    world.send(conn, &fetch(1, 0, 0, 0, 0));
    world.receive(conn).windows(6).filter(|window| window == b"synced").count()
}

fn is_failed(world: &mut World, log_dir: &str) -> bool {
    let packed = world.drain();
    let events = parse_events(&packed).unwrap();
    events.iter().any(|event| matches!(event, Event::LogDirFailed { path, .. } if *path == log_dir))
}

#[test]
fn a_partition_moves_while_it_is_written_and_read_and_is_there_after_a_restart() {
    let (mut world, conn) = world_with(10, &[]);
    assert_eq!(log_dir(&world), Path::new("/data"));
    // Parked until the next record comes.
    let reader = world.connect(1);
    world.send(reader, &fetch(7, 0, 10, 60_000, 1));
    move_to(&mut world, "/more");
    assert_eq!((log_dir(&world), fetched(&mut world)), (PathBuf::from("/more"), 10));
    assert_eq!(directories(&world.storage), ["/data:delete", "/more:0"]);
    world.send(conn, &produce(20, -1, 0, b"synced"));
    assert_eq!(correlation_ids(&world.receive(reader)), [7], "the parked fetch hears of it");
    world.advance(60_000);
    world.node.tick(world.now);
    world.run();
    assert_eq!(directories(&world.storage), ["/more:0"]);
    world.submit(&[Command::Shutdown]);
    let mut world = World::on(world.storage.clone(), two_dirs());
    world.create_topic(1, &[]);
    assert_eq!((log_dir(&world), fetched(&mut world)), (PathBuf::from("/more"), 11));
}

#[test]
fn the_description_shows_the_copy_until_it_has_taken_the_place() {
    let (mut world, _) = world_with(3, &[]);
    world.runs_effects = false;
    move_to(&mut world, "/more");
    let description = world.node.describe();
    assert!(description.contains(r#""isFuture":true,"offsetLag":3"#), "{description}");
    // Back to where it is: the move ends.
    move_to(&mut world, "/data");
    assert!(!world.node.describe().contains(r#""isFuture":true"#));
    world.runs_effects = true;
    world.run();
    assert_eq!(
        (log_dir(&world), directories(&world.storage)),
        (PathBuf::from("/data"), vec!["/data:0".to_owned()])
    );
}

#[test]
fn a_partition_to_come_is_created_where_it_was_wanted() {
    let mut world = World::new(two_dirs());
    move_to(&mut world, "/more");
    world.create_topic(1, &[]);
    assert_eq!(log_dir(&world), Path::new("/more"));
    move_to(&mut world, "/nowhere");
    assert_eq!(log_dir(&world), Path::new("/more"));
}

#[test]
fn a_directory_that_fails_or_fills_up_ends_the_move_and_the_partition_serves_on() {
    for (operation, fault) in [
        (SimOperation::CreateDir, Fault::Error(std::io::ErrorKind::Other)),
        (SimOperation::Create, Fault::Error(std::io::ErrorKind::Other)),
        (SimOperation::Write, Fault::Error(std::io::ErrorKind::Other)),
        (SimOperation::Sync, Fault::Error(std::io::ErrorKind::Other)),
        (SimOperation::Create, Fault::Error(std::io::ErrorKind::StorageFull)),
        (SimOperation::Write, Fault::Error(std::io::ErrorKind::StorageFull)),
        (SimOperation::Write, Fault::Short(10)),
    ] {
        let (mut world, conn) = world_with(5, &[]);
        world.drain();
        world.storage.fail_next(operation, fault);
        move_to(&mut world, "/more");
        let is_full = fault != Fault::Error(std::io::ErrorKind::Other);
        assert_eq!(is_failed(&mut world, "/more"), !is_full, "{operation:?} {fault:?}");
        assert_eq!(log_dir(&world), Path::new("/data"), "{operation:?} {fault:?}");
        world.send(conn, &produce(20, -1, 0, b"synced"));
        assert_eq!(fetched(&mut world), 6, "{operation:?} {fault:?}");
        if is_full {
            assert_eq!(directories(&world.storage), ["/data:0"], "the copy is gone");
            move_to(&mut world, "/more");
            assert_eq!((log_dir(&world), fetched(&mut world)), (PathBuf::from("/more"), 6));
        }
    }
}

#[test]
fn a_log_that_cannot_be_read_is_not_moved() {
    let (mut world, _) = world_with(5, &[]);
    let path = partition(&world).dir().join("00000000000000000000.log");
    let file = world.storage.open(&path).unwrap();
    file.write_at(70, &[std::io::IoSlice::new(b"rot")]).unwrap();
    world.drain();
    move_to(&mut world, "/more");
    let packed = world.drain();
    let told =
        |event: &Event<'_>| matches!(event, Event::Damaged { message, .. } if message.contains("moved"));
    assert!(parse_events(&packed).unwrap().iter().any(told));
    assert_eq!(
        (log_dir(&world), directories(&world.storage)),
        (PathBuf::from("/data"), vec!["/data:0".to_owned()])
    );
}

#[test]
fn a_crash_at_any_call_leaves_the_partition_whole_in_one_directory() {
    let configs = [("flush.messages", "1")];
    let (mut world, _) = world_with(4, &configs);
    let mut notices = Notices::default();
    // The log start has to come along, or deleted records would come back.
    partition(&world).delete_records(1, 1, &mut notices).unwrap();
    world.advance(60_000);
    world.node.tick(world.now);
    world.run();
    world.storage.record();
    move_to(&mut world, "/more");
    assert_eq!(log_dir(&world), Path::new("/more"));
    let calls = world.storage.calls();
    let mut places = BTreeSet::new();
    for point in 0..=calls {
        for power_loss in std::iter::once(None).chain((0..6).map(Some)) {
            let forked = world.storage.fork(point, None).unwrap();
            if let Some(seed) = power_loss {
                forked.crash(seed + 6 * point as u64);
            }
            let at = || world.storage.describe_call(point.min(calls - 1)).unwrap();
            let mut again = World::on(forked, two_dirs());
            again.create_topic(1, &configs);
            let offsets = partition(&again).offsets();
            assert_eq!((offsets.log_start, offsets.log_end), (1, 4), "at {point}: {}", at());
            let found = directories(&again.storage);
            let serving = found.iter().filter(|name| name.ends_with(":0")).count();
            assert!(serving == 1 && !found.iter().any(|name| name.ends_with("future")), "{found:?}");
            let place = log_dir(&again);
            assert!(point < calls || place == Path::new("/more"), "what was done is durable");
            places.insert(place);
            // Whichever it is, it goes on there and is found there the next time.
            let conn = again.connect(0);
            again.send(conn, &produce(1, -1, 0, b"synced"));
            assert_eq!(correlation_ids(&again.receive(conn)).len(), 1);
            let mut third = World::on(again.storage.clone(), two_dirs());
            third.create_topic(1, &configs);
            assert_eq!(partition(&third).offsets().log_end, 5, "at {point}: {}", at());
        }
    }
    assert_eq!(places.len(), 2);
}

#[test]
fn transactions_epochs_and_producers_come_along_and_what_is_appended_meanwhile() {
    let disk = SimStorage::new();
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    storage.create_dir_all(Path::new("/more")).unwrap();
    let config = PartitionConfig::default().with([("segment.bytes", "1048576")]).unwrap();
    // The copy is one segment where the log has many: every position is another one.
    let mut small = config.clone();
    small.log.segment_bytes = 300;
    let partition = leader(&disk, small.clone());
    let mut notices = Notices::default();
    append_in_txn(&partition, 1, 0, 3, &mut notices);
    end_txn(&partition, 1, false, &mut notices);
    partition.set_config(config.clone().into(), &mut notices);
    let mut future = partition.begin_move(&storage, Path::new("/more"), "u", NOON).unwrap();
    assert_eq!(partition.copy_on(&mut future, 1 << 20, NOON, &mut notices).unwrap(), 0);
    partition.set_config(small.into(), &mut notices);
    // Behind the copy's back.
    append_in_txn(&partition, 2, 0, 2, &mut notices);
    partition.lead(4, &mut notices);
    append_in_txn(&partition, 3, 0, 2, &mut notices);
    end_txn(&partition, 3, false, &mut notices);
    partition.set_config(config.clone().into(), &mut notices);
    // A roll has asked for a sync: the swap waits for it.
    run_effects(&mut notices);
    let before = (partition.offsets(), partition.last_stable_offset(), partition.active_producers().unwrap());
    let Swapped::NotYet(future) = partition.swap(future, (99, 1 << 20), "u", NOON, &mut notices) else {
        panic!("swapped")
    };
    let Swapped::Done(removal) = partition.swap(future, (0, 1 << 20), "u", NOON, &mut notices) else {
        panic!("not swapped")
    };
    removal.unwrap().run().unwrap();
    let after = (partition.offsets(), partition.last_stable_offset(), partition.active_producers().unwrap());
    assert_eq!((before.1, &before.2), (after.1, &after.2));
    assert_eq!((before.0.log_end, before.0.high_watermark), (after.0.log_end, after.0.high_watermark));
    assert_eq!(&*partition.dir(), Path::new("/more/t-0"));
    let read = ReadSpec {
        offset: 0,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        max_bytes: 1 << 20,
        isolation: Isolation::ReadCommitted,
        at_least_one: true,
    };
    let fetched = partition.read(&read, None, &mut notices).unwrap();
    let bytes = fetched.range.unwrap().read().unwrap();
    let last = millrace_record::split_batches(&bytes).last().unwrap().unwrap();
    assert_eq!(last.next_offset(), after.1, "up to the open transaction");
    let aborted = |found: Option<Vec<AbortedTxn>>| -> Vec<(i64, i64)> {
        found.unwrap().iter().map(|txn| (txn.producer_id, txn.first_offset)).collect()
    };
    assert_eq!(aborted(fetched.aborted), [(1, 0)]);
    // The open transaction ends in the new place.
    end_txn(&partition, 2, true, &mut notices);
    assert_eq!(partition.last_stable_offset(), partition.offsets().log_end);
    let fetched = partition.read(&read, None, &mut notices).unwrap();
    assert_eq!(aborted(fetched.aborted), [(1, 0), (3, 6)]);
    run_effects(&mut notices);
    let end = partition.offsets().log_end;
    partition.close(&mut notices).unwrap().sync().unwrap();
    let mut spec = spec("t", 1, 0);
    spec.dir = PathBuf::from("/more/t-0");
    let partition = open_as(&disk, spec, config, Opening::CLEAN);
    assert_eq!((partition.offsets().log_end, partition.last_stable_offset()), (end, end));
}
