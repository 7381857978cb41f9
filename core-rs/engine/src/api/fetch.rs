//! Fetch, versions 4 to 18 (sessions of KIP-227 are declined: every answer has session id 0; topic ids from 13 on).
//! A reply carries file ranges, never record bytes. A request with too little to read registers at all of its
//! partitions, is evaluated once more and parks.

use std::sync::Arc;

use super::fetch_request::{FINAL_EPOCH, FetchPartition, FetchRequest, INITIAL_EPOCH};
use super::fetch_response::{FetchedPartition, FetchedTopic, ResponseShape, encode, encode_error};
use super::produce_request::TopicRef;
use super::produce_response::TopicLabel;
use super::wire::{Reader, WireError};
use super::{ErrorCode, Operation, Outcome, Parked, Part, RequestContext, Resource};
use crate::partition::{Isolation, Notices, Partition, PartitionError, ReadSpec, Topic, WaiterId};
use crate::time::Now;

/// The replica id of a consumer.
const CONSUMER: i32 = -1;

pub(super) fn handle(ctx: &mut RequestContext<'_>, frame: &mut [u8]) -> Result<Outcome, WireError> {
    let version = ctx.header.api_version;
    let reader = Reader::new(frame, ctx.header.body_offset, ctx.header.flexible);
    let request = FetchRequest::read(reader, version)?;
    let shape = ResponseShape {
        correlation_id: ctx.header.correlation_id,
        version,
        isolation: if request.isolation_level == 1 {
            Isolation::ReadCommitted
        } else {
            Isolation::ReadUncommitted
        },
    };
    if request.session_epoch != FINAL_EPOCH && request.session_epoch != INITIAL_EPOCH {
        // An incremental request: of a session that was never given out.
        return Ok(Outcome::Reply(encode_error(shape, ErrorCode::FETCH_SESSION_ID_NOT_FOUND)));
    }
    let mut fetch = ParkedFetch::new(ctx, shape, &request);
    let no_wait = request.max_wait_ms <= 0 || fetch.asked.is_empty();
    let first = fetch.evaluate(None, ctx.notices);
    if no_wait || first.enough {
        return Ok(Outcome::Reply(fetch.reply(first)));
    }
    Ok(match fetch.try_complete(ctx.now, ctx.waiter, ctx.notices) {
        Some(reply) => Outcome::Reply(reply),
        None => Outcome::Park(Box::new(fetch)),
    })
}

/// One partition asked for: where it is, or why it cannot be read.
#[derive(Debug)]
struct Asked {
    partition: Result<Arc<Partition>, ErrorCode>,
    spec: FetchPartition,
}

/// What one evaluation found. `enough`: the reply need not wait.
#[derive(Debug)]
struct Evaluation {
    partitions: Vec<FetchedPartition>,
    enough: bool,
}

/// A fetch, parked or about to be.
#[derive(Debug)]
struct ParkedFetch {
    shape: ResponseShape,
    deadline_ms: i64,
    min_bytes: u64,
    max_bytes: u64,
    topics: Vec<FetchedTopic>,
    asked: Vec<Asked>,
}

impl ParkedFetch {
    fn new(ctx: &RequestContext<'_>, shape: ResponseShape, request: &FetchRequest<'_>) -> ParkedFetch {
        let max_bytes = bound(request.max_bytes).min(ctx.settings.fetch_max_bytes);
        let mut topics = Vec::with_capacity(request.topics.len());
        let mut asked = Vec::with_capacity(request.partitions.len());
        let mut specs = request.partitions.iter();
        for wanted in &request.topics {
            let (topic, refused) = find(ctx, wanted.topic);
            let refused = refuse_replica(request.replica_id, refused);
            for spec in specs.by_ref().take(wanted.partition_count) {
                asked.push(Asked { partition: locate(topic.as_deref(), refused, spec.index), spec: *spec });
            }
            let label = TopicLabel::new(wanted.topic, topic.as_ref().map(|topic| &topic.name));
            topics.push(FetchedTopic { label, partition_count: wanted.partition_count });
        }
        ParkedFetch {
            shape,
            deadline_ms: ctx.now.monotonic_ms.saturating_add(i64::from(request.max_wait_ms.max(0))),
            min_bytes: bound(request.min_bytes).min(max_bytes),
            max_bytes,
            topics,
            asked,
        }
    }

    /// Reads every partition in request order, within the bytes that are left. With `waiter` each read registers.
    fn evaluate(&self, waiter: Option<WaiterId>, notices: &mut Notices) -> Evaluation {
        let mut partitions = Vec::with_capacity(self.asked.len());
        let (mut left, mut total, mut enough) = (self.max_bytes, 0u64, false);
        for asked in &self.asked {
            let index = asked.spec.index;
            let partition = match &asked.partition {
                Ok(partition) => partition,
                Err(error) => {
                    enough = true;
                    partitions.push(FetchedPartition::refused(index, *error));
                    continue;
                }
            };
            let spec = ReadSpec {
                offset: asked.spec.fetch_offset,
                current_leader_epoch: asked.spec.current_leader_epoch,
                last_fetched_epoch: asked.spec.last_fetched_epoch,
                max_bytes: bound(asked.spec.max_bytes).min(left),
                isolation: self.shape.isolation,
                at_least_one: total == 0,
            };
            let fetched = match partition.read(&spec, waiter, notices) {
                Ok(fetched) => fetched,
                Err(error) => {
                    enough = true;
                    partitions.push(FetchedPartition::refused(index, error.into()));
                    continue;
                }
            };
            enough |= fetched.divergence.is_some() || fetched.at_segment_end;
            let fetched = FetchedPartition::read(index, fetched);
            total = total.saturating_add(fetched.len());
            left = left.saturating_sub(fetched.len());
            partitions.push(fetched);
        }
        Evaluation { partitions, enough: enough || total >= self.min_bytes }
    }

    fn reply(&self, evaluation: Evaluation) -> Vec<Part> {
        encode(self.shape, &self.topics, evaluation.partitions)
    }

    fn leave(&self, waiter: WaiterId) {
        for asked in &self.asked {
            if let Ok(partition) = &asked.partition {
                partition.remove_waiter(waiter);
            }
        }
    }
}

impl Parked for ParkedFetch {
    fn deadline_ms(&self) -> i64 {
        self.deadline_ms
    }

    fn try_complete(&mut self, _now: Now, waiter: WaiterId, notices: &mut Notices) -> Option<Vec<Part>> {
        let evaluation = self.evaluate(Some(waiter), notices);
        if !evaluation.enough {
            return None;
        }
        self.leave(waiter);
        Some(self.reply(evaluation))
    }

    fn expire(&mut self, _now: Now, waiter: WaiterId, notices: &mut Notices) -> Vec<Part> {
        self.leave(waiter);
        let evaluation = self.evaluate(None, notices);
        self.reply(evaluation)
    }

    fn cancel(&mut self, waiter: WaiterId) {
        self.leave(waiter);
    }
}

/// A byte bound of the wire; a negative one means nothing at all.
fn bound(bytes: i32) -> u64 {
    u64::try_from(bytes).unwrap_or(0)
}

/// The topic asked for, or why all of its partitions are refused.
fn find(ctx: &RequestContext<'_>, asked: TopicRef<'_>) -> (Option<Arc<Topic>>, ErrorCode) {
    let (topic, unknown) = match asked {
        TopicRef::Name(name) => (ctx.topics.by_name(name), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        TopicRef::Id(id) => (ctx.topics.by_id(id), ErrorCode::UNKNOWN_TOPIC_ID),
    };
    let name = match (&topic, asked) {
        (Some(topic), _) => Some(&*topic.name),
        (None, TopicRef::Name(name)) => Some(name),
        (None, TopicRef::Id(_)) => None,
    };
    let allowed = name.is_none_or(|name| ctx.may(Operation::Read, Resource::Topic(name)));
    let error = match &topic {
        _ if !allowed => ErrorCode::TOPIC_AUTHORIZATION_FAILED,
        None => unknown,
        Some(_) => ErrorCode::NONE,
    };
    (topic, error)
}

/// Replicas read up to the log end: one that no metadata knows gets nothing. No replica but ours exists yet.
fn refuse_replica(replica_id: i32, refused: ErrorCode) -> ErrorCode {
    match refused {
        ErrorCode::NONE if replica_id > CONSUMER => ErrorCode::NOT_LEADER_OR_FOLLOWER,
        refused => refused,
    }
}

fn locate(topic: Option<&Topic>, refused: ErrorCode, index: i32) -> Result<Arc<Partition>, ErrorCode> {
    if refused.is_error() {
        return Err(refused);
    }
    let found = topic.ok_or(PartitionError::Unknown).and_then(|topic| topic.partition(index));
    found.cloned().map_err(ErrorCode::from)
}
