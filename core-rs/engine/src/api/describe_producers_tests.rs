//! DescribeProducers, from frames to replies.

use super::testing::message::fields;
use super::testing::schema::{DESCRIBE_PRODUCERS_REQUEST, DESCRIBE_PRODUCERS_RESPONSE};
use super::testing::world::{World, replied, reply_of};
use super::testing::{Value, encode};
use super::{Authorizer, ErrorCode, Operation, Resource};
use crate::partition::TxnEnd;
use crate::partition::testing::{NOON, append_in_txn, batch, idempotent};

fn ask(world: &mut World, topic: &str, indexes: &[i64]) -> Vec<Value> {
    let indexes = Value::List(indexes.iter().copied().map(Value::from).collect());
    let topics = vec![fields! { "name": topic, "partitionIndexes": indexes }];
    let body = encode(&DESCRIBE_PRODUCERS_REQUEST, 0, &fields! { "topics": topics });
    let outcome = world.send(61, 0, &body);
    let reply = reply_of(&DESCRIBE_PRODUCERS_RESPONSE, 0, replied(outcome));
    assert_eq!(reply.items("topics")[0].get("name"), &Value::from(topic));
    reply.items("topics")[0].items("partitions").to_vec()
}

fn error(answer: &Value) -> ErrorCode {
    ErrorCode(answer.int("errorCode") as i16)
}

#[test]
fn it_tells_every_producer_that_the_partition_remembers() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(2));
    world.produce(9, "t", 0, idempotent(42, 3, 0, 4));
    world.produce(9, "t", 0, idempotent(42, 3, 4, 1));
    world.produce(9, "t", 0, idempotent(7, 0, 0, 2));
    let answers = ask(&mut world, "t", &[0, 1]);
    let told: Vec<_> = answers[0]
        .items("activeProducers")
        .iter()
        .map(|told| {
            ["producerId", "producerEpoch", "lastSequence", "lastTimestamp", "coordinatorEpoch"]
                .map(|name| told.int(name))
        })
        .collect();
    let noon = NOON.wall_ms;
    assert_eq!(told, [[7, 0, 1, noon + 1, -1], [42, 3, 4, noon, -1]]);
    assert!(answers[0].items("activeProducers").iter().all(|told| told.int("currentTxnStartOffset") == -1));
    assert!(answers[1].items("activeProducers").is_empty() && error(&answers[1]) == ErrorCode::NONE);
}

#[test]
fn it_tells_where_a_transaction_began_and_which_coordinator_ended_the_last() {
    let mut world = World::new();
    let partition = world.partition(0);
    append_in_txn(&partition, 42, 0, 2, &mut world.notices);
    let told = |world: &mut World| {
        let answers = ask(world, "t", &[0]);
        let told = &answers[0].items("activeProducers")[0];
        ["lastSequence", "coordinatorEpoch", "currentTxnStartOffset"].map(|name| told.int(name))
    };
    assert_eq!(told(&mut world), [1, -1, 0]);
    let end = TxnEnd { producer_id: 42, epoch: 0, coordinator_epoch: 5, committed: true };
    partition.append_marker(end, 0, NOON, &mut world.notices).unwrap();
    assert_eq!(told(&mut world), [1, 5, -1]);
}

#[test]
fn errors_stand_alone_and_a_partition_is_told_once() {
    let mut world = World::new();
    world.produce(9, "t", 0, idempotent(7, 0, 0, 2));
    world.partition(0).follow(4, &mut world.notices);
    world.partition(1).take_offline("the disk", &mut world.notices);
    let answers = ask(&mut world, "t", &[0, 0, 1, 5]);
    let found: Vec<_> =
        answers.iter().map(|answer| (error(answer), answer.items("activeProducers").len())).collect();
    assert_eq!(
        found,
        [
            (ErrorCode::NONE, 1),
            (ErrorCode::INVALID_REQUEST, 0),
            (ErrorCode::KAFKA_STORAGE_ERROR, 0),
            (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, 0),
        ]
    );
    let answers = ask(&mut world, "nobody", &[0]);
    let text = "This server does not host this topic-partition.";
    assert_eq!(error(&answers[0]), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(answers[0].get("errorMessage"), &Value::from(text));
}

#[derive(Debug)]
struct Nobody;

impl Authorizer for Nobody {
    fn authorize(&self, _: &str, operation: Operation, resource: Resource<'_>) -> bool {
        assert_eq!((operation, resource), (Operation::Read, Resource::Topic("t")));
        false
    }
}

#[test]
fn who_may_not_read_a_topic_learns_nothing_of_its_producers() {
    let mut world = World::new();
    world.produce(9, "t", 0, idempotent(7, 0, 0, 2));
    world.authorizer = Box::new(Nobody);
    let answers = ask(&mut world, "t", &[0]);
    assert_eq!(error(&answers[0]), ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    assert!(answers[0].items("activeProducers").is_empty());
}
