//! Small produces of several connections that were ready together: written together, answered as if each had come alone.

use std::io::ErrorKind;

use proptest::prelude::*;

use super::testing::*;
use crate::boundary::ConnId;
use crate::storage::{Fault, SimOperation};

fn end_of(world: &World, partition: i32) -> i64 {
    world.node.topics.by_name("events").unwrap().partition(partition).unwrap().offsets().log_end
}

fn world(partitions: i32, connections: usize) -> (World, Vec<ConnId>) {
    let mut world = World::new(options());
    world.create_topic(partitions, &[]);
    let conns: Vec<ConnId> = (0..connections).map(|_| world.connect(0)).collect();
    // The first write of a log does more than the next ones.
    for partition in 0..partitions {
        world.send(conns[0], &produce(0, 1, partition, b"first"));
    }
    world.receive(conns[0]);
    (world, conns)
}

/// Topics, name, partitions, index, error code; then the base offset.
fn told(world: &mut World, conn: ConnId) -> Vec<(i32, i16, i64)> {
    let told = |(id, body): (i32, Vec<u8>)| {
        let error = i16::from_be_bytes(body[20..22].try_into().unwrap());
        (id, error, i64::from_be_bytes(body[22..30].try_into().unwrap()))
    };
    replies(&world.receive(conn)).into_iter().map(told).collect()
}

#[test]
fn small_produces_of_several_connections_are_written_once_for_each_partition() {
    let (mut world, conns) = world(2, 6);
    world.storage.record();
    let sends: Vec<_> = (0..6).map(|id| (conns[id as usize], produce(id, 1, id % 2, b"x"))).collect();
    world.send_together(&sends);
    assert_eq!(world.storage.calls(), 2);
    for id in 0..6 {
        assert_eq!(told(&mut world, conns[id as usize]), [(id, 0, 1 + i64::from(id) / 2)]);
    }
}

#[test]
fn what_a_connection_sends_behind_a_gathered_request_is_served_after_it() {
    let (mut world, conns) = world(1, 2);
    let mut both = produce(1, 1, 0, b"x");
    both.extend(fetch(2, 0, 1, 0, 0));
    world.send_together(&[(conns[0], produce(0, 1, 0, b"x")), (conns[1], both)]);
    let received = replies(&world.receive(conns[1]));
    assert_eq!(received.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2]);
    // Throttle time, topics, name, partitions, index, error code; then the high watermark.
    assert_eq!(received[1].1[26..34], 3i64.to_be_bytes());
    assert_eq!(told(&mut world, conns[0]), [(0, 0, 1)]);
}

#[test]
fn a_record_of_a_connection_that_went_at_once_is_kept() {
    let (mut world, conns) = world(1, 2);
    let now = world.now;
    world.reactor(conns[0]).start_gathering();
    world.hand(conns[0], &produce(0, 0, 0, b"x"));
    assert_eq!(end_of(&world, 0), 1);
    let reactor = world.reactor(conns[0]);
    reactor.closed(conns[0], now);
    reactor.serve_gathered(now);
    assert_eq!(end_of(&world, 0), 2);
}

#[test]
fn mail_and_deadlines_find_nothing_that_waits() {
    for by_mail in [true, false] {
        let (mut world, conns) = world(1, 1);
        let now = world.now;
        world.reactor(conns[0]).start_gathering();
        world.hand(conns[0], &produce(0, 0, 0, b"x"));
        let reactor = world.reactor(conns[0]);
        if by_mail {
            reactor.on_mail(now)
        } else {
            reactor.on_deadline(now)
        }
        assert_eq!(end_of(&world, 0), 2);
    }
}

#[test]
fn more_unanswered_requests_than_a_connection_may_have_all_go_on() {
    let many = |acks| (0..200).flat_map(|id| produce(id, acks, 0, b"x")).collect::<Vec<u8>>();
    let (mut world, conns) = world(1, 2);
    world.send_together(&[(conns[0], many(0)), (conns[1], many(0))]);
    assert_eq!(end_of(&world, 0), 401);
    world.deaf.extend(&conns);
    world.send_together(&[(conns[0], many(1)), (conns[1], many(1))]);
    assert_eq!(end_of(&world, 0), 401 + 2 * 64, "who reads no replies gets no more started");
    for conn in &conns {
        world.hear(*conn);
        assert_eq!(correlation_ids(&world.receive(*conn)), (0..200).collect::<Vec<_>>());
    }
    assert_eq!(end_of(&world, 0), 801);
}

#[test]
fn what_was_served_at_the_end_of_a_round_is_told_the_driver_and_accounted_for() {
    let (mut world, conns) = world(1, 1);
    let now = world.now;
    world.reactor(conns[0]).start_gathering();
    world.hand(conns[0], &produce(0, 1, 0, b"x"));
    let reactor = world.reactor(conns[0]);
    while reactor.next_dirty().is_some() {}
    assert_eq!(reactor.find(conns[0]).unwrap().gathered, 1);
    reactor.serve_gathered(now);
    assert_eq!(reactor.next_dirty(), Some(conns[0]));
    let connection = reactor.find(conns[0]).unwrap();
    assert_eq!(connection.gathered, 0);
    assert!(connection.held_memory() > 0 && connection.charged == connection.held_memory());
}

#[test]
fn a_write_that_fails_refuses_all_that_were_in_it() {
    let (mut world, conns) = world(2, 3);
    world.storage.fail_next(SimOperation::Write, Fault::Error(ErrorKind::Other));
    let sends: Vec<_> = (0..3).map(|id| (conns[id as usize], produce(id, 1, 0, b"x"))).collect();
    world.send_together(&sends);
    for id in 0..3 {
        // KAFKA_STORAGE_ERROR
        assert_eq!(told(&mut world, conns[id as usize]), [(id, 56, -1)]);
    }
}

#[test]
fn a_panic_acks_none_of_what_was_gathered() {
    let (mut world, conns) = world(2, 3);
    world.storage.fail_next(SimOperation::Write, Fault::Panic);
    let sends: Vec<_> = (0..2).map(|id| (conns[id as usize], produce(id, 1, id, b"x"))).collect();
    world.send_together(&sends);
    for conn in &conns[..2] {
        assert!(world.receive(*conn).is_empty());
        assert!(world.ended[conn].contains("a simulated bug"), "{:?}", world.ended);
    }
    // The other partition and the other connection go on.
    world.send(conns[2], &produce(9, 1, 1, b"x"));
    assert_eq!(told(&mut world, conns[2])[0].1, 0);
}

#[test]
fn requests_that_cannot_be_read_cost_their_own_connection_alone() {
    let (mut world, conns) = world(1, 3);
    let mut bad = produce(1, 1, 0, b"x");
    bad.extend(request(0, 7, 3, b"nonsense"));
    world.send_together(&[
        (conns[0], produce(0, 1, 0, b"x")),
        (conns[1], bad),
        (conns[2], produce(2, 1, 0, b"x")),
    ]);
    assert!(world.ended[&conns[1]].contains("malformed"), "{:?}", world.ended);
    assert_eq!(told(&mut world, conns[0]), [(0, 0, 1)]);
    assert_eq!(told(&mut world, conns[2]), [(2, 0, 3)]);
}

/// A connection, and of each of its requests: acks, partition (the third does not exist), bytes of the value (too
/// many to be gathered, or for the smallest segment).
type Sent = (usize, Vec<(i16, i32, usize)>);

/// What four connections send, round by round.
fn rounds() -> impl Strategy<Value = Vec<Vec<Sent>>> {
    let len = prop_oneof![4 => 1..100usize, 1 => 2000..6000usize];
    let request = (prop_oneof![Just(-1i16), Just(1)], 0..3i32, len);
    let sends = (0..4usize, proptest::collection::vec(request, 1..5));
    proptest::collection::vec(proptest::collection::vec(sends, 1..6), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever is gathered, each connection is told the same, but that those of other connections may come sooner or
    /// later: offsets rise in the order of its requests, none is given twice, and all are there.
    #[test]
    fn gathered_requests_are_answered_as_if_each_had_come_alone(
        rounds in rounds(),
        segment in prop_oneof![Just("3000"), Just("1000000")],
    ) {
        let (mut alone, mut together) = (World::new(options()), World::new(options()));
        let mut conns = Vec::new();
        for world in [&mut alone, &mut together] {
            world.create_topic(2, &[("segment.bytes", segment)]);
            conns = (0..4).map(|_| world.connect(0)).collect();
        }
        let (mut id, mut partition_of) = (0, vec![-1]);
        let mut given = [Vec::new(), Vec::new()];
        for round in rounds {
            let mut sends = Vec::new();
            for (number, requests) in round {
                let mut bytes = Vec::new();
                for (acks, partition, len) in requests {
                    id += 1;
                    partition_of.push(partition);
                    bytes.extend(produce(id, acks, partition, &vec![7; len]));
                }
                sends.push((conns[number], bytes));
            }
            for (conn, bytes) in &sends {
                alone.send(*conn, bytes);
            }
            together.send_together(&sends);
            for conn in &conns {
                let (expected, told) = (told(&mut alone, *conn), told(&mut together, *conn));
                let outcomes = |told: &[(i32, i16, i64)]| told.iter().map(|it| (it.0, it.1)).collect::<Vec<_>>();
                prop_assert_eq!(outcomes(&told), outcomes(&expected));
                for partition in 0..2 {
                    let its = |it: &&(i32, i16, i64)| it.1 == 0 && partition_of[it.0 as usize] == partition;
                    let offsets: Vec<i64> = told.iter().filter(its).map(|it| it.2).collect();
                    prop_assert!(offsets.is_sorted(), "{:?}", told);
                    given[partition as usize].extend(offsets);
                }
            }
        }
        for partition in 0..2 {
            given[partition as usize].sort_unstable();
            prop_assert_eq!(&given[partition as usize], &(0..end_of(&together, partition)).collect::<Vec<_>>());
            prop_assert_eq!(end_of(&together, partition), end_of(&alone, partition));
        }
    }
}
