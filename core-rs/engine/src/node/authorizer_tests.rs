//! Decisions against those of Kafka's own StandardAuthorizer (the golden file that the control plane reads too), and a
//! whole node whose ACLs come and go under its clients.

use core::net::IpAddr;

use super::authorizer_rules::AclRules;
use super::testing::*;
use crate::api::ErrorCode;
use crate::boundary::commands::AclEntry;
use crate::boundary::{Command, Event, NodeOptions, TopicId, parse_events};
use crate::uuid::Uuid;

const GOLDEN: &str = include_str!("../../../../test/wire/golden/acl-decisions.txt");

fn id(number: usize) -> TopicId {
    (number as u128 + 1).to_be_bytes()
}

fn entry<'a>(number: usize, fields: &[&'a str]) -> AclEntry<'a> {
    let [resource_type, resource_name, pattern_type, principal, host, operation, permission_type] = fields
    else {
        panic!("seven fields")
    };
    AclEntry {
        id: id(number),
        resource_type: resource_type.parse().unwrap(),
        resource_name,
        pattern_type: pattern_type.parse().unwrap(),
        principal,
        host,
        operation: operation.parse().unwrap(),
        permission_type: permission_type.parse().unwrap(),
    }
}

#[test]
fn every_decision_is_that_of_kafka_also_after_acls_have_come_and_gone() {
    let (mut rules, mut count, mut asked) = (AclRules::default(), 0, 0);
    for line in GOLDEN.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["policy", allow, super_users] => {
                rules = AclRules::new(super_users, *allow == "true");
                count = 0;
            }
            ["acl", acl @ ..] => {
                // One that shuts everybody out, gone again before anybody asks.
                let passing = AclEntry {
                    permission_type: 2,
                    principal: "User:*",
                    host: "*",
                    ..entry(count + 500, acl)
                };
                rules.add(&passing);
                rules.add(&entry(count, acl));
                rules.add(&entry(count, acl));
                rules.remove(Uuid(passing.id));
                count += 1;
            }
            ["ask", principal, host, operation, resource_type, name, answer] => {
                let asker: (&str, IpAddr) = (principal, host.parse().unwrap());
                let numbers = (operation.parse().unwrap(), resource_type.parse().unwrap());
                let allowed = rules.allows(asker, numbers.0, numbers.1, name);
                assert_eq!(allowed, *answer == "1", "{line}");
                asked += 1;
            }
            // The data plane has no question about any resource of a type.
            ["any", ..] => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(asked > 1000);
}

fn secured() -> NodeOptions {
    let mut options = options();
    options.defaults.push((
        "authorizer.class.name".into(),
        "org.apache.kafka.metadata.authorizer.StandardAuthorizer".into(),
    ));
    options
}

/// An ACL on the topic `events`.
fn acl(number: usize, host: &'static str, permission_type: i8) -> AclEntry<'static> {
    AclEntry {
        id: id(number),
        resource_type: 2,
        resource_name: "events",
        pattern_type: 3,
        principal: "User:ANONYMOUS",
        host,
        operation: 4,
        permission_type,
    }
}

fn produce_error(world: &mut World, peer: &str) -> ErrorCode {
    let conn = world.try_connect(0, peer).unwrap();
    world.send(conn, &produce(1, -1, 0, b"record"));
    let (_, body) = replies(&world.receive(conn)).remove(0);
    // Behind the name of the one topic and the index of its one partition.
    ErrorCode(i16::from_be_bytes([body[20], body[21]]))
}

#[test]
fn a_node_obeys_the_acls_that_it_was_told_last_for_each_peer_of_its_own() {
    let mut world = World::new(secured());
    world.create_topic(1, &[]);
    let denied = ErrorCode::TOPIC_AUTHORIZATION_FAILED;
    assert_eq!(produce_error(&mut world, "127.0.0.1:5000"), denied);
    world.submit(&[Command::ApplyAcls { removed: vec![], added: vec![acl(1, "127.0.0.2", 3)] }]);
    assert_eq!(produce_error(&mut world, "127.0.0.1:5000"), denied);
    assert_eq!(produce_error(&mut world, "127.0.0.2:5000"), ErrorCode::NONE);
    assert_eq!(produce_error(&mut world, "[::ffff:127.0.0.2]:5000"), ErrorCode::NONE);
    world.submit(&[Command::ApplyAcls {
        removed: vec![id(1)],
        added: vec![acl(2, "*", 3), acl(3, "127.0.0.2", 2)],
    }]);
    assert_eq!(produce_error(&mut world, "127.0.0.1:5000"), ErrorCode::NONE);
    assert_eq!(produce_error(&mut world, "127.0.0.2:5000"), denied);
}

#[test]
fn a_refusal_is_told_with_who_asked_what() {
    let mut world = World::new(secured());
    world.create_topic(1, &[]);
    produce_error(&mut world, "127.0.0.9:5000");
    let mut events = Vec::new();
    world.node.drain_events(&mut events);
    let told = Event::AccessDenied {
        principal: "User:ANONYMOUS",
        peer: "127.0.0.9:5000",
        api_key: 0,
        operation: 4,
        resource_type: 2,
        resource_name: "events",
        untold: 0,
    };
    assert!(parse_events(&events).unwrap().contains(&told));
}
