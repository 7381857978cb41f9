//! Produce requests that stand one behind the other: written together, answered as if each had come alone.

use super::testing::*;

#[test]
fn pipelined_produces_wait_for_their_syncs_together() {
    let mut world = World::new(options());
    world.create_topic(1, &[("flush.messages", "1")]);
    let conn = world.connect(0);
    world.runs_effects = false;
    let pipelined: Vec<u8> = (0..10).flat_map(|id| produce(id, -1, 0, b"x")).collect();
    world.send(conn, &pipelined);
    assert!(world.receive(conn).is_empty(), "nothing is acked before it is synced");
    assert_eq!(world.unread(conn), 0, "and all of them were appended");
    assert_eq!(world.node.pending_effects(), 1, "one sync is in flight");
    world.runs_effects = true;
    world.run();
    assert_eq!(correlation_ids(&world.receive(conn)), (0..10).collect::<Vec<_>>());
}

#[test]
fn pipelined_small_produces_to_two_partitions_are_written_once_for_each() {
    let mut world = World::new(options());
    world.create_topic(2, &[]);
    let conn = world.connect(0);
    let first: Vec<u8> = [0, 1].into_iter().flat_map(|partition| produce(0, 1, partition, b"x")).collect();
    world.send(conn, &first);
    world.receive(conn);
    world.storage.record();
    let pipelined: Vec<u8> = (0..10).flat_map(|id| produce(id, 1, id % 2, b"x")).collect();
    world.send(conn, &pipelined);
    assert_eq!(world.storage.calls(), 2);
    let replies = replies(&world.receive(conn));
    assert_eq!(replies.iter().map(|(id, _)| *id).collect::<Vec<_>>(), (0..10).collect::<Vec<_>>());
    // Topics, name, partitions, index, error code; then the base offset.
    let base = |body: &[u8]| i64::from_be_bytes(body[22..30].try_into().unwrap());
    let offsets: Vec<i64> = replies.iter().map(|(_, body)| base(body)).collect();
    assert_eq!(offsets, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
}

#[test]
fn a_malformed_request_among_pipelined_ones_costs_the_connection_what_stands_before_it_stays() {
    let mut world = World::new(options());
    world.create_topic(1, &[]);
    let conn = world.connect(0);
    let mut pipelined: Vec<u8> = (0..3).flat_map(|id| produce(id, 1, 0, b"x")).collect();
    pipelined.extend(request(0, 7, 3, b"nonsense"));
    pipelined.extend(produce(4, 1, 0, b"x"));
    world.send(conn, &pipelined);
    assert!(world.ended[&conn].contains("malformed"), "{:?}", world.ended);
    let topic = world.node.topics.by_name("events").unwrap();
    assert_eq!(topic.partition(0).unwrap().high_watermark(), 3);
}
