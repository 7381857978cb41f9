//! Fetch by isolation level: readers of committed records and what they are told of transactions.

use super::ErrorCode;
use super::fetch_tests::{bases, error, partitions, waiting};
use super::testing::Value;
use super::testing::schema::FETCH_RESPONSE;
use super::testing::world::{Fetch, World, parked, reply_of, waiter};
use crate::partition::Notices;
use crate::partition::testing::{append_in_txn, batch, end_txn};

#[test]
fn read_committed_is_told_of_no_aborted_transaction() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(1));
    let reply = world.fetch(12, &Fetch { isolation: 1, ..Fetch::default() }, &[("t", 0, 0)]);
    assert!(partitions(&reply)[0].items("abortedTransactions").is_empty());
    assert_eq!(bases(partitions(&reply)[0]), [0]);
}

#[test]
fn every_version_tells_readers_of_committed_records_what_was_aborted() {
    let mut world = World::new();
    let (committed, aborted) = (world.partition(0), Fetch { isolation: 1, ..Fetch::default() });
    append_in_txn(&committed, 41, 0, 1, &mut world.notices);
    append_in_txn(&committed, 42, 0, 2, &mut world.notices);
    append_in_txn(&committed, 43, 0, 1, &mut world.notices);
    end_txn(&committed, 41, true, &mut world.notices);
    end_txn(&committed, 42, false, &mut world.notices);
    for version in 4..=18 {
        let reply = world.fetch(version, &aborted, &[("t", 0, 0)]);
        let answer = partitions(&reply)[0].clone();
        assert_eq!(bases(&answer), [0, 1], "version {version}: 43 is open from offset 3 on");
        assert_eq!((answer.int("highWatermark"), answer.int("lastStableOffset")), (6, 3));
        let told: Vec<(i64, i64)> = answer
            .items("abortedTransactions")
            .iter()
            .map(|txn| (txn.int("producerId"), txn.int("firstOffset")))
            .collect();
        assert_eq!(told, [(42, 1)]);
        let reply = world.fetch(version, &aborted, &[("t", 0, 3)]);
        assert_eq!(partitions(&reply)[0].items("abortedTransactions").len(), 0, "nothing read, none told");
        let reply = world.fetch(version, &Fetch::default(), &[("t", 0, 0)]);
        assert_eq!(bases(partitions(&reply)[0]), [0, 1, 3, 4, 5]);
        assert_eq!(partitions(&reply)[0].get("abortedTransactions"), &Value::Null);
    }
}

#[test]
fn beside_an_error_the_list_is_empty_or_null_as_kafka_has_it() {
    let mut world = World::new();
    for isolation in [0, 1] {
        let ask = Fetch { isolation, ..Fetch::default() };
        let reply = world.fetch(12, &ask, &[("nowhere", 0, 0), ("t", 0, 9)]);
        let answers = partitions(&reply);
        assert_eq!(error(answers[0]), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        assert_eq!(answers[0].items("abortedTransactions").len(), 0);
        assert_eq!(error(answers[1]), ErrorCode::OFFSET_OUT_OF_RANGE);
        assert_eq!(answers[1].get("abortedTransactions"), &Value::Null);
    }
}

#[test]
fn a_parked_reader_of_committed_records_is_answered_when_the_transaction_ends() {
    let mut world = World::new();
    let partition = world.partition(0);
    append_in_txn(&partition, 42, 0, 1, &mut world.notices);
    let ask = Fetch { isolation: 1, ..waiting(500) };
    let mut fetch = parked(world.fetch_outcome(12, &ask, &[("t", 0, 0)]));
    world.notices.waiters.clear();
    append_in_txn(&partition, 42, 1, 1, &mut world.notices);
    assert!(world.notices.waiters.is_empty(), "nothing for it yet");
    end_txn(&partition, 42, false, &mut world.notices);
    assert_eq!(world.notices.waiters, [waiter(1)]);
    let parts = fetch.try_complete(world.now, waiter(1), &mut Notices::default()).unwrap();
    let reply = reply_of(&FETCH_RESPONSE, 12, parts);
    assert_eq!(bases(partitions(&reply)[0]), [0, 1, 2]);
    assert_eq!(partitions(&reply)[0].items("abortedTransactions").len(), 1);
    assert_eq!(partition.waiter_count(), 0);
}

#[test]
fn an_isolation_level_that_there_is_not_fails_the_request_as_in_kafka() {
    let mut world = World::new();
    world.produce(9, "t", 0, batch(1));
    for version in [4, 6, 7, 12, 13, 18] {
        let ask = Fetch { isolation: 2, ..waiting(500) };
        let reply = world.fetch(version, &ask, &[("t", 0, 0), ("t", 1, 0), ("nowhere", 0, 0)]);
        let errors: Vec<_> = partitions(&reply).into_iter().map(error).collect();
        if version >= 7 {
            assert_eq!(reply.int("errorCode"), -1);
        }
        let expected = if version < 13 { vec![ErrorCode::UNKNOWN_SERVER_ERROR; 3] } else { Vec::new() };
        assert_eq!(errors, expected, "version {version}");
    }
}
