//! A broker's worth of topics on a simulated disk, with requests going in as frames and replies coming out as trees.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::schema::{
    FETCH_REQUEST, FETCH_RESPONSE, LIST_OFFSETS_REQUEST, LIST_OFFSETS_RESPONSE, Message, PRODUCE_REQUEST,
    PRODUCE_RESPONSE,
};
use super::{Value, decode, encode};
use crate::api::testing::message::fields;
use crate::api::wire::{Reader, Writer};
use crate::api::{
    AllowAll, Authorizer, FetchSessions, NodeTable, Outcome, Parked, Part, RequestContext, RequestHeader,
    Settings, handle,
};
use crate::partition::testing::{NOON, reopen, run_effects, spec};
use crate::partition::{Notices, Partition, PartitionConfig, Topic, Topics, WaiterId};
use crate::storage::SimStorage;
use crate::time::Now;
use crate::uuid::Uuid;

pub struct World {
    pub disk: SimStorage,
    pub topics: Topics,
    pub settings: Settings,
    pub nodes: Arc<NodeTable>,
    pub notices: Notices,
    pub now: Now,
    pub authorizer: Box<dyn Authorizer>,
    pub sessions: FetchSessions,
    tokens: u64,
}

/// The waiter id that belongs to a token.
pub fn waiter(token: u64) -> WaiterId {
    WaiterId { thread: 0, token }
}

impl World {
    /// Topic `t`, id 01…, with two partitions, and internal topic `__offsets`, id 09…, with one; all led at epoch 3.
    pub fn new() -> World {
        World::with_config(PartitionConfig::default())
    }

    pub fn with_config(config: PartitionConfig) -> World {
        let mut world = World {
            disk: SimStorage::new(),
            topics: Topics::default(),
            settings: Settings::default(),
            nodes: Arc::default(),
            notices: Notices::default(),
            now: NOON,
            authorizer: Box::new(AllowAll),
            sessions: FetchSessions::new(1000, 0, 1, 42),
            tokens: 0,
        };
        world.add_topic("t", 1, 2, false, &config);
        world.add_topic("__offsets", 9, 1, true, &config);
        world
    }

    pub fn add_topic(
        &mut self,
        name: &str,
        id: u8,
        partitions: i32,
        internal: bool,
        config: &PartitionConfig,
    ) {
        let open = |index| {
            let partition = reopen(&self.disk, spec(name, id, index), config.clone());
            partition.lead(3, &mut Notices::default());
            Some(partition)
        };
        let partitions = (0..partitions).map(open).collect();
        self.topics.insert(Arc::new(Topic { name: name.into(), id: Uuid([id; 16]), internal, partitions }));
    }

    pub fn partition(&self, index: i32) -> Arc<Partition> {
        self.topics.partition(Uuid([1; 16]), index).unwrap()
    }

    /// One request; its waiter is `waiter(n)` for the n-th, counted from 1.
    pub fn send(&mut self, api_key: i16, version: i16, body: &[u8]) -> Outcome {
        self.tokens += 1;
        let mut frame = frame(api_key, version, 77, body);
        let header = RequestHeader::parse(&frame).unwrap();
        let mut ctx = RequestContext {
            topics: &self.topics,
            settings: &self.settings,
            nodes: &self.nodes,
            listener: &"PLAINTEXT".into(),
            header: &header,
            now: self.now,
            waiter: waiter(self.tokens),
            principal: "User:ANONYMOUS",
            authorize: self.authorizer.as_ref(),
            sessions: &mut self.sessions,
            notices: &mut self.notices,
        };
        handle(&mut ctx, &mut frame)
    }

    pub fn produce_outcome(
        &mut self,
        version: i16,
        acks: i64,
        partitions: &[(&str, i64, Vec<u8>)],
    ) -> Outcome {
        let body = fields! {
            "transactionalId": Value::Null,
            "acks": acks,
            "timeoutMs": 1000,
            "topicData": by_topic(partitions, "partitionData", "name", |(_, index, records)| {
                fields! { "index": *index, "records": records.clone() }
            }),
        };
        self.send(0, version, &encode(&PRODUCE_REQUEST, version, &body))
    }

    /// The one partition's answer of a produce that is replied to at once.
    pub fn produce(&mut self, version: i16, topic: &str, index: i64, records: Vec<u8>) -> Value {
        let outcome = self.produce_outcome(version, -1, &[(topic, index, records)]);
        let reply = reply_of(&PRODUCE_RESPONSE, version, replied(outcome));
        only(only(reply.items("responses")).items("partitionResponses")).clone()
    }

    pub fn fetch_outcome(&mut self, version: i16, fetch: &Fetch, partitions: &[(&str, i64, i64)]) -> Outcome {
        let forgotten = by_topic(&fetch.forgotten, "", "topic", |_| Value::Null)
            .into_iter()
            .zip(fetch.forgotten.chunk_by(|one, next| one.0 == next.0))
            .map(|(mut topic, chunk)| {
                let indexes = chunk.iter().map(|(_, index, ())| Value::Int(*index)).collect();
                if let Value::Struct(fields) = &mut topic {
                    fields.push(("partitions", Value::List(indexes)));
                }
                topic
            })
            .collect::<Vec<_>>();
        let body = fields! {
            "replicaId": fetch.replica_id,
            "maxWaitMs": fetch.max_wait_ms,
            "minBytes": fetch.min_bytes,
            "maxBytes": fetch.max_bytes,
            "isolationLevel": fetch.isolation,
            "sessionId": fetch.session.0,
            "sessionEpoch": fetch.session.1,
            "topics": by_topic(partitions, "partitions", "topic", |(_, index, offset)| fields! {
                "partition": *index,
                "currentLeaderEpoch": fetch.leader_epoch,
                "fetchOffset": *offset,
                "lastFetchedEpoch": fetch.last_fetched_epoch,
                "logStartOffset": -1,
                "partitionMaxBytes": fetch.partition_max_bytes,
            }),
            "forgottenTopicsData": forgotten,
            "rackId": "",
        };
        let mut body = body;
        if fetch.replica_id != -1
            && let Value::Struct(fields) = &mut body
        {
            let state = fields! { "replicaId": fetch.replica_id, "replicaEpoch": -1 };
            fields.push(("replicaState", state));
        }
        self.send(1, version, &encode(&FETCH_REQUEST, version, &body))
    }

    /// The whole reply of a fetch that is replied to at once.
    pub fn fetch(&mut self, version: i16, fetch: &Fetch, partitions: &[(&str, i64, i64)]) -> Value {
        let outcome = self.fetch_outcome(version, fetch, partitions);
        reply_of(&FETCH_RESPONSE, version, replied(outcome))
    }

    pub fn list_offsets(&mut self, version: i16, query: &List, partitions: &[(&str, i64, i64)]) -> Value {
        let body = fields! {
            "replicaId": query.replica_id,
            "isolationLevel": query.isolation,
            "topics": by_topic(partitions, "partitions", "name", |(_, index, timestamp)| fields! {
                "partitionIndex": *index,
                "currentLeaderEpoch": query.leader_epoch,
                "timestamp": *timestamp,
            }),
            "timeoutMs": 1000,
        };
        let outcome = self.send(2, version, &encode(&LIST_OFFSETS_REQUEST, version, &body));
        reply_of(&LIST_OFFSETS_RESPONSE, version, replied(outcome))
    }

    pub fn run_effects(&mut self) {
        run_effects(&mut self.notices);
    }
}

/// What a fetch asks beside its partitions; the default reads whatever is there and waits for nothing.
#[derive(Clone, Debug)]
pub struct Fetch {
    pub replica_id: i64,
    pub max_wait_ms: i64,
    pub min_bytes: i64,
    pub max_bytes: i64,
    pub partition_max_bytes: i64,
    pub isolation: i64,
    pub session: (i64, i64),
    pub forgotten: Vec<(&'static str, i64, ())>,
    pub leader_epoch: i64,
    pub last_fetched_epoch: i64,
}

impl Default for Fetch {
    fn default() -> Fetch {
        Fetch {
            replica_id: -1,
            max_wait_ms: 0,
            min_bytes: 1,
            max_bytes: 1 << 20,
            partition_max_bytes: 1 << 20,
            isolation: 0,
            session: (0, -1),
            forgotten: Vec::new(),
            leader_epoch: -1,
            last_fetched_epoch: -1,
        }
    }
}

/// What a ListOffsets asks beside its partitions.
#[derive(Clone, Debug)]
pub struct List {
    pub replica_id: i64,
    pub isolation: i64,
    pub leader_epoch: i64,
}

impl Default for List {
    fn default() -> List {
        List { replica_id: -1, isolation: 0, leader_epoch: -1 }
    }
}

/// Groups neighbours of one topic, as requests do; topics also carry the id that the world gave them.
fn by_topic<T>(
    partitions: &[(&str, i64, T)],
    list: &'static str,
    name: &'static str,
    encode: impl Fn(&(&str, i64, T)) -> Value,
) -> Vec<Value> {
    let known: BTreeMap<&str, u8> = [("t", 1), ("__offsets", 9)].into();
    let chunks = partitions.chunk_by(|one, next| one.0 == next.0);
    let topic = |chunk: &[(&str, i64, T)]| {
        let topic = chunk[0].0;
        let id = Uuid([known.get(topic).copied().unwrap_or(0xee); 16]).to_string();
        let partitions = Value::List(chunk.iter().map(&encode).collect());
        Value::Struct(vec![(name, Value::from(topic)), ("topicId", Value::Text(id)), (list, partitions)])
    };
    chunks.map(topic).collect()
}

/// A frame without its size prefix.
pub fn frame(api_key: i16, version: i16, correlation_id: i32, body: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new(false, 0);
    writer.i16(api_key);
    writer.i16(version);
    writer.i32(correlation_id);
    writer.nullable_string(Some("tests"));
    if crate::api::header::is_flexible(api_key, version) {
        writer.i8(0);
    }
    writer.raw(body);
    writer.into_bytes()
}

/// The parts as the client receives them, without the size prefix, which must be right.
pub fn materialise(parts: Vec<Part>) -> Vec<u8> {
    assert!(parts.iter().all(|part| !part.is_empty()), "an empty part would never leave");
    let mut bytes = Vec::new();
    for part in parts {
        match part {
            Part::Bytes(part) => bytes.extend_from_slice(&part),
            Part::File(range) => bytes.extend_from_slice(&range.read().unwrap()),
        }
    }
    let (size, rest) = bytes.split_first_chunk::<4>().unwrap();
    assert_eq!(i32::from_be_bytes(*size) as usize, rest.len(), "the size prefix");
    rest.to_vec()
}

/// Parses a reply strictly: size, correlation id, header tags, body, nothing left.
pub fn reply_of(message: &Message, version: i16, parts: Vec<Part>) -> Value {
    let bytes = materialise(parts);
    let mut reader = Reader::new(&bytes, 0, version >= message.flexible);
    assert_eq!(reader.i32("correlation id"), Ok(77));
    reader.skip_tagged().unwrap();
    decode(message, version, &bytes[reader.position()..])
}

pub fn replied(outcome: Outcome) -> Vec<Part> {
    let Outcome::Reply(parts) = outcome else { panic!("not replied at once: {outcome:?}") };
    parts
}

pub fn parked(outcome: Outcome) -> Box<dyn Parked> {
    let Outcome::Park(parked) = outcome else { panic!("not parked: {outcome:?}") };
    parked
}

pub fn only(values: &[Value]) -> &Value {
    assert_eq!(values.len(), 1, "{values:?}");
    &values[0]
}
