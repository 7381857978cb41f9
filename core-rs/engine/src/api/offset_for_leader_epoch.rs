//! OffsetForLeaderEpoch, versions 2 to 4 (KIP-320): where a leader epoch ended, so that a consumer whose log was cut
//! notices. Every request knows the leader's epoch from version 2 on; replica id from 3, flexible from 4.

use super::wire::{Reader, WireError, Writer, patch_size};
use super::{ErrorCode, Operation, Outcome, Part, RequestContext, Resource};
use crate::partition::PartitionError;

pub(super) struct EpochsRequest<'a> {
    pub topics: Vec<EpochsTopic<'a>>,
}

pub(super) struct EpochsTopic<'a> {
    pub name: &'a str,
    pub partitions: Vec<AskedEpoch>,
}

pub(super) struct AskedEpoch {
    pub index: i32,
    pub current_leader_epoch: i32,
    /// The epoch whose end is asked for.
    pub leader_epoch: i32,
}

/// What is answered for an epoch that nobody knows, and beside every error.
const UNKNOWN: (i32, i64) = (-1, -1);

impl<'a> EpochsRequest<'a> {
    pub(super) fn read(mut reader: Reader<'a>, version: i16) -> Result<EpochsRequest<'a>, WireError> {
        if version >= 3 {
            reader.i32("replica id")?;
        }
        let topic_count = reader.array(if reader.is_flexible() { 3 } else { 6 }, "topics")?;
        let mut topics = Vec::with_capacity(topic_count);
        for _ in 0..topic_count {
            let name = reader.string("topic name")?;
            let count = reader.array(12, "partitions")?;
            let mut partitions = Vec::with_capacity(count);
            for _ in 0..count {
                partitions.push(AskedEpoch {
                    index: reader.i32("partition index")?,
                    current_leader_epoch: reader.i32("current leader epoch")?,
                    leader_epoch: reader.i32("leader epoch")?,
                });
                reader.skip_tagged()?;
            }
            reader.skip_tagged()?;
            topics.push(EpochsTopic { name, partitions });
        }
        reader.skip_tagged()?;
        reader.finish()?;
        Ok(EpochsRequest { topics })
    }
}

pub(super) fn handle(ctx: &mut RequestContext<'_>, frame: &mut [u8]) -> Result<Outcome, WireError> {
    let reader = ctx.body(frame);
    let request = EpochsRequest::read(reader, ctx.header.api_version)?;
    // Brokers ask for all topics, consumers for theirs.
    let asks_for_all = ctx.may_else(Operation::ClusterAction, Resource::Cluster);
    let mut writer = Writer::response(ctx.header.correlation_id, ctx.header.flexible, frame.len() * 2);
    writer.i32(0);
    writer.array(request.topics.len());
    for topic in &request.topics {
        let allowed = asks_for_all || ctx.may(Operation::Describe, Resource::Topic(topic.name));
        let known = ctx.topics.by_name(topic.name);
        writer.string(topic.name);
        writer.array(topic.partitions.len());
        for asked in &topic.partitions {
            let found = known.as_ref().ok_or(PartitionError::Unknown);
            let answer = match allowed {
                true => found
                    .and_then(|topic| topic.partition(asked.index))
                    .and_then(|found| found.epoch_end(asked.leader_epoch, asked.current_leader_epoch))
                    .map_err(ErrorCode::from),
                false => Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED),
            };
            let (error, (epoch, end_offset)) = match answer {
                Ok(end) => (ErrorCode::NONE, end.unwrap_or(UNKNOWN)),
                Err(error) => (error, UNKNOWN),
            };
            writer.i16(error.0);
            writer.i32(asked.index);
            writer.i32(epoch);
            writer.i64(end_offset);
            writer.no_tags();
        }
        writer.no_tags();
    }
    writer.no_tags();
    let mut bytes = writer.into_bytes();
    patch_size(&mut bytes, 0);
    Ok(Outcome::Reply(vec![Part::Bytes(bytes)]))
}
