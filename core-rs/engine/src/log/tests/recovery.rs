//! Torn tails made by hand on real files, bad batches where none may be, and what opening reads.

use std::fs;

use super::*;

const CONFIG: LogConfig = LogConfig {
    preallocate: false,
    segment_bytes: 1 << 20,
    segment_ms: i64::MAX,
    segment_jitter_ms: 0,
    jitter_seed: 0,
    segment_index_bytes: 10 << 20,
    index_interval_bytes: 200,
    flush_messages: u64::MAX,
    max_message_bytes: 1 << 20,
    timestamp_type: crate::log::TimestampType::CreateTime,
    compact: false,
    cleaning: crate::log::CleaningPolicy {
        min_dirty_millionths: 500_000,
        delete_retention_ms: 0,
        min_lag_ms: 0,
        max_lag_ms: i64::MAX,
    },
    retention: crate::log::RetentionPolicy { deletes: true, retention_ms: -1, retention_bytes: -1 },
    file_delete_delay_ms: 0,
};

fn open_at(scratch: &Scratch, opening: Opening) -> Result<(Log, OpenReport), LogError> {
    Log::open(scratch.storage(), &scratch.path().join("orders-0"), CONFIG, opening, NOW)
}

fn log_file(scratch: &Scratch, base: i64) -> PathBuf {
    scratch.path().join(format!("orders-0/{base:020}.log"))
}

/// A log of twenty batches of two records, closed; its bytes.
fn written(scratch: &Scratch) -> Vec<u8> {
    let (mut log, _) = open_at(scratch, Opening::CLEAN).unwrap();
    let bytes: Vec<u8> = (0..20).flat_map(|_| grow(&mut log, 2, 40)).collect();
    log.close().unwrap();
    assert_eq!(fs::read(log_file(scratch, 0)).unwrap(), bytes);
    bytes
}

/// Puts `tail` behind the log and expects recovery to cut exactly that.
fn cuts(name: &str, tail: &[u8]) {
    let scratch = Scratch::new(name);
    let whole = written(&scratch);
    fs::write(log_file(&scratch, 0), [&whole, tail].concat()).unwrap();
    let (mut log, report) = open_at(&scratch, Opening::unclean(10)).unwrap();
    assert_eq!(log.end_offset(), 40);
    let [cut] = report.cut.as_slice() else { panic!("one cut: {report:?}") };
    assert_eq!((cut.position, cut.len), (whole.len() as u64, tail.len() as u64));
    assert_eq!(cut.file, log_file(&scratch, 0));
    assert_eq!(fs::read(&cut.kept_as).unwrap(), tail, "the cut bytes are kept aside");
    assert_eq!(fs::read(log_file(&scratch, 0)).unwrap(), whole);
    let added = grow(&mut log, 3, 10);
    assert_eq!(read_all(&log), [whole, added].concat());
}

#[test]
fn a_tail_of_garbage_is_cut_and_kept() {
    cuts("garbage", &[0xA7; 777]);
}

#[test]
fn half_a_header_is_cut() {
    cuts("half-header", &plain(40, 1, 10)[..30]);
}

#[test]
fn a_batch_without_its_end_is_cut() {
    let batch = plain(40, 3, 200);
    cuts("short-batch", &batch[..batch.len() - 1]);
}

#[test]
fn a_tail_of_zeros_is_cut() {
    cuts("zeros", &[0; 4096]);
}

#[test]
fn a_wrong_checksum_is_cut_with_all_that_follows() {
    let mut tail = plain(40, 2, 50);
    let last = tail.len() - 1;
    tail[last] ^= 1;
    tail.extend(plain(42, 2, 50));
    cuts("crc", &tail);
}

#[test]
fn offsets_that_run_backwards_are_cut() {
    cuts("backwards", &plain(38, 2, 50));
}

#[test]
fn a_second_cut_at_the_same_place_keeps_the_first_aside_too() {
    let scratch = Scratch::new("twice");
    let whole = written(&scratch);
    for tail in [[1u8; 100], [2u8; 100]] {
        fs::write(log_file(&scratch, 0), [&whole[..], &tail].concat()).unwrap();
        let (_, report) = open_at(&scratch, Opening::unclean(0)).unwrap();
        assert_eq!(fs::read(&report.cut[0].kept_as).unwrap(), tail);
    }
    let kept = fs::read_dir(scratch.path().join("orders-0")).unwrap();
    let kept = kept.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".cut"));
    assert_eq!(kept.count(), 2);
}

#[test]
fn a_bad_batch_below_the_recovery_point_is_an_error_with_file_and_position() {
    let scratch = Scratch::new("below");
    let mut bytes = written(&scratch);
    let batch_len = bytes.len() / 20;
    bytes[batch_len * 3 + 70] ^= 1;
    fs::write(log_file(&scratch, 0), &bytes).unwrap();
    match open_at(&scratch, Opening::unclean(8)).unwrap_err() {
        LogError::Corrupt { path, position, .. } => {
            assert_eq!(path, log_file(&scratch, 0));
            assert_eq!(position, batch_len as u64 * 3);
        }
        error => panic!("{error}"),
    }
    let (log, report) = open_at(&scratch, Opening::unclean(6)).unwrap();
    assert_eq!((log.end_offset(), report.cut.len()), (6, 1));
}

#[test]
fn a_header_broken_after_a_clean_stop_is_an_error_when_read() {
    let scratch = Scratch::new("read");
    let mut bytes = written(&scratch);
    let batch_len = bytes.len() / 20;
    bytes[batch_len * 5 + 16] = 9;
    fs::write(log_file(&scratch, 0), &bytes).unwrap();
    let (log, _) = open_at(&scratch, Opening::CLEAN).unwrap();
    match log.read(11, 1000, log.end_position(), true).unwrap_err() {
        LogError::Corrupt { path, position, .. } => {
            assert_eq!((path, position), (log_file(&scratch, 0), batch_len as u64 * 5));
        }
        error => panic!("{error}"),
    }
    log.read(14, 1000, log.end_position(), true).unwrap();
}

#[test]
fn segments_behind_a_cut_are_set_aside() {
    let (_, storage) = sim();
    let config = small_segments(1000);
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    while log.segment_count() < 4 {
        grow(&mut log, 2, 100);
    }
    let second = log.segments[1].base;
    log.close().unwrap();
    let path = dir().join(format!("{second:020}.log"));
    let file = storage.open(&path).unwrap();
    let torn = file.len().unwrap() - 10;
    file.truncate(torn).unwrap();

    let (log, report) = open(&storage, &config, Opening::unclean(0));
    assert_eq!(log.segment_count(), 2);
    assert_eq!(report.cut.len(), 3, "a torn batch and two segments");
    for cut in &report.cut {
        assert!(storage.exists(&cut.kept_as).unwrap());
    }
    assert_eq!(report.rebuilt_indexes, vec![0, second]);
    read_all(&log);
}

#[test]
fn only_segments_from_the_recovery_point_on_are_scanned() {
    let (_, storage) = sim();
    let config = small_segments(1000);
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    while log.segment_count() < 5 {
        grow(&mut log, 2, 100);
    }
    let (fourth, end) = (log.segments[3].base, log.end_offset());
    let tail: u64 = log.segments[3..].iter().map(|segment| segment.size).sum();
    sync(&mut log);
    let (log, report) = open(&storage, &config, Opening::unclean(fourth + 1));
    assert_eq!(report.scanned_bytes, tail);
    assert_eq!((log.end_offset(), log.recovery_point()), (end, end));
}

/// Twelve segments of small batches, none of them synced; then the process dies.
fn killed() -> (SimStorage, Arc<dyn Storage>, LogConfig, Vec<u8>) {
    let (sim, storage) = sim();
    let config = LogConfig { index_interval_bytes: 1, ..small_segments(60_000) };
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    let mut bytes = Vec::new();
    while log.segment_count() < 12 || log.segments.last().unwrap().size < 50_000 {
        bytes.extend(grow(&mut log, 2, 100));
    }
    sim.restart();
    (sim, storage, config, bytes)
}

#[test]
fn after_the_process_died_only_the_tail_is_checked_and_nothing_is_lost() {
    let (_, storage, config, bytes) = killed();
    let (mut log, report) = open(&storage, &config, Opening::killed(0));
    assert!(report.scanned_bytes < 20_000, "less than what 64 index entries stand for: {report:?}");
    assert_eq!((log.recovery_point(), report.cut.len()), (0, 0));
    assert_eq!(read_all(&log), bytes);
    let more = grow(&mut log, 2, 100);
    assert_eq!(read_all(&log), [bytes, more].concat());
}

#[test]
fn what_a_dead_process_left_unsynced_is_made_durable_by_the_next_sync() {
    let (sim, storage, config, bytes) = killed();
    let (mut log, _) = open(&storage, &config, Opening::killed(0));
    let end = sync(&mut log).offset;
    for seed in 0..20 {
        sim.crash(seed);
        let (log, report) = open(&storage, &config, Opening::unclean(end));
        assert_eq!((log.end_offset(), report.cut.len()), (end, 0), "seed {seed}");
        assert_eq!(read_all(&log), bytes, "seed {seed}");
    }
}

#[test]
fn what_the_dead_process_had_closed_is_taken_as_it_stands() {
    let (sim, storage, config, bytes) = killed();
    let files = storage.list(&dir()).unwrap();
    let (log, report) = open(&storage, &config, Opening::killed(0));
    let active = log.segments.last().unwrap().base;
    assert_eq!(report.rebuilt_indexes, [active], "of twelve segments");
    assert_eq!(read_all(&log), bytes);
    drop(log);
    let indexes = |listing: Vec<crate::storage::DirEntry>| -> Vec<_> {
        let of_active = format!("{active:020}");
        listing.into_iter().filter(|file| !file.name.starts_with(&of_active)).collect()
    };
    assert_eq!(indexes(storage.list(&dir()).unwrap()), indexes(files));
    // And what is wrong with a closed segment is still found: fewer entries, none of time, a torn end.
    let (second, third) = (log_bases(&storage)[1], log_bases(&storage)[2]);
    for (name, len) in [(format!("{second:020}.index"), 8), (format!("{second:020}.timeindex"), 0)] {
        let file = storage.open(&dir().join(name)).unwrap();
        file.truncate(len).unwrap();
        let (log, report) = open(&storage, &config, Opening::killed(0));
        assert!(report.rebuilt_indexes.contains(&second), "{report:?}");
        assert_eq!(read_all(&log), bytes);
    }
    let file = storage.open(&dir().join(format!("{second:020}.log"))).unwrap();
    file.truncate(file.len().unwrap() - 10).unwrap();
    let (log, report) = open(&storage, &config, Opening::killed(0));
    assert!(log.end_offset() < third && !report.cut.is_empty(), "{report:?}");
    sim.restart();
}

fn log_bases(storage: &Arc<dyn Storage>) -> Vec<i64> {
    let name = |entry: crate::storage::DirEntry| entry.name.strip_suffix(".log")?.parse().ok();
    storage.list(&dir()).unwrap().into_iter().filter_map(name).collect()
}

#[test]
fn a_write_that_the_dying_process_tore_is_cut() {
    let (_, storage, config, bytes) = killed();
    let name = |entry: crate::storage::DirEntry| entry.name.ends_with(".log").then_some(entry.name);
    let newest = storage.list(&dir()).unwrap().into_iter().filter_map(name).next_back().unwrap();
    let file = storage.open(&dir().join(newest)).unwrap();
    let end = open(&storage, &config, Opening::killed(0)).0.end_offset();
    // Two batches in one write: the first is whole, of the second a hole and some bytes.
    let (first, mut second) = (plain(end, 2, 100), plain(end + 2, 2, 100));
    second.truncate(150);
    second[90..120].fill(0);
    let at = file.len().unwrap();
    file.write_at(at, &[std::io::IoSlice::new(&[&first[..], &second[..]].concat())]).unwrap();
    let (log, report) = open(&storage, &config, Opening::killed(0));
    let [cut] = report.cut.as_slice() else { panic!("one cut: {report:?}") };
    assert_eq!((cut.position, cut.len), (at + first.len() as u64, 150));
    assert_eq!(read_all(&log), [bytes, first].concat());
}

#[test]
fn an_index_that_no_sync_covered_is_built_again_even_where_the_batches_are_vouched_for() {
    let (_, storage, config, bytes) = killed();
    let (log, _) = open(&storage, &config, Opening::killed(0));
    let third = log.segments[2].base;
    // Stale entries of plausible size.
    let index = storage.open(&dir().join(format!("{:020}.index", log.segments[1].base))).unwrap();
    let len = index.len().unwrap() as usize;
    index.write_at(0, &[std::io::IoSlice::new(&vec![7; len])]).unwrap();
    for opening in [Opening::unclean(third), Opening::killed(third)] {
        let (log, report) = open(&storage, &config, opening);
        assert!(report.rebuilt_indexes.contains(&log.segments[1].base));
        assert_eq!(read_all(&log), bytes);
        index.write_at(0, &[std::io::IoSlice::new(&vec![7; len])]).unwrap();
    }
}

#[test]
fn missing_and_insane_indexes_are_built_again() {
    let scratch = Scratch::new("indexes");
    let whole = written(&scratch);
    let index = scratch.path().join("orders-0/00000000000000000000.index");
    let time_index = scratch.path().join("orders-0/00000000000000000000.timeindex");
    let good = (fs::read(&index).unwrap(), fs::read(&time_index).unwrap());
    assert!(good.0.len() > 8 && good.1.len() > 12);
    // Missing; not a whole number of entries; preallocated and never trimmed; one that points elsewhere.
    let preallocated = [&good.0[..], &[0; 64]].concat();
    let mut elsewhere = good.0.clone();
    let last = elsewhere.len() - 1;
    elsewhere[last] ^= 4;
    for bad in [None, Some(good.0[..5].to_vec()), Some(preallocated), Some(elsewhere)] {
        match bad {
            None => fs::remove_file(&index).unwrap(),
            Some(bytes) => fs::write(&index, bytes).unwrap(),
        }
        let (mut log, report) = open_at(&scratch, Opening::CLEAN).unwrap();
        assert_eq!(report.rebuilt_indexes, vec![0]);
        assert_eq!(log.end_offset(), 40);
        assert_eq!(read_all(&log), whole);
        log.close().unwrap();
        assert_eq!((fs::read(&index).unwrap(), fs::read(&time_index).unwrap()), good);
    }
}

#[test]
fn leader_epochs_come_back_from_the_batches() {
    let (sim, storage) = sim();
    let config = small_segments(1000);
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    for epoch in [0, 0, 3, 3, 7] {
        let bytes = build(log.end_offset(), epoch, Codec::None, 300, &[1, 2]);
        append(&mut log, &[bytes]).unwrap();
    }
    let epochs = log.leader_epochs().to_vec();
    assert_eq!(
        epochs.iter().map(|entry| (entry.epoch, entry.start_offset)).collect::<Vec<_>>(),
        [(0, 0), (3, 4), (7, 8)]
    );
    sim.restart();
    for opening in [Opening::killed(0), Opening::killed(0), Opening::unclean(0)] {
        let (log, _) = open(&storage, &config, opening);
        assert_eq!(log.leader_epochs(), epochs, "{opening:?}");
        sim.restart();
    }
    let (log, _) = open(&storage, &config, Opening::unclean(0));
    assert_eq!([3, 4, 7, 8, 9].map(|offset| log.leader_epoch_at(offset)), [0, 3, 3, 7, 7]);
    sim.crash(1);
    let (log, _) = open(&storage, &config, Opening::unclean(10));
    assert_eq!(log.leader_epochs(), epochs);
}

#[test]
fn a_failed_write_takes_the_log_offline_for_good() {
    use crate::storage::{Fault, SimOperation};
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    grow(&mut log, 1, 10);
    let next = plain(1, 1, 10);
    sim.fail_next(SimOperation::Write, Fault::Error(std::io::ErrorKind::Other));
    assert!(matches!(append(&mut log, std::slice::from_ref(&next)), Err(LogError::Io { .. })));
    assert!(matches!(append(&mut log, &[next]), Err(LogError::Offline)));
    assert_eq!(log.end_offset(), 1);
    assert!(log.is_offline());
    let (log, report) = open(&storage, &LogConfig::default(), Opening::unclean(0));
    assert_eq!((log.end_offset(), report.cut.len()), (1, 0));
}
