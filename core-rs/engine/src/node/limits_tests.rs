//! What holds connections back or ends them from outside: caps that change, listeners that go, quotas, authentication,
//! clients that do not read. And the times that requests are told to have taken.

use std::sync::atomic::{AtomicU64, Ordering};

use super::testing::*;
use super::*;
use crate::boundary::commands::PackedLimits;
use crate::boundary::{Command, ConnId};
use crate::time::Now;

const HEARTBEAT: i16 = 12;
const SASL_AUTHENTICATE: i16 = 36;

fn stats(world: &World) -> serde_json::Value {
    serde_json::from_str(&world.node.stats()).unwrap()
}

fn listen(world: &mut World, name: &str, security_protocol: &str) {
    world.submit(&[Command::SetListener { name, host: "", port: 0, security_protocol }]);
}

fn connect_to(world: &mut World, listener: &str) -> Result<ConnId, AcceptError> {
    world.connect_through(0, listener, "127.0.0.1:5000")
}

fn no_limits() -> PackedLimits<'static> {
    PackedLimits {
        max: i32::MAX,
        max_per_address: i32::MAX,
        creation_rate: i32::MAX,
        overrides: Vec::new(),
        listeners: Vec::new(),
    }
}

fn reply(correlation_id: i32) -> Vec<u8> {
    correlation_id.to_be_bytes().to_vec()
}

#[test]
fn caps_change_while_connections_are_there() {
    let mut world = World::new(options());
    let first = world.connect(0);
    let limits = PackedLimits { max: 1, overrides: vec![("127.0.0.1", 5), ("no address", 1)], ..no_limits() };
    world.submit(&[Command::SetConnectionLimits { limits }]);
    assert_eq!(world.node.gate("PLAINTEXT", world.now), Gate::WhenRoom);
    assert_eq!(world.try_connect(0, "10.0.0.1:1"), Err(AcceptError::TooMany));
    world.node.take_wakes();
    world.reactor(first).closed(first, Now::default());
    assert!(world.node.take_wakes().thread_ids().any(|thread| thread == 0), "whoever accepts is told");
    assert_eq!(world.node.gate("PLAINTEXT", world.now), Gate::Open);
    let limits = PackedLimits { max_per_address: 0, overrides: vec![("127.0.0.1", 1)], ..no_limits() };
    world.submit(&[Command::SetConnectionLimits { limits }]);
    world.connect(0);
    assert_eq!(world.try_connect(0, "127.0.0.1:5000"), Err(AcceptError::TooManyOfAddress));
    assert_eq!(world.try_connect(0, "127.0.0.2:5000"), Err(AcceptError::TooManyOfAddress));
}

#[test]
fn a_removed_listener_takes_its_connections_with_it_and_no_others() {
    let mut world = World::new(options());
    listen(&mut world, "PLAINTEXT", "PLAINTEXT");
    listen(&mut world, "EXTRA", "PLAINTEXT");
    let stays = world.connect(1);
    let goes = connect_to(&mut world, "EXTRA").unwrap();
    let waits = connect_to(&mut world, "EXTRA").unwrap();
    world.send(waits, &request(HEARTBEAT, 0, 1, b""));
    let answered = connect_to(&mut world, "EXTRA").unwrap();
    world.deaf.insert(answered);
    world.send(answered, &request(HEARTBEAT, 0, 2, b""));
    let requests = world.control_requests();
    world.respond(answered, requests[1].1, &reply(2));
    world.submit(&[Command::RemoveListener { name: "EXTRA" }]);
    assert!(world.ended[&goes].contains("listener was removed"));
    assert!(world.ended.contains_key(&waits), "what is not answered yet never is");
    assert!(!world.ended.contains_key(&answered), "its reply is still on its way");
    assert_eq!(connect_to(&mut world, "EXTRA"), Err(AcceptError::ListenerRemoved));
    world.advance(1000);
    assert!(world.ended.contains_key(&answered), "but not for ever");
    assert!(!world.ended.contains_key(&stays));
    listen(&mut world, "EXTRA", "PLAINTEXT");
    assert!(connect_to(&mut world, "EXTRA").is_ok(), "a listener may come back");
}

#[test]
fn before_authentication_frames_are_small_and_nothing_else_is_served() {
    let mut options = options();
    options.sasl_server_max_receive_size = 1000;
    let mut world = World::new(options);
    listen(&mut world, "SASL", "SASL_PLAINTEXT");
    listen(&mut world, "PLAINTEXT", "PLAINTEXT");
    let large = connect_to(&mut world, "SASL").unwrap();
    world.send(large, &1001i32.to_be_bytes());
    assert!(world.ended[&large].contains("sasl.server.max.receive.size is 1000"), "{}", world.ended[&large]);
    let early = connect_to(&mut world, "SASL").unwrap();
    world.send(early, &fetch(1, 0, 0, 0, 0));
    assert!(world.ended[&early].contains("before authentication"));
    let early = connect_to(&mut world, "SASL").unwrap();
    world.send(early, &request(HEARTBEAT, 0, 1, b""));
    assert!(world.ended[&early].contains("before authentication"));

    let client = connect_to(&mut world, "SASL").unwrap();
    world.send(client, &request(SASL_AUTHENTICATE, 2, 1, b"secret"));
    let token = world.control_requests()[0].1;
    world.submit(&[
        Command::SetPrincipal { conn: client, principal: "User:alice" },
        Command::Respond { conn: client, token, response: &reply(1) },
    ]);
    world.send(client, &request(HEARTBEAT, 0, 2, &[0; 2000]));
    assert_eq!(world.control_requests().len(), 1, "as large as anywhere");
    let plain = connect_to(&mut world, "PLAINTEXT").unwrap();
    world.send(plain, &request(HEARTBEAT, 0, 2, &[0; 2000]));
    assert_eq!(world.control_requests().len(), 1);
}

#[derive(Debug)]
struct Fixed(u32);

impl Quotas for Fixed {
    fn throttle_ms(&self, used: &Used<'_>, _now: Now) -> u32 {
        assert_eq!((used.principal, used.client_id), ("User:ANONYMOUS", Some("me")));
        assert!(used.request_bytes > 20);
        if used.api_key == 0 { self.0 } else { 0 }
    }
}

#[test]
fn a_throttled_client_is_told_at_once_and_muted_for_as_long() {
    let mut world = World::new(options());
    world.node.set_quotas(Box::new(Fixed(200)));
    world.create_topic(1, &[]);
    let conn = world.connect(0);
    world.send(conn, &[produce(1, 1, 0, b"a"), fetch(2, 0, 0, 0, 0)].concat());
    let received = replies(&world.receive(conn));
    let [(1, produced)] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!(&produced[produced.len() - 4..], 200i32.to_be_bytes(), "throttle_time_ms");
    assert!(!world.reactor(conn).wants_read(conn), "muted");
    world.advance(199);
    assert!(world.receive(conn).is_empty());
    world.advance(1);
    let received = replies(&world.receive(conn));
    let [(2, fetched)] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!(&fetched[..4], 0i32.to_be_bytes());
    assert!(world.reactor(conn).wants_read(conn));
}

#[test]
fn a_waiting_produce_and_one_without_a_reply_are_throttled_too() {
    let mut world = World::new(options());
    world.node.set_quotas(Box::new(Fixed(200)));
    world.create_topic(1, &[("flush.messages", "1")]);
    let (waiting, silent) = (world.connect(0), world.connect(0));
    world.runs_effects = false;
    world.send(waiting, &produce(1, -1, 0, b"a"));
    assert!(world.reactor(waiting).wants_read(waiting), "not answered yet");
    world.runs_effects = true;
    world.run();
    let received = replies(&world.receive(waiting));
    assert_eq!(&received[0].1[received[0].1.len() - 4..], 200i32.to_be_bytes());
    assert!(!world.reactor(waiting).wants_read(waiting));
    world.send(silent, &produce(1, 0, 0, b"a"));
    assert!(!world.reactor(silent).wants_read(silent));
}

#[test]
fn the_control_plane_mutes_whom_its_quotas_name() {
    let mut world = World::new(options());
    let conn = world.connect(0);
    world.submit(&[
        Command::Throttle { conn, throttle_ms: 50 },
        Command::Throttle { conn, throttle_ms: 10 },
        Command::Throttle { conn, throttle_ms: -1 },
    ]);
    world.send(conn, &request(HEARTBEAT, 0, 1, b""));
    world.advance(49);
    assert!(world.control_requests().is_empty());
    world.advance(1);
    assert_eq!(world.control_requests().len(), 1);
}

#[test]
fn replies_that_nobody_reads_count_toward_the_budget_and_cost_their_connection() {
    let mut options = options();
    options.queued_max_request_bytes = 100_000;
    let mut world = World::new(options);
    let (deaf, good) = (world.connect(0), world.connect(1));
    world.deaf.insert(deaf);
    world.send(deaf, &request(HEARTBEAT, 0, 1, b""));
    let token = world.control_requests()[0].1;
    world.respond(deaf, token, &vec![0; 150_000]);
    assert!(stats(&world)["memory"]["inputBytes"].as_i64().unwrap() > 150_000);
    world.advance(10);
    world.send(good, &request(HEARTBEAT, 0, 2, b""));
    assert!(world.ended[&deaf].contains("queued.max.request.bytes"));
    assert_eq!(world.control_requests().len(), 1, "the other goes on");
    assert_eq!(stats(&world)["memory"]["inputBytes"].as_i64(), Some(0));
}

/// A stopwatch that is a microsecond later whenever somebody looks.
fn ticking() -> u64 {
    static NANOS: AtomicU64 = AtomicU64::new(0);
    NANOS.fetch_add(1000, Ordering::Relaxed)
}

#[test]
fn every_request_is_timed_from_its_last_byte_in_to_its_last_byte_out() {
    let mut world = World::with_stopwatch(options(), ticking);
    world.create_topic(1, &[]);
    let conn = world.connect(0);
    world.send(
        conn,
        &[produce(1, 1, 0, b"a"), fetch(2, 0, 1, 500, 1), request(HEARTBEAT, 0, 3, b"")].concat(),
    );
    world.send(conn, &produce(4, 0, 0, b"a"));
    let token = world.control_requests()[0].1;
    world.respond(conn, token, &reply(3));
    let times = stats(&world)["requestTimes"].clone();
    let count = |key: &str, name: &str| times[key][name]["count"].as_u64().unwrap_or(0);
    for name in ["RequestQueueTimeMs", "LocalTimeMs", "RemoteTimeMs", "ResponseQueueTimeMs", "TotalTimeMs"] {
        assert_eq!(count("0", name), 2, "{name}: one of them has no reply");
        assert_eq!(count("1", name), 1, "{name}");
    }
    assert_eq!(count("12", "TotalTimeMs"), 1);
    assert_eq!(count("12", "LocalTimeMs"), 0, "that is the control plane's to know");
    world.submit(&[
        Command::RequestTimed { api_key: HEARTBEAT, queue: 5, local: 6, remote: -1 },
        Command::RequestTimed { api_key: -1, queue: 5, local: 6, remote: 0 },
    ]);
    let told = stats(&world)["requestTimes"]["12"].clone();
    assert_eq!(
        (&told["LocalTimeMs"]["sumMicros"], &told["RemoteTimeMs"]["sumMicros"]),
        (&6.into(), &0.into())
    );
    assert_eq!(told["TotalTimeMs"]["count"], 1);
    let micros = |key: &str, name: &str| times[key][name]["sumMicros"].as_u64().unwrap();
    let stations = ["RequestQueueTimeMs", "LocalTimeMs", "RemoteTimeMs", "ResponseQueueTimeMs"];
    let sum: u64 = stations.iter().map(|name| micros("1", name)).sum();
    assert_eq!(micros("1", "TotalTimeMs"), sum + micros("1", "ResponseSendTimeMs"));
    assert!(micros("1", "RemoteTimeMs") > 0, "it was parked until the second produce came");
}
