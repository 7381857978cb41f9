//! Frames that kafka-clients wrote, against the test tables and against the request readers.

use std::sync::LazyLock;

use flate2::read::GzDecoder;

use super::describe_producers::ProducersRequest;
use super::fetch_request::FetchRequest;
use super::offset_for_leader_epoch::EpochsRequest;
use super::produce_request::{ProduceRequest, TopicRef};
use super::testing::schema::{
    DESCRIBE_PRODUCERS_REQUEST, FETCH_REQUEST, LIST_OFFSETS_REQUEST, MESSAGES, Message,
    OFFSET_FOR_LEADER_EPOCH_REQUEST, PRODUCE_REQUEST,
};
use super::testing::{Value, decode, encode};
use super::wire::Reader;
use super::{list_offsets, serves};

/// One JSON object a line.
static FRAMES: LazyLock<String> = LazyLock::new(|| {
    let packed: &[u8] = include_bytes!("../../../../test/wire/golden/apis.jsonl.gz");
    std::io::read_to_string(GzDecoder::new(packed)).unwrap()
});

struct Golden {
    version: i16,
    variant: String,
    bytes: Vec<u8>,
    json: &'static str,
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = line.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

fn golden(message: &Message) -> Vec<Golden> {
    let start = format!("{{\"name\":\"{}\",", message.name);
    let frames: Vec<Golden> = FRAMES
        .lines()
        .filter(|line| line.starts_with(&start))
        .map(|line| {
            let hex = between(line, "\"hex\":\"", "\"");
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            let (_, json) = line.split_once("\"json\":").unwrap();
            Golden {
                version: between(line, "\"version\":", ",").parse().unwrap(),
                variant: between(line, "\"variant\":\"", "\"").to_owned(),
                bytes: (0..hex.len()).step_by(2).map(byte).collect(),
                json: json.strip_suffix('}').unwrap(),
            }
        })
        .collect();
    assert!(!frames.is_empty(), "no frames of {}", message.name);
    frames
}

/// A reader over the frame, and the tree of what it says.
fn parsed<'a>(message: &Message, frame: &'a Golden) -> (Reader<'a>, Value) {
    let reader = Reader::new(&frame.bytes, 0, frame.version >= message.flexible);
    (reader, decode(message, frame.version, &frame.bytes))
}

fn every_version_is_there(frames: &[Golden], api_key: i16) {
    let (oldest, newest) = serves(api_key).unwrap();
    // Version 0 of ListOffsets, which Kafka 4 dropped, has frames of its own.
    let oldest = if api_key == 2 { oldest.max(1) } else { oldest };
    for version in oldest..=newest {
        assert!(frames.iter().any(|frame| frame.version == version), "no frame of version {version}");
    }
}

#[test]
fn the_test_tables_read_and_write_what_kafka_wrote() {
    for message in MESSAGES {
        for frame in golden(message) {
            let about = format!("{} v{} {}", message.name, frame.version, frame.variant);
            let value = decode(message, frame.version, &frame.bytes);
            assert_eq!(value.json(), frame.json, "{about}");
            if frame.variant != "tags" {
                assert_eq!(encode(message, frame.version, &value), frame.bytes, "{about}");
            }
        }
    }
}

fn same_topic(asked: TopicRef<'_>, expected: &Value, name: &str) {
    match asked {
        TopicRef::Name(topic) => assert_eq!(expected.get(name), &Value::from(topic)),
        TopicRef::Id(id) => assert_eq!(expected.get("topicId"), &Value::Text(id.to_string())),
    }
}

#[test]
fn produce_requests_of_every_version_are_read() {
    let frames = golden(&PRODUCE_REQUEST);
    every_version_is_there(&frames, 0);
    for frame in &frames {
        let (reader, expected) = parsed(&PRODUCE_REQUEST, frame);
        let request = ProduceRequest::read(reader, frame.version).unwrap();
        let id = request.transactional_id.map_or(Value::Null, Value::from);
        assert_eq!(&id, expected.get("transactionalId"));
        assert_eq!(i64::from(request.acks), expected.int("acks"));
        assert_eq!(i64::from(request.timeout_ms), expected.int("timeoutMs"));
        let topics = expected.items("topicData");
        assert_eq!(request.topics.len(), topics.len());
        let mut partitions = request.partitions.iter();
        for (topic, expected) in request.topics.iter().zip(topics) {
            same_topic(topic.topic, expected, "name");
            assert_eq!(topic.partition_count, expected.items("partitionData").len());
            for expected in expected.items("partitionData") {
                let partition = partitions.next().unwrap();
                assert_eq!(i64::from(partition.index), expected.int("index"));
                let records = Value::Bytes(frame.bytes[partition.records.clone()].to_vec());
                match expected.get("records") {
                    Value::Null => assert!(partition.records.is_empty()),
                    expected => assert_eq!(&records, expected),
                }
            }
        }
        assert!(partitions.next().is_none());
    }
}

#[test]
fn fetch_requests_of_every_version_are_read() {
    let frames = golden(&FETCH_REQUEST);
    every_version_is_there(&frames, 1);
    for frame in &frames {
        let (reader, expected) = parsed(&FETCH_REQUEST, frame);
        let request = FetchRequest::read(reader, frame.version).unwrap();
        let replica_id = match frame.version {
            15.. if !expected.has("replicaState") => -1,
            15.. => expected.get("replicaState").int("replicaId"),
            _ => expected.int("replicaId"),
        };
        assert_eq!(i64::from(request.replica_id), replica_id);
        assert_eq!(i64::from(request.max_wait_ms), expected.int("maxWaitMs"));
        assert_eq!(i64::from(request.min_bytes), expected.int("minBytes"));
        assert_eq!(i64::from(request.max_bytes), expected.int("maxBytes"));
        assert_eq!(i64::from(request.isolation_level), expected.int("isolationLevel"));
        if frame.version >= 7 {
            assert_eq!(i64::from(request.session_id), expected.int("sessionId"));
            assert_eq!(i64::from(request.session_epoch), expected.int("sessionEpoch"));
        }
        let mut partitions = request.partitions.iter();
        assert_eq!(request.topics.len(), expected.items("topics").len());
        for (topic, expected) in request.topics.iter().zip(expected.items("topics")) {
            same_topic(topic.topic, expected, "topic");
            for expected in expected.items("partitions") {
                let partition = partitions.next().unwrap();
                assert_eq!(i64::from(partition.index), expected.int("partition"));
                assert_eq!(partition.fetch_offset, expected.int("fetchOffset"));
                assert_eq!(i64::from(partition.max_bytes), expected.int("partitionMaxBytes"));
                if frame.version >= 9 {
                    let epoch = expected.int("currentLeaderEpoch");
                    assert_eq!(i64::from(partition.current_leader_epoch), epoch);
                }
                if frame.version >= 12 {
                    assert_eq!(i64::from(partition.last_fetched_epoch), expected.int("lastFetchedEpoch"));
                }
            }
        }
        assert!(partitions.next().is_none());
    }
}

#[test]
fn list_offsets_requests_of_every_version_are_read() {
    let frames = golden(&LIST_OFFSETS_REQUEST);
    every_version_is_there(&frames, 2);
    for frame in &frames {
        let (reader, expected) = parsed(&LIST_OFFSETS_REQUEST, frame);
        let request = list_offsets::ListOffsetsRequest::read(reader, frame.version).unwrap();
        assert_eq!(i64::from(request.replica_id), expected.int("replicaId"));
        let mut partitions = request.partitions.iter();
        for (topic, expected) in request.topics.iter().zip(expected.items("topics")) {
            assert_eq!(&Value::from(topic.name), expected.get("name"));
            for expected in expected.items("partitions") {
                let partition = partitions.next().unwrap();
                assert_eq!(i64::from(partition.index), expected.int("partitionIndex"));
                assert_eq!(partition.timestamp, expected.int("timestamp"));
            }
        }
        assert!(partitions.next().is_none());
    }
}

#[test]
fn offset_for_leader_epoch_requests_of_every_version_are_read() {
    let frames = golden(&OFFSET_FOR_LEADER_EPOCH_REQUEST);
    every_version_is_there(&frames, 23);
    for frame in &frames {
        let (reader, expected) = parsed(&OFFSET_FOR_LEADER_EPOCH_REQUEST, frame);
        let request = EpochsRequest::read(reader, frame.version).unwrap();
        assert_eq!(request.topics.len(), expected.items("topics").len());
        for (topic, expected) in request.topics.iter().zip(expected.items("topics")) {
            assert_eq!(&Value::from(topic.name), expected.get("topic"));
            let asked = topic
                .partitions
                .iter()
                .map(|asked| [asked.index, asked.current_leader_epoch, asked.leader_epoch].map(i64::from));
            let expected = expected.items("partitions").iter().map(|expected| {
                ["partition", "currentLeaderEpoch", "leaderEpoch"].map(|name| expected.int(name))
            });
            assert_eq!(asked.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        }
    }
}

#[test]
fn describe_producers_requests_are_read() {
    let frames = golden(&DESCRIBE_PRODUCERS_REQUEST);
    every_version_is_there(&frames, 61);
    for frame in &frames {
        let (reader, expected) = parsed(&DESCRIBE_PRODUCERS_REQUEST, frame);
        let request = ProducersRequest::read(reader).unwrap();
        let asked = request.topics.iter().map(|(name, indexes)| {
            let indexes = indexes.iter().map(|index| Value::Int(i64::from(*index))).collect();
            (Value::from(*name), Value::List(indexes))
        });
        let expected = expected.items("topics").iter();
        let expected =
            expected.map(|topic| (topic.get("name").clone(), topic.get("partitionIndexes").clone()));
        assert_eq!(asked.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}

#[test]
fn every_cut_and_every_extra_byte_is_refused() {
    for frame in golden(&PRODUCE_REQUEST) {
        refuses_cuts(&frame, PRODUCE_REQUEST.flexible, |reader| {
            ProduceRequest::read(reader, frame.version).is_ok()
        });
    }
    for frame in golden(&FETCH_REQUEST) {
        refuses_cuts(&frame, FETCH_REQUEST.flexible, |reader| {
            FetchRequest::read(reader, frame.version).is_ok()
        });
    }
    for frame in golden(&LIST_OFFSETS_REQUEST) {
        refuses_cuts(&frame, LIST_OFFSETS_REQUEST.flexible, |reader| {
            list_offsets::ListOffsetsRequest::read(reader, frame.version).is_ok()
        });
    }
    for frame in golden(&OFFSET_FOR_LEADER_EPOCH_REQUEST) {
        refuses_cuts(&frame, OFFSET_FOR_LEADER_EPOCH_REQUEST.flexible, |reader| {
            EpochsRequest::read(reader, frame.version).is_ok()
        });
    }
    for frame in golden(&DESCRIBE_PRODUCERS_REQUEST) {
        refuses_cuts(&frame, 0, |reader| ProducersRequest::read(reader).is_ok());
    }
}

fn refuses_cuts(frame: &Golden, first_flexible: i16, read: impl Fn(Reader<'_>) -> bool) {
    let flexible = frame.version >= first_flexible;
    for end in 0..frame.bytes.len() {
        assert!(!read(Reader::new(&frame.bytes[..end], 0, flexible)), "cut at {end}");
    }
    let mut longer = frame.bytes.clone();
    longer.push(0);
    assert!(!read(Reader::new(&longer, 0, flexible)), "one byte more");
    // Whatever byte lies, the reader refuses or reads: it never panics.
    for at in 0..frame.bytes.len().min(400) {
        for lie in [0x00, 0x7f, 0xff] {
            let mut bytes = frame.bytes.clone();
            bytes[at] = lie;
            read(Reader::new(&bytes, 0, flexible));
        }
    }
}
