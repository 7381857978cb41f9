//! Room on the disk ahead of the writes: large segments have some, none keeps it, and nothing depends on it.

use super::*;
use crate::storage::{Fault, SimOperation};

const MIB: u64 = 1 << 20;
const FIRST: &str = "00000000000000000000.log";

fn fill(log: &mut Log, until: u64) {
    while log.size() < until {
        grow(log, 1, 100_000);
    }
}

fn room(sim: &SimStorage, name: &str) -> u64 {
    sim.room(&dir().join(name)).unwrap()
}

/// A log whose first segment is about to roll and has room ahead.
fn nearly_full() -> (SimStorage, Arc<dyn Storage>, LogConfig, Log) {
    let (sim, storage) = sim();
    let config = LogConfig { segment_bytes: 6 << 20, ..LogConfig::default() };
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    fill(&mut log, 5 * MIB);
    assert!(room(&sim, FIRST) > 0);
    (sim, storage, config, log)
}

#[test]
fn only_a_large_segment_has_room_ahead_and_a_bounded_one() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    fill(&mut log, 4 * MIB - 200_000);
    assert_eq!(room(&sim, FIRST), 0, "small logs hold no more than they need");
    fill(&mut log, 5 * MIB);
    let ahead = room(&sim, FIRST);
    assert!(0 < ahead && ahead <= MIB, "{ahead}");
    fill(&mut log, 40 * MIB);
    let ahead = room(&sim, FIRST);
    assert!(0 < ahead && ahead <= 5 * MIB, "{ahead}: an eighth of what it holds");
}

#[test]
fn a_segment_that_takes_no_more_gives_its_room_back() {
    let (sim, storage, config, mut log) = nearly_full();
    fill(&mut log, 7 * MIB);
    let second = format!("{:020}.log", log.end_position().segment_base);
    assert_eq!(room(&sim, FIRST), 0, "rolled");
    fill(&mut log, 11 * MIB);
    assert!(room(&sim, &second) > 0);
    let expected = read_all(&log);
    sync(&mut log);
    log.close().unwrap();
    assert_eq!(room(&sim, &second), 0, "stopped");
    assert_eq!(read_all(&open(&storage, &config, Opening::CLEAN).0), expected);
}

#[test]
fn what_a_dead_process_left_is_given_back_by_the_next() {
    let (sim, storage, config, log) = nearly_full();
    drop(log);
    sim.restart();
    let (mut log, _) = open(&storage, &config, Opening::unclean(0));
    fill(&mut log, 7 * MIB);
    assert_eq!(room(&sim, FIRST), 0);
}

#[test]
fn a_disk_that_has_no_room_ahead_still_takes_what_fits() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    fill(&mut log, 4 * MIB);
    sim.fail_next(SimOperation::Reserve, Fault::Error(std::io::ErrorKind::StorageFull));
    let before = read_all(&log);
    let batch = grow(&mut log, 1, 1000);
    assert_eq!((read_all(&log), room(&sim, FIRST)), ([before, batch].concat(), 0));
}

#[test]
fn with_preallocate_a_segment_has_all_of_its_room_from_its_first_batch_on() {
    let (sim, storage) = sim();
    let config = LogConfig { preallocate: true, segment_bytes: 1 << 20, ..LogConfig::default() };
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    assert_eq!(room(&sim, FIRST), 0, "most logs are never written to");
    let first = grow(&mut log, 1, 100);
    assert_eq!(room(&sim, FIRST), MIB - first.len() as u64);
    fill(&mut log, MIB + 1);
    assert_eq!(room(&sim, FIRST), 0);
}
