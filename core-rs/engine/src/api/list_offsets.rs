//! ListOffsets, versions 0 to 11 (0 answers with the starts of segments before a time; isolation from 2, leader epochs from 4, max timestamp from 7 (KIP-734), local and
//! tiered offsets from 8, 9 and 11). Answered at once: nothing is tiered, so nothing is waited for.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::wire::{Reader, WireError, Writer, patch_size};
use super::{ErrorCode, Operation, Outcome, Part, RequestContext, Resource};
use crate::partition::{FoundOffset, Isolation, OffsetQuery, Topic};

/// The replica id of a consumer; a debugging reader (−2) sees up to the log end.
const CONSUMER: i32 = -1;
/// First version that may be told OFFSET_NOT_AVAILABLE; older ones get LEADER_NOT_AVAILABLE.
const FIRST_OFFSET_NOT_AVAILABLE: i16 = 5;

pub(super) struct ListTopic<'a> {
    pub name: &'a str,
    pub partition_count: usize,
}

#[derive(Clone, Copy)]
pub(super) struct ListPartition {
    pub index: i32,
    pub current_leader_epoch: i32,
    pub timestamp: i64,
    /// Version 0: how many offsets are wanted at most.
    pub max_offsets: i32,
}

pub(super) struct ListOffsetsRequest<'a> {
    pub replica_id: i32,
    pub isolation_level: i8,
    pub topics: Vec<ListTopic<'a>>,
    /// Partitions of all topics, in order.
    pub partitions: Vec<ListPartition>,
}

impl<'a> ListOffsetsRequest<'a> {
    pub(super) fn read(mut reader: Reader<'a>, version: i16) -> Result<ListOffsetsRequest<'a>, WireError> {
        let flexible = reader.is_flexible();
        let replica_id = reader.i32("replica id")?;
        let isolation_level = if version >= 2 { reader.i8("isolation level")? } else { 0 };
        let topic_count = reader.array(if flexible { 3 } else { 6 }, "topics")?;
        let mut topics = Vec::with_capacity(topic_count);
        let mut partitions = Vec::new();
        for _ in 0..topic_count {
            let name = reader.string("topic name")?;
            let partition_count =
                reader.array(if version == 0 || version >= 4 { 16 } else { 12 }, "partitions")?;
            partitions.reserve(partition_count);
            for _ in 0..partition_count {
                let index = reader.i32("partition index")?;
                let current_leader_epoch =
                    if version >= 4 { reader.i32("current leader epoch")? } else { -1 };
                let timestamp = reader.i64("timestamp")?;
                let max_offsets = if version == 0 { reader.i32("max offsets")? } else { 1 };
                reader.skip_tagged()?;
                partitions.push(ListPartition { index, current_leader_epoch, timestamp, max_offsets });
            }
            reader.skip_tagged()?;
            topics.push(ListTopic { name, partition_count });
        }
        if version >= 10 {
            reader.i32("timeout")?;
        }
        reader.skip_tagged()?;
        reader.finish()?;
        Ok(ListOffsetsRequest { replica_id, isolation_level, topics, partitions })
    }
}

pub(super) fn handle(ctx: &mut RequestContext<'_>, frame: &mut [u8]) -> Result<Outcome, WireError> {
    let version = ctx.header.api_version;
    let reader = ctx.body(frame);
    let request = ListOffsetsRequest::read(reader, version)?;
    let level = Isolation::of_level(request.isolation_level);
    let isolation = level.filter(|_| request.replica_id == CONSUMER);
    let counts = occurrences(&request);
    let mut writer =
        Writer::response(ctx.header.correlation_id, ctx.header.flexible, request.partitions.len() * 32 + 64);
    if version >= 2 {
        writer.i32(0);
    }
    writer.array(request.topics.len());
    let mut partitions = request.partitions.iter();
    for asked in &request.topics {
        writer.string(asked.name);
        writer.array(asked.partition_count);
        let allowed = ctx.may(Operation::Describe, Resource::Topic(asked.name));
        let topic = ctx.topics.by_name(asked.name);
        for partition in partitions.by_ref().take(asked.partition_count) {
            let twice = counts.get(&(asked.name, partition.index)).is_some_and(|&count| count > 1);
            let refused = match () {
                // Kafka fails over a level that there is not, and answers with what it says of any failure.
                () if level.is_none() => Some(ErrorCode::UNKNOWN_SERVER_ERROR),
                () if !allowed => Some(ErrorCode::TOPIC_AUTHORIZATION_FAILED),
                () if twice => Some(ErrorCode::INVALID_REQUEST),
                () => None,
            };
            if version == 0 {
                let starts = refused.map_or_else(|| starts(ctx, topic.as_ref(), partition, isolation), Err);
                encode_starts(&mut writer, partition.index, starts);
                continue;
            }
            let answer = refused.map_or_else(|| find(ctx, topic.as_ref(), partition, isolation), Err);
            encode(&mut writer, version, partition.index, answer);
        }
        writer.no_tags();
    }
    writer.no_tags();
    let mut bytes = writer.into_bytes();
    patch_size(&mut bytes, 0);
    Ok(Outcome::Reply(vec![Part::Bytes(bytes)]))
}

/// How often the request names each partition: Kafka refuses those it names twice.
fn occurrences<'a>(request: &ListOffsetsRequest<'a>) -> BTreeMap<(&'a str, i32), u32> {
    let mut counts = BTreeMap::new();
    let mut partitions = request.partitions.iter();
    for topic in &request.topics {
        for partition in partitions.by_ref().take(topic.partition_count) {
            *counts.entry((topic.name, partition.index)).or_insert(0) += 1;
        }
    }
    counts
}

/// What a timestamp of the request asks for, if the version knows it.
fn query(timestamp: i64, version: i16) -> Option<OffsetQuery> {
    let (query, since) = match timestamp {
        0.. => (OffsetQuery::Timestamp(timestamp), 0),
        -1 => (OffsetQuery::Latest, 0),
        -2 => (OffsetQuery::Earliest, 0),
        -3 => (OffsetQuery::MaxTimestamp, 7),
        -4 => (OffsetQuery::Earliest, 8),
        -5 => (OffsetQuery::Tiered, 9),
        -6 => (OffsetQuery::Tiered, 11),
        _ => return None,
    };
    (version >= since).then_some(query)
}

fn find(
    ctx: &mut RequestContext<'_>,
    topic: Option<&Arc<Topic>>,
    asked: &ListPartition,
    isolation: Option<Isolation>,
) -> Result<FoundOffset, ErrorCode> {
    let version = ctx.header.api_version;
    let query = query(asked.timestamp, version).ok_or(ErrorCode::UNSUPPORTED_VERSION)?;
    let topic = topic.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let found = topic.partition(asked.index).and_then(|partition| {
        partition.find_offset(query, asked.current_leader_epoch, isolation, ctx.notices)
    });
    found.map_err(|error| match ErrorCode::from(error) {
        ErrorCode::OFFSET_NOT_AVAILABLE if version < FIRST_OFFSET_NOT_AVAILABLE => {
            ErrorCode::LEADER_NOT_AVAILABLE
        }
        error => error,
    })
}

/// Version 0: where segments begin that are not newer than the timestamp, newest first.
fn starts(
    ctx: &mut RequestContext<'_>,
    topic: Option<&Arc<Topic>>,
    asked: &ListPartition,
    isolation: Option<Isolation>,
) -> Result<Vec<i64>, ErrorCode> {
    let topic = topic.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let count = usize::try_from(asked.max_offsets).unwrap_or(0);
    let found = topic.partition(asked.index).and_then(|partition| {
        partition.segment_starts(asked.timestamp, count, isolation.is_some(), ctx.now, ctx.notices)
    });
    found.map_err(ErrorCode::from)
}

fn encode_starts(writer: &mut Writer, index: i32, answer: Result<Vec<i64>, ErrorCode>) {
    writer.i32(index);
    writer.i16(answer.as_ref().err().map_or(ErrorCode::NONE.0, |error| error.0));
    let offsets = answer.unwrap_or_default();
    writer.array(offsets.len());
    for offset in offsets {
        writer.i64(offset);
    }
}

fn encode(writer: &mut Writer, version: i16, index: i32, answer: Result<FoundOffset, ErrorCode>) {
    let (error, found) = match answer {
        Ok(found) => (ErrorCode::NONE, found),
        Err(error) => (error, FoundOffset::NONE),
    };
    writer.i32(index);
    writer.i16(error.0);
    writer.i64(found.timestamp);
    writer.i64(found.offset);
    if version >= 4 {
        writer.i32(found.leader_epoch);
    }
    writer.no_tags();
}
