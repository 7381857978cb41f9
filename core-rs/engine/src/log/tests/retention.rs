//! Segments that leave a log: their files, crashes amid their renames, and the age at which segments roll.

use super::*;

fn names(storage: &dyn Storage) -> Vec<String> {
    storage.list(&dir()).unwrap().into_iter().map(|entry| entry.name).collect()
}

/// A log of four segments, all of it synced.
fn four_segments(storage: &Arc<dyn Storage>) -> Log {
    let (mut log, _) = open(storage, &small_segments(1000), Opening::CLEAN);
    while log.segment_count() < 4 {
        grow(&mut log, 2, 100);
        log.write_producer_snapshot_at(log.active_segment_base(), &[]).unwrap();
    }
    sync(&mut log);
    log
}

#[test]
fn expired_files_keep_a_name_of_their_own_until_they_are_removed() {
    let (_, storage) = sim();
    let mut log = four_segments(&storage);
    let second = log.segments[1].base;
    let start = log.segments[2].base + 1;
    log.increment_start_offset(start).unwrap();
    let files = log.expire_below(second).unwrap();
    assert_eq!((log.segment_count(), log.start_offset()), (3, start), "no more than was asked for");
    let kept = names(&*storage);
    let deleted: Vec<_> = kept.iter().filter(|name| name.ends_with(".deleted")).cloned().collect();
    let expected = ["index", "log", "snapshot", "timeindex"];
    assert_eq!(deleted, expected.map(|kind| format!("{:020}.{kind}.deleted", 0)));
    files.run().unwrap();
    files.run().unwrap();
    assert_eq!(names(&*storage).len(), kept.len() - 4);
    assert!(log.expire_below(second).unwrap().is_empty());
}

#[test]
fn a_crash_amid_the_renames_neither_brings_records_back_nor_loses_the_rest() {
    for seed in 0..200 {
        let (sim, storage) = sim();
        let mut log = four_segments(&storage);
        let (start, end) = (log.active_segment_base(), log.end_offset());
        log.increment_start_offset(start).unwrap();
        let tail = read_all(&log);
        let files = log.expire_below(start).unwrap();
        if seed % 2 == 0 {
            files.run().unwrap();
        }
        drop(log);
        sim.crash(seed);
        // The checkpoint of the recovery point is older than the deletion.
        let opening = Opening { start_offset: start, ..Opening::unclean(0) };
        let (log, report) = open(&storage, &small_segments(1000), opening);
        assert_eq!((log.start_offset(), log.end_offset()), (start, end), "seed {seed}");
        assert_eq!(read_all(&log), tail, "seed {seed}");
        assert!(report.cut.is_empty(), "seed {seed}: {report:?}");
        let left: Vec<_> =
            names(&*storage).into_iter().filter(|name| name < &format!("{start:020}")).collect();
        assert!(left.iter().all(|name| name.ends_with(".snapshot")), "seed {seed}: {left:?}");
    }
}

#[test]
fn the_largest_timestamp_of_a_segment_decides_even_after_a_restart() {
    let (_, storage) = sim();
    let mut config = small_segments(1000);
    config.retention.retention_ms = 100;
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    let at = |ms| NOW.wall_ms + ms;
    // The young record stands in the middle of the first segment.
    for timestamp in [at(-500), at(-50), at(-400)] {
        let bytes = build(log.end_offset(), 0, Codec::None, 50, &[timestamp]);
        append(&mut log, &[bytes]).unwrap();
    }
    log.roll_active(NOW).unwrap();
    append(&mut log, &[build(3, 0, Codec::None, 50, &[at(-500)])]).unwrap();
    assert_eq!(log.expired(4, NOW).unwrap(), None);
    log.close().unwrap();
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    let later = Now { wall_ms: at(51), ..NOW };
    assert_eq!(log.expired(4, NOW).unwrap(), None);
    assert_eq!(log.expired(3, later).unwrap().map(|expired| expired.start_offset), Some(3));
    assert_eq!(log.expired(4, later).unwrap().map(|expired| expired.with_active), Some(true));
}

#[test]
fn jitter_takes_less_than_its_limit_off_the_age_and_is_the_same_for_the_same_seed() {
    let config =
        LogConfig { segment_ms: 1000, segment_jitter_ms: 300, jitter_seed: 5, ..LogConfig::default() };
    let ages = |config: &LogConfig| -> Vec<i64> {
        (0..100).map(|base| config.roll_after_ms(&dir(), base)).collect()
    };
    let drawn = ages(&config);
    assert!(drawn.iter().all(|age| (701..=1000).contains(age)), "{drawn:?}");
    assert!(drawn.iter().any(|age| *age < 800) && drawn.iter().any(|age| *age > 900));
    assert_eq!(drawn, ages(&config));
    assert_ne!(drawn, ages(&LogConfig { jitter_seed: 6, ..config.clone() }));
    assert_ne!(
        config.roll_after_ms(Path::new("/logs/a-0"), 0),
        config.roll_after_ms(Path::new("/logs/a-1"), 0)
    );
    assert_eq!(ages(&LogConfig { segment_jitter_ms: 0, ..config }), [1000; 100]);
}

#[test]
fn a_segment_rolls_at_the_append_whose_timestamp_is_too_far_from_its_first() {
    let (_, storage) = sim();
    let config = LogConfig { segment_ms: 1000, segment_jitter_ms: 300, ..LogConfig::default() };
    let limit = config.roll_after_ms(&dir(), 0);
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    for (age, segments) in [(0, 1), (limit, 1), (limit + 1, 2)] {
        let offset = log.end_offset();
        let outcome = append(&mut log, &[build(offset, 0, Codec::None, 10, &[NOW.wall_ms + age])]).unwrap();
        assert_eq!(log.segment_count(), segments, "{age}");
        assert_eq!(outcome.rolled.map(|rolled| rolled.end_offset), (segments == 2).then_some(2));
    }
}
