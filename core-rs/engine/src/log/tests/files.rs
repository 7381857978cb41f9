//! The files beside the batches: their bytes are Kafka's.

use crate::log::checkpoint::{self, EpochStart, PartitionOffset};
use crate::log::producer_snapshot::{self, ProducerSnapshotEntry, SnapshotError};
use crate::log::{clean_shutdown, partition_metadata};
use crate::storage::FileStorage;

use super::*;

fn bytes(storage: &Arc<dyn Storage>, name: &str) -> Vec<u8> {
    storage.read_to_vec(&dir().join(name)).unwrap()
}

#[test]
fn index_entries_follow_kafka_s_rules() {
    let (_, storage) = sim();
    let config = LogConfig { index_interval_bytes: 300, ..LogConfig::default() };
    let (mut log, _) = open(&storage, &config, Opening { start_offset: 1000, ..Opening::CLEAN });
    let mut positions = Vec::new();
    for (timestamp, value_len) in
        [(50, 100), (40, 100), (70, 100), (60, 10), (65, 10), (90, 200), (80, 10), (95, 10)]
    {
        positions.push(log.end_position().position as u32);
        let bytes = build(log.end_offset(), 0, Codec::None, value_len, &[timestamp, timestamp - 1]);
        append(&mut log, &[bytes]).unwrap();
    }
    log.close().unwrap();
    // An entry for a batch with more than 300 bytes since the last one: the third, fifth and seventh, each under the
    // last offset inside it; the largest timestamp goes in with them when it rose, and at the close.
    let mut index = Vec::new();
    for (relative, position) in [(5u32, positions[2]), (9, positions[4]), (13, positions[6])] {
        index.extend([relative.to_be_bytes(), position.to_be_bytes()].concat());
    }
    let mut time_index = Vec::new();
    for (timestamp, relative) in [(70i64, 5u32), (90, 11), (95, 15)] {
        time_index.extend_from_slice(&timestamp.to_be_bytes());
        time_index.extend_from_slice(&relative.to_be_bytes());
    }
    assert_eq!(bytes(&storage, "00000000000000001000.index"), index);
    assert_eq!(bytes(&storage, "00000000000000001000.timeindex"), time_index);
}

#[test]
fn a_clean_stop_leaves_trimmed_indexes_and_the_next_one_nothing_to_do() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    grow(&mut log, 3, 100);
    log.write_producer_snapshot(&[]).unwrap();
    log.close().unwrap();
    assert!(log.is_offline());
    let names: Vec<String> = storage.list(&dir()).unwrap().into_iter().map(|entry| entry.name).collect();
    let expected = [
        "00000000000000000000.index",
        "00000000000000000000.log",
        "00000000000000000000.timeindex",
        "00000000000000000003.snapshot",
        "leader-epoch-checkpoint",
    ];
    assert_eq!(names, expected);
    assert_eq!(bytes(&storage, "leader-epoch-checkpoint"), b"0\n1\n0 0\n");
    let digest = sim.digest();
    sim.crash(7);
    assert_eq!(sim.digest(), digest, "everything was synced");
    let (mut log, report) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    assert_eq!(report, OpenReport { has_snapshot: true, ..OpenReport::default() });
    sim.fail_next(crate::storage::SimOperation::Sync, crate::storage::Fault::Short(0));
    sim.fail_next(crate::storage::SimOperation::Create, crate::storage::Fault::Short(0));
    log.write_producer_snapshot(&[]).unwrap();
    log.close().unwrap();
    assert_eq!(sim.digest(), digest);
}

#[test]
fn closing_an_empty_log_waits_for_no_disk() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    log.write_producer_snapshot(&[]).unwrap();
    sim.fail_next(crate::storage::SimOperation::Sync, crate::storage::Fault::Short(0));
    sim.fail_next(crate::storage::SimOperation::SyncDir, crate::storage::Fault::Short(0));
    log.close().unwrap();
    sim.forget_faults();
    let names: Vec<String> = storage.list(&dir()).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["index", "log", "timeindex"].map(|kind| format!("{:020}.{kind}", 0)));
    for seed in 0..10 {
        sim.crash(seed);
        let (log, _) = open(&storage, &LogConfig::default(), Opening { start_offset: 7, ..Opening::CLEAN });
        assert_eq!((log.start_offset(), log.end_offset()), (7, 7));
    }
}

#[test]
fn producer_snapshots_are_kafka_s_and_their_checksum_counts() {
    let entry = ProducerSnapshotEntry {
        producer_id: 4000,
        epoch: 3,
        last_sequence: 17,
        last_offset: 99,
        offset_delta: 4,
        timestamp: 1_700_000_000_000,
        coordinator_epoch: -1,
        current_txn_first_offset: -1,
    };
    let encoded = producer_snapshot::encode(&[entry]);
    let mut expected = vec![0, 1];
    let body = [
        &[0, 0, 0, 1][..],
        &4000i64.to_be_bytes(),
        &[0, 3, 0, 0, 0, 17],
        &99i64.to_be_bytes(),
        &[0, 0, 0, 4],
        &1_700_000_000_000i64.to_be_bytes(),
        &[0xff; 12],
    ]
    .concat();
    expected.extend(millrace_record::crc::crc32c(&body).to_be_bytes());
    expected.extend(body);
    assert_eq!(encoded, expected);
    assert_eq!(producer_snapshot::decode(&encoded), Ok(vec![entry]));
    let mut torn = encoded.clone();
    torn[20] ^= 1;
    assert!(matches!(producer_snapshot::decode(&torn), Err(SnapshotError::Crc { .. })));
    assert_eq!(producer_snapshot::decode(&encoded[..5]), Err(SnapshotError::Length));
    assert_eq!(producer_snapshot::decode(&[0, 2, 0]), Err(SnapshotError::Version(2)));

    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    for offset in [5, 10] {
        grow(&mut log, 5, 10);
        log.write_producer_snapshot(&[ProducerSnapshotEntry { last_offset: offset, ..entry }]).unwrap();
    }
    assert_eq!(log.read_producer_snapshot(i64::MAX, &mut Vec::new()).unwrap().unwrap().0, 10);
    let newest = storage.open(&dir().join("00000000000000000010.snapshot")).unwrap();
    newest.truncate(20).unwrap();
    let (offset, entries) = log.read_producer_snapshot(i64::MAX, &mut Vec::new()).unwrap().unwrap();
    assert_eq!((offset, entries[0].last_offset), (5, 5), "a torn snapshot is passed over");
    log.truncate_to(3).unwrap();
    assert_eq!(log.read_producer_snapshot(i64::MAX, &mut Vec::new()).unwrap(), None);
    sim.restart();
}

#[test]
fn a_snapshot_that_was_synced_survives() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    grow(&mut log, 5, 10);
    log.write_producer_snapshot(&[]).unwrap();
    sync(&mut log);
    for seed in 0..20 {
        sim.crash(seed);
    }
    let (log, _) = open(&storage, &LogConfig::default(), Opening::unclean(5));
    assert_eq!(log.read_producer_snapshot(i64::MAX, &mut Vec::new()).unwrap(), Some((5, Vec::new())));
}

#[test]
fn checkpoints_are_text_and_malformed_ones_are_told() {
    let (_, storage) = sim();
    let path = Path::new("/logs").join(checkpoint::RECOVERY_POINT_FILE);
    assert_eq!(checkpoint::read_offsets(&*storage, &path).unwrap(), []);
    let entry = |topic: &str, partition, offset| PartitionOffset { topic: topic.into(), partition, offset };
    let entries = [entry("orders", 0, 17), entry("__consumer_offsets", 49, 0)];
    checkpoint::write_offsets(&*storage, &path, &entries).unwrap();
    assert_eq!(storage.read_to_vec(&path).unwrap(), b"0\n2\norders 0 17\n__consumer_offsets 49 0\n");
    assert_eq!(checkpoint::read_offsets(&*storage, &path).unwrap(), entries);
    storage.write_atomic(&path, b"").unwrap();
    assert_eq!(checkpoint::read_offsets(&*storage, &path).unwrap(), [], "an empty file is fine");
    for bad in ["1\n0\n", "0\n2\norders 0 1\n", "0\n1\norders 0\n", "0\nx\n", "0\n1\norders 0 1 2\n"] {
        storage.write_atomic(&path, bad.as_bytes()).unwrap();
        let error = checkpoint::read_offsets(&*storage, &path).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{bad:?}");
    }
    let epochs = [EpochStart { epoch: 0, start_offset: 0 }, EpochStart { epoch: 5, start_offset: 120 }];
    checkpoint::write_epochs(&*storage, &path, &epochs).unwrap();
    assert_eq!(storage.read_to_vec(&path).unwrap(), b"0\n2\n0 0\n5 120\n");
    assert_eq!(checkpoint::read_epochs(&*storage, &path).unwrap(), epochs);
}

#[test]
fn the_topic_id_and_the_clean_stop_have_kafka_s_files() {
    let (_, storage) = sim();
    storage.create_dir_all(&dir()).unwrap();
    assert_eq!(partition_metadata::read(&*storage, &dir()).unwrap(), None);
    let id = "4Qb5eUpsTZyTLJ3KbM8Xlg".parse().unwrap();
    partition_metadata::write(&*storage, &dir(), id).unwrap();
    assert_eq!(bytes(&storage, "partition.metadata"), b"version: 0\ntopic_id: 4Qb5eUpsTZyTLJ3KbM8Xlg");
    assert_eq!(partition_metadata::read(&*storage, &dir()).unwrap(), Some(id));

    let logs = Path::new("/logs");
    assert!(!clean_shutdown::take(&*storage, logs).unwrap());
    clean_shutdown::write(&*storage, logs, 12).unwrap();
    let written = storage.read_to_vec(&logs.join(".kafka_cleanshutdown")).unwrap();
    assert_eq!(written, br#"{"version":0,"brokerEpoch":12}"#);
    assert!(clean_shutdown::take(&*storage, logs).unwrap());
    assert!(!clean_shutdown::take(&*storage, logs).unwrap());
}

#[test]
fn segments_that_roll_faster_than_anybody_syncs_them_hold_few_descriptors() {
    let scratch = Scratch::new("descriptors");
    let storage: Arc<dyn Storage> = Arc::new(FileStorage::with_shared_limit(16));
    let config = small_segments(300);
    let mut log = Log::open(storage, scratch.path(), config, Opening::CLEAN, NOW).unwrap().0;
    let open_here = || {
        let links = std::fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|fd| std::fs::read_link(fd.unwrap().path()).ok());
        links.filter(|target| target.starts_with(scratch.path())).count()
    };
    let mut most = 0;
    for _ in 0..300 {
        grow(&mut log, 1, 150);
        log.write_producer_snapshot(&[]).unwrap();
        most = most.max(open_here());
    }
    assert!(log.segment_count() > 250);
    assert!(most <= 90, "{most} descriptors");
    assert!(log.recovery_point() > 0, "who writes has synced, as nobody else did");
}
