//! Batches written by Apache Kafka's Java client read exactly as Kafka itself reads them, and what this crate
//! writes for the same content is the same bytes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use millrace_record::control::{LeaderChange, QuorumVoter, Voter, VoterEndpoint};
use millrace_record::{
    BatchBuilder, BatchSpec, BatchView, Codec, ControlRecord, EndTxnMarker, Origin, TimestampType,
    ValidateOptions, control_batch, crc, split_batches, validate,
};
use std::fmt::Write;
use std::path::PathBuf;

const CAP: u64 = 1 << 20;
const T: i64 = 1_700_000_000_000;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn expected() -> String {
    std::fs::read_to_string(folder().join("expected.txt")).unwrap()
}

fn names() -> Vec<String> {
    let words = |line: &str| line.split(' ').nth(1).unwrap().to_owned();
    expected().lines().filter(|line| line.starts_with("batch ")).map(words).collect()
}

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.bin"))).unwrap()
}

fn show(bytes: Option<&[u8]>) -> String {
    match bytes {
        None => "null".into(),
        Some(bytes) if bytes.len() > 256 => format!("crc32c:{:x}/{}", crc::crc32c(bytes), bytes.len()),
        Some(bytes) => bytes.iter().fold("'".into(), |text, byte| format!("{text}{byte:02x}")),
    }
}

fn describe(name: &str, batch: &BatchView<'_>) -> String {
    let kind = match batch.timestamp_type() {
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    };
    let mut text = String::new();
    writeln!(
        text,
        "batch {name} size={} codec={} base={} last={} epoch={} crc={:08x} type={kind} maxTimestamp={} \
         producer={}/{}/{}..{} txn={} control={} count={}",
        batch.total_len(),
        batch.codec().unwrap(),
        batch.base_offset,
        batch.last_offset(),
        batch.partition_leader_epoch,
        batch.crc,
        batch.max_timestamp,
        batch.producer_id,
        batch.producer_epoch,
        batch.base_sequence,
        batch.last_sequence(),
        batch.is_transactional(),
        batch.is_control(),
        batch.count,
    )
    .unwrap();
    let mut records = batch.records(CAP).unwrap();
    while let Some(record) = records.next_record().unwrap() {
        let (key, value) = (show(record.key), show(record.value));
        write!(text, "record {} at {}: {key} -> {value}", record.offset, record.timestamp).unwrap();
        for header in record.headers {
            write!(text, " {}={}", show(Some(header.key)), show(header.value)).unwrap();
        }
        text.push('\n');
    }
    text
}

#[test]
fn every_batch_reads_as_kafka_reads_it() {
    assert_eq!(names().len(), 4 * 7 + 6 + 8);
    let mut text = String::new();
    for name in names() {
        let bytes = golden(&name);
        let batches: Vec<_> = split_batches(&bytes).collect();
        assert_eq!(batches.len(), 1, "{name}");
        text += &describe(&name, batches[0].as_ref().unwrap());
    }
    assert_eq!(text, expected());
}

#[test]
fn every_batch_passes_full_validation() {
    for name in names() {
        let bytes = golden(&name);
        let batch = BatchView::parse(&bytes).unwrap();
        let broker_made = name.starts_with("control") || name.ends_with("logappend");
        let origin = if broker_made { Origin::Coordinator } else { Origin::Client };
        let summary = validate(&batch, &ValidateOptions { origin, max_decompressed: CAP }).unwrap();
        assert_eq!(summary.max_timestamp, batch.max_timestamp, "{name}");
        assert_eq!(summary.count, batch.count, "{name}");
        assert_eq!(summary.has_null_key, name.ends_with("nulls"), "{name}");
        let from_client =
            validate(&batch, &ValidateOptions { origin: Origin::Client, max_decompressed: CAP });
        assert_eq!(from_client.is_err(), broker_made, "{name}");
    }
}

/// Everything that a batch says about itself apart from its records.
fn spec_of(batch: &BatchView<'_>) -> BatchSpec {
    BatchSpec {
        base_offset: batch.base_offset,
        partition_leader_epoch: batch.partition_leader_epoch,
        codec: batch.codec().unwrap(),
        level: None,
        log_append_time: (batch.timestamp_type() == TimestampType::LogAppendTime)
            .then_some(batch.max_timestamp),
        producer_id: batch.producer_id,
        producer_epoch: batch.producer_epoch,
        base_sequence: batch.base_sequence,
        is_transactional: batch.is_transactional(),
        is_control: batch.is_control(),
        delete_horizon: None,
    }
}

fn rebuild(batch: &BatchView<'_>) -> Vec<u8> {
    let mut builder = BatchBuilder::new(spec_of(batch));
    let stamped = batch.timestamp_type() == TimestampType::LogAppendTime;
    let mut records = batch.records(CAP).unwrap();
    while let Some(record) = records.next_record().unwrap() {
        // A stamped batch hides the times its records were made with: those are T, T + 10, T + 20 …
        let timestamp = if stamped { T + 10 * (record.offset - batch.base_offset) } else { record.timestamp };
        let headers: Vec<_> = record.headers.map(|header| (header.key, header.value)).collect();
        builder.append(timestamp, record.key, record.value, &headers).unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn an_uncompressed_batch_built_anew_is_the_same_bytes() {
    for name in names() {
        let bytes = golden(&name);
        let batch = BatchView::parse(&bytes).unwrap();
        let built = rebuild(&batch);
        if batch.codec() == Ok(Codec::None) {
            assert_eq!(built, bytes, "{name}");
        }
        // What a codec makes differs by library; what comes out of it must not.
        let rebuilt = BatchView::parse(&built).unwrap();
        let records = |text: String| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(records(describe(&name, &rebuilt)), records(describe(&name, &batch)), "{name}");
    }
}

#[test]
fn control_records_are_the_same_bytes_both_ways() {
    let id = |text: &str| u128::from_str_radix(text, 16).unwrap().to_be_bytes();
    let (first, second) = (id("01020304050607081112131415161718"), id("ffffffffffffffff0000000000000005"));
    let change = |version, first, second| {
        let (two, three) =
            (QuorumVoter { id: 2, directory_id: first }, QuorumVoter { id: 3, directory_id: second });
        let voters = vec![two, three];
        ControlRecord::LeaderChange(LeaderChange {
            version,
            leader_id: 2,
            voters,
            granting_voters: vec![two],
        })
    };
    let endpoint =
        |name: &str, host: &str, port| VoterEndpoint { name: name.into(), host: host.into(), port };
    let marker =
        |committed, coordinator_epoch| ControlRecord::EndTxn(EndTxnMarker { committed, coordinator_epoch });
    let voters = ControlRecord::Voters(vec![
        Voter {
            id: 1,
            directory_id: first,
            endpoints: vec![endpoint("CONTROLLER", "node-1.example", 49_093), endpoint("TLS", "::1", 65_535)],
            min_kraft_version: 0,
            max_kraft_version: 1,
        },
        Voter { id: 2, directory_id: second, endpoints: vec![], min_kraft_version: 0, max_kraft_version: 0 },
    ]);
    let cases = [
        ("control-commit", marker(true, 21)),
        ("control-abort", marker(false, 22)),
        ("control-leaderchange0", change(0, [0; 16], [0; 16])),
        ("control-leaderchange1", change(1, first, second)),
        ("control-snapshotheader", ControlRecord::SnapshotHeader { last_contained_log_timestamp: T - 77 }),
        ("control-snapshotfooter", ControlRecord::SnapshotFooter),
        ("control-kraftversion", ControlRecord::KraftVersion { kraft_version: 1 }),
        ("control-voters", voters),
    ];
    for (name, control) in cases {
        let bytes = golden(name);
        let batch = BatchView::parse(&bytes).unwrap();
        let record = batch.borrowed_records().unwrap().next().unwrap().unwrap();
        assert_eq!(ControlRecord::decode(&record).unwrap(), control, "{name}");
        let spec = BatchSpec { is_control: false, is_transactional: false, ..spec_of(&batch) };
        assert_eq!(control_batch(spec, T, &[control]).unwrap(), bytes, "{name}");
    }
}
