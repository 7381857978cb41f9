//! The leaders that replies name, and where they are.

use super::testing::Value;
use super::testing::schema::{FETCH_RESPONSE, PRODUCE_RESPONSE};
use super::testing::world::{Fetch, World, parked, replied, reply_of, waiter};
use super::{ErrorCode, NodeEndpoint};
use crate::partition::Notices;
use crate::partition::testing::{batch, synced_config};

/// Brokers 1 and 2 on the listener of the world's connections, 5 on another one.
fn world() -> World {
    let world = World::with_config(synced_config());
    let at = |listener: &str, node_id, host: &str, rack: Option<&str>| {
        let endpoint = NodeEndpoint { host: host.to_owned(), port: 9092, rack: rack.map(str::to_owned) };
        (listener.to_owned(), node_id, endpoint)
    };
    world.nodes.replace([
        at("PLAINTEXT", 1, "one", Some("r1")),
        at("PLAINTEXT", 2, "two", None),
        at("OTHER", 5, "five", None),
    ]);
    world
}

fn endpoints(reply: &Value) -> Vec<(i64, String)> {
    if !reply.has("nodeEndpoints") {
        return Vec::new();
    }
    let told = reply.items("nodeEndpoints").iter();
    told.map(|node| (node.int("nodeId"), format!("{:?} {:?}", node.get("host"), node.get("rack")))).collect()
}

fn ids(reply: &Value) -> Vec<i64> {
    endpoints(reply).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn a_fetch_from_a_fenced_epoch_is_told_leader_and_endpoint_from_version_16_on() {
    let mut world = world();
    world.partition(0).set_assignment(1, 1, 1);
    world.partition(1).set_assignment(1, 1, 1);
    let ask = Fetch { leader_epoch: 2, ..Fetch::default() };
    for version in 12..=18 {
        let reply = world.fetch(version, &ask, &[("t", 0, 0), ("t", 1, 0)]);
        let answers = reply.items("responses")[0].items("partitions");
        for answer in answers {
            assert_eq!(ErrorCode(answer.int("errorCode") as i16), ErrorCode::FENCED_LEADER_EPOCH);
            assert_eq!(answer.has("currentLeader"), version >= 16, "version {version}");
        }
        let expected = if version >= 16 { vec![1] } else { vec![] };
        assert_eq!(ids(&reply), expected, "once, whatever it leads");
    }
    let reply = world.fetch(16, &ask, &[("t", 0, 0)]);
    let one = format!("{:?} {:?}", Value::from("one"), Value::from("r1"));
    assert_eq!(endpoints(&reply), [(1, one)]);
    let fine = world.fetch(16, &Fetch::default(), &[("t", 0, 0)]);
    assert!(endpoints(&fine).is_empty());
}

#[test]
fn a_produce_to_the_wrong_broker_is_told_where_to_go_from_version_10_on() {
    let mut world = world();
    world.partition(0).set_assignment(2, 1, 1);
    world.partition(0).follow(4, &mut world.notices);
    for version in 9..=13 {
        let parts = replied(world.produce_outcome(version, -1, &[("t", 0, batch(1))]));
        let expected = if version >= 10 { vec![2] } else { vec![] };
        assert_eq!(ids(&reply_of(&PRODUCE_RESPONSE, version, parts)), expected, "version {version}");
    }
}

#[test]
fn whoever_waits_is_told_too_and_of_its_own_listener_alone() {
    let mut world = world();
    let mut produce = parked(world.produce_outcome(12, -1, &[("t", 0, batch(1))]));
    let mut fetch =
        parked(world.fetch_outcome(16, &Fetch { max_wait_ms: 500, ..Fetch::default() }, &[("t", 0, 0)]));
    world.partition(0).set_assignment(2, 1, 1);
    world.partition(0).follow(4, &mut world.notices);
    let now = world.now;
    let parts = produce.try_complete(now, waiter(1), &mut Notices::default()).unwrap();
    assert_eq!(ids(&reply_of(&PRODUCE_RESPONSE, 12, parts)), [2]);
    let parts = fetch.try_complete(now, waiter(2), &mut Notices::default()).unwrap();
    assert_eq!(ids(&reply_of(&FETCH_RESPONSE, 16, parts)), [2]);

    world.partition(0).set_assignment(5, 1, 1);
    world.partition(0).follow(5, &mut world.notices);
    let reply = world.fetch(16, &Fetch::default(), &[("t", 0, 0)]);
    let answer = &reply.items("responses")[0].items("partitions")[0];
    assert_eq!(answer.get("currentLeader").int("leaderId"), 5);
    assert!(endpoints(&reply).is_empty(), "nobody reaches 5 by this listener");
}
