//! What connections are promised: replies in request order, bounded memory, bad input closes one connection and no
//! other, waiting requests end.

use proptest::prelude::*;

use super::parked::Asked;
use super::reactor::{Due, find};
use super::testing::*;
use super::*;
use crate::api::{Parked, Part, RequestHeader};
use crate::boundary::{Command, ConnId, Event, parse_events};
use crate::conn::{Pending, Timing};
use crate::partition::{Notices, WaiterId};
use crate::storage::{Fault, SimOperation};
use crate::time::Now;
use crate::uuid::Uuid;

/// A key of the control plane that passes, one that holds up what follows, and one that wants to be alone.
const HEARTBEAT: i16 = 12;
const CREATE_TOPICS: i16 = 19;
const JOIN_GROUP: i16 = 11;
const SASL_HANDSHAKE: i16 = 17;

fn reply(correlation_id: i32) -> Vec<u8> {
    let mut reply = correlation_id.to_be_bytes().to_vec();
    reply.extend(b"reply");
    reply
}

fn stats(world: &World) -> serde_json::Value {
    serde_json::from_str(&world.node.stats()).unwrap()
}

fn correlation_of(frame: &[u8]) -> i32 {
    i32::from_be_bytes(frame[4..8].try_into().unwrap())
}

/// Correlation ids of the control requests that are new.
fn seen(world: &mut World) -> Vec<i32> {
    world.control_requests().iter().map(|(.., frame)| correlation_of(frame)).collect()
}

#[test]
fn a_control_request_becomes_an_event_and_its_answer_a_frame() {
    let mut world = World::new(options());
    let conn = world.connect(1);
    world.drain();
    let sent = request(HEARTBEAT, 3, 9, b"body");
    world.send(conn, &sent);
    let packed = world.drain();
    let events = parse_events(&packed).unwrap();
    let expected = Event::ControlRequest {
        conn,
        token: 0,
        api_key: HEARTBEAT,
        api_version: 3,
        listener: "PLAINTEXT",
        peer: "127.0.0.1:5000",
        principal: "User:ANONYMOUS",
        arrival_monotonic_ms: world.now.monotonic_ms,
        arrival_wall_ms: world.now.wall_ms,
        frame: &sent[4..],
    };
    assert_eq!(events, [expected]);
    world.respond(conn, 0, &reply(9));
    assert_eq!(world.receive(conn), sized(&reply(9)));
}

#[test]
fn an_early_answer_waits_for_the_ones_before_it() {
    let mut world = World::new(options());
    let conn = world.connect(0);
    world.send(
        conn,
        &[request(HEARTBEAT, 0, 1, b""), request(JOIN_GROUP, 0, 2, b""), request(3, 0, 3, b"")].concat(),
    );
    let requests = world.control_requests();
    assert_eq!(requests.len(), 3, "none of them holds up the next");
    world.respond(conn, requests[2].1, &reply(3));
    world.submit(&[Command::RespondNone { conn, token: requests[1].1 }]);
    assert!(world.receive(conn).is_empty());
    world.respond(conn, requests[0].1, &reply(1));
    assert_eq!(correlation_ids(&world.receive(conn)), [1, 3]);
    // Answers to slots that are gone are passed over.
    world.respond(conn, requests[0].1, &reply(1));
    world.respond(conn, 77, &reply(1));
    assert!(world.receive(conn).is_empty());
}

#[test]
fn a_request_that_changes_state_holds_up_what_follows_until_it_is_answered() {
    let mut world = World::new(options());
    let conn = world.connect(0);
    let frames =
        [request(HEARTBEAT, 0, 1, b""), request(CREATE_TOPICS, 2, 2, b""), request(HEARTBEAT, 0, 3, b"")];
    world.send(conn, &frames.concat());
    assert_eq!(seen(&mut world), [1, 2]);
    assert!(!world.reactor(conn).wants_read(conn), "muted");
    world.send(conn, &request(HEARTBEAT, 0, 4, b""));
    assert!(world.unread(conn) > 0, "nothing more is read");
    world.respond(conn, 1, &reply(2));
    assert_eq!(seen(&mut world), [3, 4]);
}

#[test]
fn authentication_waits_for_everything_before_it_and_holds_up_everything_after() {
    let mut world = World::new(options());
    let conn = world.connect(0);
    let frames =
        [request(HEARTBEAT, 0, 1, b""), request(SASL_HANDSHAKE, 1, 2, b""), request(HEARTBEAT, 0, 3, b"")];
    world.send(conn, &frames.concat());
    assert_eq!(seen(&mut world), [1]);
    world.respond(conn, 0, &reply(1));
    assert_eq!(seen(&mut world), [2]);
    world.respond(conn, 1, &reply(2));
    assert_eq!(seen(&mut world), [3]);
}

#[test]
fn frames_that_no_client_sends_close_their_connection_alone() {
    let mut world = World::new(options());
    let bystander = world.connect(0);
    for (bytes, reason) in [
        ((-5i32).to_be_bytes().to_vec(), "-5 bytes"),
        (0i32.to_be_bytes().to_vec(), "0 bytes"),
        (i32::MAX.to_be_bytes().to_vec(), "socket.request.max.bytes"),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "socket.request.max.bytes"),
        (sized(&[0, 0, 0]), "a request of 3 bytes"),
        (request(0, 99, 1, b""), "not served"),
        (request(0, 7, 1, b"garbage"), "malformed"),
        (sized(&[0, 0, 0, 7, 0, 0, 0, 1, 0x7f, 0xff]), "malformed request header"),
    ] {
        let conn = world.connect(0);
        world.drain();
        world.send(conn, &bytes);
        let ended = world.ended.get(&conn).unwrap_or_else(|| panic!("{reason}: still open"));
        assert!(ended.contains(reason), "{ended:?} does not say {reason:?}");
        let packed = world.drain();
        let events = parse_events(&packed).unwrap();
        let Some(Event::RequestRefused { conn: refused, peer, .. }) = events.first() else {
            panic!("{events:?}")
        };
        assert_eq!((*refused, *peer), (conn, "127.0.0.1:5000"));
    }
    world.send(bystander, &request(HEARTBEAT, 0, 1, b""));
    assert_eq!(seen(&mut world), [1]);
}

#[test]
fn a_frame_cut_by_the_end_of_its_connection_leaves_nothing_behind() {
    let mut world = World::new(options());
    let conn = world.connect(0);
    world.send(conn, &request(HEARTBEAT, 0, 1, &[0; 50_000])[..40_000]);
    assert_eq!(world.node.budget.input_bytes(), 40_000);
    world.disconnect(conn);
    assert_eq!(world.node.budget.input_bytes(), 0);
    assert_eq!(world.reactors[0].connections(), 0);
    let packed = world.drain();
    assert!(
        !parse_events(&packed).unwrap().iter().any(|event| matches!(event, Event::ConnectionClosed { .. }))
    );
}

#[test]
fn a_connection_that_goes_with_requests_unanswered_is_reported_and_its_slot_gets_a_new_generation() {
    let mut world = World::new(options());
    let conn = world.connect(0);
    world.send(conn, &request(HEARTBEAT, 0, 1, b""));
    world.drain();
    world.disconnect(conn);
    let packed = world.drain();
    assert_eq!(parse_events(&packed).unwrap(), [Event::ConnectionClosed { conn }]);
    assert_eq!(world.node.budget.request_bytes(), 0);
    let next = world.connect(0);
    assert_eq!((next.slot(), next.generation()), (conn.slot(), conn.generation() + 1));
    world.send(next, &request(HEARTBEAT, 0, 2, b""));
    world.respond(conn, 0, &reply(1));
    assert!(world.receive(next).is_empty(), "an answer to the tenant before is not this one's");
    world.submit(&[Command::CloseConnection { conn, reason: "stale" }]);
    assert!(world.ended.is_empty());
    world.submit(&[Command::CloseConnection { conn: next, reason: "unsupported version" }]);
    assert_eq!(world.ended[&next], "unsupported version");
}

#[test]
fn a_client_that_never_reads_is_muted_in_bounded_memory() {
    let mut world = World::new(options());
    let (conn, other) = (world.connect(0), world.connect(0));
    world.deaf.insert(conn);
    let flood: Vec<u8> = (0..10_000).flat_map(|id| request(HEARTBEAT, 0, id, &[1; 100])).collect();
    world.send(conn, &flood);
    let mut answered = 0;
    loop {
        let requests = world.control_requests();
        if requests.is_empty() {
            break;
        }
        answered += requests.len();
        for (conn, token, frame) in requests {
            world.respond(conn, token, &reply(correlation_of(&frame)));
        }
    }
    assert_eq!(answered, 64, "no more requests than slots were started");
    assert!(world.unread(conn) > flood.len() / 2, "the rest stays with the client");
    assert!(world.node.budget.input_bytes() <= (256 << 10) + 2000);
    world.send(other, &request(HEARTBEAT, 0, 1, b""));
    assert_eq!(seen(&mut world), [1], "others are undisturbed");
    world.hear(conn);
    assert_eq!(correlation_ids(&world.receive(conn)), (0..64).collect::<Vec<_>>());
    assert_eq!(world.control_requests().len(), 64, "and it goes on once the client reads");
}

#[test]
fn sockets_with_control_requests_are_muted_while_the_control_plane_is_behind() {
    let mut world = World::new(options());
    let conns: Vec<ConnId> = (0..100).map(|n| world.connect(n % 2)).collect();
    world.drain();
    for conn in &conns {
        world.send(*conn, &(0..60).flat_map(|id| request(HEARTBEAT, 0, id, b"")).collect::<Vec<_>>());
    }
    assert!(conns.iter().any(|conn| !world.reactor(*conn).wants_read(*conn)));
    let first = world.control_requests().len();
    assert_eq!(first, 4096, "no more than the ring takes");
    assert_eq!(first + world.control_requests().len(), 6000, "the rest follows once it was drained");
    assert!(conns.iter().all(|conn| world.reactor(*conn).wants_read(*conn)));
}

#[test]
fn incomplete_frames_that_hold_the_whole_budget_cost_the_one_that_is_silent_longest() {
    let mut small = options();
    // Less than the two buffers that they take over, each of which a read has touched.
    small.queued_max_request_bytes = 500_000;
    let mut world = World::new(small);
    let whole = request(HEARTBEAT, 0, 2, &vec![0; 150_000]);
    let (slow, busy) = (world.connect(0), world.connect(0));
    world.send(slow, &whole[..90_000]);
    world.advance(10);
    world.send(busy, &whole[..120_000]);
    assert!(world.ended.is_empty());
    world.send(busy, &whole[120_000..]);
    assert_eq!(world.ended.keys().collect::<Vec<_>>(), [&slow]);
    assert_eq!(seen(&mut world), [2], "the other one went on");
    assert_eq!(world.node.budget.input_bytes(), 0);
}

#[test]
fn ten_thousand_connections_with_partial_frames_hold_what_they_sent_and_the_budget_knows_all_of_it() {
    let mut world = World::new(options());
    let frame = request(HEARTBEAT, 0, 1, &vec![0; 1 << 20]);
    let partial = &frame[..9 << 10];
    for _ in 0..10_000 {
        let conn = world.connect(0);
        let reactor = world.reactor(conn);
        reactor.read_target(conn)[..partial.len()].copy_from_slice(partial);
        let now = Now { monotonic_ms: 1000, wall_ms: 0 };
        reactor.received(conn, partial.len(), now);
    }
    let held: usize =
        world.reactors[0].connections.iter().map(|(_, tenant)| tenant.conn.input.held_memory()).sum();
    assert_eq!(held, 10_000 * partial.len());
    assert_eq!(world.node.budget.input_bytes(), held as i64);
    // What the threads hold beside that: one buffer each, touched as far as one read goes.
    assert_eq!(stats(&world)["memory"]["bufferBytes"], 262_144);
}

#[test]
fn a_thread_that_holds_nothing_of_an_exhausted_budget_gets_it_back_from_the_others() {
    let mut small = options();
    small.queued_max_request_bytes = 200_000;
    let mut world = World::new(small);
    let (slow, late) = (world.connect(0), world.connect(1));
    world.send(slow, &request(HEARTBEAT, 0, 1, &vec![0; 400_000])[..250_000]);
    assert!(world.ended.is_empty(), "nobody else needs it yet");
    world.send(late, &request(HEARTBEAT, 0, 3, b""));
    assert_eq!(world.ended.keys().collect::<Vec<_>>(), [&slow]);
    assert_eq!(seen(&mut world), [3]);
}

#[test]
fn requests_in_the_hands_of_the_control_plane_count_and_mute_until_they_are_answered() {
    let mut small = options();
    small.queued_max_request_bytes = 100_000;
    let mut world = World::new(small);
    let (large, other) = (world.connect(0), world.connect(1));
    world.send(large, &request(HEARTBEAT, 0, 1, &vec![0; 120_000]));
    assert_eq!(seen(&mut world), [1]);
    world.send(other, &request(HEARTBEAT, 0, 2, b""));
    assert!(seen(&mut world).is_empty() && world.unread(other) > 0, "muted");
    world.respond(large, 0, &reply(1));
    assert_eq!(seen(&mut world), [2]);
    assert!(world.ended.is_empty());
}

#[test]
fn caps_on_connections_hold_and_free_again() {
    let mut capped = options();
    (capped.max_connections, capped.max_connections_per_ip) = (3, 2);
    let mut world = World::new(capped);
    let first = world.try_connect(0, "10.0.0.1:1").unwrap();
    world.try_connect(1, "10.0.0.1:2").unwrap();
    assert_eq!(world.try_connect(0, "10.0.0.1:3"), Err(AcceptError::TooManyOfAddress));
    world.try_connect(0, "10.0.0.2:1").unwrap();
    assert_eq!(world.try_connect(0, "10.0.0.3:1"), Err(AcceptError::TooMany));
    world.disconnect(first);
    world.try_connect(0, "10.0.0.1:4").unwrap();
    world.reactors[1].count_failed_accept();
    let stats = stats(&world);
    assert_eq!((&stats["refusedConnections"], &stats["failedAccepts"]), (&2.into(), &1.into()));
}

#[test]
fn an_idle_connection_is_closed_and_one_that_waits_for_us_is_not() {
    let mut world = World::new(options());
    let (idle, waiting) = (world.connect(0), world.connect(0));
    world.send(waiting, &request(HEARTBEAT, 0, 1, b""));
    world.advance(599_999);
    assert!(world.ended.is_empty());
    world.advance(1);
    assert!(world.ended.contains_key(&idle));
    world.advance(3_600_000);
    assert!(!world.ended.contains_key(&waiting));
    world.respond(waiting, 0, &reply(1));
    world.advance(600_000);
    world.advance(600_000);
    assert!(world.ended.contains_key(&waiting));
    assert_eq!(world.reactors[0].next_deadline_ms(), None, "no deadline is left behind");
}

#[test]
fn a_fetch_parks_until_a_produce_of_another_thread_wakes_it() {
    let mut world = World::new(options());
    world.create_topic(2, &[]);
    let (consumer, producer) = (world.connect(0), world.connect(1));
    world.send(consumer, &fetch(1, 0, 0, 60_000, 1));
    assert!(world.receive(consumer).is_empty());
    world.send(producer, &produce(5, -1, 0, b"hello"));
    assert_eq!(correlation_ids(&world.receive(producer)), [5]);
    let bytes = world.receive(consumer);
    let replies = replies(&bytes);
    assert_eq!(replies[0].0, 1);
    assert!(replies[0].1.windows(5).any(|window| window == b"hello"));
    assert_eq!(world.reactors[0].next_deadline_ms(), Some(601_000), "only the idle deadline is left");
    assert_eq!(world.node.topics().partition(crate::uuid::Uuid(TOPIC), 0).unwrap().waiter_count(), 0);
}

#[test]
fn a_parked_fetch_ends_at_its_deadline_or_with_its_connection() {
    let mut world = World::new(options());
    world.create_topic(1, &[]);
    let (one, two) = (world.connect(0), world.connect(0));
    world.send(one, &fetch(1, 0, 0, 500, 1));
    world.send(two, &fetch(2, 0, 0, 500, 1));
    world.disconnect(two);
    world.advance(499);
    assert!(world.receive(one).is_empty());
    world.advance(1);
    assert_eq!(correlation_ids(&world.receive(one)), [1]);
    assert_eq!(world.node.topics().partition(crate::uuid::Uuid(TOPIC), 0).unwrap().waiter_count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Random requests of both planes, random cuts of the byte stream, answers in random order: the replies are those
    /// of the requests, in request order, byte for byte.
    #[test]
    fn replies_leave_in_request_order_under_random_completion(
        kinds in proptest::collection::vec(0u8..5, 1..60),
        cuts in proptest::collection::vec(1usize..400, 1..20),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 200),
    ) {
        let mut world = World::new(options());
        world.create_topic(1, &[]);
        world.drain();
        let conn = world.connect(0);
        let mut stream = Vec::new();
        for (id, kind) in kinds.iter().enumerate() {
            let id = id as i32;
            stream.extend(match kind {
                0 => request(HEARTBEAT, 0, id, b"heart"),
                1 => request(CREATE_TOPICS, 2, id, b"create"),
                2 => request(JOIN_GROUP, 0, id, &[3; 300]),
                3 => produce(id, -1, 0, b"value"),
                _ => fetch(id, 0, 0, 1, 1 << 30),
            });
        }
        let mut cuts = cuts.into_iter().cycle();
        let mut picks = picks.into_iter().cycle();
        let mut waiting: Vec<(i64, i32)> = Vec::new();
        let mut rest = stream.as_slice();
        loop {
            let (now, later) = rest.split_at(rest.len().min(cuts.next().unwrap()));
            rest = later;
            world.send(conn, now);
            let requests = world.control_requests();
            waiting.extend(requests.iter().map(|(_, token, frame)| (*token, correlation_of(frame))));
            if waiting.is_empty() && rest.is_empty() {
                break;
            }
            if !waiting.is_empty() {
                let (token, id) = waiting.swap_remove(picks.next().unwrap().index(waiting.len()));
                world.respond(conn, token, &reply(id));
            }
        }
        world.advance(1);
        let received = replies(&world.receive(conn));
        prop_assert_eq!(received.len(), kinds.len());
        for (id, (kind, (correlation_id, body))) in kinds.iter().zip(&received).enumerate() {
            prop_assert_eq!(*correlation_id, id as i32);
            if *kind < 3 {
                prop_assert_eq!(body.as_slice(), b"reply");
            }
        }
        prop_assert_eq!(world.node.budget.input_bytes() + world.node.budget.request_bytes(), 0);
    }
}

#[test]
fn a_panic_inside_one_request_costs_its_connection_and_its_partition_and_nothing_else() {
    let mut world = World::new(options());
    world.create_topic(2, &[]);
    let [waiting, unlucky, bystander] = [0, 0, 0].map(|thread| world.connect(thread));
    world.send(waiting, &fetch(1, 0, 0, 60_000, 1));
    world.storage.fail_next(SimOperation::Write, Fault::Panic);
    world.send(unlucky, &produce(2, -1, 0, b"x"));
    assert!(world.ended[&unlucky].contains("a simulated bug"), "{:?}", world.ended);
    let partition = |world: &World, index| world.node.topics().partition(Uuid(TOPIC), index).unwrap();
    assert!(partition(&world, 0).offline_reason().unwrap().contains("panic"));
    assert_eq!(correlation_ids(&world.receive(waiting)), [1], "who waited there is told");
    assert_eq!(partition(&world, 0).waiter_count(), 0);
    world.send(bystander, &produce(3, -1, 1, b"y"));
    assert_eq!(correlation_ids(&world.receive(bystander)), [3], "the thread goes on");
    assert_eq!(partition(&world, 1).high_watermark(), 1);
    assert!(world.ended.keys().eq([&unlucky]));
}

#[derive(Debug)]
struct Bug;

impl Parked for Bug {
    fn deadline_ms(&self) -> i64 {
        i64::MAX
    }

    fn try_complete(&mut self, _: Now, _: WaiterId, _: &mut Notices) -> Option<Vec<Part>> {
        panic!("a simulated bug")
    }

    fn expire(&mut self, _: Now, _: WaiterId, _: &mut Notices) -> Vec<Part> {
        panic!("a simulated bug")
    }

    fn cancel(&mut self, _: WaiterId) {}
}

#[test]
fn a_panic_while_a_parked_request_is_evaluated_costs_its_connection_alone() {
    let mut world = World::new(options());
    let [woken, late, bystander] = [0, 0, 0].map(|thread| world.connect(thread));
    let reactor = &mut world.reactors[0];
    for conn in [woken, late] {
        let token = reactor.parked.reserve();
        let slot = find(&mut reactor.connections, conn)
            .unwrap()
            .slots
            .open(Pending::Data { waiter: token }, Timing::default());
        let deadline = reactor.deadlines.set(2000, Due::Parked(token));
        let header = RequestHeader::parse(&[0, 1, 0, 4, 0, 0, 0, 1, 0xff, 0xff]).unwrap();
        reactor.parked.park((conn, slot), deadline, Box::new(Bug), Asked { header, bytes: 10 });
        if conn == woken {
            reactor.woken.push_back(token);
        }
    }
    world.run();
    assert!(world.ended.keys().eq([&woken]), "{:?}", world.ended);
    world.advance(1000);
    assert!(world.ended.keys().eq([&woken, &late]), "{:?}", world.ended);
    assert_eq!(world.reactors[0].parked.len(), 0);
    world.send(bystander, &request(HEARTBEAT, 0, 1, b""));
    assert_eq!(seen(&mut world), [1]);
}
