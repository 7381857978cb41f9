//! OffsetForLeaderEpoch, from frames to replies.

use super::testing::message::fields;
use super::testing::schema::{OFFSET_FOR_LEADER_EPOCH_REQUEST, OFFSET_FOR_LEADER_EPOCH_RESPONSE};
use super::testing::world::{World, replied, reply_of};
use super::testing::{Value, encode};
use super::{Authorizer, ErrorCode, Operation, Resource};
use crate::partition::testing::batch;

/// Asks for partition 0 of `topic`: error, epoch and end offset.
fn ask(world: &mut World, version: i16, topic: &str, current: i64, epoch: i64) -> (ErrorCode, i64, i64) {
    let partition = fields! { "partition": 0, "currentLeaderEpoch": current, "leaderEpoch": epoch };
    let topics = vec![fields! { "topic": topic, "partitions": vec![partition] }];
    let body = fields! { "replicaId": -1, "topics": topics };
    let outcome = world.send(23, version, &encode(&OFFSET_FOR_LEADER_EPOCH_REQUEST, version, &body));
    let reply: Value = reply_of(&OFFSET_FOR_LEADER_EPOCH_RESPONSE, version, replied(outcome));
    let answer = &reply.items("topics")[0].items("partitions")[0];
    assert_eq!((reply.items("topics")[0].get("topic"), answer.int("partition")), (&topic.into(), 0));
    (ErrorCode(answer.int("errorCode") as i16), answer.int("leaderEpoch"), answer.int("endOffset"))
}

#[test]
fn an_epoch_ends_where_the_next_one_wrote_first() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(5));
    world.partition(0).lead(6, &mut world.notices);
    world.produce(9, "t", 0, batch(2));
    for version in 2..=4 {
        for (epoch, expected) in
            [(3, (3, 5)), (5, (3, 5)), (6, (6, 7)), (1, (1, 0)), (7, (-1, -1)), (-1, (-1, -1))]
        {
            let (error, told, end) = ask(&mut world, version, "t", -1, epoch);
            assert_eq!((error, (told, end)), (ErrorCode::NONE, expected), "epoch {epoch}");
        }
    }
}

#[test]
fn errors_stand_alone() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(5));
    for (topic, current, expected) in [
        ("nobody", -1, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        ("t", 2, ErrorCode::FENCED_LEADER_EPOCH),
        ("t", 4, ErrorCode::UNKNOWN_LEADER_EPOCH),
        ("t", 3, ErrorCode::NONE),
    ] {
        let (error, epoch, end) = ask(&mut world, 4, topic, current, 3);
        assert_eq!(error, expected);
        assert_eq!((epoch, end), if error.is_error() { (-1, -1) } else { (3, 5) });
    }
    world.partition(0).follow(4, &mut world.notices);
    assert_eq!(ask(&mut world, 4, "t", -1, 3).0, ErrorCode::NOT_LEADER_OR_FOLLOWER);
}

#[derive(Debug)]
struct Nobody;

impl Authorizer for Nobody {
    fn authorize(&self, _: &str, operation: Operation, resource: Resource<'_>) -> bool {
        assert_eq!((operation, resource), (Operation::Describe, Resource::Topic("t")));
        false
    }

    fn authorize_else(&self, _: &str, operation: Operation, resource: Resource<'_>) -> bool {
        assert_eq!((operation, resource), (Operation::ClusterAction, Resource::Cluster));
        false
    }
}

#[test]
fn who_may_not_describe_a_topic_learns_nothing_of_it() {
    let mut world = World::new();
    world.authorizer = Box::new(Nobody);
    assert_eq!(ask(&mut world, 4, "t", -1, 3), (ErrorCode::TOPIC_AUTHORIZATION_FAILED, -1, -1));
}
