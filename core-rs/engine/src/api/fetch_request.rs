//! The Fetch request, versions 4 to 18, read from a frame.

use smallvec::SmallVec;

use super::produce_request::TopicRef;
use super::wire::{Reader, WireError};

#[derive(Debug)]
pub(super) struct FetchRequest<'a> {
    /// −1 for a consumer; from version 15 on a tagged field.
    pub replica_id: i32,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub isolation_level: i8,
    pub session_id: i32,
    pub session_epoch: i32,
    pub topics: SmallVec<[FetchTopic<'a>; 1]>,
    /// Partitions of all topics, in order. Both lists hold one without an allocation, as what is made of them.
    pub partitions: SmallVec<[FetchPartition; 1]>,
    /// Where the partitions stand that leave the session, checked already: `each_forgotten` reads them.
    forgotten: Reader<'a>,
    version: i16,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct FetchTopic<'a> {
    pub topic: TopicRef<'a>,
    /// How many of `partitions` are its own.
    pub partition_count: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FetchPartition {
    pub index: i32,
    /// −1 when the client knows none.
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    /// −1 when the client does not ask for divergence.
    pub last_fetched_epoch: i32,
    pub max_bytes: i32,
}

/// The epoch of a request outside of any session (KIP-227).
pub(super) const FINAL_EPOCH: i32 = -1;
/// The epoch of a full request that asks for a session.
pub(super) const INITIAL_EPOCH: i32 = 0;

impl<'a> FetchRequest<'a> {
    pub(super) fn read(mut reader: Reader<'a>, version: i16) -> Result<FetchRequest<'a>, WireError> {
        let flexible = reader.is_flexible();
        let mut replica_id = if version <= 14 { reader.i32("replica id")? } else { -1 };
        let max_wait_ms = reader.i32("max wait")?;
        let min_bytes = reader.i32("min bytes")?;
        let max_bytes = reader.i32("max bytes")?;
        let isolation_level = reader.i8("isolation level")?;
        let (session_id, session_epoch) = match version {
            7.. => (reader.i32("session id")?, reader.i32("session epoch")?),
            _ => (0, FINAL_EPOCH),
        };
        let topic_count = reader.array(if flexible { 3 } else { 6 }, "topics")?;
        let mut topics = SmallVec::with_capacity(topic_count);
        let mut partitions = SmallVec::new();
        for _ in 0..topic_count {
            let topic = TopicRef::read(&mut reader, version >= 13)?;
            let partition_count = reader.array(min_partition_len(version), "partitions")?;
            partitions.reserve(partition_count);
            for _ in 0..partition_count {
                partitions.push(read_partition(&mut reader, version)?);
            }
            reader.skip_tagged()?;
            topics.push(FetchTopic { topic, partition_count });
        }
        let forgotten = reader.clone();
        if version >= 7 {
            read_forgotten(&mut reader, version, |_, _| ())?;
        }
        if version >= 11 {
            reader.string("rack id")?;
        }
        reader.tagged(|tag, inside| match tag {
            1 if version >= 15 => {
                replica_id = inside.i32("replica id")?;
                inside.i64("replica epoch")?;
                inside.skip_tagged()?;
                Ok(true)
            }
            _ => Ok(false),
        })?;
        reader.finish()?;
        Ok(FetchRequest {
            replica_id,
            max_wait_ms,
            min_bytes,
            max_bytes,
            isolation_level,
            session_id,
            session_epoch,
            topics,
            partitions,
            forgotten,
            version,
        })
    }

    /// The partitions that leave the session, in order.
    pub(super) fn each_forgotten(&self, each: impl FnMut(TopicRef<'a>, i32)) -> Result<(), WireError> {
        read_forgotten(&mut self.forgotten.clone(), self.version, each)
    }
}

fn min_partition_len(version: i16) -> usize {
    let mut len = 4 + 8 + 4;
    for (since, bytes) in [(5, 8), (9, 4), (12, 4 + 1)] {
        len += if version >= since { bytes } else { 0 };
    }
    len
}

fn read_partition(reader: &mut Reader<'_>, version: i16) -> Result<FetchPartition, WireError> {
    let index = reader.i32("partition index")?;
    let current_leader_epoch = if version >= 9 { reader.i32("current leader epoch")? } else { -1 };
    let fetch_offset = reader.i64("fetch offset")?;
    let last_fetched_epoch = if version >= 12 { reader.i32("last fetched epoch")? } else { -1 };
    if version >= 5 {
        // A follower's log start offset: consumers have none.
        reader.i64("log start offset")?;
    }
    let max_bytes = reader.i32("partition max bytes")?;
    reader.skip_tagged()?;
    Ok(FetchPartition { index, current_leader_epoch, fetch_offset, last_fetched_epoch, max_bytes })
}

fn read_forgotten<'a>(
    reader: &mut Reader<'a>,
    version: i16,
    mut each: impl FnMut(TopicRef<'a>, i32),
) -> Result<(), WireError> {
    let topic_count = reader.array(if reader.is_flexible() { 3 } else { 6 }, "forgotten topics")?;
    for _ in 0..topic_count {
        let topic = TopicRef::read(reader, version >= 13)?;
        for _ in 0..reader.array(4, "forgotten partitions")? {
            each(topic, reader.i32("forgotten partition")?);
        }
        reader.skip_tagged()?;
    }
    Ok(())
}
