//! The Produce request, versions 3 to 13, read from a frame. Records stay where they are: what is kept of them is
//! their range.

use std::ops::Range;

use smallvec::SmallVec;

use super::wire::{Reader, WireError};
use crate::uuid::Uuid;

/// How a request names a topic: by name up to version 12, by id from 13 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TopicRef<'a> {
    Name(&'a str),
    Id(Uuid),
}

impl<'a> TopicRef<'a> {
    pub(super) fn read(reader: &mut Reader<'a>, by_id: bool) -> Result<TopicRef<'a>, WireError> {
        Ok(match by_id {
            true => TopicRef::Id(reader.uuid("topic id")?),
            false => TopicRef::Name(reader.string("topic name")?),
        })
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProduceRequest<'a> {
    pub transactional_id: Option<&'a str>,
    pub acks: i16,
    pub timeout_ms: i32,
    pub topics: SmallVec<[ProduceTopic<'a>; 1]>,
    /// Partitions of all topics, in order. Both lists hold one without an allocation: the request of a client that
    /// does not linger.
    pub partitions: SmallVec<[ProducePartition; 1]>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProduceTopic<'a> {
    pub topic: TopicRef<'a>,
    /// How many of `partitions` are its own.
    pub partition_count: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct ProducePartition {
    pub index: i32,
    /// Where its records are in the frame; null and empty are the same.
    pub records: Range<usize>,
}

impl<'a> ProduceRequest<'a> {
    /// Reads the whole body, so that nothing is appended of a request that turns out malformed.
    pub(super) fn read(mut reader: Reader<'a>, version: i16) -> Result<ProduceRequest<'a>, WireError> {
        let flexible = reader.is_flexible();
        let transactional_id = reader.nullable_string("transactional id")?;
        let acks = reader.i16("acks")?;
        let timeout_ms = reader.i32("timeout")?;
        // The smallest topic: an empty name or an id, a count, tags; the smallest partition: index, length, tags.
        let (min_topic, min_partition) = if flexible { (3, 6) } else { (6, 8) };
        let topic_count = reader.array(min_topic, "topics")?;
        let mut topics = SmallVec::with_capacity(topic_count);
        let mut partitions = SmallVec::new();
        for _ in 0..topic_count {
            let topic = TopicRef::read(&mut reader, version >= 13)?;
            let partition_count = reader.array(min_partition, "partitions")?;
            partitions.reserve(partition_count);
            for _ in 0..partition_count {
                let index = reader.i32("partition index")?;
                let records = reader.nullable_bytes_range("records")?.unwrap_or_default();
                reader.skip_tagged()?;
                partitions.push(ProducePartition { index, records });
            }
            reader.skip_tagged()?;
            topics.push(ProduceTopic { topic, partition_count });
        }
        reader.skip_tagged()?;
        reader.finish()?;
        Ok(ProduceRequest { transactional_id, acks, timeout_ms, topics, partitions })
    }
}
