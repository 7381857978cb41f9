//! Reads: what comes without the disk, how bounds apply, and when segments roll.

use crate::storage::{Fault, SimOperation};

use super::*;

/// Every read or open from here on fails, as often as one call could try.
fn without_disk(sim: &SimStorage) {
    for _ in 0..100 {
        sim.fail_next(SimOperation::Read, Fault::Error(std::io::ErrorKind::Other));
        sim.fail_next(SimOperation::Open, Fault::Error(std::io::ErrorKind::Other));
    }
}

#[test]
fn reading_what_was_appended_last_does_not_touch_the_disk() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    for _ in 0..100 {
        grow(&mut log, 2, 100);
    }
    let end = log.end_position();
    let batch = grow(&mut log, 2, 100);
    without_disk(&sim);
    let read = log.read(end.offset, u64::MAX, log.end_position(), true).unwrap();
    assert_eq!((read.first_batch_base, read.range.offset), (end.offset, end.position));
    assert_eq!(read.range.len, batch.len() as u64);
    // Inside a batch; at the very end; an offset further back that is still in memory.
    assert_eq!(log.read(end.offset + 1, 1, log.end_position(), true).unwrap().range.len, read.range.len);
    assert_eq!(log.read(log.end_offset(), 1, log.end_position(), true).unwrap().range.len, 0);
    log.position_of(end.offset - 10).unwrap();
    assert!(log.read(0, 1, log.end_position(), true).is_err(), "the faults were in force");
}

#[test]
fn a_large_batch_is_found_by_one_look_at_its_header() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    for _ in 0..60 {
        grow(&mut log, 2, 10_000);
    }
    let end = log.end_position();
    for _ in 0..2 {
        sim.pass_next(SimOperation::Read);
    }
    without_disk(&sim);
    for offset in [40, 41] {
        let read = log.read(offset, u64::MAX, end, true).unwrap();
        assert_eq!((read.first_batch_base, read.range.offset), (40, 20 * read.first_batch_len));
    }
    assert!(log.read(40, u64::MAX, end, true).is_err(), "the faults were in force");
}

#[test]
fn batches_are_found_whatever_their_lengths() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    let lengths = [100, 9_000, 3_000, 9_000, 20, 20, 5_000, 12_000, 4_000];
    let mut batches = Vec::new();
    for value_len in lengths.into_iter().cycle().take(200) {
        batches.push((log.end_position(), grow(&mut log, 3, value_len)));
    }
    let end = log.end_position();
    for (at, bytes) in batches {
        for offset in at.offset..at.offset + 3 {
            let read = log.read(offset, 1, end, true).unwrap();
            assert_eq!((read.first_batch_base, read.range.offset), (at.offset, at.position));
            assert_eq!(read.first_batch_len, bytes.len() as u64);
        }
    }
}

#[test]
fn a_read_keeps_to_its_bounds() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    let batches: Vec<Vec<u8>> = (0..4).map(|_| grow(&mut log, 5, 100)).collect();
    let end = log.end_position();
    let len = batches[0].len() as u64;
    assert_eq!(log.read(3, 1, end, true).unwrap().range.len, len, "one whole batch above the maximum");
    assert_eq!(log.read(3, len - 1, end, false).unwrap().range.len, 0, "not without being asked");
    assert_eq!(log.read(3, len + 7, end, false).unwrap().range.len, len + 7, "a partial last batch");
    let upper = log.position_of(10).unwrap();
    let read = log.read(0, u64::MAX, upper, true).unwrap();
    assert_eq!(read.range.read().unwrap(), batches[..2].concat(), "nothing at or above the bound");
    assert_eq!(log.read(10, u64::MAX, upper, true).unwrap().range.len, 0);
    assert_eq!(log.position_of(12).unwrap().position, len * 2, "the batch that contains it");
    for offset in [-1, 21] {
        match log.read(offset, 1, end, true) {
            Err(LogError::OffsetOutOfRange { start: 0, end: 20, .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_append_that_does_not_follow_the_end_is_refused_and_changes_nothing() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &small_segments(1000), Opening::CLEAN);
    grow(&mut log, 5, 10);
    assert!(matches!(append(&mut log, &[plain(4, 1, 10)]), Err(LogError::OutOfOrder { offset: 4, end: 5 })));
    let two = [plain(5, 2, 10), plain(6, 1, 10)];
    assert!(matches!(append(&mut log, &two), Err(LogError::OutOfOrder { offset: 6, end: 7 })));
    let large = plain(5, 1, 1000);
    assert!(matches!(append(&mut log, &[large]), Err(LogError::AppendTooLarge { limit: 1000, .. })));
    let mut cut = plain(5, 1, 10);
    cut.pop();
    let cut = AppendBatch { bytes: &cut, last_offset: 5, max_timestamp: 5 };
    assert!(matches!(log.append(&[cut], NOW), Err(LogError::InvalidBatch(_))));
    assert_eq!(log.end_offset(), 5);
    let outcome = log.append(&[], NOW).unwrap();
    assert_eq!(outcome.first_position.position, log.end_position().position);
    grow(&mut log, 1, 10);
}

#[test]
fn segments_roll_by_size_and_a_request_stays_in_one() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &small_segments(1000), Opening::CLEAN);
    grow(&mut log, 1, 600);
    let batches = [plain(1, 1, 200), plain(2, 1, 200)];
    let outcome = append(&mut log, &batches).unwrap();
    assert_eq!(outcome.rolled, Some(crate::log::RolledSegment { base_offset: 0, end_offset: 1 }));
    let first = outcome.first_position;
    assert_eq!((first.offset, first.segment_base, first.position), (1, 1, 0));
    // A position taken before the roll still bounds reads.
    let before = LogPosition { offset: 1, segment_base: 0, position: log.segments[0].size };
    assert_eq!(log.read(0, u64::MAX, before, true).unwrap().range.len, before.position);
    assert_eq!(log.read(1, u64::MAX, before, true).unwrap().range.len, 0);
}

#[test]
fn segments_roll_by_the_first_batch_s_age() {
    let (_, storage) = sim();
    let config = LogConfig { segment_ms: 1000, ..LogConfig::default() };
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    let at = |log: &mut Log, timestamp: i64| {
        let bytes = build(log.end_offset(), 0, Codec::None, 10, &[timestamp]);
        append(log, &[bytes]).unwrap().rolled.is_some()
    };
    assert!(!at(&mut log, 5000));
    assert!(!at(&mut log, 6000));
    assert!(at(&mut log, 6001));
    log.close().unwrap();
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    assert!(!at(&mut log, 7001), "the first batch's timestamp is known after opening, too");
    assert!(at(&mut log, 7002));
}

#[test]
fn segments_roll_by_their_age_when_batches_carry_no_time() {
    let (_, storage) = sim();
    let config = LogConfig { segment_ms: 1000, ..LogConfig::default() };
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    for (later, rolls) in [(0, false), (1000, false), (1001, true)] {
        let bytes = build(log.end_offset(), 0, Codec::None, 10, &[-1]);
        let last_offset = log.end_offset();
        let batch = AppendBatch { bytes: &bytes, last_offset, max_timestamp: -1 };
        let now = Now { wall_ms: NOW.wall_ms + later, ..NOW };
        assert_eq!(log.append(&[batch], now).unwrap().rolled.is_some(), rolls);
    }
}

#[test]
fn segments_roll_when_an_index_is_full() {
    let (_, storage) = sim();
    let config = LogConfig { segment_index_bytes: 48, index_interval_bytes: 0, ..LogConfig::default() };
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    for _ in 0..30 {
        grow(&mut log, 1, 10);
    }
    assert!(log.segment_count() > 4);
    log.close().unwrap();
    for entry in storage.list(&dir()).unwrap() {
        if entry.name.ends_with("index") {
            assert!(entry.len <= 48, "{} has {} bytes", entry.name, entry.len);
        }
    }
}

#[test]
fn segments_roll_before_a_relative_offset_overflows() {
    let (_, storage) = sim();
    let config = LogConfig { index_interval_bytes: 0, ..LogConfig::default() };
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    let far = i64::from(i32::MAX);
    // A log that compaction thinned out: offsets jump.
    append(&mut log, &[plain(far, 1, 10)]).unwrap();
    assert_eq!(log.segment_count(), 1);
    assert!(append(&mut log, &[plain(far + 1, 1, 10)]).unwrap().rolled.is_some());
    assert_eq!(log.active_segment_base(), far + 1);
    append(&mut log, &[plain(3 * far, 1, 10)]).unwrap();
    assert_eq!(log.active_segment_base(), 3 * far);
    let read = log.read(far + 2, 10, log.end_position(), true).unwrap();
    assert_eq!(read.first_batch_base, 3 * far, "an offset in the gap gives the batch after it");
}

#[test]
fn an_idle_log_keeps_little_in_memory() {
    let (_, storage) = sim();
    let (log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    assert!(std::mem::size_of_val(&log) + std::mem::size_of_val(&log.segments[0]) < 1024);
}
