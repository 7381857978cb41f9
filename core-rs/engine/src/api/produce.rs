//! Produce, versions 3 to 13 (KIP-98 batches only; topic ids from 13 on; record errors from 8 on, KIP-467). Each
//! partition is validated without its lock and appended under it, one after the other; acks=all then waits for the
//! high watermark. Nothing of a malformed frame is appended.

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use super::produce_request::{ProducePartition, ProduceRequest, ProduceTopic, TopicRef};
use super::produce_response::{Produced, ProducedTopic, TopicLabel, encode};
use super::wire::WireError;
use super::{Endpoints, ErrorCode, Operation, Outcome, Parked, Part, RequestContext, Resource};
use crate::partition::{
    Appended, CheckedBatch, Notices, Partition, PartitionError, Topic, WaiterId, check_client_batch,
};
use crate::time::Now;

/// Where a batch tells its format, and the second byte of its attributes, whose bit 4 marks it transactional.
const MAGIC: usize = 16;
const ATTRIBUTES_LOW: usize = 22;
const TRANSACTIONAL: u8 = 0x10;

pub(super) fn handle(ctx: &mut RequestContext<'_>, frame: &mut [u8]) -> Result<Outcome, WireError> {
    let request = ProduceRequest::read(ctx.body(frame), ctx.header.api_version)?;
    let asked = Asked::of(ctx, frame, request);
    asked.prefetch();
    let mut prepared = prepare(ctx, asked, frame);
    prepared.prefetch();
    for Checked { partition, records, batch, place } in std::mem::take(&mut prepared.checked) {
        let records = frame.get_mut(records).unwrap_or_default();
        let appended = partition.append_as_leader(records, batch, prepared.acks == -1, ctx.now, ctx.notices);
        prepared.settle(place, &partition, appended);
    }
    Ok(finish(ctx, prepared))
}

/// A request that borrows nothing of its frame any more.
pub(super) struct Asked {
    acks: i16,
    timeout_ms: i32,
    unauthorized: bool,
    topics: SmallVec<[Found; 1]>,
    partitions: SmallVec<[ProducePartition; 1]>,
}

impl Asked {
    pub(super) fn of(ctx: &RequestContext<'_>, frame: &[u8], request: ProduceRequest<'_>) -> Asked {
        let ProduceRequest { transactional_id, acks, timeout_ms, topics, partitions } = request;
        let unauthorized = !may_write_transactions(ctx, frame, transactional_id, &partitions);
        let found = |asked: ProduceTopic<'_>| find(ctx, asked.topic, asked.partition_count);
        let topics = topics.into_iter().map(found).collect();
        Asked { acks, timeout_ms, unauthorized, topics, partitions }
    }

    /// Asks for the memory of all partitions, so that the first ones come while nothing else is to be done and the
    /// others while those are checked. One alone is about to be touched anyway.
    fn prefetch(&self) {
        if self.partitions.len() < 2 {
            return;
        }
        let mut remaining = self.partitions.iter();
        for Found { topic, label, .. } in &self.topics {
            for asked in remaining.by_ref().take(label.partition_count) {
                if let Some(Ok(partition)) = topic.as_ref().map(|topic| topic.partition(asked.index)) {
                    partition.prefetch();
                }
            }
        }
    }
}

/// A request whose batches were checked and are to be appended; an answer stands for each partition that is refused.
pub(super) struct Prepared {
    pub acks: i16,
    timeout_ms: i32,
    topics: SmallVec<[ProducedTopic; 1]>,
    produced: SmallVec<[Produced; 1]>,
    pub checked: SmallVec<[Checked; 1]>,
    waits: Vec<Wait>,
}

/// A batch that may be appended.
pub(super) struct Checked {
    pub partition: Arc<Partition>,
    /// Where it is in the frame.
    pub records: Range<usize>,
    pub batch: CheckedBatch,
    /// Which of the answers is its own.
    pub place: usize,
}

/// Checks every batch of a request, without the locks of their partitions.
pub(super) fn prepare(ctx: &RequestContext<'_>, asked: Asked, frame: &mut [u8]) -> Prepared {
    let Asked { acks, timeout_ms, unauthorized, topics, partitions } = asked;
    let mut produced: SmallVec<[Produced; 1]> = SmallVec::with_capacity(partitions.len());
    let mut checked = SmallVec::with_capacity(partitions.len());
    let mut remaining = partitions.into_iter();
    for Found { topic, refused, label } in &topics {
        for asked in remaining.by_ref().take(label.partition_count) {
            let index = asked.index;
            let answer = match topic {
                _ if unauthorized => Err(Produced {
                    message: Some("Transactional Id authorization failed.".into()),
                    ..Produced::refused(index, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
                }),
                Some(topic) if !refused.is_error() => check(ctx, frame, topic, asked, acks),
                _ => Err(Produced::refused(index, *refused)),
            };
            produced.push(match answer {
                Ok(batch) => {
                    checked.push(Checked { place: produced.len(), ..batch });
                    // Until it is appended.
                    Produced::refused(index, ErrorCode::UNKNOWN_SERVER_ERROR)
                }
                Err(refused) => refused,
            });
        }
    }
    let topics = topics.into_iter().map(|found| found.label).collect();
    Prepared { acks, timeout_ms, topics, produced, checked, waits: Vec::new() }
}

/// Answers a request whose batches were appended or refused, or lets it wait.
pub(super) fn finish(ctx: &mut RequestContext<'_>, prepared: Prepared) -> Outcome {
    let Prepared { acks, timeout_ms, topics, produced, waits, .. } = prepared;
    if acks == 0 {
        return match produced.iter().find(|answer| answer.error.is_error()) {
            // The only way to tell the client, which then looks for the leader anew (as Kafka).
            Some(answer) => Outcome::Close(format!(
                "produce with acks=0 failed for partition {} with error {}: {}",
                answer.index,
                answer.error.0,
                answer.message.as_deref().unwrap_or("no message")
            )),
            None => Outcome::NoReply,
        };
    }
    let mut parked = ParkedProduce {
        correlation_id: ctx.header.correlation_id,
        version: ctx.header.api_version,
        deadline_ms: ctx.now.monotonic_ms.saturating_add(i64::from(timeout_ms.max(0))),
        topics,
        endpoints: None,
        produced,
        waits,
    };
    if !parked.waits.is_empty() || parked.produced.iter().any(|answer| answer.current_leader.is_some()) {
        parked.endpoints = Some(ctx.endpoints());
    }
    match parked.try_complete(ctx.now, ctx.waiter, ctx.notices) {
        Some(reply) => Outcome::Reply(reply),
        None if timeout_ms <= 0 => Outcome::Reply(parked.expire(ctx.now, ctx.waiter, ctx.notices)),
        None => Outcome::Park(Box::new(parked)),
    }
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

/// The batch for one partition, if it may be appended; otherwise the answer.
fn check(
    ctx: &RequestContext<'_>,
    frame: &mut [u8],
    topic: &Topic,
    asked: ProducePartition,
    acks: i16,
) -> Result<Checked, Produced> {
    let (index, version) = (asked.index, ctx.header.api_version);
    let records = frame.get_mut(asked.records.clone()).unwrap_or_default();
    let partition = topic.partition(index).map_err(|error| Produced::failed(index, &error, || -1))?;
    let place_of = (&*topic.name, index);
    // In Kafka's order: the request's shape, its acks, leader and replicas, and only then what the batch says.
    let checked = check_client_batch(records, version, partition.config(), place_of, ctx.now);
    let misshapen = checked.as_ref().is_err_and(PartitionError::is_of_shape);
    if !misshapen && !(-1..=1).contains(&acks) {
        return Err(Produced::refused(index, ErrorCode::INVALID_REQUIRED_ACKS));
    }
    match checked {
        Ok(batch) => Ok(Checked { partition: partition.clone(), records: asked.records, batch, place: 0 }),
        Err(error) if misshapen => Err(failed(index, partition, &error)),
        Err(error) => Err(failed(index, partition, &partition.refusal(acks == -1).unwrap_or(error))),
    }
}

fn failed(index: i32, partition: &Partition, error: &PartitionError) -> Produced {
    Produced {
        current_leader: matches!(error, PartitionError::NotLeader).then(|| partition.current_leader()),
        ..Produced::failed(index, error, || partition.offsets().log_start)
    }
}

impl Prepared {
    /// Asks for what the appends will touch.
    fn prefetch(&self) {
        if self.checked.len() > 1 {
            self.checked.iter().for_each(|checked| checked.partition.prefetch_end());
        }
    }

    /// Takes over what became of a batch.
    pub(super) fn settle(
        &mut self,
        place: usize,
        partition: &Arc<Partition>,
        appended: Result<Appended, PartitionError>,
    ) {
        let Some(answer) = self.produced.get_mut(place) else { return };
        *answer = match appended {
            Ok(appended) => {
                if self.acks == -1 && appended.high_watermark < appended.required {
                    let partition = partition.clone();
                    self.waits.push(Wait { partition, required: appended.required, place });
                }
                Produced::appended(answer.index, &appended)
            }
            Err(error) => failed(answer.index, partition, &error),
        };
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
