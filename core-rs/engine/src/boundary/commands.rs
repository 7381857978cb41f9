//! Commands, JavaScript → Rust: one enum, its packed layout both ways, a parser that refuses anything malformed
//! before a single command of the batch is carried out.

use super::events::read_conn;
use super::records::PackedValues;
use super::wire::{BoundaryError, Parsed, boolean, frame, frames, items};
use super::{ConnId, TopicId};
use crate::api::wire::{Reader, Writer};

/// One command. The number is its type; both sides are held to the same golden bytes (test/wire/golden/boundary).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// 1: the reply of one slot: response header and body, without the size.
    Respond { conn: ConnId, token: i64, response: &'a [u8] },
    /// 2
    CloseConnection { conn: ConnId, reason: &'a str },
    /// 3: read a partition from its log start; watches it from now on.
    Load { topic_id: TopicId, partition: i32, leader_epoch: i32 },
    /// 4: append one batch to the metadata log.
    Propose { proposal_id: i64, timestamp: i64, records: PackedValues<'a> },
    /// 5: make the logs agree with the metadata image at `offset`.
    ApplyImage { offset: i64, removed_topics: Vec<TopicId>, topics: Vec<TopicImage<'a>> },
    /// 6
    SetListener { name: &'a str, host: &'a str, port: i32, security_protocol: &'a str },
    /// 7
    RemoveListener { name: &'a str },
    /// 8
    Shutdown,
    /// 9: the request of this slot has no reply.
    RespondNone { conn: ConnId, token: i64 },
    /// 10: move the log start of a partition up to `offset`, −1 = its high watermark.
    DeleteRecords { request_id: i64, topic_id: TopicId, partition: i32, leader_epoch: i32, offset: i64 },
    /// 11: the ACLs that are gone, by id, and those that are new.
    ApplyAcls { removed: Vec<TopicId>, added: Vec<AclEntry<'a>> },
    /// 12: write a piece of a snapshot of the metadata up to `end_offset` (exclusive), `position` 0 beginning it.
    WriteSnapshot {
        end_offset: i64,
        epoch: i32,
        timestamp: i64,
        position: i32,
        done: bool,
        records: PackedValues<'a>,
    },
    /// 13: every live broker, once for each listener.
    SetNodes { nodes: Vec<NodeAddress<'a>> },
    /// 14: the caps on connections, all of them.
    SetConnectionLimits { limits: PackedLimits<'a> },
    /// 15: mutes a connection, whose reply said so, for `throttle_ms`.
    Throttle { conn: ConnId, throttle_ms: i32 },
    /// 16: a connection has authenticated.
    SetPrincipal { conn: ConnId, principal: &'a str },
    /// 17: how long a request of the control plane took there, in microseconds.
    RequestTimed { api_key: i16, queue: i32, local: i32, remote: i32 },
    /// 18: move a partition to another log directory, or create it there.
    MovePartition { topic: &'a str, partition: i32, log_dir: &'a str },
}

/// Where clients of a listener reach a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddress<'a> {
    pub listener: &'a str,
    pub node_id: i32,
    pub host: &'a str,
    pub port: i32,
    pub rack: Option<&'a str>,
}

/// An ACL, in Kafka's numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclEntry<'a> {
    /// Of its record.
    pub id: TopicId,
    pub resource_type: i8,
    pub resource_name: &'a str,
    pub pattern_type: i8,
    pub principal: &'a str,
    pub host: &'a str,
    pub operation: i8,
    pub permission_type: i8,
}

/// Caps on connections as they travel; `i32::MAX` is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedLimits<'a> {
    pub max: i32,
    pub max_per_address: i32,
    pub creation_rate: i32,
    /// An IP address and its own cap.
    pub overrides: Vec<(&'a str, i32)>,
    /// Name, cap and rate of a listener.
    pub listeners: Vec<(&'a str, i32, i32)>,
}

/// A topic of an image delta: created, or brought up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicImage<'a> {
    pub name: &'a str,
    pub topic_id: TopicId,
    pub internal: bool,
    pub configs: Vec<(&'a str, &'a str)>,
    pub partitions: Vec<PartitionImage>,
}

/// A partition of an image delta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionImage {
    pub index: i32,
    pub leader: i32,
    pub leader_epoch: i32,
    pub partition_epoch: i32,
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
}

impl PartitionImage {
    /// Of a partition that broker `leader` has alone, in leader epoch 1.
    pub fn alone(index: i32, leader: i32) -> PartitionImage {
        let replicas = vec![leader];
        PartitionImage { index, leader, leader_epoch: 1, partition_epoch: 0, isr: replicas.clone(), replicas }
    }
}

impl<'a> Command<'a> {
    pub fn kind(&self) -> u8 {
        match self {
            Command::Respond { .. } => 1,
            Command::CloseConnection { .. } => 2,
            Command::Load { .. } => 3,
            Command::Propose { .. } => 4,
            Command::ApplyImage { .. } => 5,
            Command::SetListener { .. } => 6,
            Command::RemoveListener { .. } => 7,
            Command::Shutdown => 8,
            Command::RespondNone { .. } => 9,
            Command::DeleteRecords { .. } => 10,
            Command::ApplyAcls { .. } => 11,
            Command::WriteSnapshot { .. } => 12,
            Command::SetNodes { .. } => 13,
            Command::SetConnectionLimits { .. } => 14,
            Command::Throttle { .. } => 15,
            Command::SetPrincipal { .. } => 16,
            Command::RequestTimed { .. } => 17,
            Command::MovePartition { .. } => 18,
        }
    }

    /// Appends the frame of this command.
    pub fn write(&self, out: &mut Vec<u8>) {
        frame(out, self.kind(), |out| self.write_body(out));
    }

    fn write_body(&self, out: &mut Writer) {
        match self {
            Command::Respond { conn, token, response } => {
                out.i64(conn.raw());
                out.i64(*token);
                out.bytes(response);
            }
            Command::CloseConnection { conn, reason } => {
                out.i64(conn.raw());
                out.string(reason);
            }
            Command::Load { topic_id, partition, leader_epoch } => {
                out.raw(topic_id);
                out.i32(*partition);
                out.i32(*leader_epoch);
            }
            Command::Propose { proposal_id, timestamp, records } => {
                out.i64(*proposal_id);
                out.i64(*timestamp);
                records.write(out);
            }
            Command::ApplyImage { offset, removed_topics, topics } => {
                out.i64(*offset);
                out.array(removed_topics.len());
                for topic_id in removed_topics {
                    out.raw(topic_id);
                }
                out.array(topics.len());
                for topic in topics {
                    topic.write(out);
                }
            }
            Command::SetListener { name, host, port, security_protocol } => {
                out.string(name);
                out.string(host);
                out.i32(*port);
                out.string(security_protocol);
            }
            Command::RemoveListener { name } => out.string(name),
            Command::Shutdown => {}
            Command::RespondNone { conn, token } => {
                out.i64(conn.raw());
                out.i64(*token);
            }
            Command::DeleteRecords { request_id, topic_id, partition, leader_epoch, offset } => {
                out.i64(*request_id);
                out.raw(topic_id);
                out.i32(*partition);
                out.i32(*leader_epoch);
                out.i64(*offset);
            }
            Command::ApplyAcls { removed, added } => {
                out.array(removed.len());
                for id in removed {
                    out.raw(id);
                }
                out.array(added.len());
                for acl in added {
                    acl.write(out);
                }
            }
            Command::WriteSnapshot { end_offset, epoch, timestamp, position, done, records } => {
                out.i64(*end_offset);
                out.i32(*epoch);
                out.i64(*timestamp);
                out.i32(*position);
                out.boolean(*done);
                records.write(out);
            }
            Command::SetNodes { nodes } => {
                out.array(nodes.len());
                for node in nodes {
                    out.string(node.listener);
                    out.i32(node.node_id);
                    out.string(node.host);
                    out.i32(node.port);
                    out.nullable_string(node.rack);
                }
            }
            Command::SetConnectionLimits { limits } => limits.write(out),
            Command::Throttle { conn, throttle_ms } => {
                out.i64(conn.raw());
                out.i32(*throttle_ms);
            }
            Command::SetPrincipal { conn, principal } => {
                out.i64(conn.raw());
                out.string(principal);
            }
            Command::RequestTimed { api_key, queue, local, remote } => {
                out.i16(*api_key);
                out.i32(*queue);
                out.i32(*local);
                out.i32(*remote);
            }
            Command::MovePartition { topic, partition, log_dir } => {
                out.string(topic);
                out.i32(*partition);
                out.string(log_dir);
            }
        }
    }

    fn read(kind: u8, body: &mut Reader<'a>) -> Parsed<Command<'a>> {
        Ok(match kind {
            1 => Command::Respond {
                conn: read_conn(body)?,
                token: body.i64("token")?,
                response: body.bytes("response")?,
            },
            2 => Command::CloseConnection { conn: read_conn(body)?, reason: body.string("reason")? },
            3 => Command::Load {
                topic_id: body.uuid("topic id")?.0,
                partition: body.i32("partition")?,
                leader_epoch: body.i32("leader epoch")?,
            },
            4 => Command::Propose {
                proposal_id: body.i64("proposal id")?,
                timestamp: body.i64("timestamp")?,
                records: PackedValues::read(body)?,
            },
            5 => Command::ApplyImage {
                offset: body.i64("offset")?,
                removed_topics: items(body, 16, "removed topics", |item| Ok(item.uuid("topic id")?.0))?,
                topics: items(body, 27, "topics", TopicImage::read)?,
            },
            6 => Command::SetListener {
                name: body.string("name")?,
                host: body.string("host")?,
                port: body.i32("port")?,
                security_protocol: body.string("security protocol")?,
            },
            7 => Command::RemoveListener { name: body.string("name")? },
            8 => Command::Shutdown,
            9 => Command::RespondNone { conn: read_conn(body)?, token: body.i64("token")? },
            10 => Command::DeleteRecords {
                request_id: body.i64("request id")?,
                topic_id: body.uuid("topic id")?.0,
                partition: body.i32("partition")?,
                leader_epoch: body.i32("leader epoch")?,
                offset: body.i64("offset")?,
            },
            11 => Command::ApplyAcls {
                removed: items(body, 16, "removed ACLs", |item| Ok(item.uuid("ACL id")?.0))?,
                added: items(body, 26, "ACLs", AclEntry::read)?,
            },
            12 => Command::WriteSnapshot {
                end_offset: body.i64("end offset")?,
                epoch: body.i32("epoch")?,
                timestamp: body.i64("timestamp")?,
                position: body.i32("position")?,
                done: boolean(body, "done")?,
                records: PackedValues::read(body)?,
            },
            13 => Command::SetNodes { nodes: items(body, 14, "nodes", NodeAddress::read)? },
            14 => Command::SetConnectionLimits { limits: PackedLimits::read(body)? },
            15 => Command::Throttle { conn: read_conn(body)?, throttle_ms: body.i32("throttle time")? },
            16 => Command::SetPrincipal { conn: read_conn(body)?, principal: body.string("principal")? },
            17 => Command::RequestTimed {
                api_key: body.i16("API key")?,
                queue: body.i32("queue time")?,
                local: body.i32("local time")?,
                remote: body.i32("remote time")?,
            },
            18 => Command::MovePartition {
                topic: body.string("topic")?,
                partition: body.i32("partition")?,
                log_dir: body.string("log directory")?,
            },
            other => return Err(BoundaryError::new(format!("no command has type {other}"))),
        })
    }
}

impl<'a> AclEntry<'a> {
    fn write(&self, out: &mut Writer) {
        out.raw(&self.id);
        out.i8(self.resource_type);
        out.string(self.resource_name);
        out.i8(self.pattern_type);
        out.string(self.principal);
        out.string(self.host);
        out.i8(self.operation);
        out.i8(self.permission_type);
    }

    fn read(body: &mut Reader<'a>) -> Parsed<AclEntry<'a>> {
        Ok(AclEntry {
            id: body.uuid("ACL id")?.0,
            resource_type: body.i8("resource type")?,
            resource_name: body.string("resource name")?,
            pattern_type: body.i8("pattern type")?,
            principal: body.string("principal")?,
            host: body.string("host")?,
            operation: body.i8("operation")?,
            permission_type: body.i8("permission type")?,
        })
    }
}

impl<'a> NodeAddress<'a> {
    fn read(body: &mut Reader<'a>) -> Parsed<NodeAddress<'a>> {
        Ok(NodeAddress {
            listener: body.string("listener")?,
            node_id: body.i32("node id")?,
            host: body.string("host")?,
            port: body.i32("port")?,
            rack: body.nullable_string("rack")?,
        })
    }
}

impl<'a> PackedLimits<'a> {
    fn write(&self, out: &mut Writer) {
        out.i32(self.max);
        out.i32(self.max_per_address);
        out.i32(self.creation_rate);
        out.array(self.overrides.len());
        for (address, max) in &self.overrides {
            out.string(address);
            out.i32(*max);
        }
        out.array(self.listeners.len());
        for (name, max, creation_rate) in &self.listeners {
            out.string(name);
            out.i32(*max);
            out.i32(*creation_rate);
        }
    }

    fn read(body: &mut Reader<'a>) -> Parsed<PackedLimits<'a>> {
        Ok(PackedLimits {
            max: body.i32("max.connections")?,
            max_per_address: body.i32("max.connections.per.ip")?,
            creation_rate: body.i32("max.connection.creation.rate")?,
            overrides: items(body, 6, "overrides", |item| Ok((item.string("address")?, item.i32("cap")?)))?,
            listeners: items(body, 10, "listeners", |item| {
                Ok((item.string("listener")?, item.i32("cap")?, item.i32("rate")?))
            })?,
        })
    }
}

impl<'a> TopicImage<'a> {
    fn write(&self, out: &mut Writer) {
        out.string(self.name);
        out.raw(&self.topic_id);
        out.boolean(self.internal);
        out.array(self.configs.len());
        for (key, value) in &self.configs {
            out.string(key);
            out.string(value);
        }
        out.array(self.partitions.len());
        for partition in &self.partitions {
            out.i32(partition.index);
            out.i32(partition.leader);
            out.i32(partition.leader_epoch);
            out.i32(partition.partition_epoch);
            for ids in [&partition.replicas, &partition.isr] {
                out.array(ids.len());
                for id in ids {
                    out.i32(*id);
                }
            }
        }
    }

    fn read(body: &mut Reader<'a>) -> Parsed<TopicImage<'a>> {
        Ok(TopicImage {
            name: body.string("name")?,
            topic_id: body.uuid("topic id")?.0,
            internal: boolean(body, "internal")?,
            configs: items(body, 4, "configs", |item| {
                Ok((item.string("config key")?, item.string("config value")?))
            })?,
            partitions: items(body, 24, "partitions", |item| {
                Ok(PartitionImage {
                    index: item.i32("index")?,
                    leader: item.i32("leader")?,
                    leader_epoch: item.i32("leader epoch")?,
                    partition_epoch: item.i32("partition epoch")?,
                    replicas: items(item, 4, "replicas", |id| Ok(id.i32("replica")?))?,
                    isr: items(item, 4, "isr", |id| Ok(id.i32("replica")?))?,
                })
            })?,
        })
    }
}

/// Reads a whole batch; an error means that nothing of it may be applied.
pub fn parse_commands(batch: &[u8]) -> Result<Vec<Command<'_>>, BoundaryError> {
    frames(batch, Command::read)
}
