//! The Produce response, versions 3 to 13.

use std::sync::Arc;

use super::endpoints::write_reply_tags;
use super::produce_request::TopicRef;
use super::wire::{Writer, patch_size};
use super::{Endpoints, ErrorCode, Part};
use crate::partition::{Appended, CurrentLeader, PartitionError};
use crate::uuid::Uuid;

/// First version that is told the leaders and where they are (KIP-951).
const FIRST_NODE_ENDPOINTS: i16 = 10;

/// A topic of the request as it must be echoed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TopicLabel {
    /// Shared with the topic table if that knows it.
    Name(Arc<str>),
    Id(Uuid),
}

impl TopicLabel {
    /// What the request called the topic; a name that the table knows is shared instead of copied.
    pub(super) fn new(asked: TopicRef<'_>, known: Option<&Arc<str>>) -> TopicLabel {
        match (asked, known) {
            (TopicRef::Id(id), _) => TopicLabel::Id(id),
            (TopicRef::Name(_), Some(name)) => TopicLabel::Name(name.clone()),
            (TopicRef::Name(name), None) => TopicLabel::Name(name.into()),
        }
    }

    /// The label as a request would name the topic.
    pub(super) fn asked(&self) -> TopicRef<'_> {
        match self {
            TopicLabel::Name(name) => TopicRef::Name(name),
            TopicLabel::Id(id) => TopicRef::Id(*id),
        }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        match self {
            TopicLabel::Name(name) => writer.string(name),
            TopicLabel::Id(id) => writer.uuid(*id),
        }
    }

    pub(super) fn text_len(&self) -> usize {
        match self {
            TopicLabel::Name(name) => name.len(),
            TopicLabel::Id(_) => 16,
        }
    }
}

#[derive(Debug)]
pub(super) struct ProducedTopic {
    pub label: TopicLabel,
    pub partition_count: usize,
}

/// The answer for one partition.
#[derive(Debug)]
pub(super) struct Produced {
    pub index: i32,
    pub error: ErrorCode,
    pub base_offset: i64,
    pub log_append_time: i64,
    pub log_start_offset: i64,
    /// The records that spoilt their batch, each with a message.
    pub record_errors: Vec<(i32, String)>,
    pub message: Option<Box<str>>,
    /// Beside NOT_LEADER_OR_FOLLOWER, if it is known.
    pub current_leader: Option<CurrentLeader>,
}

impl Produced {
    pub(super) fn appended(index: i32, appended: &Appended) -> Produced {
        Produced {
            index,
            error: ErrorCode::NONE,
            base_offset: appended.base_offset,
            log_append_time: appended.log_append_time,
            log_start_offset: appended.log_start_offset,
            record_errors: Vec::new(),
            message: None,
            current_leader: None,
        }
    }

    pub(super) fn refused(index: i32, error: ErrorCode) -> Produced {
        Produced {
            index,
            error,
            base_offset: -1,
            log_append_time: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            message: None,
            current_leader: None,
        }
    }

    /// `log_start` is asked for what Kafka tells beside some errors.
    pub(super) fn failed(index: i32, error: &PartitionError, log_start: impl FnOnce() -> i64) -> Produced {
        Produced {
            log_start_offset: if error.tells_log_start() { log_start() } else { -1 },
            record_errors: error.record_errors(),
            message: message_for_clients(error),
            ..Produced::refused(index, error.into())
        }
    }
}

/// What the producer's exception says beside the code: of its own batch only, never of our disks.
fn message_for_clients(error: &PartitionError) -> Option<Box<str>> {
    match error {
        PartitionError::Offline { .. }
        | PartitionError::Deleted
        | PartitionError::Unknown
        | PartitionError::NotLeader => None,
        error => Some(error.to_string().into()),
    }
}

/// Encodes the answers; `produced` holds the partitions of all topics in order, `endpoints` are for the leaders among
/// the answers.
pub(super) fn encode(
    (correlation_id, version): (i32, i16),
    topics: &[ProducedTopic],
    produced: &[Produced],
    endpoints: Option<&Endpoints>,
) -> Vec<Part> {
    let names: usize = topics.iter().map(|topic| topic.label.text_len() + 8).sum();
    let mut writer = Writer::response(correlation_id, version >= 9, names + produced.len() * 48 + 16);
    writer.array(topics.len());
    let leaders = produced.iter().filter_map(|answer| answer.current_leader);
    let mut produced = produced.iter();
    for topic in topics {
        topic.label.write(&mut writer);
        writer.array(topic.partition_count);
        for partition in produced.by_ref().take(topic.partition_count) {
            encode_partition(&mut writer, version, partition);
        }
        writer.no_tags();
    }
    writer.i32(0);
    write_reply_tags(&mut writer, endpoints.filter(|_| version >= FIRST_NODE_ENDPOINTS), leaders);
    let mut bytes = writer.into_bytes();
    patch_size(&mut bytes, 0);
    vec![Part::Bytes(bytes)]
}

fn encode_partition(writer: &mut Writer, version: i16, partition: &Produced) {
    writer.i32(partition.index);
    writer.i16(partition.error.0);
    writer.i64(partition.base_offset);
    writer.i64(partition.log_append_time);
    if version >= 5 {
        writer.i64(partition.log_start_offset);
    }
    if version >= 8 {
        writer.array(partition.record_errors.len());
        for (index, message) in &partition.record_errors {
            writer.i32(*index);
            writer.string(message);
            writer.no_tags();
        }
        writer.nullable_string(partition.message.as_deref());
    }
    match partition.current_leader {
        Some(leader) if version >= FIRST_NODE_ENDPOINTS => {
            writer.uvarint(1);
            write_current_leader(writer, 0, leader);
        }
        _ => writer.no_tags(),
    }
}

/// The tagged field CurrentLeader: id, epoch and its own empty tags are 9 bytes.
pub(super) fn write_current_leader(writer: &mut Writer, tag: u32, leader: CurrentLeader) {
    writer.uvarint(tag);
    writer.uvarint(9);
    writer.i32(leader.id);
    writer.i32(leader.epoch);
    writer.no_tags();
}
