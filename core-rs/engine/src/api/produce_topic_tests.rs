//! What a topic's configuration makes of a produce: codec, timestamps, keys, sizes, replicas in sync.

use millrace_record::{BatchBuilder, BatchSpec, BatchView, Codec};

use super::ErrorCode;
use super::testing::world::{Fetch, replied};
use super::testing::{Value, World};
use crate::partition::PartitionConfig;
use crate::partition::testing::{NOON, batch, compressed};

fn error(answer: &Value) -> ErrorCode {
    ErrorCode(answer.int("errorCode") as i16)
}

/// The one batch that stands in partition 0.
fn stored(world: &mut World) -> Vec<u8> {
    let reply = world.fetch(12, &Fetch::default(), &[("t", 0, 0)]);
    reply.items("responses")[0].items("partitions")[0].bytes("records").to_vec()
}

#[test]
fn a_topic_with_a_codec_of_its_own_keeps_every_batch_in_it() {
    for target in Codec::ALL {
        for source in Codec::ALL {
            for kind in ["CreateTime", "LogAppendTime"] {
                let name = if target == Codec::None { "uncompressed" } else { target.name() };
                let pairs = [("compression.type", name), ("message.timestamp.type", kind)];
                let mut world = World::with_config(PartitionConfig::default().with(pairs).unwrap());
                let mut builder = BatchBuilder::new(BatchSpec {
                    codec: source,
                    producer_id: 5,
                    producer_epoch: 1,
                    base_sequence: 7,
                    ..BatchSpec::default()
                });
                let times = [world.now.wall_ms - 5, world.now.wall_ms - 9];
                builder.append(times[0], Some(b"k"), None, &[(b"h", Some(b"1")), (b"h", None)]).unwrap();
                builder.append(times[1], None, Some(&[7; 500]), &[]).unwrap();
                let sent = builder.finish().unwrap();
                let answer = world.produce(9, "t", 0, sent.clone());
                assert_eq!(error(&answer), ErrorCode::NONE, "{source} to {target}");
                let stamp = (kind == "LogAppendTime").then_some(world.now.wall_ms);
                assert_eq!(answer.int("logAppendTimeMs"), stamp.unwrap_or(-1));

                let bytes = stored(&mut world);
                let batch = BatchView::parse(&bytes).unwrap();
                batch.check_crc().unwrap();
                assert_eq!((batch.codec().unwrap(), batch.count, batch.base_offset), (target, 2, 0));
                assert_eq!((batch.producer_id, batch.producer_epoch, batch.base_sequence), (5, 1, 7));
                assert_eq!((batch.partition_leader_epoch, batch.last_offset_delta), (3, 1));
                assert_eq!(batch.max_timestamp, stamp.unwrap_or(times[0]));
                let mut records = batch.records(10_000).unwrap();
                let first = records.next_record().unwrap().unwrap();
                assert_eq!((first.offset, first.timestamp), (0, stamp.unwrap_or(times[0])));
                assert_eq!((first.key, first.value), (Some(&b"k"[..]), None));
                assert_eq!(
                    first.headers.map(|header| header.value).collect::<Vec<_>>(),
                    [Some(&b"1"[..]), None]
                );
                let second = records.next_record().unwrap().unwrap();
                assert_eq!((second.offset, second.timestamp), (1, stamp.unwrap_or(times[1])));
                assert_eq!((second.key, second.value), (None, Some(&[7; 500][..])));
                if source == target && stamp.is_none() {
                    assert_eq!(bytes[21..], sent[21..], "left as it came");
                }
                // A retry finds the first attempt although its bytes were others.
                assert_eq!(world.produce(9, "t", 0, sent).int("baseOffset"), 0);
            }
        }
    }
}

#[test]
fn the_size_that_counts_is_also_the_stored_one() {
    let pairs = [("compression.type", "uncompressed"), ("max.message.bytes", "1000")];
    let mut world = World::with_config(PartitionConfig::default().with(pairs).unwrap());
    let mut builder = BatchBuilder::new(BatchSpec { codec: Codec::Gzip, ..BatchSpec::default() });
    builder.append(NOON.wall_ms, Some(b"k"), Some(&[0; 970]), &[]).unwrap();
    let sent = builder.finish().unwrap();
    assert!(sent.len() < 1000);
    assert_eq!(error(&world.produce(9, "t", 0, sent)), ErrorCode::MESSAGE_TOO_LARGE);
    assert_eq!(error(&world.produce(9, "t", 0, compressed(Codec::Gzip, 3))), ErrorCode::NONE);
}

#[test]
fn levels_belong_to_their_codec() {
    let pairs = |level| [("compression.zstd.level", level), ("compression.type", "zstd")];
    let of = |level| PartitionConfig::default().with(pairs(level)).unwrap().compression.unwrap();
    assert_eq!((of("9").level, of("-3").level), (Some(9), Some(-3)));
    let sizes = ["1", "19"].map(|level| {
        let mut world = World::with_config(PartitionConfig::default().with(pairs(level)).unwrap());
        let word = |n: u32| ((n.wrapping_mul(2_654_435_761) >> 16) % 300).to_string().into_bytes();
        let text: Vec<u8> = (0..60_000).flat_map(word).collect();
        let mut builder = BatchBuilder::new(BatchSpec::default());
        builder.append(NOON.wall_ms, Some(b"k"), Some(&text), &[]).unwrap();
        assert_eq!(error(&world.produce(9, "t", 0, builder.finish().unwrap())), ErrorCode::NONE);
        stored(&mut world).len()
    });
    assert!(sizes[1] < sizes[0], "{sizes:?}");
    let gzip = [("compression.type", "gzip"), ("compression.gzip.level", "-1")];
    assert_eq!(PartitionConfig::default().with(gzip).unwrap().compression.unwrap().level, None);
    let changed = PartitionConfig::default().with(gzip).unwrap().with([("compression.type", "producer")]);
    assert_eq!(changed.unwrap().compression, None);
}

#[test]
fn every_refused_record_is_named_with_kafkas_words() {
    let config = PartitionConfig::default().with([("cleanup.policy", "compact")]).unwrap();
    let mut world = World::with_config(config);
    world.produce(9, "t", 1, batch(4));
    let mut builder = BatchBuilder::new(BatchSpec::default());
    for key in [None, Some(&b"k"[..]), None] {
        builder.append(-1, key, Some(b"v"), &[]).unwrap();
    }
    let answer = world.produce(8, "t", 1, builder.finish().unwrap());
    let each = "Compacted topic cannot accept message without key in topic partition t-1";
    let named: Vec<_> = answer.items("recordErrors").iter().map(|named| named.int("batchIndex")).collect();
    assert_eq!(named, [0, 2]);
    assert_eq!(answer.items("recordErrors")[1].get("batchIndexErrorMessage"), &Value::from(each));
    let whole = format!(
        "One or more records have been rejected due to 2 record errors in total, and only showing the first three \
         errors at most: [RecordError(batchIndex=0, message='{each}'), RecordError(batchIndex=2, message='{each}')]"
    );
    assert_eq!(answer.get("errorMessage"), &Value::from(whole.as_str()));
    assert_eq!(answer.int("logStartOffset"), 0, "told beside this error");
    let corrupt = world.produce(8, "t", 1, vec![0; 5]);
    assert_eq!(corrupt.int("logStartOffset"), -1, "and not beside that one");

    world.now.wall_ms -= 2 * 60 * 60 * 1000;
    let answer = world.produce(8, "t", 0, batch(2));
    assert_eq!((error(&answer), answer.items("recordErrors").len()), (ErrorCode::INVALID_TIMESTAMP, 2));
    let whole = "One or more records have been rejected due to invalid timestamp";
    assert_eq!(answer.get("errorMessage"), &Value::from(whole));
    let (now, noon) = (world.now.wall_ms, NOON.wall_ms);
    let second = format!(
        "Timestamp {} of message with offset 1 is out of range. The timestamp should be within [{}, {}]",
        noon + 1,
        now.saturating_sub(i64::MAX),
        now + 3_600_000
    );
    assert_eq!(answer.items("recordErrors")[1].get("batchIndexErrorMessage"), &Value::from(second.as_str()));
}

#[test]
fn log_append_time_asks_no_record_for_its_timestamp() {
    let pairs = [("message.timestamp.type", "LogAppendTime"), ("message.timestamp.before.max.ms", "10")];
    let mut world = World::with_config(PartitionConfig::default().with(pairs).unwrap());
    world.now.wall_ms += 1_000_000;
    assert_eq!(error(&world.produce(9, "t", 0, batch(2))), ErrorCode::NONE);
    let before = PartitionConfig::default().with([("message.timestamp.before.max.ms", "10")]).unwrap();
    let mut world = World::with_config(before);
    world.now.wall_ms += 11;
    let answer = world.produce(9, "t", 0, batch(2));
    let named: Vec<_> = answer.items("recordErrors").iter().map(|named| named.int("batchIndex")).collect();
    assert_eq!((error(&answer), named), (ErrorCode::INVALID_TIMESTAMP, vec![0]));
}

#[test]
fn acks_all_needs_enough_replicas_in_sync_and_never_more_than_there_are() {
    let config = PartitionConfig::default().with([("min.insync.replicas", "2")]).unwrap();
    let mut world = World::with_config(config);
    assert_eq!(error(&world.produce(9, "t", 0, batch(1))), ErrorCode::NONE, "one replica is all there is");
    world.partition(0).set_assignment(1, 3, 1);
    let answer = world.produce(9, "t", 0, batch(1));
    assert_eq!((error(&answer), answer.int("logStartOffset")), (ErrorCode::NOT_ENOUGH_REPLICAS, 0));
    replied(world.produce_outcome(9, 1, &[("t", 0, batch(1))]));
    assert_eq!(world.partition(0).offsets().log_end, 2, "acks=1 asks nobody");
    world.partition(0).set_assignment(1, 3, 2);
    assert_eq!(error(&world.produce(9, "t", 0, batch(1))), ErrorCode::NONE);
}

#[test]
fn who_comes_to_the_wrong_broker_is_told_the_leader_and_its_epoch() {
    let mut world = World::new();
    world.partition(0).set_assignment(7, 3, 2);
    world.partition(0).follow(5, &mut world.notices);
    for version in 3..=13 {
        let answer = world.produce(version, "t", 0, batch(1));
        assert_eq!(error(&answer), ErrorCode::NOT_LEADER_OR_FOLLOWER);
        let told = answer.has("currentLeader").then(|| answer.get("currentLeader"));
        let told = told.map(|leader| (leader.int("leaderId"), leader.int("leaderEpoch")));
        assert_eq!(told, (version >= 10).then_some((7, 5)), "version {version}");
    }
    for (version, leader_epoch, expected) in [
        (15, -1, ErrorCode::NOT_LEADER_OR_FOLLOWER),
        (16, -1, ErrorCode::NOT_LEADER_OR_FOLLOWER),
        (18, 4, ErrorCode::FENCED_LEADER_EPOCH),
        (18, 6, ErrorCode::UNKNOWN_LEADER_EPOCH),
    ] {
        let reply = world.fetch(version, &Fetch { leader_epoch, ..Fetch::default() }, &[("t", 0, 0)]);
        let answer = &reply.items("responses")[0].items("partitions")[0];
        assert_eq!(error(answer), expected);
        let told = answer.has("currentLeader").then(|| answer.get("currentLeader"));
        let told = told.map(|leader| (leader.int("leaderId"), leader.int("leaderEpoch")));
        let tells = version >= 16 && expected != ErrorCode::UNKNOWN_LEADER_EPOCH;
        assert_eq!(told, tells.then_some((7, 5)), "version {version}");
    }
    assert!(!world.produce(13, "t", 1, batch(1)).has("currentLeader"));
}

#[test]
fn a_topic_kept_in_zstd_is_not_for_clients_that_cannot_read_it() {
    let config = PartitionConfig::default().with([("compression.type", "zstd")]).unwrap();
    let mut world = World::with_config(config);
    for (version, expected) in [(9, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE), (10, ErrorCode::NONE)] {
        let reply = world.fetch(version, &Fetch::default(), &[("t", 0, 0)]);
        assert_eq!(error(&reply.items("responses")[0].items("partitions")[0]), expected);
    }
}
