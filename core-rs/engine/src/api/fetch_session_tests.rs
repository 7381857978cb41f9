//! Fetch sessions (KIP-227) as clients drive them: full, incremental, forgotten, closed, out of step.

use super::testing::Value;
use super::testing::schema::FETCH_RESPONSE;
use super::testing::world::{Fetch, World, parked, replied, reply_of, waiter};
use super::{ErrorCode, FetchSessions};
use crate::partition::Notices;
use crate::partition::testing::{batch, batch_of_bytes};

const BOTH: [(&str, i64, i64); 2] = [("t", 0, 0), ("t", 1, 0)];

fn error(answer: &Value) -> ErrorCode {
    ErrorCode(answer.int("errorCode") as i16)
}

/// Partition, high watermark and bytes of records of each answer, in order.
fn told(reply: &Value) -> Vec<(i64, i64, usize)> {
    let topics = reply.items("responses").iter();
    let answers = topics.flat_map(|topic| topic.items("partitions"));
    answers
        .map(|answer| {
            let index = answer.int("partitionIndex");
            (index, answer.int("highWatermark"), answer.bytes("records").len())
        })
        .collect()
}

fn with(session: (i64, i64)) -> Fetch {
    Fetch { session, ..Fetch::default() }
}

/// A new session over both partitions of `t`.
fn begin(world: &mut World, version: i16) -> i64 {
    let reply = world.fetch(version, &with((0, 0)), &BOTH);
    assert_eq!((error(&reply), told(&reply).len()), (ErrorCode::NONE, 2), "a full reply names everything");
    let id = reply.int("sessionId");
    assert!(id > 0);
    id
}

#[test]
fn an_incremental_reply_carries_only_what_changed() {
    for version in [7, 12, 13, 18] {
        let mut world = World::new();
        let id = begin(&mut world, version);
        let reply = world.fetch(version, &with((id, 1)), &[]);
        assert_eq!((error(&reply), reply.int("sessionId")), (ErrorCode::NONE, id));
        assert!(reply.items("responses").is_empty(), "nothing happened");
        let one = batch(2);
        world.produce(9, "t", 1, one.clone());
        let reply = world.fetch(version, &with((id, 2)), &[]);
        assert_eq!(told(&reply), [(1, 2, one.len())]);
        // The client goes on behind what it got, and names that partition alone.
        let reply = world.fetch(version, &with((id, 3)), &[("t", 1, 2)]);
        assert!(told(&reply).is_empty());
    }
}

#[test]
fn the_next_reply_tells_of_a_watermark_without_records() {
    let mut world = World::new();
    let id = begin(&mut world, 12);
    world.produce(9, "t", 0, batch(3));
    let reply = world.fetch(12, &with((id, 1)), &[("t", 0, 3)]);
    assert_eq!(told(&reply), [(0, 3, 0)]);
    assert!(told(&world.fetch(12, &with((id, 2)), &[])).is_empty(), "told once");
}

#[test]
fn partitions_join_and_leave_a_session() {
    for version in [7, 13] {
        let mut world = World::new();
        let reply = world.fetch(version, &with((0, 0)), &[("t", 0, 0)]);
        let id = reply.int("sessionId");
        world.produce(9, "t", 0, batch(1));
        world.produce(9, "t", 1, batch(1));
        let joins = world.fetch(version, &with((id, 1)), &[("t", 1, 0)]);
        assert_eq!(told(&joins).iter().map(|answer| answer.0).collect::<Vec<_>>(), [0, 1]);
        let leaves = Fetch { forgotten: vec![("t", 0, ())], ..with((id, 2)) };
        let reply = world.fetch(version, &leaves, &[]);
        assert_eq!(told(&reply).iter().map(|answer| answer.0).collect::<Vec<_>>(), [1]);
        let empties = Fetch { forgotten: vec![("t", 1, ())], ..with((id, 3)) };
        let reply = world.fetch(version, &empties, &[]);
        assert_eq!((error(&reply), reply.int("sessionId")), (ErrorCode::NONE, 0), "an empty session ends");
        let reply = world.fetch(version, &with((id, 4)), &[]);
        assert_eq!(error(&reply), ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
    }
}

#[test]
fn a_session_that_is_out_of_step_says_so_and_goes_on() {
    let mut world = World::new();
    let id = begin(&mut world, 12);
    for (version, session, expected) in [
        (12, (id + 32, 1), ErrorCode::FETCH_SESSION_ID_NOT_FOUND),
        (12, (0, 1), ErrorCode::FETCH_SESSION_ID_NOT_FOUND),
        (12, (id, 2), ErrorCode::INVALID_FETCH_SESSION_EPOCH),
        (13, (id, 2), ErrorCode::INVALID_FETCH_SESSION_EPOCH),
        (13, (id, 1), ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR),
        (12, (id, i64::from(i32::MIN)), ErrorCode::INVALID_FETCH_SESSION_EPOCH),
        (12, (i64::from(i32::MIN), 1), ErrorCode::FETCH_SESSION_ID_NOT_FOUND),
    ] {
        let reply = world.fetch(version, &with(session), &[]);
        assert_eq!((error(&reply), reply.int("sessionId")), (expected, 0), "{session:?}");
        assert!(reply.items("responses").is_empty());
    }
    assert_eq!(error(&world.fetch(12, &with((id, 1)), &[])), ErrorCode::NONE);
}

#[test]
fn a_full_request_ends_the_session_it_names() {
    let mut world = World::new();
    let first = begin(&mut world, 12);
    let reply = world.fetch(12, &with((first, 0)), &BOTH);
    let second = reply.int("sessionId");
    assert!(second > 0 && second != first);
    assert_eq!(error(&world.fetch(12, &with((first, 1)), &[])), ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
    let reply = world.fetch(12, &with((second, -1)), &BOTH);
    assert_eq!((reply.int("sessionId"), told(&reply).len()), (0, 2), "closed, and answered in full");
    assert!(world.sessions.is_empty());
}

#[test]
fn without_room_the_client_goes_on_without_a_session() {
    let mut world = World::new();
    world.sessions = FetchSessions::new(1, 0, 1, 1);
    begin(&mut world, 12);
    let reply = world.fetch(12, &with((0, 0)), &BOTH);
    assert_eq!((reply.int("sessionId"), told(&reply).len()), (0, 2));
}

#[test]
fn an_error_is_told_every_time_and_the_partition_again_when_it_is_over() {
    let mut world = World::new();
    let reply = world.fetch(12, &with((0, 0)), &[("t", 0, 7), ("t", 1, 0)]);
    let id = reply.int("sessionId");
    for epoch in [1, 2] {
        let reply = world.fetch(12, &with((id, epoch)), &[]);
        assert_eq!(told(&reply), [(0, -1, 0)]);
    }
    let reply = world.fetch(12, &with((id, 3)), &[("t", 0, 0)]);
    assert_eq!(told(&reply), [(0, 0, 0)]);
}

#[test]
fn a_topic_that_comes_later_is_found_by_the_session() {
    let mut world = World::new();
    let reply = world.fetch(12, &with((0, 0)), &[("new", 0, 0)]);
    let id = reply.int("sessionId");
    world.add_topic("new", 5, 1, false, &crate::partition::PartitionConfig::default());
    let reply = world.fetch(12, &with((id, 1)), &[]);
    assert_eq!(told(&reply), [(0, 0, 0)]);
}

#[test]
fn a_partition_that_gave_records_lets_the_others_go_first() {
    let mut world = World::new();
    let one = batch_of_bytes(1_000);
    for index in [0, 1] {
        for _ in 0..3 {
            world.produce(9, "t", index, one.clone());
        }
    }
    let id = world.fetch(12, &Fetch { max_bytes: 0, ..with((0, 0)) }, &BOTH).int("sessionId");
    let narrow = |epoch| Fetch { max_bytes: one.len() as i64, ..with((id, epoch)) };
    let first = |reply: &Value| told(reply).iter().find(|answer| answer.2 > 0).map(|answer| answer.0);
    let order: Vec<_> = (1..=4).map(|epoch| first(&world.fetch(12, &narrow(epoch), &[])).unwrap()).collect();
    assert_eq!(order, [0, 1, 0, 1]);
}

#[test]
fn an_incremental_fetch_waits_over_its_whole_session() {
    let mut world = World::new();
    let id = begin(&mut world, 12);
    let patient = Fetch { max_wait_ms: 500, ..with((id, 1)) };
    let mut fetch = parked(world.fetch_outcome(12, &patient, &[]));
    assert_eq!((world.partition(0).waiter_count(), world.partition(1).waiter_count()), (1, 1));
    world.produce(9, "t", 1, batch(2));
    let now = world.now;
    let reply = fetch.try_complete(now, waiter(2), &mut Notices::default()).unwrap();
    let reply = reply_of(&FETCH_RESPONSE, 12, reply);
    assert_eq!(told(&reply).iter().map(|answer| answer.0).collect::<Vec<_>>(), [1]);
    let patient = Fetch { max_wait_ms: 500, ..with((id, 2)) };
    let mut fetch = parked(world.fetch_outcome(12, &patient, &[("t", 1, 2)]));
    let reply = fetch.expire(now, waiter(3), &mut Notices::default());
    assert!(told(&reply_of(&FETCH_RESPONSE, 12, reply)).is_empty());
}

#[test]
fn epochs_wrap_to_one_and_old_versions_have_no_sessions() {
    assert_eq!([1, i32::MAX - 1, i32::MAX].map(super::fetch_session::next_epoch), [2, i32::MAX, 1]);
    let mut world = World::new();
    replied(world.fetch_outcome(6, &with((0, 0)), &BOTH));
    assert!(world.sessions.is_empty());
    replied(world.fetch_outcome(12, &Fetch { replica_id: 2, ..with((0, 0)) }, &BOTH));
    assert!(world.sessions.is_empty(), "an unknown replica gets none");
}
