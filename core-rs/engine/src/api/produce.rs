//! Produce, versions 3 to 13 (KIP-98 batches only; topic ids from 13 on; record errors from 8 on, KIP-467). Each
//! partition is validated without its lock and appended under it, one after the other; acks=all then waits for the
//! high watermark. Nothing of a malformed frame is appended.

use std::sync::Arc;

use smallvec::SmallVec;

use super::produce_request::{ProducePartition, ProduceRequest, TopicRef};
use super::produce_response::{Produced, ProducedTopic, TopicLabel, encode};
use super::wire::WireError;
use super::{Endpoints, ErrorCode, Operation, Outcome, Parked, Part, RequestContext, Resource};
use crate::partition::{Notices, Partition, PartitionError, Topic, WaiterId, check_client_batch};
use crate::time::Now;

/// Where a batch tells its format, and the second byte of its attributes, whose bit 4 marks it transactional.
const MAGIC: usize = 16;
const ATTRIBUTES_LOW: usize = 22;
const TRANSACTIONAL: u8 = 0x10;

pub(super) fn handle(ctx: &mut RequestContext<'_>, frame: &mut [u8]) -> Result<Outcome, WireError> {
    let version = ctx.header.api_version;
    let reader = ctx.body(frame);
    let ProduceRequest { transactional_id, acks, timeout_ms, topics, partitions } =
        ProduceRequest::read(reader, version)?;
    let unauthorized = !may_write_transactions(ctx, frame, transactional_id, &partitions);
    let topics: SmallVec<[Found; 1]> =
        topics.into_iter().map(|asked| find(ctx, asked.topic, asked.partition_count)).collect();

    let mut produced: SmallVec<[Produced; 1]> = SmallVec::with_capacity(partitions.len());
    let mut waits = Vec::new();
    let mut remaining = partitions.into_iter();
    for Found { topic, refused, label } in &topics {
        for asked in remaining.by_ref().take(label.partition_count) {
            let answer = match topic {
                _ if unauthorized => Produced {
                    message: Some("Transactional Id authorization failed.".into()),
                    ..Produced::refused(asked.index, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
                },
                Some(topic) if !refused.is_error() => {
                    append(ctx, frame, topic, &asked, acks, produced.len(), &mut waits)
                }
                _ => Produced::refused(asked.index, *refused),
            };
            produced.push(answer);
        }
    }
    let topics: SmallVec<[ProducedTopic; 1]> = topics.into_iter().map(|found| found.label).collect();
    if acks == 0 {
        return Ok(match produced.iter().find(|answer| answer.error.is_error()) {
            // The only way to tell the client, which then looks for the leader anew (as Kafka).
            Some(answer) => Outcome::Close(format!(
                "produce with acks=0 failed for partition {} with error {}: {}",
                answer.index,
                answer.error.0,
                answer.message.as_deref().unwrap_or("no message")
            )),
            None => Outcome::NoReply,
        });
    }
    let mut parked = ParkedProduce {
        correlation_id: ctx.header.correlation_id,
        version,
        deadline_ms: ctx.now.monotonic_ms.saturating_add(i64::from(timeout_ms.max(0))),
        topics,
        endpoints: None,
        produced,
        waits,
    };
    if !parked.waits.is_empty() || parked.produced.iter().any(|answer| answer.current_leader.is_some()) {
        parked.endpoints = Some(ctx.endpoints());
    }
    Ok(match parked.try_complete(ctx.now, ctx.waiter, ctx.notices) {
        Some(reply) => Outcome::Reply(reply),
        None if timeout_ms <= 0 => Outcome::Reply(parked.expire(ctx.now, ctx.waiter, ctx.notices)),
        None => Outcome::Park(Box::new(parked)),
    })
}

/// Transactional batches need leave to write for their transactional id; without it the whole request is refused.
fn may_write_transactions(
    ctx: &RequestContext<'_>,
    frame: &[u8],
    transactional_id: Option<&str>,
    partitions: &[ProducePartition],
) -> bool {
    let transactional = |asked: &ProducePartition| {
        let batch = frame.get(asked.records.clone()).unwrap_or_default();
        batch.get(MAGIC) == Some(&2)
            && batch.get(ATTRIBUTES_LOW).is_some_and(|byte| byte & TRANSACTIONAL != 0)
    };
    let id = transactional_id.map(Resource::TransactionalId);
    !partitions.iter().any(transactional) || id.is_some_and(|id| ctx.may(Operation::Write, id))
}

/// The topic asked for, or why all of its partitions are refused.
struct Found {
    topic: Option<Arc<Topic>>,
    refused: ErrorCode,
    label: ProducedTopic,
}

fn find(ctx: &RequestContext<'_>, asked: TopicRef<'_>, partition_count: usize) -> Found {
    let (topic, unknown) = match asked {
        TopicRef::Name(name) => (ctx.topics.by_name(name), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        TopicRef::Id(id) => (ctx.topics.by_id(id), ErrorCode::UNKNOWN_TOPIC_ID),
    };
    let label = TopicLabel::new(asked, topic.as_ref().map(|topic| &topic.name));
    let name = match (&topic, asked) {
        (Some(topic), _) => Some(&*topic.name),
        (None, TopicRef::Name(name)) => Some(name),
        (None, TopicRef::Id(_)) => None,
    };
    let allowed = name.is_none_or(|name| ctx.may(Operation::Write, Resource::Topic(name)));
    let refused = match &topic {
        _ if !allowed => ErrorCode::TOPIC_AUTHORIZATION_FAILED,
        None => unknown,
        Some(topic) if topic.internal => ErrorCode::INVALID_TOPIC_EXCEPTION,
        Some(_) => ErrorCode::NONE,
    };
    Found { topic, refused, label: ProducedTopic { label, partition_count } }
}

fn append(
    ctx: &mut RequestContext<'_>,
    frame: &mut [u8],
    topic: &Topic,
    asked: &ProducePartition,
    acks: i16,
    place: usize,
    waits: &mut Vec<Wait>,
) -> Produced {
    let (now, version) = (ctx.now, ctx.header.api_version);
    let records = frame.get_mut(asked.records.clone()).unwrap_or_default();
    let partition = match topic.partition(asked.index) {
        Ok(partition) => partition,
        Err(error) => return Produced::failed(asked.index, &error, || -1),
    };
    let place_of = (&*topic.name, asked.index);
    // In Kafka's order: the request's shape, its acks, leader and replicas, and only then what the batch says.
    let checked = check_client_batch(records, version, partition.config(), place_of, now);
    let misshapen = checked.as_ref().is_err_and(PartitionError::is_of_shape);
    if !misshapen && !(-1..=1).contains(&acks) {
        return Produced::refused(asked.index, ErrorCode::INVALID_REQUIRED_ACKS);
    }
    let appended = match checked {
        Ok(checked) => partition.append_as_leader(records, checked, acks == -1, now, ctx.notices),
        Err(error) if misshapen => Err(error),
        Err(error) => Err(partition.refusal(acks == -1).unwrap_or(error)),
    };
    match appended {
        Ok(appended) => {
            if acks == -1 && appended.high_watermark < appended.required {
                waits.push(Wait { partition: partition.clone(), required: appended.required, place });
            }
            Produced::appended(asked.index, &appended)
        }
        Err(error) => Produced {
            current_leader: matches!(error, PartitionError::NotLeader).then(|| partition.current_leader()),
            ..Produced::failed(asked.index, &error, || partition.offsets().log_start)
        },
    }
}

/// One partition whose high watermark has not reached what was appended.
#[derive(Debug)]
struct Wait {
    partition: Arc<Partition>,
    required: i64,
    /// Which of the answers it is about.
    place: usize,
}

/// acks=all, appended everywhere and waiting for `waits`.
#[derive(Debug)]
struct ParkedProduce {
    correlation_id: i32,
    version: i16,
    deadline_ms: i64,
    topics: SmallVec<[ProducedTopic; 1]>,
    produced: SmallVec<[Produced; 1]>,
    waits: Vec<Wait>,
    /// Where the leaders are that the reply may name.
    endpoints: Option<Endpoints>,
}

impl ParkedProduce {
    /// As Kafka: where the batch stands, and when it was appended, is told beside the error.
    fn settle(&mut self, wait: &Wait, error: ErrorCode) {
        if let Some(answer) = self.produced.get_mut(wait.place) {
            answer.error = error;
            answer.current_leader =
                (error == ErrorCode::NOT_LEADER_OR_FOLLOWER).then(|| wait.partition.current_leader());
        }
    }

    fn reply(&self) -> Vec<Part> {
        encode((self.correlation_id, self.version), &self.topics, &self.produced, self.endpoints.as_ref())
    }
}

impl Parked for ParkedProduce {
    fn deadline_ms(&self) -> i64 {
        self.deadline_ms
    }

    fn try_complete(&mut self, _now: Now, waiter: WaiterId, _notices: &mut Notices) -> Option<Vec<Part>> {
        let (mut still, mut over): (Vec<Wait>, Vec<Wait>) = (Vec::new(), Vec::new());
        for wait in std::mem::take(&mut self.waits) {
            match wait.partition.await_high_watermark(wait.required, waiter) {
                Ok(reached) if reached < wait.required => still.push(wait),
                Ok(_) => over.push(wait),
                Err(error) => {
                    self.settle(&wait, error.into());
                    over.push(wait);
                }
            }
        }
        for wait in over {
            // A request that names a partition twice has one place in its list: kept while either one waits.
            if !still.iter().any(|other| Arc::ptr_eq(&other.partition, &wait.partition)) {
                wait.partition.remove_waiter(waiter);
            }
        }
        self.waits = still;
        self.waits.is_empty().then(|| self.reply())
    }

    fn expire(&mut self, _now: Now, waiter: WaiterId, _notices: &mut Notices) -> Vec<Part> {
        for wait in std::mem::take(&mut self.waits) {
            wait.partition.remove_waiter(waiter);
            self.settle(&wait, ErrorCode::REQUEST_TIMED_OUT);
        }
        self.reply()
    }

    fn cancel(&mut self, waiter: WaiterId) {
        for wait in std::mem::take(&mut self.waits) {
            wait.partition.remove_waiter(waiter);
        }
    }
}
