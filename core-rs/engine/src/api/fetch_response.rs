//! The Fetch response, versions 4 to 18: header bytes in memory with file ranges between them, sizes adding up exactly.

use smallvec::SmallVec;

use super::endpoints::write_reply_tags;
use super::produce_response::{TopicLabel, write_current_leader};
use super::wire::{Writer, patch_size};
use super::{Endpoints, ErrorCode, Part};
use crate::log::AbortedTxn;
use crate::partition::{CurrentLeader, Divergence, Fetched};
use crate::storage::FileRange;

/// First version that is told the leaders and where they are (KIP-951).
const FIRST_NODE_ENDPOINTS: i16 = 16;
const LAST_WITHOUT_STORAGE_ERROR: i16 = 5;

/// The answer for one partition.
#[derive(Debug)]
pub(super) struct FetchedPartition {
    pub index: i32,
    pub error: ErrorCode,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    pub divergence: Option<Divergence>,
    /// Beside NOT_LEADER_OR_FOLLOWER and FENCED_LEADER_EPOCH, if it is known.
    pub current_leader: Option<CurrentLeader>,
    /// Null for whoever did not ask, and beside what a partition itself refuses.
    pub aborted: Option<Vec<AbortedTxn>>,
    pub range: Option<FileRange>,
}

impl FetchedPartition {
    pub(super) fn read(index: i32, fetched: Fetched) -> FetchedPartition {
        FetchedPartition {
            index,
            error: ErrorCode::NONE,
            high_watermark: fetched.high_watermark,
            last_stable_offset: fetched.last_stable_offset,
            log_start_offset: fetched.log_start_offset,
            divergence: fetched.divergence,
            current_leader: None,
            aborted: fetched.aborted,
            range: fetched.range,
        }
    }

    pub(super) fn refused(index: i32, error: ErrorCode) -> FetchedPartition {
        FetchedPartition {
            index,
            error,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            divergence: None,
            current_leader: None,
            aborted: None,
            range: None,
        }
    }

    /// Refused before any partition was asked: nothing was aborted there, as Kafka puts it.
    pub(super) fn nowhere(index: i32, error: ErrorCode) -> FetchedPartition {
        FetchedPartition { aborted: Some(Vec::new()), ..FetchedPartition::refused(index, error) }
    }

    pub(super) fn len(&self) -> u64 {
        self.range.as_ref().map_or(0, |range| range.len)
    }
}

/// Answers, each beside its topic; neighbours of one topic stand in one entry of the reply.
pub(super) type Answers<'a> = SmallVec<[(&'a TopicLabel, FetchedPartition); 1]>;

/// What of the request the encoding depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResponseShape {
    pub correlation_id: i32,
    pub version: i16,
}

/// A reply about the session, or the request as a whole: `answers` say the same to clients that look there.
pub(super) fn encode_error(
    shape: ResponseShape,
    error: ErrorCode,
    session_id: i32,
    answers: Answers<'_>,
) -> Vec<Part> {
    encode_with(shape, error, session_id, answers, None)
}

/// Encodes the answers. `session_id` 0 = none; `endpoints` are for the leaders among the answers.
pub(super) fn encode(
    shape: ResponseShape,
    session_id: i32,
    answers: Answers<'_>,
    endpoints: Option<&Endpoints>,
) -> Vec<Part> {
    encode_with(shape, ErrorCode::NONE, session_id, answers, endpoints)
}

fn encode_with(
    shape: ResponseShape,
    error: ErrorCode,
    session_id: i32,
    answers: Answers<'_>,
    endpoints: Option<&Endpoints>,
) -> Vec<Part> {
    let version = shape.version;
    let leaders: Vec<_> = answers.iter().filter_map(|(_, answer)| answer.current_leader).collect();
    let topics = answers.chunk_by(|(one, _), (next, _)| one == next).count();
    let longest = answers.iter().map(|(topic, _)| topic.text_len()).max().unwrap_or(0);
    let capacity = topics * (longest.min(256) + 8) + answers.len() * 64 + 32;
    let mut reply = Reply {
        parts: Vec::with_capacity(2 * answers.len() + 1),
        writer: Writer::response(shape.correlation_id, version >= 12, capacity),
    };
    let writer = &mut reply.writer;
    writer.i32(0);
    if version >= 7 {
        writer.i16(error.0);
        writer.i32(session_id);
    }
    writer.array(topics);
    let mut answers = answers.into_iter();
    while let left @ [(topic, _), ..] = answers.as_slice() {
        let count = left.iter().take_while(|(next, _)| next == topic).count();
        topic.write(&mut reply.writer);
        reply.writer.array(count);
        for (_, partition) in answers.by_ref().take(count) {
            reply.partition(shape, partition);
        }
        reply.writer.no_tags();
    }
    write_reply_tags(&mut reply.writer, endpoints.filter(|_| version >= FIRST_NODE_ENDPOINTS), leaders);
    reply.finish()
}

/// Clients of version 5 and before know no storage error: they are to look for another leader, as Kafka tells them.
fn error_for(version: i16, error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::KAFKA_STORAGE_ERROR if version <= LAST_WITHOUT_STORAGE_ERROR => {
            ErrorCode::NOT_LEADER_OR_FOLLOWER
        }
        error => error,
    }
}

struct Reply {
    parts: Vec<Part>,
    writer: Writer,
}

impl Reply {
    fn partition(&mut self, shape: ResponseShape, partition: FetchedPartition) {
        let version = shape.version;
        let writer = &mut self.writer;
        writer.i32(partition.index);
        writer.i16(error_for(version, partition.error).0);
        writer.i64(partition.high_watermark);
        writer.i64(partition.last_stable_offset);
        if version >= 5 {
            writer.i64(partition.log_start_offset);
        }
        match &partition.aborted {
            Some(aborted) => {
                writer.array(aborted.len());
                for txn in aborted {
                    writer.i64(txn.producer_id);
                    writer.i64(txn.first_offset);
                    writer.no_tags();
                }
            }
            None => writer.null_array(),
        }
        if version >= 11 {
            // Preferred read replica: always the one that was asked.
            writer.i32(-1);
        }
        let len = partition.len();
        writer.bytes_length(usize::try_from(len).unwrap_or(usize::MAX));
        if let Some(range) = partition.range {
            let before = writer.take_bytes();
            self.parts.push(Part::Bytes(before));
            self.parts.push(Part::File(range));
        }
        let divergence = partition.divergence.filter(|_| version >= 12);
        let leader = partition.current_leader.filter(|_| version >= FIRST_NODE_ENDPOINTS);
        if version < 12 {
            return;
        }
        self.writer.uvarint(u32::from(divergence.is_some()) + u32::from(leader.is_some()));
        if let Some(divergence) = divergence {
            // Tag 0, DivergingEpoch: epoch, end offset and its own empty tags are 13 bytes.
            self.writer.uvarint(0);
            self.writer.uvarint(13);
            self.writer.i32(divergence.epoch);
            self.writer.i64(divergence.end_offset);
            self.writer.no_tags();
        }
        if let Some(leader) = leader {
            write_current_leader(&mut self.writer, 1, leader);
        }
    }

    fn finish(mut self) -> Vec<Part> {
        let last = self.writer.into_bytes();
        if !last.is_empty() {
            self.parts.push(Part::Bytes(last));
        }
        let total: u64 = self.parts.iter().map(Part::len).sum();
        if let Some(Part::Bytes(first)) = self.parts.first_mut() {
            let rest = total.saturating_sub(first.len() as u64);
            patch_size(first, rest);
        }
        self.parts
    }
}
