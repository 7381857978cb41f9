//! ListOffsets, from frames to replies, against partitions on a simulated disk.

use flate2::read::GzDecoder;

use super::list_offsets::ListOffsetsRequest;
use super::testing::Value;
use super::testing::world::{List, World, materialise, only, replied};
use super::wire::{Reader, Writer};
use super::{Authorizer, ErrorCode, Operation, Resource};
use crate::partition::testing::{NOON, append_in_txn, batch, compressed, synced_config};
use crate::partition::{Notices, PartitionConfig};
use millrace_record::Codec;

fn error(answer: &Value) -> ErrorCode {
    ErrorCode(answer.int("errorCode") as i16)
}

fn ask(world: &mut World, version: i16, timestamp: i64) -> (ErrorCode, i64, i64) {
    let reply = world.list_offsets(version, &List::default(), &[("t", 0, timestamp)]);
    let answer = only(only(reply.items("topics")).items("partitions"));
    (error(answer), answer.int("timestamp"), answer.int("offset"))
}

const NONE: (ErrorCode, i64, i64) = (ErrorCode::NONE, -1, -1);

#[test]
fn every_version_answers_the_ends() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(5));
    for version in 1..=11 {
        assert_eq!(ask(&mut world, version, -1), (ErrorCode::NONE, -1, 5), "version {version}");
        assert_eq!(ask(&mut world, version, -2), (ErrorCode::NONE, -1, 0));
        let reply = world.list_offsets(version, &List::default(), &[("t", 0, -1)]);
        let answer = only(only(reply.items("topics")).items("partitions"));
        assert!(version < 4 || answer.int("leaderEpoch") == 3);
    }
}

#[test]
fn timestamps_are_exact_inside_compressed_batches_too() {
    let mut world = World::new();
    world.produce(9, "t", 0, compressed(Codec::Gzip, 5));
    world.produce(9, "t", 0, batch(10));
    let noon = NOON.wall_ms;
    assert_eq!(ask(&mut world, 9, noon + 3), (ErrorCode::NONE, noon + 3, 3));
    assert_eq!(ask(&mut world, 9, noon + 7), (ErrorCode::NONE, noon + 7, 12));
    assert_eq!(ask(&mut world, 9, 0), (ErrorCode::NONE, noon, 0));
    assert_eq!(ask(&mut world, 9, noon + 10), NONE, "in the future");
}

#[test]
fn special_timestamps_have_their_own_versions() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(5));
    let noon = NOON.wall_ms;
    let unsupported = (ErrorCode::UNSUPPORTED_VERSION, -1, -1);
    assert_eq!(ask(&mut world, 6, -3), unsupported);
    assert_eq!(ask(&mut world, 7, -3), (ErrorCode::NONE, noon + 4, 4));
    assert_eq!(ask(&mut world, 7, -4), unsupported);
    assert_eq!(ask(&mut world, 8, -4), (ErrorCode::NONE, -1, 0));
    assert_eq!(ask(&mut world, 8, -5), unsupported);
    assert_eq!(ask(&mut world, 9, -5), NONE);
    assert_eq!(ask(&mut world, 10, -6), unsupported);
    assert_eq!(ask(&mut world, 11, -6), NONE);
    assert_eq!(ask(&mut world, 11, -7), unsupported);
}

#[test]
fn an_empty_partition_has_ends_but_no_records() {
    let mut world = World::new();
    assert_eq!(ask(&mut world, 9, -1), (ErrorCode::NONE, -1, 0));
    assert_eq!(ask(&mut world, 9, -2), (ErrorCode::NONE, -1, 0));
    assert_eq!(ask(&mut world, 9, -3), NONE);
    assert_eq!(ask(&mut world, 9, 0), NONE);
}

#[test]
fn a_reader_of_committed_records_is_told_the_last_stable_offset_from_version_2_on() {
    let mut world = World::new();
    let partition = world.partition(0);
    append_in_txn(&partition, 42, 0, 1, &mut world.notices);
    for version in 1..=11 {
        for (isolation, expected) in [(0, 1), (1, if version >= 2 { 0 } else { 1 })] {
            let query = List { isolation, ..List::default() };
            let reply = world.list_offsets(version, &query, &[("t", 0, -1)]);
            let answer = &reply.items("topics")[0].items("partitions")[0];
            assert_eq!((answer.int("errorCode"), answer.int("offset")), (0, expected), "version {version}");
        }
    }
}

#[test]
fn an_isolation_level_that_there_is_not_fails_every_partition_as_in_kafka() {
    let mut world = World::new();
    for replica_id in [-1, -2] {
        let query = List { isolation: 7, replica_id, ..List::default() };
        let reply = world.list_offsets(5, &query, &[("t", 0, -1), ("t", 1, -2)]);
        let answers = reply.items("topics")[0].items("partitions");
        let told = answers.iter().map(|answer| (error(answer), answer.int("offset")));
        assert_eq!(told.collect::<Vec<_>>(), [(ErrorCode::UNKNOWN_SERVER_ERROR, -1); 2]);
    }
}

#[test]
fn nothing_is_told_of_what_an_earlier_leader_may_have_committed_before_that_is_known() {
    let mut world = World::with_config(synced_config());
    world.produce_outcome(9, 1, &[("t", 0, batch(2))]);
    world.partition(0).lead(4, &mut Notices::default());
    let ask = |world: &mut World, version, replica_id, timestamp| {
        let query = List { replica_id, ..List::default() };
        let reply = world.list_offsets(version, &query, &[("t", 0, timestamp)]);
        let answer = &reply.items("topics")[0].items("partitions")[0];
        (error(answer), answer.int("offset"))
    };
    for timestamp in [-1, -3, 0] {
        let not_yet = (ErrorCode::OFFSET_NOT_AVAILABLE, -1);
        assert_eq!(ask(&mut world, 7, -1, timestamp), not_yet, "timestamp {timestamp}");
    }
    assert_eq!(ask(&mut world, 4, -1, -1), (ErrorCode::LEADER_NOT_AVAILABLE, -1));
    assert_eq!(ask(&mut world, 7, -1, -2), (ErrorCode::NONE, 0), "the log start is known");
    assert_eq!(ask(&mut world, 7, -1, i64::MAX), (ErrorCode::NONE, -1), "as is that there is none");
    assert_eq!(ask(&mut world, 7, -2, -1), (ErrorCode::NONE, 2), "a debugging reader sees the log as it is");
    world.run_effects();
    assert_eq!(ask(&mut world, 7, -1, -1), (ErrorCode::NONE, 2));
}

#[test]
fn consumers_see_the_high_watermark_and_a_debugging_reader_the_end() {
    let mut world = World::with_config(synced_config());
    world.produce_outcome(9, 1, &[("t", 0, batch(5))]);
    for isolation in [0, 1] {
        let reply = world.list_offsets(9, &List { isolation, ..List::default() }, &[("t", 0, -1)]);
        assert_eq!(only(only(reply.items("topics")).items("partitions")).int("offset"), 0);
    }
    assert_eq!(ask(&mut world, 9, NOON.wall_ms), NONE);
    assert_eq!(ask(&mut world, 9, -3), NONE, "the largest timestamp is not readable yet");
    let reply = world.list_offsets(9, &List { replica_id: -2, ..List::default() }, &[("t", 0, -1)]);
    assert_eq!(only(only(reply.items("topics")).items("partitions")).int("offset"), 5);
    world.run_effects();
    assert_eq!(ask(&mut world, 9, -1), (ErrorCode::NONE, -1, 5));
}

#[test]
fn an_empty_log_begins_in_the_epoch_of_its_leader() {
    let mut world = World::new();
    for timestamp in [-1, -2] {
        let reply = world.list_offsets(9, &List::default(), &[("t", 0, timestamp)]);
        assert_eq!(only(only(reply.items("topics")).items("partitions")).int("leaderEpoch"), 3);
    }
}

#[test]
fn errors_stand_beside_answers() {
    let mut world = World::new();
    let asked = [("t", 0, -1), ("t", 7, -1), ("t", 1, -1), ("t", 1, -2), ("nobody", 0, -1)];
    let reply = world.list_offsets(9, &List::default(), &asked);
    let found: Vec<ErrorCode> =
        reply.items("topics").iter().flat_map(|topic| topic.items("partitions")).map(error).collect();
    assert_eq!(
        found,
        [
            ErrorCode::NONE,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            ErrorCode::INVALID_REQUEST,
            ErrorCode::INVALID_REQUEST,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ]
    );
    for (leader_epoch, expected) in [
        (-2, ErrorCode::FENCED_LEADER_EPOCH),
        (2, ErrorCode::FENCED_LEADER_EPOCH),
        (4, ErrorCode::UNKNOWN_LEADER_EPOCH),
    ] {
        let reply = world.list_offsets(9, &List { leader_epoch, ..List::default() }, &[("t", 0, -1)]);
        assert_eq!(error(only(only(reply.items("topics")).items("partitions"))), expected);
    }
}

#[derive(Debug)]
struct Nobody;

impl Authorizer for Nobody {
    fn authorize(&self, _: &str, operation: Operation, _: Resource<'_>) -> bool {
        operation != Operation::Describe
    }
}

#[test]
fn a_principal_without_describe_gets_the_authorization_error() {
    let mut world = World::new();
    world.authorizer = Box::new(Nobody);
    assert_eq!(ask(&mut world, 9, -1), (ErrorCode::TOPIC_AUTHORIZATION_FAILED, -1, -1));
}

/// Version 0 by hand, as the tables of the tests know only what Kafka 4 serves.
fn ask_v0(world: &mut World, partition: i32, timestamp: i64, count: i32) -> (ErrorCode, Vec<i64>) {
    let mut body = Writer::new(false, 64);
    body.i32(-1);
    body.array(1);
    body.string("t");
    body.array(1);
    body.i32(partition);
    body.i64(timestamp);
    body.i32(count);
    let reply = materialise(replied(world.send(2, 0, &body.into_bytes())));
    let mut reader = Reader::new(&reply, 4, false);
    assert_eq!((reader.array(1, "topics"), reader.string("name")), (Ok(1), Ok("t")));
    assert_eq!((reader.array(1, "partitions"), reader.i32("index")), (Ok(1), Ok(partition)));
    let error = ErrorCode(reader.i16("error").unwrap());
    let count = reader.array(8, "offsets").unwrap();
    let offsets = (0..count).map(|_| reader.i64("offset").unwrap()).collect();
    reader.finish().unwrap();
    (error, offsets)
}

#[test]
fn version_0_answers_with_the_starts_of_segments_newest_first() {
    let mut config = PartitionConfig::default();
    config.log.segment_bytes = 150;
    let mut world = World::with_config(config);
    for _ in 0..3 {
        world.produce(9, "t", 0, batch(5));
    }
    let none = |offsets: &[i64]| (ErrorCode::NONE, offsets.to_vec());
    assert_eq!(ask_v0(&mut world, 0, -1, 10), none(&[15, 10, 5, 0]));
    assert_eq!(ask_v0(&mut world, 0, -1, 2), none(&[15, 10]));
    assert_eq!(ask_v0(&mut world, 0, -2, 10), none(&[0]));
    assert_eq!(ask_v0(&mut world, 0, i64::MAX, 10), none(&[15, 10, 5, 0]));
    assert_eq!(ask_v0(&mut world, 0, NOON.wall_ms - 1, 10), none(&[]));
    assert_eq!(ask_v0(&mut world, 77, -1, 1), (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, vec![]));
}

#[test]
fn version_0_shows_a_consumer_nothing_above_the_high_watermark() {
    let mut world = World::with_config(synced_config());
    let _ = world.produce_outcome(9, 1, &[("t", 0, batch(5))]);
    // Kafka puts the high watermark in place of what is above it, even where a segment begins there too.
    assert_eq!(ask_v0(&mut world, 0, -1, 10), (ErrorCode::NONE, vec![0, 0]));
    world.run_effects();
    assert_eq!(ask_v0(&mut world, 0, -1, 10), (ErrorCode::NONE, vec![5, 0]));
}

#[test]
fn requests_of_version_0_are_read_as_kafka_wrote_them() {
    let packed: &[u8] = include_bytes!("../../../../test/wire/golden/apis-old.jsonl.gz");
    let frames = std::io::read_to_string(GzDecoder::new(packed)).unwrap();
    let of_version_0 =
        |line: &serde_json::Value| line["name"] == "ListOffsetsRequest" && line["version"] == 0;
    let frames: Vec<serde_json::Value> =
        frames.lines().map(|line| serde_json::from_str(line).unwrap()).filter(of_version_0).collect();
    assert!(!frames.is_empty());
    for frame in frames {
        let hex = frame["hex"].as_str().unwrap();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        let request = ListOffsetsRequest::read(Reader::new(&bytes, 0, false), 0).unwrap();
        let asked = frame["json"]["topics"].as_array().unwrap().iter();
        let asked: Vec<_> = asked.flat_map(|topic| topic["partitions"].as_array().unwrap()).collect();
        assert_eq!(request.partitions.len(), asked.len());
        for (read, asked) in request.partitions.iter().zip(asked) {
            assert_eq!(serde_json::json!(read.index), asked["partitionIndex"]);
            assert_eq!(serde_json::json!(read.timestamp), asked["timestamp"]);
            assert_eq!(serde_json::json!(read.max_offsets), asked["maxNumOffsets"]);
        }
    }
}
