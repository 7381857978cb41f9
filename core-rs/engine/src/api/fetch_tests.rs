//! Fetch, from frames to replies, against partitions on a simulated disk.

use millrace_record::split_batches;

use super::testing::Value;
use super::testing::schema::FETCH_RESPONSE;
use super::testing::world::{Fetch, World, parked, replied, reply_of, waiter};
use super::{Authorizer, ErrorCode, Operation, Outcome, Part, Resource};
use crate::partition::testing::{batch, batch_of_bytes, synced_config};
use crate::partition::{Notices, PartitionConfig};

pub(super) fn error(answer: &Value) -> ErrorCode {
    ErrorCode(answer.int("errorCode") as i16)
}

pub(super) fn partitions(reply: &Value) -> Vec<&Value> {
    reply.items("responses").iter().flat_map(|topic| topic.items("partitions")).collect()
}

/// Base offsets of the whole batches in an answer's records.
pub(super) fn bases(answer: &Value) -> Vec<i64> {
    let whole = split_batches(answer.bytes("records")).map_while(Result::ok);
    whole.map(|batch| batch.base_offset).collect()
}

pub(super) fn waiting(max_wait_ms: i64) -> Fetch {
    Fetch { max_wait_ms, ..Fetch::default() }
}

#[test]
fn every_version_reads_what_was_produced() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(3));
    world.produce(9, "t", 0, batch(2));
    for version in 4..=18 {
        let reply = world.fetch(version, &Fetch::default(), &[("t", 0, 0)]);
        let answer = partitions(&reply)[0].clone();
        assert_eq!(error(&answer), ErrorCode::NONE, "version {version}");
        assert_eq!(bases(&answer), [0, 3]);
        assert_eq!((answer.int("highWatermark"), answer.int("lastStableOffset")), (5, 5));
        assert_eq!(answer.get("abortedTransactions"), &Value::Null);
        if version >= 7 {
            assert_eq!((reply.int("errorCode"), reply.int("sessionId")), (0, 0));
        }
        if version >= 5 {
            assert_eq!(answer.int("logStartOffset"), 0);
        }
        if version >= 11 {
            assert_eq!(answer.int("preferredReadReplica"), -1);
        }
        if version >= 12 {
            assert!(!answer.has("divergingEpoch") && !answer.has("currentLeader"));
        }
    }
}

#[test]
fn record_bytes_leave_as_file_ranges() {
    let mut world = World::new();
    let sent = batch_of_bytes(10_000);
    world.produce(9, "t", 0, sent.clone());
    let parts = replied(world.fetch_outcome(12, &Fetch::default(), &[("t", 0, 0)]));
    let files: Vec<u64> = parts.iter().filter(|p| matches!(p, Part::File(_))).map(Part::len).collect();
    assert_eq!(files, [sent.len() as u64]);
    let copied: u64 = parts.iter().filter(|p| matches!(p, Part::Bytes(_))).map(Part::len).sum();
    assert!(copied < 150, "{copied} bytes beside the records");
}

#[test]
fn a_fetch_inside_a_batch_gets_that_batch() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(10));
    world.produce(9, "t", 0, batch(10));
    let reply = world.fetch(12, &Fetch::default(), &[("t", 0, 13)]);
    assert_eq!(bases(partitions(&reply)[0]), [10]);
}

#[test]
fn one_whole_batch_comes_even_above_every_bound_and_only_for_the_first_partition() {
    let mut world = World::new();
    let large = batch_of_bytes(5_000);
    world.produce(9, "t", 0, large.clone());
    world.produce(9, "t", 1, large.clone());
    let narrow = Fetch { max_bytes: 100, partition_max_bytes: 100, ..Fetch::default() };
    let reply = world.fetch(12, &narrow, &[("t", 1, 0), ("t", 0, 0)]);
    let answers = partitions(&reply);
    assert_eq!(answers[0].int("partitionIndex"), 1, "request order");
    assert_eq!(answers[0].bytes("records").len(), large.len());
    assert!(answers[1].bytes("records").is_empty());
    // An empty partition in front does not use up the rule.
    world.fetch(12, &narrow, &[("t", 0, 1), ("t", 1, 0)]);
    let reply = world.fetch(12, &narrow, &[("t", 0, 1), ("t", 1, 0)]);
    assert_eq!(partitions(&reply)[1].bytes("records").len(), large.len());
}

#[test]
fn byte_bounds_hold_over_partitions_and_over_the_request() {
    let mut world = World::new();
    let one = batch_of_bytes(1_000);
    for _ in 0..5 {
        world.produce(9, "t", 0, one.clone());
        world.produce(9, "t", 1, one.clone());
    }
    let len = one.len() as i64;
    let both = [("t", 0, 0), ("t", 1, 0)];
    let per_partition = Fetch { partition_max_bytes: 2 * len, ..Fetch::default() };
    let reply = world.fetch(12, &per_partition, &both);
    assert_eq!(partitions(&reply).iter().map(|p| bases(p).len()).collect::<Vec<_>>(), [2, 2]);
    let whole_request = Fetch { max_bytes: 6 * len, ..Fetch::default() };
    let reply = world.fetch(12, &whole_request, &both);
    assert_eq!(partitions(&reply).iter().map(|p| bases(p).len()).collect::<Vec<_>>(), [5, 1]);
    world.settings.fetch_max_bytes = 3 * len as u64;
    let reply = world.fetch(12, &Fetch::default(), &both);
    assert_eq!(partitions(&reply).iter().map(|p| bases(p).len()).collect::<Vec<_>>(), [3, 0]);
}

#[test]
fn nothing_above_the_high_watermark_is_read() {
    let mut world = World::with_config(synced_config());
    replied(world.produce_outcome(9, 1, &[("t", 0, batch(3))]));
    let reply = world.fetch(12, &Fetch::default(), &[("t", 0, 0), ("t", 0, 2), ("t", 0, 3), ("t", 0, 4)]);
    let found: Vec<_> = partitions(&reply).iter().map(|p| (error(p), p.int("highWatermark"))).collect();
    let (none, beyond) = (ErrorCode::NONE, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!(found, [(none, 0), (none, 0), (none, 0), (beyond, -1)]);
    world.run_effects();
    let reply = world.fetch(12, &Fetch::default(), &[("t", 0, 0)]);
    assert_eq!(bases(partitions(&reply)[0]), [0]);
}

#[test]
fn an_error_in_one_partition_harms_no_other() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(1));
    world.produce(9, "t", 1, batch(1));
    let asked = [("t", 0, 0), ("t", 9, 0), ("t", 1, 77), ("nobody", 0, 0), ("__offsets", 0, 0), ("t", 1, 0)];
    let reply = world.fetch(11, &waiting(1000), &asked);
    let found: Vec<_> = partitions(&reply).iter().map(|p| (error(p), bases(p).len())).collect();
    assert_eq!(
        found,
        [
            (ErrorCode::NONE, 1),
            (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, 0),
            (ErrorCode::OFFSET_OUT_OF_RANGE, 0),
            (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, 0),
            (ErrorCode::NONE, 0),
            (ErrorCode::NONE, 1),
        ]
    );
    let reply = world.fetch(13, &Fetch::default(), &[("nobody", 0, 0), ("t", 0, 0)]);
    let found: Vec<_> = partitions(&reply).iter().map(|p| error(p)).collect();
    assert_eq!(found, [ErrorCode::UNKNOWN_TOPIC_ID, ErrorCode::NONE]);
}

#[test]
fn leader_epochs_are_fenced_both_ways() {
    let mut world = World::new();
    for (epoch, expected) in [
        (-1, ErrorCode::NONE),
        (-2, ErrorCode::NONE),
        (3, ErrorCode::NONE),
        (2, ErrorCode::FENCED_LEADER_EPOCH),
        (4, ErrorCode::UNKNOWN_LEADER_EPOCH),
    ] {
        let reply = world.fetch(12, &Fetch { leader_epoch: epoch, ..Fetch::default() }, &[("t", 0, 0)]);
        assert_eq!(error(partitions(&reply)[0]), expected, "epoch {epoch}");
    }
}

#[test]
fn a_history_that_parted_is_told_where() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(5));
    world.partition(0).lead(6, &mut world.notices);
    world.produce(9, "t", 0, batch(5));
    let fetch = |epoch, offset| (Fetch { last_fetched_epoch: epoch, ..Fetch::default() }, offset);
    for (asked, expected) in [(fetch(3, 8), Some((3, 5))), (fetch(5, 5), Some((3, 5))), (fetch(3, 5), None)] {
        let reply = world.fetch(12, &asked.0, &[("t", 0, asked.1)]);
        let answer = partitions(&reply)[0];
        let told = answer.has("divergingEpoch").then(|| answer.get("divergingEpoch"));
        assert_eq!(told.map(|told| (told.int("epoch"), told.int("endOffset"))), expected);
        assert_eq!(bases(answer).is_empty(), expected.is_some());
    }
}

#[test]
fn a_parted_history_below_the_log_start_is_out_of_range_all_the_same() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(5));
    world.partition(0).lead(6, &mut world.notices);
    world.produce(9, "t", 0, batch(5));
    world.partition(0).delete_records(6, 7, &mut world.notices).unwrap();
    world.partition(0).lead(9, &mut world.notices);
    let ask = |offset| (Fetch { last_fetched_epoch: 7, isolation: 1, ..Fetch::default() }, offset);
    for ((fetch, offset), expected) in [(ask(6), ErrorCode::OFFSET_OUT_OF_RANGE), (ask(8), ErrorCode::NONE)] {
        let reply = world.fetch(12, &fetch, &[("t", 0, offset)]);
        let answer = partitions(&reply)[0];
        assert_eq!(error(answer), expected);
        assert_eq!(answer.has("divergingEpoch"), !expected.is_error());
        assert_eq!(answer.get("abortedTransactions"), &Value::Null);
    }
}

#[test]
fn the_log_start_is_told_and_whoever_is_below_it_is_out_of_range() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(5));
    world.produce(9, "t", 0, batch(5));
    let mut waits = parked(world.fetch_outcome(12, &waiting(500), &[("t", 0, 10)]));
    world.partition(0).delete_records(3, 7, &mut world.notices).unwrap();
    assert_eq!(world.notices.waiters, [waiter(3)], "a wait looks again");
    assert!(waits.try_complete(world.now, waiter(3), &mut Notices::default()).is_none());
    for version in [5, 12, 18] {
        let reply = world.fetch(version, &Fetch::default(), &[("t", 0, 6), ("t", 0, 7)]);
        let [below, at] = partitions(&reply)[..] else { panic!("two answers") };
        assert_eq!((error(below), below.int("logStartOffset")), (ErrorCode::OFFSET_OUT_OF_RANGE, -1));
        assert_eq!((error(at), at.int("logStartOffset"), bases(at)), (ErrorCode::NONE, 7, vec![5]));
    }
}

#[test]
fn what_is_not_there_does_not_end_the_wait_for_what_is() {
    let mut world = World::new();
    let asked = [("nowhere", 0, 0), ("t", 0, 0), ("t", 9, 0)];
    let mut fetch = parked(world.fetch_outcome(12, &waiting(500), &asked));
    world.produce(9, "t", 0, batch(1));
    let reply = fetch.try_complete(world.now, waiter(1), &mut Notices::default()).unwrap();
    let reply = reply_of(&FETCH_RESPONSE, 12, reply);
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    let errors: Vec<_> = partitions(&reply).into_iter().map(error).collect();
    assert_eq!(errors, [unknown, ErrorCode::NONE, unknown]);
    let nothing_else = world.fetch_outcome(12, &waiting(500), &[("nowhere", 0, 0), ("t", 9, 0)]);
    assert_eq!(partitions(&reply_of(&FETCH_RESPONSE, 12, replied(nothing_else))).len(), 2);
}

#[test]
fn a_storage_error_is_another_leader_to_clients_that_do_not_know_it() {
    let mut world = World::new();
    world.partition(0).take_offline("the disk", &mut world.notices);
    for (version, expected) in [
        (4, ErrorCode::NOT_LEADER_OR_FOLLOWER),
        (5, ErrorCode::NOT_LEADER_OR_FOLLOWER),
        (6, ErrorCode::KAFKA_STORAGE_ERROR),
    ] {
        let reply = world.fetch(version, &waiting(500), &[("t", 0, 0)]);
        assert_eq!(error(partitions(&reply)[0]), expected, "version {version}");
    }
}

#[test]
fn a_replica_that_nobody_registered_reads_nothing() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(1));
    for version in [11, 15, 18] {
        let reply = world.fetch(version, &Fetch { replica_id: 2, ..Fetch::default() }, &[("t", 0, 0)]);
        let answer = partitions(&reply)[0];
        assert_eq!(error(answer), ErrorCode::NOT_LEADER_OR_FOLLOWER);
        assert!(answer.bytes("records").is_empty());
        // One that knows an epoch may be of an assignment that is still to come.
        for (leader_epoch, expected) in [
            (3, ErrorCode::UNKNOWN_LEADER_EPOCH),
            (2, ErrorCode::FENCED_LEADER_EPOCH),
            (4, ErrorCode::UNKNOWN_LEADER_EPOCH),
        ] {
            let ask = Fetch { replica_id: 2, leader_epoch, ..Fetch::default() };
            let reply = world.fetch(version, &ask, &[("t", 0, 0)]);
            assert_eq!(error(partitions(&reply)[0]), expected, "version {version}");
        }
    }
}

#[test]
fn a_fetch_waits_until_a_record_comes() {
    let mut world = World::new();
    let outcome = world.fetch_outcome(12, &waiting(500), &[("t", 0, 0), ("t", 1, 0)]);
    let mut fetch = parked(outcome);
    assert_eq!(fetch.deadline_ms(), world.now.monotonic_ms + 500);
    assert_eq!((world.partition(0).waiter_count(), world.partition(1).waiter_count()), (1, 1));
    world.produce(9, "t", 1, batch(2));
    assert_eq!(world.notices.waiters, [waiter(1)]);
    let now = world.now;
    let reply = fetch.try_complete(now, waiter(1), &mut world.notices).unwrap();
    let reply = reply_of(&FETCH_RESPONSE, 12, reply);
    assert_eq!(partitions(&reply).iter().map(|p| bases(p).len()).collect::<Vec<_>>(), [0, 1]);
    assert_eq!((world.partition(0).waiter_count(), world.partition(1).waiter_count()), (0, 0));
}

#[test]
fn a_fetch_waits_for_min_bytes_and_is_told_once_per_evaluation() {
    let mut world = World::new();
    let one = batch_of_bytes(1_000);
    let wanted = Fetch { min_bytes: one.len() as i64 * 3, ..waiting(500) };
    let mut fetch = parked(world.fetch_outcome(12, &wanted, &[("t", 0, 0), ("t", 1, 0)]));
    let now = world.now;
    world.produce(9, "t", 0, one.clone());
    world.produce(9, "t", 0, one.clone());
    assert_eq!(world.notices.waiters, [waiter(1)], "told once until it looks again");
    assert!(fetch.try_complete(now, waiter(1), &mut Notices::default()).is_none());
    world.produce(9, "t", 1, one.clone());
    assert_eq!(world.notices.waiters, [waiter(1), waiter(1)]);
    assert!(fetch.try_complete(now, waiter(1), &mut Notices::default()).is_some());
    assert_eq!(world.partition(0).waiter_count(), 0);
}

#[test]
fn min_bytes_above_max_bytes_does_not_wait_for_what_cannot_come() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch_of_bytes(4_000));
    let greedy = Fetch { min_bytes: 1 << 30, max_bytes: 1_000, ..waiting(500) };
    replied(world.fetch_outcome(12, &greedy, &[("t", 0, 0)]));
}

#[test]
fn the_end_of_a_segment_ends_the_wait() {
    let config = PartitionConfig::default().with([("segment.bytes", "6000")]).unwrap();
    let mut world = World::with_config(config);
    world.produce(9, "t", 0, batch_of_bytes(5_000));
    world.produce(9, "t", 0, batch_of_bytes(5_000));
    let patient = Fetch { min_bytes: 8_000, ..waiting(500) };
    let reply = reply_of(&FETCH_RESPONSE, 12, replied(world.fetch_outcome(12, &patient, &[("t", 0, 0)])));
    assert_eq!(bases(partitions(&reply)[0]), [0]);
    parked(world.fetch_outcome(12, &patient, &[("t", 0, 1)]));
}

#[test]
fn the_deadline_answers_with_what_there_is() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(1));
    let wanted = Fetch { min_bytes: 100_000, ..waiting(500) };
    let mut fetch = parked(world.fetch_outcome(12, &wanted, &[("t", 0, 0)]));
    let now = world.now;
    let reply = fetch.expire(now, waiter(2), &mut world.notices);
    assert_eq!(bases(partitions(&reply_of(&FETCH_RESPONSE, 12, reply))[0]), [0]);
    assert_eq!(world.partition(0).waiter_count(), 0);
}

#[test]
fn a_wait_that_is_given_up_leaves_no_trace() {
    let mut world = World::new();
    for round in 1..=50 {
        let mut fetch = parked(world.fetch_outcome(12, &waiting(500), &[("t", 0, 0), ("t", 1, 0)]));
        fetch.cancel(waiter(round));
    }
    assert_eq!((world.partition(0).waiter_count(), world.partition(1).waiter_count()), (0, 0));
    world.produce(9, "t", 0, batch(1));
    assert!(world.notices.waiters.is_empty());
}

#[test]
fn role_changes_deletion_and_offline_wake_and_answer_with_their_error() {
    type Change = fn(&mut World);
    let cases: [(Change, ErrorCode); 3] = [
        (|world| world.partition(0).follow(4, &mut world.notices), ErrorCode::NOT_LEADER_OR_FOLLOWER),
        (
            |world| drop(world.partition(0).delete("x", &mut world.notices).unwrap()),
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ),
        (
            |world| world.partition(0).take_offline("the disk is gone", &mut world.notices),
            ErrorCode::KAFKA_STORAGE_ERROR,
        ),
    ];
    for (change, expected) in cases {
        let mut world = World::new();
        let mut fetch = parked(world.fetch_outcome(12, &waiting(500), &[("t", 0, 0)]));
        change(&mut world);
        assert_eq!(world.notices.waiters, [waiter(1)]);
        let now = world.now;
        let reply = fetch.try_complete(now, waiter(1), &mut world.notices).unwrap();
        assert_eq!(error(partitions(&reply_of(&FETCH_RESPONSE, 12, reply))[0]), expected);
        assert_eq!(world.partition(0).waiter_count(), 0);
    }
}

#[test]
fn an_empty_or_impatient_fetch_is_answered_at_once() {
    let mut world = World::new();
    replied(world.fetch_outcome(12, &waiting(500), &[]));
    replied(world.fetch_outcome(12, &waiting(0), &[("t", 0, 0)]));
    replied(world.fetch_outcome(12, &Fetch { min_bytes: 0, ..waiting(500) }, &[("t", 0, 0)]));
    assert_eq!(world.partition(0).waiter_count(), 0);
}

#[derive(Debug)]
struct Nothing;

impl Authorizer for Nothing {
    fn authorize(&self, _: &str, operation: Operation, resource: Resource<'_>) -> bool {
        assert_eq!(operation, Operation::Read);
        resource == Resource::Topic("__offsets")
    }
}

#[test]
fn a_principal_without_read_gets_the_authorization_error_for_that_topic_alone() {
    let mut world = World::new();
    world.authorizer = Box::new(Nothing);
    let reply = world.fetch(12, &Fetch::default(), &[("t", 0, 0), ("nobody", 0, 0), ("__offsets", 0, 0)]);
    let found: Vec<_> = partitions(&reply).iter().map(|p| error(p)).collect();
    let refused = ErrorCode::TOPIC_AUTHORIZATION_FAILED;
    assert_eq!(found, [refused, refused, ErrorCode::NONE]);
}

#[test]
fn a_served_range_outlives_the_deletion_of_its_topic() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(3));
    let parts = replied(world.fetch_outcome(12, &Fetch::default(), &[("t", 0, 0)]));
    world.partition(0).delete("x", &mut world.notices).unwrap().run().unwrap();
    let reply = reply_of(&FETCH_RESPONSE, 12, parts);
    assert_eq!(bases(partitions(&reply)[0]), [0]);
}

#[test]
fn a_version_that_is_not_served_closes_the_connection() {
    let mut world = World::new();
    for version in [3, 19, -1] {
        assert!(matches!(world.send(1, version, &[]), Outcome::Close(_)));
    }
    assert!(matches!(world.send(3, 1, &[]), Outcome::Close(_)));
}
