//! DescribeProducers, version 0 (KIP-664): the producers that a partition remembers, for tools that look for hanging
//! transactions.

use std::collections::BTreeSet;

use super::wire::{Reader, WireError, Writer, patch_size};
use super::{ErrorCode, Operation, Outcome, Part, RequestContext, Resource};
use crate::log::producer_snapshot::ProducerSnapshotEntry;

pub(super) struct ProducersRequest<'a> {
    pub topics: Vec<(&'a str, Vec<i32>)>,
}

impl<'a> ProducersRequest<'a> {
    pub(super) fn read(mut reader: Reader<'a>) -> Result<ProducersRequest<'a>, WireError> {
        let count = reader.array(3, "topics")?;
        let mut topics = Vec::with_capacity(count);
        for _ in 0..count {
            let name = reader.string("topic name")?;
            let count = reader.array(4, "partition indexes")?;
            let indexes = (0..count).map(|_| reader.i32("partition index")).collect::<Result<_, _>>()?;
            reader.skip_tagged()?;
            topics.push((name, indexes));
        }
        reader.skip_tagged()?;
        reader.finish()?;
        Ok(ProducersRequest { topics })
    }
}

pub(super) fn handle(ctx: &mut RequestContext<'_>, frame: &mut [u8]) -> Result<Outcome, WireError> {
    let reader = ctx.body(frame);
    let request = ProducersRequest::read(reader)?;
    let mut writer = Writer::response(ctx.header.correlation_id, true, 4 * frame.len());
    // A small request that names one partition over and over must not make a reply without bounds.
    let mut named = BTreeSet::new();
    writer.i32(0);
    writer.array(request.topics.len());
    for (name, indexes) in &request.topics {
        let allowed = ctx.may(Operation::Read, Resource::Topic(name));
        let topic = ctx.topics.by_name(name);
        writer.string(name);
        writer.array(indexes.len());
        for index in indexes {
            let found = match &topic {
                _ if !allowed => {
                    Err((ErrorCode::TOPIC_AUTHORIZATION_FAILED, Some("Topic authorization failed.")))
                }
                None => Err((
                    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                    Some("This server does not host this topic-partition."),
                )),
                Some(_) if !named.insert((*name, *index)) => {
                    Err((ErrorCode::INVALID_REQUEST, Some("The request names this partition twice.")))
                }
                Some(topic) => topic
                    .partition(*index)
                    .and_then(|partition| partition.active_producers())
                    .map_err(|error| (error.into(), None)),
            };
            write_partition(&mut writer, *index, found);
        }
        writer.no_tags();
    }
    writer.no_tags();
    let mut bytes = writer.into_bytes();
    patch_size(&mut bytes, 0);
    Ok(Outcome::Reply(vec![Part::Bytes(bytes)]))
}

fn write_partition(
    writer: &mut Writer,
    index: i32,
    found: Result<Vec<ProducerSnapshotEntry>, (ErrorCode, Option<&str>)>,
) {
    let (error, message) = found.as_ref().err().copied().unwrap_or_default();
    let producers = found.unwrap_or_default();
    writer.i32(index);
    writer.i16(error.0);
    writer.nullable_string(message);
    writer.array(producers.len());
    for producer in &producers {
        writer.i64(producer.producer_id);
        writer.i32(i32::from(producer.epoch));
        writer.i32(producer.last_sequence);
        writer.i64(producer.timestamp);
        writer.i32(producer.coordinator_epoch);
        writer.i64(producer.current_txn_first_offset);
        writer.no_tags();
    }
    writer.no_tags();
}
