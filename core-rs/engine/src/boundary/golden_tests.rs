//! The packed layout against the golden bytes that the TypeScript side reads too, both ways, and hostile batches.

use proptest::prelude::*;
use serde_json::Value as Json;

use super::commands::{AclEntry, NodeAddress, PackedLimits, PartitionImage, TopicImage};
use super::records::{AppendReply, AppendRequest};
use super::*;
use crate::uuid::Uuid;

macro_rules! golden {
    ($file:literal) => {
        items(include_str!(concat!("../../../../test/wire/golden/boundary/", $file)))
    };
}

fn items(text: &str) -> Vec<Json> {
    serde_json::from_str(text).unwrap()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The fields of one golden item, by name.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a Json);

impl<'a> Fields<'a> {
    fn number<T: TryFrom<i64>>(self, name: &str) -> T {
        let number = self.0.get(name).and_then(Json::as_i64).unwrap_or_else(|| panic!("no number {name}"));
        T::try_from(number).ok().unwrap_or_else(|| panic!("{name} out of range"))
    }

    fn text(self, name: &str) -> &'a str {
        self.0.get(name).and_then(Json::as_str).unwrap_or_else(|| panic!("no text {name}"))
    }

    fn flag(self, name: &str) -> bool {
        self.0.get(name).and_then(Json::as_bool).unwrap_or_else(|| panic!("no flag {name}"))
    }

    fn id(self, name: &str) -> TopicId {
        self.text(name).parse::<Uuid>().unwrap().0
    }

    fn conn(self) -> ConnId {
        ConnId::from_raw(self.number("conn")).unwrap()
    }

    fn bytes(self, name: &str) -> Option<Vec<u8>> {
        self.0.get(name).and_then(Json::as_str).map(unhex)
    }

    fn list(self, name: &str) -> impl Iterator<Item = Fields<'a>> {
        let items = self.0.get(name).and_then(Json::as_array).unwrap_or_else(|| panic!("no list {name}"));
        items.iter().map(Fields)
    }

    fn numbers(self, name: &str) -> Vec<i32> {
        self.list(name).map(|item| item.0.as_i64().unwrap() as i32).collect()
    }

    fn values(self) -> Vec<Vec<u8>> {
        self.list("records").map(|record| record.bytes("value").unwrap()).collect()
    }
}

fn event_bytes(kind: i64, fields: Fields<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let values = if matches!(kind, 6 | 20) { fields.values() } else { Vec::new() };
    let frame = fields.bytes("frame").unwrap_or_default();
    let event = match kind {
        1 => Event::ControlRequest {
            conn: fields.conn(),
            token: fields.number("token"),
            api_key: fields.number("apiKey"),
            api_version: fields.number("apiVersion"),
            listener: fields.text("listener"),
            peer: fields.text("peer"),
            principal: fields.text("principal"),
            arrival_monotonic_ms: fields.number("arrivalMonotonicMs"),
            arrival_wall_ms: fields.number("arrivalWallMs"),
            frame: &frame,
        },
        2 => Event::Committed {
            topic_id: fields.id("topicId"),
            partition: fields.number("partition"),
            high_watermark: fields.number("highWatermark"),
        },
        3 => {
            let mut records = PackedRecords::default();
            for record in fields.list("records") {
                let (key, value) = (record.bytes("key"), record.bytes("value"));
                records.push(RecordView {
                    offset: record.number("offset"),
                    timestamp: record.number("timestamp"),
                    key: key.as_deref(),
                    value: value.as_deref(),
                });
            }
            Event::LoadedChunk {
                topic_id: fields.id("topicId"),
                partition: fields.number("partition"),
                leader_epoch: fields.number("leaderEpoch"),
                next_offset: fields.number("nextOffset"),
                done: fields.flag("done"),
                error_code: fields.number("errorCode"),
                records,
            }
        }
        4 => Event::ImageApplied {
            offset: fields.number("offset"),
            failures: fields
                .list("failures")
                .map(|f| (f.id("topicId"), f.number("partition"), f.text("message")))
                .collect(),
        },
        5 => Event::ConnectionClosed { conn: fields.conn() },
        6 => Event::MetadataCommitted {
            base_offset: fields.number("baseOffset"),
            epoch: fields.number("epoch"),
            timestamp: fields.number("timestamp"),
            proposal_id: fields.number("proposalId"),
            records: PackedValues::borrowed(&values),
        },
        7 => Event::ProposalDropped {
            proposal_id: fields.number("proposalId"),
            error_code: fields.number("errorCode"),
        },
        8 => Event::QuorumRole {
            leader_id: fields.number("leaderId"),
            epoch: fields.number("epoch"),
            high_watermark: fields.number("highWatermark"),
            caught_up: fields.flag("caughtUp"),
        },
        9 => Event::ListenerUp {
            name: fields.text("name"),
            host: fields.text("host"),
            port: fields.number("port"),
        },
        10 => Event::ListenerFailed { name: fields.text("name"), message: fields.text("message") },
        11 => Event::LogDirFailed { path: fields.text("path"), message: fields.text("message") },
        12 => Event::RequestRefused {
            conn: fields.conn(),
            peer: fields.text("peer"),
            api_key: fields.number("apiKey"),
            api_version: fields.number("apiVersion"),
            message: fields.text("message"),
        },
        13 => Event::Fault { message: fields.text("message") },
        14 => Event::Stopped,
        15 => Event::RecordsDeleted {
            request_id: fields.number("requestId"),
            low_watermark: fields.number("lowWatermark"),
            error_code: fields.number("errorCode"),
        },
        16 => Event::LogCut {
            file: fields.text("file"),
            position: fields.number("position"),
            bytes: fields.number("bytes"),
            kept_as: fields.text("keptAs"),
            message: fields.text("message"),
        },
        17 => Event::LogDirRoom {
            path: fields.text("path"),
            full: fields.flag("full"),
            message: fields.text("message"),
        },
        18 => Event::Damaged {
            file: fields.text("file"),
            position: fields.number("position"),
            offset: fields.number("offset"),
            message: fields.text("message"),
        },
        19 => Event::AccessDenied {
            principal: fields.text("principal"),
            peer: fields.text("peer"),
            api_key: fields.number("apiKey"),
            operation: fields.number("operation"),
            resource_type: fields.number("resourceType"),
            resource_name: fields.text("resourceName"),
            untold: fields.number("untold"),
        },
        20 => Event::MetadataSnapshot {
            end_offset: fields.number("endOffset"),
            epoch: fields.number("epoch"),
            timestamp: fields.number("timestamp"),
            done: fields.flag("done"),
            records: PackedValues::borrowed(&values),
        },
        21 => Event::SnapshotWritten {
            end_offset: fields.number("endOffset"),
            position: fields.number("position"),
            message: fields.text("message"),
        },
        22 => Event::SnapshotDamaged { file: fields.text("file"), message: fields.text("message") },
        23 => Event::LogsLoading {
            loaded: fields.number("loaded"),
            total: fields.number("total"),
            checked_bytes: fields.number("checkedBytes"),
        },
        other => panic!("golden event of type {other}"),
    };
    event.write(&mut out);
    assert_eq!(parse_events(&out).unwrap(), [event]);
    out
}

fn command_bytes(kind: i64, fields: Fields<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    let values = if matches!(kind, 4 | 12) { fields.values() } else { Vec::new() };
    let response = fields.bytes("response").unwrap_or_default();
    let command = match kind {
        1 => Command::Respond { conn: fields.conn(), token: fields.number("token"), response: &response },
        2 => Command::CloseConnection { conn: fields.conn(), reason: fields.text("reason") },
        3 => Command::Load {
            topic_id: fields.id("topicId"),
            partition: fields.number("partition"),
            leader_epoch: fields.number("leaderEpoch"),
        },
        4 => Command::Propose {
            proposal_id: fields.number("proposalId"),
            timestamp: fields.number("timestamp"),
            records: PackedValues::borrowed(&values),
        },
        5 => Command::ApplyImage {
            offset: fields.number("offset"),
            removed_topics: fields
                .list("removedTopics")
                .map(|id| id.0.as_str().unwrap().parse::<Uuid>().unwrap().0)
                .collect(),
            topics: fields.list("topics").map(topic_image).collect(),
        },
        6 => Command::SetListener {
            name: fields.text("name"),
            host: fields.text("host"),
            port: fields.number("port"),
            security_protocol: fields.text("securityProtocol"),
        },
        7 => Command::RemoveListener { name: fields.text("name") },
        8 => Command::Shutdown,
        9 => Command::RespondNone { conn: fields.conn(), token: fields.number("token") },
        10 => Command::DeleteRecords {
            request_id: fields.number("requestId"),
            topic_id: fields.id("topicId"),
            partition: fields.number("partition"),
            leader_epoch: fields.number("leaderEpoch"),
            offset: fields.number("offset"),
        },
        11 => Command::ApplyAcls {
            removed: fields
                .list("removed")
                .map(|id| id.0.as_str().unwrap().parse::<Uuid>().unwrap().0)
                .collect(),
            added: fields.list("added").map(acl_entry).collect(),
        },
        12 => Command::WriteSnapshot {
            end_offset: fields.number("endOffset"),
            epoch: fields.number("epoch"),
            timestamp: fields.number("timestamp"),
            position: fields.number("position"),
            done: fields.flag("done"),
            records: PackedValues::borrowed(&values),
        },
        13 => Command::SetNodes { nodes: fields.list("nodes").map(node_address).collect() },
        14 => Command::SetConnectionLimits {
            limits: PackedLimits {
                max: fields.number("maxConnections"),
                max_per_address: fields.number("maxConnectionsPerIp"),
                creation_rate: fields.number("maxConnectionCreationRate"),
                overrides: fields
                    .list("overrides")
                    .map(|item| (item.text("address"), item.number("maxConnections")))
                    .collect(),
                listeners: fields
                    .list("listeners")
                    .map(|item| {
                        let rate = item.number("maxConnectionCreationRate");
                        (item.text("name"), item.number("maxConnections"), rate)
                    })
                    .collect(),
            },
        },
        15 => Command::Throttle { conn: fields.conn(), throttle_ms: fields.number("throttleMs") },
        16 => Command::SetPrincipal { conn: fields.conn(), principal: fields.text("principal") },
        17 => Command::RequestTimed {
            api_key: fields.number("apiKey"),
            queue: fields.number("queueMicros"),
            local: fields.number("localMicros"),
            remote: fields.number("remoteMicros"),
        },
        18 => Command::MovePartition {
            topic: fields.text("topic"),
            partition: fields.number("partition"),
            log_dir: fields.text("logDir"),
        },
        other => panic!("golden command of type {other}"),
    };
    command.write(&mut out);
    assert_eq!(parse_commands(&out).unwrap(), [command]);
    out
}

fn node_address(fields: Fields<'_>) -> NodeAddress<'_> {
    NodeAddress {
        listener: fields.text("listener"),
        node_id: fields.number("nodeId"),
        host: fields.text("host"),
        port: fields.number("port"),
        rack: fields.0.get("rack").and_then(Json::as_str),
    }
}

fn acl_entry(fields: Fields<'_>) -> AclEntry<'_> {
    AclEntry {
        id: fields.id("id"),
        resource_type: fields.number("resourceType"),
        resource_name: fields.text("resourceName"),
        pattern_type: fields.number("patternType"),
        principal: fields.text("principal"),
        host: fields.text("host"),
        operation: fields.number("operation"),
        permission_type: fields.number("permissionType"),
    }
}

fn topic_image(fields: Fields<'_>) -> TopicImage<'_> {
    TopicImage {
        name: fields.text("name"),
        topic_id: fields.id("topicId"),
        internal: fields.flag("internal"),
        configs: fields.list("configs").map(|c| (c.text("key"), c.text("value"))).collect(),
        partitions: fields
            .list("partitions")
            .map(|p| PartitionImage {
                index: p.number("index"),
                leader: p.number("leader"),
                leader_epoch: p.number("leaderEpoch"),
                partition_epoch: p.number("partitionEpoch"),
                replicas: p.numbers("replicas"),
                isr: p.numbers("isr"),
            })
            .collect(),
    }
}

#[test]
fn every_event_has_its_golden_bytes() {
    let mut kinds = Vec::new();
    for item in golden!("events.json") {
        let item = Fields(&item);
        let kind: i64 = item.number("type");
        let bytes = event_bytes(kind, Fields(item.0.get("fields").unwrap()));
        assert_eq!(bytes, unhex(item.text("hex")), "{}", item.text("name"));
        kinds.push(kind);
    }
    assert!((1..=22).all(|kind| kinds.contains(&kind)));
}

#[test]
fn every_command_has_its_golden_bytes() {
    let mut kinds = Vec::new();
    for item in golden!("commands.json") {
        let item = Fields(&item);
        let kind: i64 = item.number("type");
        let bytes = command_bytes(kind, Fields(item.0.get("fields").unwrap()));
        assert_eq!(bytes, unhex(item.text("hex")), "{}", item.text("name"));
        kinds.push(kind);
    }
    assert!((1..=17).all(|kind| kinds.contains(&kind)));
}

#[test]
fn append_has_its_golden_bytes_both_ways() {
    let items = golden!("append.json");
    let [request, reply] = items.as_slice() else { panic!("two items") };
    let (bytes, fields) = (unhex(Fields(request).text("hex")), Fields(request.get("fields").unwrap()));
    let parsed = AppendRequest::parse(&bytes).unwrap();
    assert_eq!(parsed.topic_id, fields.id("topicId"));
    assert_eq!(parsed.partition, fields.number::<i32>("partition"));
    assert_eq!(parsed.leader_epoch, fields.number::<i32>("leaderEpoch"));
    assert_eq!(parsed.timestamp, fields.number::<i64>("timestamp"));
    let records: Vec<_> = fields.list("records").map(|r| (r.bytes("key"), r.bytes("value"))).collect();
    let borrowed: Vec<_> = records.iter().map(|(key, value)| (key.as_deref(), value.as_deref())).collect();
    assert_eq!(parsed.records, borrowed);
    let mut written = Vec::new();
    parsed.write(&mut written);
    assert_eq!(written, bytes);

    let fields = Fields(reply.get("fields").unwrap());
    let answer = AppendReply {
        error_code: fields.number("errorCode"),
        base_offset: fields.number("baseOffset"),
        end_offset: fields.number("endOffset"),
        high_watermark: fields.number("highWatermark"),
    };
    assert_eq!(answer.to_bytes().to_vec(), unhex(Fields(reply).text("hex")));
}

#[test]
fn a_batch_of_all_commands_is_read_in_order_and_cut_anywhere_it_is_refused() {
    let mut batch = Vec::new();
    let mut borders = vec![0];
    for item in golden!("commands.json") {
        batch.extend(unhex(Fields(&item).text("hex")));
        borders.push(batch.len());
    }
    let commands = parse_commands(&batch).unwrap();
    assert_eq!(commands.len(), borders.len() - 1);
    for cut in 0..batch.len() {
        assert_eq!(parse_commands(&batch[..cut]).is_ok(), borders.contains(&cut), "cut at {cut}");
    }
}

#[test]
fn lengths_that_lie_are_refused() {
    let mut shutdown = Vec::new();
    Command::Shutdown.write(&mut shutdown);
    shutdown.push(0);
    assert!(parse_commands(&shutdown).is_err(), "a trailing byte");
    assert!(parse_commands(&[0, 0, 0, 2, 8, 0]).is_err(), "a body that is too long");
    assert!(parse_commands(&[0, 0, 0, 0]).is_err(), "a frame without a type");
    assert!(parse_commands(&[0, 0, 0, 1, 200]).is_err(), "an unknown type");
    let mut propose = vec![0, 0, 0, 21, 4];
    propose.extend([0; 16]);
    propose.extend(i32::MAX.to_be_bytes());
    assert!(parse_commands(&propose).is_err(), "an array that cannot fit");
}

proptest! {
    #[test]
    fn garbage_is_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_commands(&bytes);
        let _ = parse_events(&bytes);
        let _ = AppendRequest::parse(&bytes);
    }
}
