//! A disk without room: whatever the log wanted to write, it is afterwards as it was before, and goes on when there is
//! room again.

use super::*;
use crate::log::RolledSegment;
use crate::storage::{Fault, SimOperation, WriteError};

fn refused(log: &mut Log, batch: &[u8]) {
    let outcome = append(log, &[batch.to_vec()]);
    assert!(matches!(outcome, Err(LogError::Full { .. })), "{outcome:?}");
}

fn len(storage: &Arc<dyn Storage>, name: &str) -> u64 {
    storage.list(&dir()).unwrap().iter().find(|entry| entry.name == name).map_or(0, |entry| entry.len)
}

#[test]
fn an_append_without_room_leaves_nothing_and_the_next_one_takes_its_place() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    let first = grow(&mut log, 2, 100);
    let before = log.end_position();
    let batch = plain(2, 1, 300);
    sim.set_full(true);
    for _ in 0..3 {
        refused(&mut log, &batch);
        assert_eq!((log.end_position().position, log.end_offset()), (before.position, before.offset));
        assert_eq!(
            len(&storage, "00000000000000000000.log"),
            first.len() as u64,
            "cut, so that it takes no room"
        );
        assert_eq!(read_all(&log), first, "readers notice nothing");
    }
    sim.set_full(false);
    let second = grow(&mut log, 1, 30);
    assert_eq!(read_all(&log), [first, second].concat());
    sync(&mut log);
    sim.crash(1);
    let (log, report) = open(&storage, &LogConfig::default(), Opening::unclean(3));
    assert_eq!((log.end_offset(), report.cut), (3, Vec::new()));
}

#[test]
fn a_roll_without_room_is_made_up_for_by_a_later_append() {
    // What fails: an index of the old segment, the file of the new one, or the write into that.
    let rolls = [
        (SimOperation::Create, 0),
        (SimOperation::Write, 0),
        (SimOperation::Create, 2),
        (SimOperation::Write, 2),
    ];
    for (operation, skipped) in rolls {
        let (sim, storage) = sim();
        let (mut log, _) = open(&storage, &small_segments(1000), Opening::CLEAN);
        let mut bytes = Vec::new();
        for _ in 0..4 {
            bytes.extend(grow(&mut log, 1, 100));
        }
        let batch = plain(4, 1, 700);
        for _ in 0..skipped {
            sim.pass_next(operation);
        }
        sim.fail_next(operation, Fault::Short(9));
        refused(&mut log, &batch);
        assert_eq!(read_all(&log), bytes);
        let rolled = append(&mut log, std::slice::from_ref(&batch)).unwrap().rolled;
        assert_eq!(rolled, Some(RolledSegment { base_offset: 0, end_offset: 4 }), "{operation:?}");
        bytes.extend(batch);
        for _ in 0..4 {
            bytes.extend(grow(&mut log, 1, 100));
        }
        assert_eq!(read_all(&log), bytes);
        log.close().unwrap();
        let (log, report) = open(&storage, &small_segments(1000), Opening::CLEAN);
        assert_eq!((read_all(&log), report.rebuilt_indexes), (bytes, Vec::new()), "{operation:?}");
        log.batches_from(0).unwrap().for_each(|batch| drop(batch.unwrap()));
    }
}

#[test]
fn an_index_without_room_waits_in_memory_and_its_batches_are_appended() {
    let (sim, storage) = sim();
    let (mut log, _) =
        open(&storage, &LogConfig { index_interval_bytes: 0, ..LogConfig::default() }, Opening::CLEAN);
    let mut bytes = Vec::new();
    for index in 0..300 {
        if index >= 60 {
            // Every second write is an index, once enough entries have gathered.
            sim.fail_next(SimOperation::Create, Fault::Short(0));
        }
        bytes.extend(grow(&mut log, 1, 10));
    }
    sim.forget_faults();
    assert_eq!(len(&storage, "00000000000000000000.index"), 0);
    assert_eq!(read_all(&log), bytes);
    bytes.extend(grow(&mut log, 1, 10));
    assert!(len(&storage, "00000000000000000000.index") >= 300 * 8 - 16);
    log.close().unwrap();
    let (log, report) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    assert_eq!((read_all(&log), report.rebuilt_indexes), (bytes, Vec::new()));
}

#[test]
fn a_sync_waits_for_room_for_the_leader_epochs_and_vouches_for_nothing_before() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    grow(&mut log, 1, 10);
    let job = log.sync_job();
    sim.set_full(true);
    assert!(matches!(job.run(), Err(WriteError::Full(_))));
    assert_eq!(log.recovery_point(), 0);
    sim.set_full(false);
    sync(&mut log);
    assert_eq!(log.recovery_point(), 1);
    // Of the sync itself: what it should have written may be lost.
    grow(&mut log, 1, 10);
    sim.fail_next(SimOperation::Sync, Fault::Short(0));
    assert!(matches!(log.sync_job().run(), Err(WriteError::Failed(_))));
}

#[test]
fn a_producer_snapshot_without_room_is_left_out() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    grow(&mut log, 1, 10);
    sim.fail_next(SimOperation::Write, Fault::Short(3));
    log.write_producer_snapshot(&[]).unwrap();
    assert_eq!(len(&storage, "00000000000000000001.snapshot"), 0);
    assert_eq!(log.read_producer_snapshot(i64::MAX, &mut Vec::new()).unwrap(), None);
    log.write_producer_snapshot(&[]).unwrap();
    assert_eq!(log.read_producer_snapshot(i64::MAX, &mut Vec::new()).unwrap(), Some((1, Vec::new())));
}
