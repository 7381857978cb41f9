//! What the node promises its control plane: coordinators' partitions loaded and appended, the metadata log committed,
//! faults told, a stop that leaves everything closed and marked. Images are `image_tests`.

use std::path::Path;
use std::sync::Arc;

use super::testing::*;
use super::*;
use crate::boundary::records::AppendRequest;
use crate::boundary::{Command, Event, NodeOptions, PackedValues, parse_events};
use crate::partition::Notices;
use crate::partition::testing::{append_in_txn, end_txn};
use crate::storage::{Fault, SimOperation, Storage};
use crate::uuid::Uuid;

fn append(world: &World, leader_epoch: i32, count: usize, value: &[u8]) -> (i16, i64, i64, i64) {
    let records = vec![(Some(b"key".as_slice()), Some(value)); count];
    let request = AppendRequest { topic_id: TOPIC, partition: 0, leader_epoch, timestamp: 99, records };
    let mut bytes = Vec::new();
    request.write(&mut bytes);
    let reply = world.node.append(&bytes, world.now).unwrap();
    (reply.error_code, reply.base_offset, reply.end_offset, reply.high_watermark)
}

#[test]
fn a_coordinator_appends_at_its_epoch_and_hears_when_it_is_committed() {
    let mut world = World::new(options());
    world.create_topic(1, &[("flush.messages", "1")]);
    world.drain();
    world.runs_effects = false;
    assert_eq!(append(&world, 1, 3, b"v"), (0, 0, 3, 0));
    assert_eq!(append(&world, 0, 1, b"v").0, 6, "NOT_LEADER_OR_FOLLOWER for an epoch of before");
    assert!(parse_events(&world.drain()).unwrap().is_empty());
    world.runs_effects = true;
    world.run();
    let packed = world.drain();
    let committed = Event::Committed { topic_id: TOPIC, partition: 0, high_watermark: 3 };
    assert_eq!(parse_events(&packed).unwrap(), [committed]);
    assert!(world.node.append(b"garbage", world.now).is_err());
}

#[test]
fn loading_gives_every_record_in_order_and_waits_for_a_slow_control_plane() {
    let mut world = World::new(options());
    world.create_topic(1, &[]);
    for _ in 0..120 {
        assert_eq!(append(&world, 1, 10, &[7; 10_000]).0, 0);
    }
    world.drain();
    world.runs_effects = false;
    world.submit(&[Command::Load { topic_id: TOPIC, partition: 0, leader_epoch: 1 }]);
    let mut offsets = Vec::new();
    let mut largest = 0;
    let mut done = false;
    while !done {
        // The control plane stays away as long as there is anything to do.
        while let Some(effect) = world.node.take_effect() {
            world.node.run_effect(effect, world.now);
        }
        let packed = world.drain();
        largest = largest.max(packed.len());
        for event in parse_events(&packed).unwrap() {
            let Event::LoadedChunk { records, done: last, error_code, leader_epoch, .. } = event else {
                continue;
            };
            assert_eq!((error_code, leader_epoch), (0, 1));
            offsets.extend(records.iter().map(|record| record.offset));
            done = last;
        }
    }
    assert_eq!(offsets, (0..1200).collect::<Vec<i64>>());
    assert!(largest < 10 << 20, "{largest} bytes waited");
    world.runs_effects = true;
    for (topic_id, leader_epoch, expected) in [(TOPIC, 7, 6), (OTHER, 1, 3)] {
        world.submit(&[Command::Load { topic_id, partition: 0, leader_epoch }]);
        let packed = world.drain();
        let events = parse_events(&packed).unwrap();
        let [Event::LoadedChunk { error_code, done: false, .. }] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(*error_code, expected);
    }
}

#[test]
fn proposals_come_back_committed_and_again_after_a_restart() {
    let mut world = World::new(options());
    let packed = world.drain();
    let role = parse_events(&packed).unwrap().into_iter().rev().find_map(|event| match event {
        Event::QuorumRole { leader_id, caught_up, .. } => Some((leader_id, caught_up)),
        _ => None,
    });
    assert_eq!(role, Some((1, true)), "a single voter leads at once");
    let values = vec![b"one".to_vec(), b"two".to_vec()];
    let records = PackedValues::borrowed(&values);
    world.submit(&[Command::Propose { proposal_id: 5, timestamp: 77, records: records.clone() }]);
    let committed = |packed: &[u8]| {
        let events = parse_events(packed).unwrap().into_iter();
        let ours = events.filter_map(|event| match event {
            Event::MetadataCommitted { proposal_id, timestamp, records, .. } => {
                Some((proposal_id, timestamp, records.to_vecs()))
            }
            _ => None,
        });
        ours.collect::<Vec<_>>()
    };
    let packed = world.drain();
    assert_eq!(committed(&packed), [(5, 77, values.clone())]);

    let storage = world.storage.clone();
    storage.crash(1);
    let mut world = World::on(storage, options());
    let packed = world.drain();
    assert_eq!(committed(&packed), [(-1, 77, values.clone())]);
    stop(&mut world);
    world.submit(&[Command::Propose { proposal_id: 6, timestamp: 78, records }]);
    let packed = world.drain();
    let dropped = Event::ProposalDropped { proposal_id: 6, error_code: 56 };
    assert_eq!(parse_events(&packed).unwrap().last(), Some(&dropped));
}

#[test]
fn a_failed_sync_takes_the_log_directory_offline_for_good() {
    let mut world = World::new(options());
    world.create_topic(2, &[("flush.messages", "1")]);
    let conn = world.connect(0);
    world.drain();
    world.storage.fail_next(SimOperation::Sync, Fault::Error(std::io::ErrorKind::Other));
    world.send(conn, &produce(1, -1, 0, b"x"));
    let packed = world.drain();
    let failed = parse_events(&packed)
        .unwrap()
        .into_iter()
        .filter(|event| matches!(event, Event::LogDirFailed { path, .. } if *path == "/data"));
    assert_eq!(failed.count(), 1);
    world.send(conn, &produce(2, -1, 1, b"y"));
    let received = replies(&world.receive(conn));
    for (_, body) in received {
        // One topic, one partition: its error code stands behind the topic's name and the partition's index.
        assert_eq!(i16::from_be_bytes(body[20..22].try_into().unwrap()), 56, "KAFKA_STORAGE_ERROR");
    }
    stop(&mut world);
    assert!(
        !names(&world.storage).contains(&".kafka_cleanshutdown".to_owned()),
        "and its stop is no clean one"
    );
}

#[test]
fn a_segment_that_cannot_be_sent_takes_its_log_directory_offline_and_no_other() {
    let log_dirs = vec!["/data".into(), "/more".into()];
    let mut world = World::new(NodeOptions { log_dirs, ..options() });
    world.create_topic(2, &[]);
    let (reader, other) = (world.connect(0), world.connect(0));
    let dir_of = |world: &World, index: i32| {
        world.node.topics().partition(Uuid(TOPIC), index).unwrap().dir().parent().unwrap().to_path_buf()
    };
    let lost = (0..2).find(|index| dir_of(&world, *index) == Path::new("/more")).unwrap();
    for index in 0..2 {
        world.send(other, &produce(index, -1, index, b"x"));
    }
    world.drain();
    world.receive(other);
    world.storage.fail_next(SimOperation::Read, Fault::Error(std::io::ErrorKind::Other));
    world.send(reader, &fetch(9, lost, 0, 0, 1));
    let packed = world.drain();
    let failed = parse_events(&packed).unwrap().into_iter().filter_map(|event| match event {
        Event::LogDirFailed { path, message } => Some((path.to_owned(), message.to_owned())),
        _ => None,
    });
    let [(path, message)] = failed.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(path, "/more");
    assert!(message.starts_with(&format!("/more/events-{lost}: ")), "{message}");
    assert!(world.ended.contains_key(&reader), "half a reply is none");
    for index in 0..2 {
        world.send(other, &produce(index, -1, index, b"y"));
        let [(_, body)] = replies(&world.receive(other)).try_into().unwrap();
        let error = i16::from_be_bytes(body[20..22].try_into().unwrap());
        assert_eq!(error, if index == lost { 56 } else { 0 });
    }
}

#[test]
fn listeners_are_the_shells_and_their_fate_is_told() {
    let mut world = World::new(options());
    world.drain();
    world.submit(&[
        Command::SetListener { name: "A", host: "127.0.0.1", port: 0, security_protocol: "PLAINTEXT" },
        Command::RemoveListener { name: "B" },
    ]);
    let listen = ShellAction::Listen {
        name: "A".into(),
        host: "127.0.0.1".into(),
        port: 0,
        security_protocol: "PLAINTEXT".into(),
    };
    assert_eq!(world.node.take_shell_actions(), [listen, ShellAction::Unlisten { name: "B".into() }]);
    world.node.listener_up("A", "127.0.0.1", 9092);
    assert!(world.node.take_wakes().js);
    let packed = world.drain();
    assert_eq!(
        parse_events(&packed).unwrap(),
        [Event::ListenerUp { name: "A", host: "127.0.0.1", port: 9092 }]
    );
}

#[test]
fn a_folder_of_another_cluster_is_refused_by_name() {
    let world = World::new(options());
    let mut other = options();
    other.cluster_id = "AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    let refused = Node::open(other, Arc::new(world.storage.clone()), 1, world.now).err().unwrap().to_string();
    assert_eq!(
        refused,
        "log directory /data belongs to cluster.id Mmqd3hZbTKmFbpBZnEjrcQ by its meta.properties, this broker is AAAAAAAAAAAAAAAAAAAAAA"
    );
}

#[test]
fn a_malformed_batch_changes_nothing() {
    let mut world = World::new(options());
    world.drain();
    let mut batch = Vec::new();
    Command::RemoveListener { name: "A" }.write(&mut batch);
    batch.extend([0, 0, 0, 1, 99]);
    assert!(world.node.submit(&batch, world.now).is_err());
    assert!(world.node.take_shell_actions().is_empty());
}

#[test]
fn a_stop_answers_what_is_appended_and_waits_no_longer_than_its_grace_for_readers() {
    let mut world = World::new(options());
    world.create_topic(1, &[("flush.messages", "1")]);
    let (producer, deaf) = (world.connect(0), world.connect(1));
    world.deaf.insert(deaf);
    world.send(deaf, &fetch(1, 0, 0, 0, 0));
    world.runs_effects = false;
    world.send(producer, &produce(1, -1, 0, b"x"));
    world.submit(&[Command::Shutdown]);
    assert_eq!(world.try_connect(0, "127.0.0.1:9"), Err(AcceptError::Stopping));
    assert!(world.receive(producer).is_empty());
    world.runs_effects = true;
    world.run();
    assert_eq!(correlation_ids(&world.receive(producer)), [1], "its append was synced, so it is acked");
    assert!(!world.node.is_stopped(), "one client still reads, perhaps");
    world.advance(1000);
    assert!(world.node.is_stopped());
}

#[test]
fn stats_are_json_and_count_what_happened() {
    let mut world = World::new(options());
    world.create_topic(3, &[]);
    let conn = world.connect(1);
    world.send(conn, &produce(1, -1, 0, b"x"));
    world.send(conn, &fetch(2, 1, 0, 60_000, 1));
    let stats: serde_json::Value = serde_json::from_str(&world.node.stats()).unwrap();
    assert_eq!(
        (&stats["connections"], &stats["partitions"], &stats["parkedRequests"]),
        (&1.into(), &3.into(), &1.into())
    );
    assert_eq!((&stats["requests"]["produce"], &stats["requests"]["fetch"]), (&1.into(), &1.into()));
}

#[test]
fn a_lone_voter_rests_between_ticks_but_for_a_checkpoint_a_minute() {
    let mut world = World::new(options());
    world.create_topic(1, &[("flush.messages", "1")]);
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"x"));
    let path = Path::new("/data/recovery-point-offset-checkpoint");
    let end = world.now.monotonic_ms + 60_000;
    let mut calls = 0;
    while world.now.monotonic_ms < end {
        assert!(!world.storage.exists(path).unwrap());
        world.now.monotonic_ms = world.node.tick(world.now);
        world.run();
        calls += 1;
    }
    assert!(calls <= 60, "{calls} calls");
    world.node.tick(world.now);
    world.run();
    let checkpoint = world.storage.read_to_vec(path).unwrap();
    assert_eq!(String::from_utf8(checkpoint).unwrap(), "0\n1\nevents 0 1\n");
}

#[test]
fn the_description_tells_sizes_of_logs_by_directory_and_the_state_of_the_quorum() {
    let mut world = World::new(options());
    world.create_topic(2, &[]);
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"x"));
    let description: serde_json::Value = serde_json::from_str(&world.node.describe()).unwrap();
    let dir = &description["logDirs"][0];
    assert_eq!(dir["online"], true);
    let sizes: Vec<(i64, bool)> = dir["partitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["partition"].as_i64().unwrap(), one["size"].as_u64().unwrap() > 61))
        .collect();
    assert_eq!(sizes, [(0, true), (1, false)]);
    let quorum = &description["quorum"];
    assert_eq!(quorum["voters"][0]["logEndOffset"], quorum["highWatermark"]);
    assert_eq!(quorum["voters"][0]["nodeId"], quorum["leaderId"]);
}

#[test]
fn producers_that_fell_silent_are_forgotten_while_the_node_runs() {
    let mut options = options();
    let pairs =
        [("producer.id.expiration.ms", "3600000"), ("producer.id.expiration.check.interval.ms", "60000")];
    options.defaults = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let mut world = World::new(options);
    world.create_topic(1, &[]);
    let partition = world.node.topics().partition(Uuid(TOPIC), 0).unwrap();
    let mut notices = Notices::default();
    append_in_txn(&partition, 7, 0, 1, &mut notices);
    end_txn(&partition, 7, true, &mut notices);
    append_in_txn(&partition, 8, 0, 1, &mut notices);
    let mut remembered = |ms| {
        world.advance(ms);
        world.node.tick(world.now);
        world.run();
        let ids = partition.active_producers().unwrap().into_iter().map(|producer| producer.producer_id);
        ids.collect::<Vec<i64>>()
    };
    assert_eq!(remembered(59 * 60_000), [7, 8]);
    assert_eq!(remembered(60_000), [8], "but never one with an open transaction");
    assert_eq!(remembered(30 * 3_600_000), [8]);
}

#[test]
fn heartbeats_wait_a_moment_for_company_and_leave_with_whatever_comes() {
    let mut world = World::new(options());
    let conn = world.connect(0);
    let start = |world: &mut World, api_key: i16| {
        world.hand(conn, &request(api_key, 0, 1, b""));
        world.node.take_wakes().js
    };
    let pass = |world: &mut World, ms: i64| {
        world.now.monotonic_ms += ms;
        let now = world.now;
        world.reactor(conn).on_deadline(now);
        world.node.take_wakes().js
    };
    let (heartbeat, metadata) = (12, 3);
    world.drain();
    world.node.take_wakes();

    assert!(!start(&mut world, heartbeat));
    assert!(!pass(&mut world, 1));
    assert!(!start(&mut world, heartbeat));
    assert!(pass(&mut world, 1), "the first has waited long enough");
    assert_eq!(world.control_requests().len(), 2);

    assert!(!start(&mut world, heartbeat));
    assert!(start(&mut world, metadata), "somebody waits for this one");
    assert!(!pass(&mut world, 2), "both are on their way");
    assert_eq!(world.control_requests().len(), 2);
}
