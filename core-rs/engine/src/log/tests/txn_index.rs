//! The transaction index beside the batches: its bytes are Kafka's, it goes where its segment goes.

use crate::log::{AbortedTxn, ReadRange};
use crate::storage::FileRange;

use std::io::IoSlice;

use super::*;

fn txn(producer_id: i64, first_offset: i64, last_offset: i64) -> AbortedTxn {
    AbortedTxn { producer_id, first_offset, last_offset, last_stable_offset: last_offset + 1 }
}

fn names(storage: &Arc<dyn Storage>) -> Vec<String> {
    let names = storage.list(&dir()).unwrap().into_iter().map(|entry| entry.name);
    names.filter(|name| name.contains("txnindex")).collect()
}

/// The producers of what is told to a reader of the whole log, one range after the other.
fn told(log: &Log) -> Vec<i64> {
    let (mut offset, mut found) = (log.start_offset(), Vec::new());
    while offset < log.end_offset() {
        let read = log.read(offset, u64::MAX, log.end_position(), true).unwrap();
        found.extend(log.aborted_in(offset, &read, log.end_position()).unwrap());
        let bytes = read.range.read().unwrap();
        offset = millrace_record::split_batches(&bytes).last().unwrap().unwrap().next_offset();
    }
    let mut producers: Vec<i64> = found.iter().map(|txn| txn.producer_id).collect();
    // One that spans two segments is told with both.
    producers.dedup();
    producers
}

#[test]
fn an_entry_is_kafka_s_34_bytes() {
    let txn = AbortedTxn { producer_id: 4000, first_offset: 17, last_offset: 30, last_stable_offset: 19 };
    let numbers = [4000i64, 17, 30, 19].map(i64::to_be_bytes);
    let entry = txn.encode();
    assert_eq!(entry.to_vec(), [&[0, 0][..], numbers.as_flattened()].concat());
    assert_eq!(AbortedTxn::decode(&entry), Some(txn));
    let mut newer = entry;
    newer[1] = 1;
    assert_eq!(AbortedTxn::decode(&newer), None);
}

#[test]
fn there_is_a_file_only_in_segments_with_an_aborted_transaction_and_a_roll_makes_it_durable() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &small_segments(1000), Opening::CLEAN);
    grow(&mut log, 4, 100);
    log.append_aborted(&txn(7, 0, 3)).unwrap();
    log.append_aborted(&txn(7, 0, 3)).unwrap();
    assert!(names(&storage).is_empty(), "the newest entries wait in memory");
    while log.segment_count() < 3 {
        grow(&mut log, 4, 100);
    }
    assert_eq!(names(&storage), ["00000000000000000000.txnindex"]);
    sync(&mut log);
    sim.crash(5);
    let path = dir().join("00000000000000000000.txnindex");
    assert_eq!(storage.read_to_vec(&path).unwrap(), txn(7, 0, 3).encode(), "noted once");
}

#[test]
fn what_is_noted_for_a_closed_segment_again_is_durable_however_much_it_is() {
    for count in [1, 63, 64, 65, 128] {
        let (sim, storage) = sim();
        let (mut log, _) = open(&storage, &small_segments(10_000), Opening::CLEAN);
        grow(&mut log, 200, 10);
        while log.segment_count() < 2 {
            grow(&mut log, 1, 1000);
        }
        sync(&mut log);
        for place in 0..count {
            log.append_aborted(&txn(place, place, place + 1)).unwrap();
        }
        log.sync_replayed_aborts().unwrap();
        sim.crash(3);
        let path = dir().join("00000000000000000000.txnindex");
        assert_eq!(storage.read_to_vec(&path).unwrap().len() as i64, 34 * count);
    }
}

#[test]
fn entries_go_with_what_is_truncated_and_files_with_their_segments() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &small_segments(1000), Opening::CLEAN);
    for producer_id in 0..5 {
        grow(&mut log, 2, 100);
        grow(&mut log, 2, 100);
        log.append_aborted(&txn(producer_id, log.end_offset() - 4, log.end_offset() - 1)).unwrap();
    }
    assert_eq!(told(&log), [0, 1, 2, 3, 4]);
    assert_eq!(names(&storage).len(), log.segment_count() - 1);
    log.truncate_to(14).unwrap();
    assert_eq!(told(&log), [0, 1, 2]);
    log.increment_start_offset(log.active_segment_base()).unwrap();
    let expired = log.expire_below(log.start_offset()).unwrap();
    assert!(names(&storage).iter().filter(|name| name.ends_with(".deleted")).count() > 1);
    expired.run().unwrap();
    log.truncate_fully_and_start_at(100).unwrap();
    assert!(names(&storage).is_empty());
}

#[test]
fn an_entry_spoilt_under_an_open_log_is_named_and_not_passed_over() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    grow(&mut log, 8, 10);
    for producer_id in 0..100 {
        log.append_aborted(&txn(producer_id, producer_id, producer_id + 1)).unwrap();
    }
    let path = dir().join("00000000000000000000.txnindex");
    storage.open(&path).unwrap().write_at(34 * 2, &[IoSlice::new(&[9])]).unwrap();
    let file = storage.open(&path).unwrap();
    let read = ReadRange {
        range: FileRange { file, offset: 0, len: 1, folder: None },
        first_batch_base: 0,
        first_batch_len: 1,
    };
    let error = log.aborted_in(0, &read, log.end_position()).unwrap_err().to_string();
    assert!(error.contains("00000000000000000000.txnindex") && error.contains("version"), "{error}");
}
