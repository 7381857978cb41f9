//! Cutting and deleting under readers that still hold ranges.

use super::*;

#[test]
fn a_range_outlives_truncation_of_its_segment() {
    let scratch = Scratch::new("truncate");
    let directory = scratch.path().join("orders-0");
    let (mut log, _) =
        Log::open(scratch.storage(), &directory, LogConfig::default(), Opening::CLEAN, NOW).unwrap();
    let batches: Vec<Vec<u8>> = (0..10).map(|_| grow(&mut log, 2, 50)).collect();
    let range = log.read(0, u64::MAX, log.end_position(), true).unwrap().range;
    log.truncate_to(8).unwrap();
    let other = build(8, 1, Codec::None, 60, &[5, 5, 5]);
    append(&mut log, std::slice::from_ref(&other)).unwrap();
    assert_eq!(range.read().unwrap(), batches.concat(), "the range shows what it showed");
    assert_eq!(read_all(&log), [batches[..4].concat(), other].concat());
    // Nobody holds a range: the file itself is cut.
    let before = std::fs::read_dir(&directory).unwrap().count();
    drop(range);
    log.truncate_to(4).unwrap();
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), before);
    assert_eq!(read_all(&log), batches[..2].concat());
}

#[test]
fn a_range_outlives_removal_and_deletion() {
    let scratch = Scratch::new("delete");
    let directory = scratch.path().join("orders-0");
    let (mut log, _) =
        Log::open(scratch.storage(), &directory, small_segments(1000), Opening::CLEAN, NOW).unwrap();
    while log.segment_count() < 4 {
        grow(&mut log, 2, 100);
    }
    let range = log.read(0, u64::MAX, log.end_position(), true).unwrap().range;
    let bytes = range.read().unwrap();
    log.increment_start_offset(log.active_segment_base()).unwrap();
    log.expire_below(log.start_offset()).unwrap().run().unwrap();
    assert_eq!((log.segment_count(), log.start_offset()), (1, log.active_segment_base()));
    assert!(matches!(log.read(0, 10, log.end_position(), true), Err(LogError::OffsetOutOfRange { .. })));
    assert_eq!(range.read().unwrap(), bytes);
    let removal = log.delete("abc").unwrap();
    assert!(!directory.exists());
    assert!(scratch.path().join("orders-0.abc-delete").exists());
    removal.run().unwrap();
    assert!(!scratch.path().join("orders-0.abc-delete").exists());
    assert_eq!(range.read().unwrap(), bytes);
}

#[test]
fn a_sync_under_way_vouches_for_nothing_after_a_truncation() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    for _ in 0..5 {
        grow(&mut log, 2, 10);
    }
    let job = log.sync_job();
    log.truncate_to(4).unwrap();
    grow(&mut log, 20, 10);
    job.run().unwrap();
    assert!(!log.synced(&job));
    assert_eq!(log.recovery_point(), 0);
    sync(&mut log);
    assert_eq!(log.recovery_point(), 24);
}

#[test]
fn a_log_starts_over_at_any_offset() {
    let (_, storage) = sim();
    let config = small_segments(1000);
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    for _ in 0..20 {
        grow(&mut log, 2, 100);
    }
    log.truncate_fully_and_start_at(1_000).unwrap();
    assert_eq!((log.start_offset(), log.end_offset(), log.size()), (1_000, 1_000, 0));
    assert!(log.leader_epochs().is_empty());
    let bytes = grow(&mut log, 3, 10);
    log.close().unwrap();
    let (log, _) = open(&storage, &config, Opening { start_offset: 1_000, ..Opening::CLEAN });
    assert_eq!(read_all(&log), bytes);
    assert_eq!(log.end_offset(), 1_003);
}
