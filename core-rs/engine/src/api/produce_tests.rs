//! Produce, from frames to replies, against partitions on a simulated disk.

use millrace_record::{BatchSpec, Codec, split_batches};

use super::testing::message::fields;
use super::testing::schema::{PRODUCE_REQUEST, PRODUCE_RESPONSE};
use super::testing::world::{Fetch, only, parked, replied, reply_of, waiter};
use super::testing::{Value, World, encode};
use super::{Authorizer, ErrorCode, Operation, Outcome, Resource};
use crate::partition::testing::{
    NO_PATIENCE, batch, batch_of, batch_of_bytes, compressed, idempotent, synced_config,
};
use crate::partition::{Notices, PartitionConfig};
use crate::storage::{Fault, SimOperation};

fn error(answer: &Value) -> ErrorCode {
    ErrorCode(answer.int("errorCode") as i16)
}

fn records(world: &mut World, offset: i64) -> Vec<u8> {
    let reply = world.fetch(12, &Fetch::default(), &[("t", 0, offset)]);
    only(only(reply.items("responses")).items("partitions")).bytes("records").to_vec()
}

#[test]
fn every_version_appends_and_answers_the_offset() {
    let mut world = World::new();
    for (place, version) in (3..=13).enumerate() {
        let answer = world.produce(version, "t", 0, batch(3));
        assert_eq!(error(&answer), ErrorCode::NONE, "version {version}");
        assert_eq!(answer.int("baseOffset"), place as i64 * 3);
        assert_eq!(answer.int("logAppendTimeMs"), -1);
        if version >= 5 {
            assert_eq!(answer.int("logStartOffset"), 0);
        }
        if version >= 8 {
            assert_eq!(answer.get("errorMessage"), &Value::Null);
            assert!(answer.items("recordErrors").is_empty());
        }
    }
    assert_eq!(world.partition(0).high_watermark(), 33);
}

#[test]
fn what_is_stored_is_what_was_sent_with_offset_and_epoch_patched() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(2));
    world.produce(9, "t", 0, compressed(Codec::Lz4, 5));
    let bytes = records(&mut world, 0);
    let batches: Vec<_> = split_batches(&bytes).map(Result::unwrap).collect();
    let heads: Vec<_> = batches.iter().map(|b| (b.base_offset, b.partition_leader_epoch, b.count)).collect();
    assert_eq!(heads, [(0, 3, 2), (2, 3, 5)]);
    assert!(batches.iter().all(|batch| batch.check_crc().is_ok()));
    let sent = compressed(Codec::Lz4, 5);
    assert_eq!(batches[1].bytes()[16..], sent[16..], "all but offset and epoch");
}

#[test]
fn log_append_time_stamps_the_batch_and_is_told() {
    let config = PartitionConfig::default().with([("message.timestamp.type", "LogAppendTime")]).unwrap();
    let mut world = World::with_config(config);
    world.now.wall_ms = 1_800_000_000_123;
    let answer = world.produce(9, "t", 0, batch(2));
    assert_eq!(answer.int("logAppendTimeMs"), 1_800_000_000_123);
    let bytes = records(&mut world, 0);
    let stored = split_batches(&bytes).next().unwrap().unwrap();
    assert_eq!(stored.max_timestamp, 1_800_000_000_123);
    assert_eq!(stored.attributes & 8, 8);
    stored.check_crc().unwrap();
}

#[test]
fn a_refused_partition_harms_no_other() {
    let mut world = World::new();
    let mut corrupt = batch(1);
    *corrupt.last_mut().unwrap() ^= 1;
    let asked = [
        ("t", 0, batch(1)),
        ("t", 1, corrupt),
        ("t", 2, batch(1)),
        ("nobody", 0, batch(1)),
        ("__offsets", 0, batch(1)),
        ("t", 1, batch(4)),
    ];
    let outcome = world.produce_outcome(12, 1, &asked);
    let reply = reply_of(&PRODUCE_RESPONSE, 12, replied(outcome));
    let answers: Vec<(ErrorCode, i64)> = reply
        .items("responses")
        .iter()
        .flat_map(|topic| topic.items("partitionResponses"))
        .map(|answer| (error(answer), answer.int("baseOffset")))
        .collect();
    assert_eq!(
        answers,
        [
            (ErrorCode::NONE, 0),
            (ErrorCode::CORRUPT_MESSAGE, -1),
            (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1),
            (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1),
            (ErrorCode::INVALID_TOPIC_EXCEPTION, -1),
            (ErrorCode::NONE, 0),
        ]
    );
    assert_eq!(reply.items("responses").len(), 4, "topics come back as they were asked");
    assert_eq!(world.partition(1).high_watermark(), 4);
}

#[test]
fn a_partition_named_twice_appends_twice() {
    let mut world = World::new();
    let outcome = world.produce_outcome(9, -1, &[("t", 0, batch(2)), ("t", 0, batch(3))]);
    let reply = reply_of(&PRODUCE_RESPONSE, 9, replied(outcome));
    let offsets: Vec<i64> = only(reply.items("responses"))
        .items("partitionResponses")
        .iter()
        .map(|answer| answer.int("baseOffset"))
        .collect();
    assert_eq!(offsets, [0, 2]);
}

#[test]
fn an_unknown_topic_id_has_its_own_error() {
    let answer = World::new().produce(13, "nobody", 0, batch(1));
    assert_eq!(error(&answer), ErrorCode::UNKNOWN_TOPIC_ID);
}

#[test]
fn bad_batches_get_kafkas_errors_and_leave_nothing_behind() {
    let mut world = World::new();
    let mut old_magic = batch(1);
    old_magic[16] = 0;
    let mut future_magic = batch(1);
    future_magic[16] = 9;
    let mut lying_length = batch(1);
    lying_length[8..12].copy_from_slice(&i32::MAX.to_be_bytes());
    let mut cut = batch(1);
    cut.truncate(70);
    let two = [batch(1), batch(1)].concat();
    let (mut short, mut headless, mut placed) = (batch(1), batch(1), batch(1));
    short[8..12].copy_from_slice(&13i32.to_be_bytes());
    headless[8..12].copy_from_slice(&40i32.to_be_bytes());
    placed[..8].copy_from_slice(&5i64.to_be_bytes());
    let control = batch_of(BatchSpec { is_control: true, ..BatchSpec::default() }, 1);
    let cases = [
        (Vec::new(), ErrorCode::INVALID_RECORD),
        (two, ErrorCode::INVALID_RECORD),
        (old_magic, ErrorCode::INVALID_RECORD),
        (control, ErrorCode::INVALID_RECORD),
        (future_magic, ErrorCode::CORRUPT_MESSAGE),
        // What is cut is no batch for Kafka, and one without records is none at all.
        (lying_length, ErrorCode::INVALID_RECORD),
        (cut, ErrorCode::INVALID_RECORD),
        (vec![0; 5], ErrorCode::INVALID_RECORD),
        (short, ErrorCode::CORRUPT_MESSAGE),
        (headless, ErrorCode::CORRUPT_MESSAGE),
        ([batch(1), vec![0; 12]].concat(), ErrorCode::CORRUPT_MESSAGE),
        (placed, ErrorCode::INVALID_RECORD),
        (batch_of_bytes(1_048_588), ErrorCode::MESSAGE_TOO_LARGE),
    ];
    for (place, (bytes, expected)) in cases.into_iter().enumerate() {
        let answer = world.produce(9, "t", 0, bytes);
        assert_eq!((error(&answer), answer.int("baseOffset")), (expected, -1), "case {place}");
        assert_ne!(answer.get("errorMessage"), &Value::Null);
    }
    assert_eq!(world.partition(0).offsets().log_end, 0);
}

#[test]
fn what_is_cut_off_after_a_batch_is_passed_over() {
    let mut world = World::new();
    let one = batch(1);
    for rest in [&one[..5], &one[..16], &one[..60]] {
        let answer = world.produce(9, "t", 0, [&one[..], rest].concat());
        assert_eq!(error(&answer), ErrorCode::NONE);
    }
    let mut stored = records(&mut world, 0);
    assert_eq!(stored.len(), 3 * one.len());
    assert_eq!(split_batches(&stored).map_while(Result::ok).count(), 3);
    stored.truncate(one.len());
    assert_eq!(stored[17..], one[17..]);
}

#[test]
fn a_bomb_is_refused_at_the_cap() {
    let config = PartitionConfig::default().with([("max.message.bytes", "4096")]).unwrap();
    let mut world = World::with_config(config);
    let mut builder =
        millrace_record::BatchBuilder::new(BatchSpec { codec: Codec::Zstd, ..BatchSpec::default() });
    builder.append(-1, Some(b"k"), Some(&vec![0; 4 << 20]), &[]).unwrap();
    let bomb = builder.finish().unwrap();
    assert!(bomb.len() < 4096);
    assert_eq!(error(&world.produce(9, "t", 0, bomb)), ErrorCode::MESSAGE_TOO_LARGE);
    assert_eq!(error(&world.produce(9, "t", 0, compressed(Codec::Zstd, 5))), ErrorCode::NONE);
}

#[test]
fn zstd_needs_version_7() {
    let mut world = World::new();
    let answer = world.produce(6, "t", 0, compressed(Codec::Zstd, 2));
    assert_eq!(error(&answer), ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    let answer = world.produce(7, "t", 0, compressed(Codec::Zstd, 2));
    assert_eq!(error(&answer), ErrorCode::NONE);
}

#[test]
fn a_timestamp_too_far_ahead_names_its_record() {
    let mut world = World::new();
    world.now.wall_ms -= 60 * 60 * 1000 - 1;
    // Records are stamped noon, noon + 1, noon + 2: from the third on it is more than an hour ahead.
    let answer = world.produce(8, "t", 0, batch(3));
    assert_eq!(error(&answer), ErrorCode::INVALID_TIMESTAMP);
    assert_eq!(only(answer.items("recordErrors")).int("batchIndex"), 2);
}

#[test]
fn a_compacted_topic_refuses_a_record_without_key() {
    let config = PartitionConfig::default().with([("cleanup.policy", "compact")]).unwrap();
    let mut world = World::with_config(config);
    let mut builder = millrace_record::BatchBuilder::new(BatchSpec::default());
    builder.append(-1, Some(b"k"), Some(b"v"), &[]).unwrap();
    builder.append(-1, None, Some(b"v"), &[]).unwrap();
    let answer = world.produce(8, "t", 0, builder.finish().unwrap());
    assert_eq!(error(&answer), ErrorCode::INVALID_RECORD);
    assert_eq!(only(answer.items("recordErrors")).int("batchIndex"), 1);
}

#[test]
fn idempotent_retries_get_the_first_answer() {
    let mut world = World::new();
    for (base_sequence, offset) in [(0, 0), (3, 3), (0, 0), (3, 3), (6, 6)] {
        let answer = world.produce(9, "t", 0, idempotent(42, 0, base_sequence, 3));
        assert_eq!((error(&answer), answer.int("baseOffset")), (ErrorCode::NONE, offset));
    }
    let answer = world.produce(9, "t", 0, idempotent(42, 0, 12, 3));
    assert_eq!(error(&answer), ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    assert_eq!(error(&world.produce(9, "t", 0, idempotent(42, 1, 0, 3))), ErrorCode::NONE);
    let answer = world.produce(9, "t", 0, idempotent(42, 0, 9, 3));
    assert_eq!(error(&answer), ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(world.partition(0).high_watermark(), 12);
}

#[test]
fn a_transactional_batch_is_never_appended() {
    let mut world = World::new();
    let bytes = batch_of(
        BatchSpec {
            producer_id: 5,
            producer_epoch: 0,
            base_sequence: 0,
            is_transactional: true,
            ..BatchSpec::default()
        },
        1,
    );
    let answer = world.produce(9, "t", 0, bytes.clone());
    assert_eq!(error(&answer), ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "no transactional id");
    let partition = fields! { "index": 0, "records": bytes };
    let topic = fields! { "name": "t", "partitionData": vec![partition] };
    let body = fields! { "transactionalId": "tx", "acks": -1, "timeoutMs": 1000, "topicData": vec![topic] };
    let outcome = world.send(0, 11, &encode(&PRODUCE_REQUEST, 11, &body));
    let reply = reply_of(&PRODUCE_RESPONSE, 11, replied(outcome));
    let answer = only(only(reply.items("responses")).items("partitionResponses"));
    assert_eq!(error(answer), ErrorCode::INVALID_TXN_STATE);
    assert_eq!(world.partition(0).offsets().log_end, 0);
}

#[test]
fn unknown_acks_are_refused_for_every_partition() {
    let mut world = World::new();
    let outcome = world.produce_outcome(9, 2, &[("t", 0, batch(1)), ("t", 1, batch(1))]);
    let reply = reply_of(&PRODUCE_RESPONSE, 9, replied(outcome));
    for answer in only(reply.items("responses")).items("partitionResponses") {
        assert_eq!(error(answer), ErrorCode::INVALID_REQUIRED_ACKS);
    }
    assert_eq!(world.partition(0).offsets().log_end, 0);
    // Whatever Kafka looks at before it looks at the acks keeps its own error.
    let others = [("t", 7, batch(1)), ("nobody", 0, batch(1)), ("t", 0, Vec::new())];
    let reply = reply_of(&PRODUCE_RESPONSE, 9, replied(world.produce_outcome(9, 2, &others)));
    let errors: Vec<ErrorCode> = reply
        .items("responses")
        .iter()
        .flat_map(|topic| topic.items("partitionResponses"))
        .map(error)
        .collect();
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    assert_eq!(errors, [unknown, unknown, ErrorCode::INVALID_RECORD]);
}

#[test]
fn acks_0_gets_no_reply_and_an_error_closes_the_connection() {
    let mut world = World::new();
    assert!(matches!(world.produce_outcome(9, 0, &[("t", 0, batch(1))]), Outcome::NoReply));
    assert_eq!(world.partition(0).high_watermark(), 1);
    let outcome = world.produce_outcome(9, 0, &[("t", 5, batch(1))]);
    let Outcome::Close(reason) = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("partition 5 with error 3"), "{reason}");
}

#[test]
fn a_malformed_frame_appends_nothing_of_what_came_before_the_lie() {
    let mut world = World::new();
    let partition = |index: i64| fields! { "index": index, "records": batch(1) };
    let topic = fields! { "name": "t", "partitionData": vec![partition(0), partition(1)] };
    let body = fields! {
        "transactionalId": Value::Null, "acks": -1, "timeoutMs": 1000, "topicData": vec![topic],
    };
    let whole = encode(&PRODUCE_REQUEST, 8, &body);
    for end in 0..whole.len() {
        let outcome = world.send(0, 8, &whole[..end]);
        assert!(matches!(outcome, Outcome::Close(_)), "cut at {end}");
    }
    assert_eq!(world.partition(0).offsets().log_end, 0);
}

#[test]
fn a_follower_refuses() {
    let mut world = World::new();
    world.partition(0).follow(4, &mut world.notices);
    assert_eq!(error(&world.produce(9, "t", 0, batch(1))), ErrorCode::NOT_LEADER_OR_FOLLOWER);
}

#[derive(Debug)]
struct ReadOnly;

impl Authorizer for ReadOnly {
    fn authorize(&self, principal: &str, operation: Operation, _resource: Resource<'_>) -> bool {
        assert_eq!(principal, "User:ANONYMOUS");
        operation != Operation::Write
    }
}

#[test]
fn whoever_does_not_lead_says_so_whatever_the_batch_is_worth() {
    let mut world = World::new();
    world.partition(0).follow(4, &mut world.notices);
    let mut spoilt = batch(1);
    spoilt[30] ^= 1;
    assert_eq!(error(&world.produce(9, "t", 0, spoilt)), ErrorCode::NOT_LEADER_OR_FOLLOWER);
}

#[test]
fn a_waiting_producer_is_told_the_new_leader() {
    let mut world = World::with_config(synced_config());
    let mut waiting = parked(world.produce_outcome(10, -1, &[("t", 0, batch(2))]));
    world.partition(0).set_assignment(5, 1, 1);
    world.partition(0).follow(4, &mut world.notices);
    let now = world.now;
    let reply = waiting.try_complete(now, waiter(1), &mut world.notices).unwrap();
    let reply = reply_of(&PRODUCE_RESPONSE, 10, reply);
    let answer = only(only(reply.items("responses")).items("partitionResponses"));
    assert_eq!((error(answer), answer.int("baseOffset")), (ErrorCode::NOT_LEADER_OR_FOLLOWER, 0));
    assert_eq!(answer.get("currentLeader").int("leaderId"), 5);
}

#[test]
fn a_principal_without_write_gets_the_authorization_error() {
    let mut world = World::new();
    world.authorizer = Box::new(ReadOnly);
    assert_eq!(error(&world.produce(9, "t", 0, batch(1))), ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    assert_eq!(world.partition(0).offsets().log_end, 0);
}

#[test]
fn with_flush_messages_1_acks_all_waits_for_the_sync_and_acks_1_does_not() {
    let mut world = World::with_config(synced_config());
    let outcome = world.produce_outcome(9, 1, &[("t", 0, batch(1))]);
    replied(outcome);
    let mut first = parked(world.produce_outcome(9, -1, &[("t", 0, batch(2))]));
    assert_eq!(world.notices.effects.len(), 1, "one sync for both");
    assert_eq!(first.deadline_ms(), world.now.monotonic_ms + 1000);
    let mut notices = Notices::default();
    assert!(first.try_complete(world.now, waiter(2), &mut notices).is_none());
    world.run_effects();
    assert_eq!(world.notices.waiters, [waiter(2)]);
    let reply = first.try_complete(world.now, waiter(2), &mut notices).unwrap();
    let reply = reply_of(&PRODUCE_RESPONSE, 9, reply);
    let answer = only(only(reply.items("responses")).items("partitionResponses"));
    assert_eq!((error(answer), answer.int("baseOffset")), (ErrorCode::NONE, 1));
    assert_eq!(world.partition(0).waiter_count(), 0);
}

#[test]
fn a_duplicate_waits_like_the_original() {
    let mut world = World::with_config(synced_config());
    let mut first = parked(world.produce_outcome(9, -1, &[("t", 0, idempotent(4, 0, 0, 2))]));
    let mut again = parked(world.produce_outcome(9, -1, &[("t", 0, idempotent(4, 0, 0, 2))]));
    world.run_effects();
    let now = world.now;
    assert_eq!(world.notices.waiters, [waiter(1), waiter(2)]);
    assert!(first.try_complete(now, waiter(1), &mut world.notices).is_some());
    assert!(again.try_complete(now, waiter(2), &mut world.notices).is_some());
    replied(world.produce_outcome(9, -1, &[("t", 0, idempotent(4, 0, 0, 2))]));
}

#[test]
fn a_partition_waited_for_twice_is_left_only_when_both_are_done() {
    let mut world = World::with_config(synced_config());
    replied(world.produce_outcome(9, 1, &[("t", 0, idempotent(4, 0, 0, 2))]));
    // The first entry is the larger wait, the second a duplicate that needs less.
    let asked = [("t", 0, idempotent(4, 0, 2, 2)), ("t", 0, idempotent(4, 0, 0, 2))];
    let effect = world.notices.effects.pop().unwrap();
    let mut both = parked(world.produce_outcome(9, -1, &asked));
    assert_eq!(world.partition(0).waiter_count(), 1);
    effect.run(NO_PATIENCE, &mut world.notices);
    let now = world.now;
    assert!(both.try_complete(now, waiter(2), &mut world.notices).is_some());
    assert_eq!(world.partition(0).waiter_count(), 0);
}

#[test]
fn the_timeout_answers_timed_out_and_the_data_stays() {
    let mut world = World::with_config(synced_config());
    let mut late = parked(world.produce_outcome(9, -1, &[("t", 0, batch(2)), ("t", 7, batch(1))]));
    let now = world.now;
    let reply = reply_of(&PRODUCE_RESPONSE, 9, late.expire(now, waiter(1), &mut world.notices));
    let answers: Vec<(ErrorCode, i64, i64)> = only(reply.items("responses"))
        .items("partitionResponses")
        .iter()
        .map(|answer| (error(answer), answer.int("baseOffset"), answer.int("logStartOffset")))
        .collect();
    let unknown = (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1, -1);
    assert_eq!(answers, [(ErrorCode::REQUEST_TIMED_OUT, 0, 0), unknown], "and tells where it stands");
    assert_eq!(world.partition(0).waiter_count(), 0);
    assert_eq!(world.partition(0).offsets().log_end, 2);
}

#[test]
fn a_failed_sync_answers_storage_errors_for_good() {
    let mut world = World::with_config(synced_config());
    let mut waiting = parked(world.produce_outcome(9, -1, &[("t", 0, batch(2))]));
    let mut gone = parked(world.produce_outcome(9, -1, &[("t", 0, batch(2))]));
    gone.cancel(waiter(2));
    world.disk.fail_next(SimOperation::Sync, Fault::Error(std::io::ErrorKind::Other));
    world.run_effects();
    assert_eq!(world.notices.failures.len(), 1);
    assert_eq!(world.notices.waiters, [waiter(1)]);
    let now = world.now;
    let reply = waiting.try_complete(now, waiter(1), &mut world.notices).unwrap();
    let reply = reply_of(&PRODUCE_RESPONSE, 9, reply);
    let answer = only(only(reply.items("responses")).items("partitionResponses"));
    assert_eq!(error(answer), ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(error(&world.produce(9, "t", 0, batch(1))), ErrorCode::KAFKA_STORAGE_ERROR);
    assert_eq!(world.partition(0).waiter_count(), 0);
    replied(world.produce_outcome(9, 1, &[("t", 1, batch(1))]));
}
