//! Fetch, versions 4 to 18 (sessions of KIP-227 from 7 on, topic ids from 13 on). A reply carries file ranges, never
//! record bytes. A request with too little to read registers at all of its partitions, is evaluated once more and
//! parks.

use std::sync::Arc;

use millrace_record::Codec;
use smallvec::SmallVec;

use super::fetch_request::{FINAL_EPOCH, FetchPartition, FetchRequest, INITIAL_EPOCH};
use super::fetch_response::{Answers, FetchedPartition, ResponseShape, encode, encode_error};
use super::fetch_session::{FetchSession, Place};
use super::fetch_sessions::SharedSession;
use super::produce_request::TopicRef;
use super::produce_response::TopicLabel;
use super::wire::WireError;
use super::{Endpoints, ErrorCode, Operation, Outcome, Parked, Part, RequestContext, Resource};
use crate::partition::{Isolation, Notices, Partition, PartitionError, ReadSpec, Topic, Topics, WaiterId};
use crate::time::Now;

/// The replica id of a consumer.
const CONSUMER: i32 = -1;
/// First version whose clients look at the error of the whole reply, whatever it is.
const FIRST_ERROR_ALONE: i16 = 13;
/// How long a request at most waits for old records to be checked, whatever it says of new ones.
const CHECK_WAIT_MS: i64 = 30_000;
/// First version whose clients can read zstd.
const FIRST_ZSTD_VERSION: i16 = 10;

pub(super) fn handle(ctx: &mut RequestContext<'_>, frame: &mut [u8]) -> Result<Outcome, WireError> {
    let version = ctx.header.api_version;
    let reader = ctx.body(frame);
    let request = FetchRequest::read(reader, version)?;
    let shape = ResponseShape { correlation_id: ctx.header.correlation_id, version };
    let Some(isolation) = Isolation::of_level(request.isolation_level) else {
        return Ok(Outcome::Reply(refuse_level(shape, &request)));
    };
    let is_full = request.session_epoch == FINAL_EPOCH || request.session_epoch == INITIAL_EPOCH;
    let found = if is_full { Ok(full_session(ctx, &request)) } else { next_session(ctx, &request) };
    let session = match found {
        Ok(session) => session.map(|session| Told { session, incremental: !is_full }),
        Err(error) => return Ok(Outcome::Reply(encode_error(shape, error, 0, Answers::new()))),
    };
    let mut fetch = ParkedFetch::new(ctx, (shape, isolation), &request, session);
    let first = fetch.evaluate(ctx.now, None, ctx.notices);
    let replies = first.enough;
    if !replies || first.partitions.iter().any(|answer| answer.current_leader.is_some()) {
        fetch.endpoints = Some(ctx.endpoints());
    }
    if replies {
        return Ok(Outcome::Reply(fetch.reply(first)));
    }
    if first.cold {
        // What Kafka reads from the disk within the request takes the time that it takes, and so does this.
        fetch.deadline_ms = fetch.deadline_ms.max(ctx.now.monotonic_ms.saturating_add(CHECK_WAIT_MS));
    }
    Ok(match fetch.try_complete(ctx.now, ctx.waiter, ctx.notices) {
        Some(reply) => Outcome::Reply(reply),
        None => Outcome::Park(Box::new(fetch)),
    })
}

/// An isolation level that there is not: Kafka fails over it, and answers with what it says of any failure.
fn refuse_level(shape: ResponseShape, request: &FetchRequest<'_>) -> Vec<Part> {
    let error = ErrorCode::UNKNOWN_SERVER_ERROR;
    if shape.version >= FIRST_ERROR_ALONE {
        return encode_error(shape, error, request.session_id, Answers::new());
    }
    let labels: Vec<TopicLabel> = request
        .topics
        .iter()
        .flat_map(|topic| std::iter::repeat_n(TopicLabel::new(topic.topic, None), topic.partition_count))
        .collect();
    let refused = request.partitions.iter().map(|asked| FetchedPartition::nowhere(asked.index, error));
    encode_error(shape, error, request.session_id, labels.iter().zip(refused).collect())
}

/// A full request ends the session that it names and, with the initial epoch, begins a new one.
fn full_session(ctx: &mut RequestContext<'_>, request: &FetchRequest<'_>) -> Option<SharedSession> {
    ctx.sessions.close(request.session_id);
    // Replicas hold sessions of their own kind; one that nobody knows is refused anyway.
    if request.session_epoch != INITIAL_EPOCH || request.replica_id > CONSUMER {
        return None;
    }
    let (topics, uses_topic_ids) = (ctx.topics, ctx.header.api_version >= 13);
    ctx.sessions.create(uses_topic_ids, ctx.now, |session| put(session, topics, request))
}

/// An incremental request changes its session first. One that leaves it without partitions ends it; what such a
/// request asks for is answered without a session.
fn next_session(
    ctx: &mut RequestContext<'_>,
    request: &FetchRequest<'_>,
) -> Result<Option<SharedSession>, ErrorCode> {
    let (id, uses_topic_ids) = (request.session_id, ctx.header.api_version >= 13);
    let shared = ctx.sessions.go_on(id, request.session_epoch, uses_topic_ids)?;
    let mut session = shared.lock();
    put(&mut session, ctx.topics, request);
    let forgotten =
        request.each_forgotten(|topic, index| session.forget(&TopicLabel::new(topic, None), index));
    // It was read once already, when the frame was.
    forgotten.map_err(|_| ErrorCode::INVALID_REQUEST)?;
    let is_empty = session.len() == 0;
    drop(session);
    if is_empty {
        ctx.sessions.close(id);
        return Ok(None);
    }
    ctx.sessions.touch(id, ctx.now);
    Ok(Some(shared))
}

/// Takes the partitions of a request over into a session.
fn put(session: &mut FetchSession, topics: &Topics, request: &FetchRequest<'_>) {
    let mut specs = request.partitions.iter();
    for wanted in &request.topics {
        let known = match wanted.topic {
            TopicRef::Name(name) => topics.by_name(name),
            TopicRef::Id(_) => None,
        };
        let label = TopicLabel::new(wanted.topic, known.as_ref().map(|topic| &topic.name));
        for spec in specs.by_ref().take(wanted.partition_count) {
            session.set(&label, *spec);
        }
    }
}

/// One partition asked for: where it is, or why it cannot be read.
#[derive(Debug)]
struct Asked {
    topic: TopicLabel,
    partition: Result<Arc<Partition>, ErrorCode>,
    spec: FetchPartition,
    /// In the session, if there is one.
    place: Place,
}

impl Asked {
    /// The partition itself has refused, or would have read what this client must not get.
    fn was_asked(&self) -> bool {
        !self.is_of_nobody()
            && self.partition.as_ref().err() != Some(&ErrorCode::UNSUPPORTED_COMPRESSION_TYPE)
    }

    /// There is no such partition, or not for this client: nothing to read, and nothing to wait for (as Kafka).
    fn is_of_nobody(&self) -> bool {
        matches!(
            self.partition,
            Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
                | ErrorCode::UNKNOWN_TOPIC_ID
                | ErrorCode::TOPIC_AUTHORIZATION_FAILED)
        )
    }
}

/// The session that a reply belongs to. An incremental reply carries only what changed.
#[derive(Debug)]
struct Told {
    session: SharedSession,
    incremental: bool,
}

/// What one evaluation found. `enough`: the reply need not wait.
#[derive(Debug)]
struct Evaluation {
    partitions: SmallVec<[FetchedPartition; 1]>,
    enough: bool,
    /// Some of what is asked for is being checked.
    cold: bool,
}

/// A fetch, parked or about to be.
#[derive(Debug)]
struct ParkedFetch {
    shape: ResponseShape,
    deadline_ms: i64,
    /// Whatever there is by then is the answer, but for bytes that are being checked.
    wait_until_ms: i64,
    isolation: Isolation,
    min_bytes: u64,
    max_bytes: u64,
    asked: SmallVec<[Asked; 1]>,
    session: Option<Told>,
    /// Where the leaders are that the reply may name.
    endpoints: Option<Endpoints>,
}

impl ParkedFetch {
    /// With a session, what is asked for is everything in it, else what the request names.
    fn new(
        ctx: &RequestContext<'_>,
        (shape, isolation): (ResponseShape, Isolation),
        request: &FetchRequest<'_>,
        session: Option<Told>,
    ) -> ParkedFetch {
        let max_bytes = bound(request.max_bytes).min(ctx.settings.fetch_max_bytes);
        let asked = match &session {
            Some(told) => ask_for_session(ctx, &told.session.lock(), request.replica_id),
            None => ask_for_request(ctx, request),
        };
        // What is asked of nobody is told whenever the rest is; there must be a rest to wait for.
        let has_rest = asked.iter().any(|asked| !asked.is_of_nobody());
        let wait_ms = if has_rest { i64::from(request.max_wait_ms.max(0)) } else { 0 };
        let wait_until_ms = ctx.now.monotonic_ms.saturating_add(wait_ms);
        ParkedFetch {
            shape,
            deadline_ms: wait_until_ms,
            wait_until_ms,
            isolation,
            min_bytes: bound(request.min_bytes).min(max_bytes),
            max_bytes,
            asked,
            session,
            endpoints: None,
        }
    }

    /// Reads every partition in request order, within the bytes that are left. With `waiter` each read registers.
    fn evaluate(&self, now: Now, waiter: Option<WaiterId>, notices: &mut Notices) -> Evaluation {
        let mut partitions = SmallVec::with_capacity(self.asked.len());
        let (mut left, mut total, mut enough) = (self.max_bytes, 0u64, false);
        let mut cold = false;
        for asked in &self.asked {
            let index = asked.spec.index;
            let partition = match &asked.partition {
                Ok(partition) => partition,
                Err(error) => {
                    enough |= !asked.is_of_nobody();
                    partitions.push(match asked.was_asked() {
                        true => FetchedPartition::refused(index, *error),
                        false => FetchedPartition::nowhere(index, *error),
                    });
                    continue;
                }
            };
            let spec = ReadSpec {
                offset: asked.spec.fetch_offset,
                // Here any negative epoch is none; ListOffsets knows −1 alone.
                current_leader_epoch: asked.spec.current_leader_epoch.max(-1),
                last_fetched_epoch: asked.spec.last_fetched_epoch,
                max_bytes: bound(asked.spec.max_bytes).min(left),
                isolation: self.isolation,
                at_least_one: total == 0,
            };
            let fetched = match partition.read(&spec, waiter, notices) {
                Ok(fetched) => fetched,
                Err(error) => {
                    enough = true;
                    let tells_leader =
                        matches!(error, PartitionError::NotLeader | PartitionError::FencedLeaderEpoch { .. });
                    partitions.push(FetchedPartition {
                        current_leader: tells_leader.then(|| partition.current_leader()),
                        ..FetchedPartition::refused(index, error.into())
                    });
                    continue;
                }
            };
            enough |= fetched.divergence.is_some() || fetched.at_segment_end;
            cold |= fetched.cold;
            let fetched = FetchedPartition::read(index, fetched);
            total = total.saturating_add(fetched.len());
            left = left.saturating_sub(fetched.len());
            partitions.push(fetched);
        }
        // With something to tell at once, what is being checked is for the next request; else it is worth waiting for.
        let over = now.monotonic_ms >= self.wait_until_ms;
        let enough = enough || if cold { total > 0 } else { over || total >= self.min_bytes };
        Evaluation { partitions, enough, cold }
    }

    fn reply(&self, evaluation: Evaluation) -> Vec<Part> {
        let answers = self.asked.iter().zip(evaluation.partitions);
        let Some(Told { session, incremental }) = &self.session else {
            let answers = answers.map(|(asked, answer)| (&asked.topic, answer)).collect();
            return encode(self.shape, 0, answers, self.endpoints.as_ref());
        };
        let mut session = session.lock();
        let mut carried = Answers::new();
        for (asked, answer) in answers {
            if session.tell(asked.place, &answer, *incremental) || !incremental {
                carried.push((&asked.topic, answer));
            }
        }
        encode(self.shape, session.id, carried, self.endpoints.as_ref())
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

    fn try_complete(&mut self, now: Now, waiter: WaiterId, notices: &mut Notices) -> Option<Vec<Part>> {
        let evaluation = self.evaluate(now, Some(waiter), notices);
        if !evaluation.enough {
            return None;
        }
        self.leave(waiter);
        Some(self.reply(evaluation))
    }

    fn expire(&mut self, now: Now, waiter: WaiterId, notices: &mut Notices) -> Vec<Part> {
        self.leave(waiter);
        let evaluation = self.evaluate(now, None, notices);
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

fn ask_for_request(ctx: &RequestContext<'_>, request: &FetchRequest<'_>) -> SmallVec<[Asked; 1]> {
    let mut asked = SmallVec::with_capacity(request.partitions.len());
    let mut specs = request.partitions.iter();
    for wanted in &request.topics {
        let (topic, refused) = find(ctx, wanted.topic, request.replica_id);
        let label = TopicLabel::new(wanted.topic, topic.as_ref().map(|topic| &topic.name));
        for spec in specs.by_ref().take(wanted.partition_count) {
            let partition =
                locate(topic.as_deref(), refused, spec, request.replica_id, ctx.header.api_version);
            asked.push(Asked { topic: label.clone(), partition, spec: *spec, place: 0 });
        }
    }
    asked
}

fn ask_for_session(
    ctx: &RequestContext<'_>,
    session: &FetchSession,
    replica_id: i32,
) -> SmallVec<[Asked; 1]> {
    let mut asked: SmallVec<[Asked; 1]> = SmallVec::with_capacity(session.len());
    let mut found = (None, ErrorCode::NONE);
    for (place, cached) in session.partitions() {
        // Neighbours mostly share their topic.
        if asked.last().is_none_or(|before| before.topic != cached.topic) {
            found = find(ctx, cached.topic.asked(), replica_id);
        }
        let partition = locate(found.0.as_deref(), found.1, &cached.spec, replica_id, ctx.header.api_version);
        asked.push(Asked { topic: cached.topic.clone(), partition, spec: cached.spec, place });
    }
    asked
}

/// The topic asked for, or why all of its partitions are refused.
fn find(ctx: &RequestContext<'_>, asked: TopicRef<'_>, replica_id: i32) -> (Option<Arc<Topic>>, ErrorCode) {
    let (topic, unknown) = match asked {
        TopicRef::Name(name) => (ctx.topics.by_name(name), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        TopicRef::Id(id) => (ctx.topics.by_id(id), ErrorCode::UNKNOWN_TOPIC_ID),
    };
    let name = match (&topic, asked) {
        (Some(topic), _) => Some(&*topic.name),
        (None, TopicRef::Name(name)) => Some(name),
        (None, TopicRef::Id(_)) => None,
    };
    // Replicas read all topics or none.
    let allowed = name.is_none_or(|name| match replica_id > CONSUMER {
        true => ctx.may(Operation::ClusterAction, Resource::Cluster),
        false => ctx.may(Operation::Read, Resource::Topic(name)),
    });
    let error = match &topic {
        _ if !allowed => ErrorCode::TOPIC_AUTHORIZATION_FAILED,
        None => unknown,
        Some(_) => ErrorCode::NONE,
    };
    (topic, error)
}

fn locate(
    topic: Option<&Topic>,
    refused: ErrorCode,
    spec: &FetchPartition,
    replica_id: i32,
    version: i16,
) -> Result<Arc<Partition>, ErrorCode> {
    if refused.is_error() {
        return Err(refused);
    }
    let found = topic.ok_or(PartitionError::Unknown).and_then(|topic| topic.partition(spec.index));
    let partition = found.map_err(ErrorCode::from)?;
    // Replicas read up to the log end: one that no metadata knows gets nothing.
    if replica_id > CONSUMER {
        return Err(partition.refuse_replica(replica_id, spec.current_leader_epoch.max(-1)).into());
    }
    // Whoever asks so cannot read what this topic is kept in (KIP-110).
    let is_zstd = || partition.config().compression.is_some_and(|kept| kept.codec == Codec::Zstd);
    if version < FIRST_ZSTD_VERSION && is_zstd() {
        return Err(ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    }
    Ok(partition.clone())
}
