//! Compaction: what stays, what goes, in whose files, and what a crash at any call of it leaves.

use millrace_record::{BatchView, split_batches};

use super::*;
use crate::log::{CleaningPolicy, DEDUPE_BYTES};

type Pair<'a> = (&'a str, Option<&'a str>);

const DAY: i64 = 24 * 60 * 60 * 1000;

fn config() -> LogConfig {
    let cleaning =
        CleaningPolicy { min_dirty_millionths: 1, delete_retention_ms: DAY, ..CleaningPolicy::default() };
    LogConfig { segment_bytes: 400, compact: true, cleaning, ..LogConfig::default() }
}

fn write_with(log: &mut Log, spec: BatchSpec, pairs: &[Pair<'_>]) {
    let mut builder = BatchBuilder::new(BatchSpec { base_offset: log.end_offset(), ..spec });
    for (key, value) in pairs {
        builder.append(NOW.wall_ms, Some(key.as_bytes()), value.map(str::as_bytes), &[]).unwrap();
    }
    append(log, &[builder.finish().unwrap()]).unwrap();
}

/// One batch of these pairs.
fn write(log: &mut Log, pairs: &[Pair<'_>]) {
    write_with(log, BatchSpec::default(), pairs);
}

fn roll(log: &mut Log) {
    log.roll_active(NOW).unwrap();
}

/// Cleans everything that is closed; how many files were replaced.
fn clean_at(log: &mut Log, now: Now) -> bool {
    let upper = log.active_segment_base();
    let Some(plan) = log.cleaning_plan(upper, now).unwrap() else { return false };
    let cleaned = plan.run(DEDUPE_BYTES, now).unwrap();
    log.take_cleaned(cleaned).unwrap().run().unwrap();
    true
}

fn clean(log: &mut Log) -> bool {
    clean_at(log, NOW)
}

/// Offset, key and value of every record.
fn records(log: &Log) -> Vec<(i64, String, Option<String>)> {
    let bytes = read_all(log);
    let mut found = Vec::new();
    for batch in split_batches(&bytes) {
        let batch: BatchView<'_> = batch.unwrap();
        batch.check_crc().unwrap();
        let mut records = batch.records(1 << 20).unwrap();
        while let Some(record) = records.next_record().unwrap() {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            found.push((record.offset, record.key.map(text).unwrap_or_default(), record.value.map(text)));
        }
    }
    found
}

fn told(log: &Log) -> String {
    let text = |(offset, key, value): (i64, String, Option<String>)| {
        format!("{offset}:{key}={}", value.unwrap_or_else(|| "-".to_owned()))
    };
    records(log).into_iter().map(text).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_newest_record_of_each_key_stays_at_its_offset() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &config(), Opening::CLEAN);
    write(&mut log, &[("a", Some("1")), ("b", Some("1")), ("a", Some("2"))]);
    roll(&mut log);
    write(&mut log, &[("b", Some("2")), ("c", Some("1"))]);
    roll(&mut log);
    write(&mut log, &[("a", Some("3"))]);
    assert!(clean(&mut log));
    // The active segment is left alone and counts for nothing yet.
    assert_eq!(told(&log), "2:a=2 3:b=2 4:c=1 5:a=3");
    assert_eq!((log.start_offset(), log.end_offset(), log.clean_until()), (0, 6, 5));
    assert_eq!(log.segment_count(), 2, "small neighbours become one");
    assert!(!clean(&mut log), "nothing is dirty");
    roll(&mut log);
    assert!(clean(&mut log));
    assert_eq!(told(&log), "3:b=2 4:c=1 5:a=3");
    for offset in 0..=5 {
        let position = log.position_of(offset).unwrap();
        assert!(position.offset <= 5, "{offset} is found or passed over");
    }
    log.close().unwrap();
    let (log, report) = open(&storage, &config(), Opening::CLEAN);
    assert_eq!(told(&log), "3:b=2 4:c=1 5:a=3");
    assert_eq!((report.rebuilt_indexes.len(), log.end_offset()), (0, 6));
}

#[test]
fn a_tombstone_outlives_what_it_deletes_by_delete_retention_ms() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &config(), Opening::CLEAN);
    write(&mut log, &[("a", Some("1")), ("b", Some("1"))]);
    write(&mut log, &[("a", None)]);
    roll(&mut log);
    assert!(clean(&mut log));
    assert_eq!(told(&log), "1:b=1 2:a=-");
    let later = |ms| Now { monotonic_ms: 0, wall_ms: NOW.wall_ms + ms };
    for (ms, expected) in [(DAY - 1, "1:b=1 2:a=- 3:c=1"), (DAY, "1:b=1 3:c=1 4:c=2")] {
        let value = if ms == DAY { "2" } else { "1" };
        write(&mut log, &[("c", Some(value))]);
        roll(&mut log);
        assert!(clean_at(&mut log, later(ms)));
        let expected = expected.replace("3:c=1 4", "4");
        assert_eq!(told(&log), expected, "after {ms} ms");
    }
}

#[test]
fn enough_dirt_or_its_age_starts_a_cleaning() {
    let (_, storage) = sim();
    let cleaning = CleaningPolicy { max_lag_ms: DAY, min_lag_ms: 10, ..CleaningPolicy::default() };
    let (mut log, _) = open(&storage, &LogConfig { cleaning, ..config() }, Opening::CLEAN);
    let at = |ms| Now { monotonic_ms: 0, wall_ms: NOW.wall_ms + ms };
    write(&mut log, &[("a", Some("x")), ("b", Some("x")), ("c", Some("x"))]);
    roll(&mut log);
    assert!(!clean_at(&mut log, at(9)), "too young");
    assert!(clean_at(&mut log, at(10)));
    write(&mut log, &[("a", Some("y"))]);
    roll(&mut log);
    assert!(!clean_at(&mut log, at(20)), "less than half of it is dirty");
    assert!(clean_at(&mut log, at(DAY + 1)), "but it has waited long enough");
    assert_eq!(told(&log), "1:b=x 2:c=x 3:a=y");
}

#[test]
fn a_producers_last_batch_and_whole_transactions_stay() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &config(), Opening::CLEAN);
    let by = |producer_id, is_transactional| BatchSpec {
        producer_id,
        producer_epoch: 0,
        base_sequence: 0,
        is_transactional,
        ..BatchSpec::default()
    };
    write_with(&mut log, by(7, false), &[("a", Some("1")), ("b", Some("1"))]);
    write_with(&mut log, by(8, true), &[("a", Some("2"))]);
    write_with(&mut log, by(7, false), &[("a", Some("3")), ("b", Some("3"))]);
    write(&mut log, &[("a", Some("4")), ("b", Some("4"))]);
    roll(&mut log);
    assert!(clean(&mut log));
    assert_eq!(told(&log), "2:a=2 4:b=3 5:a=4 6:b=4");
}

#[test]
fn codecs_headers_and_append_times_survive_a_rewrite() {
    let (_, storage) = sim();
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let (mut log, _) = open(&storage, &config(), Opening::CLEAN);
        let base_offset = log.end_offset();
        let spec =
            BatchSpec { base_offset, codec, log_append_time: Some(NOW.wall_ms + 5), ..BatchSpec::default() };
        let mut builder = BatchBuilder::new(spec);
        builder.append(1, Some(b"k"), Some(b"old"), &[]).unwrap();
        builder.append(2, Some(b"k"), Some(b"new"), &[(b"h", Some(b"v"))]).unwrap();
        append(&mut log, &[builder.finish().unwrap()]).unwrap();
        roll(&mut log);
        clean(&mut log);
        let bytes = read_all(&log);
        let batch = split_batches(&bytes).last().unwrap().unwrap();
        let mut reader = batch.records(1 << 20).unwrap();
        let record = reader.next_record().unwrap().unwrap();
        assert_eq!((record.offset, record.timestamp), (base_offset + 1, NOW.wall_ms + 5));
        assert_eq!(record.value, Some(&b"new"[..]));
        assert_eq!(record.headers.map(|header| header.key.to_vec()).collect::<Vec<_>>(), [b"h".to_vec()]);
        assert_eq!(batch.codec().unwrap(), codec);
        log.close().unwrap();
    }
}

#[test]
fn keys_that_do_not_fit_are_left_for_the_next_time() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &config(), Opening::CLEAN);
    for value in ["1", "2", "3"] {
        write(&mut log, &[("a", Some(value))]);
        roll(&mut log);
    }
    let until = |log: &mut Log| {
        let plan = log.cleaning_plan(log.active_segment_base(), NOW).unwrap().unwrap();
        let cleaned = plan.run(1, NOW).unwrap();
        log.take_cleaned(cleaned).unwrap();
        log.clean_until()
    };
    assert_eq!((until(&mut log), told(&log).as_str()), (1, "0:a=1 1:a=2 2:a=3"));
    assert_eq!((until(&mut log), told(&log).as_str()), (2, "1:a=2 2:a=3"));
    assert_eq!((until(&mut log), told(&log).as_str()), (3, "2:a=3"));
}

#[test]
fn a_log_that_changed_meanwhile_keeps_what_it_has() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &config(), Opening::CLEAN);
    for value in ["1", "2", "3"] {
        write(&mut log, &[("a", Some(value)), ("b", Some(value))]);
        roll(&mut log);
    }
    let plan = log.cleaning_plan(log.active_segment_base(), NOW).unwrap().unwrap();
    let cleaned = plan.run(DEDUPE_BYTES, NOW).unwrap();
    log.truncate_to(4).unwrap();
    log.take_cleaned(cleaned).unwrap();
    assert_eq!(told(&log), "0:a=1 1:b=1 2:a=2 3:b=2");
    assert!(log.clean_until() <= 4);
}

#[test]
fn readers_of_a_replaced_segment_keep_its_bytes() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &config(), Opening::CLEAN);
    write(&mut log, &[("a", Some("1"))]);
    write(&mut log, &[("a", Some("2"))]);
    roll(&mut log);
    let read = log.read(0, 1 << 20, log.end_position(), true).unwrap();
    let before = read.range.read().unwrap();
    assert!(clean(&mut log));
    assert_eq!(read.range.read().unwrap(), before);
    assert_eq!(told(&log), "1:a=2");
}

#[test]
fn a_crash_at_any_call_leaves_the_old_records_or_the_new() {
    let (disk, storage) = sim();
    let (mut log, _) = open(&storage, &config(), Opening::CLEAN);
    write(&mut log, &[("a", Some("1")), ("b", Some("1"))]);
    roll(&mut log);
    write(&mut log, &[("a", Some("2"))]);
    roll(&mut log);
    let job = log.sync_job();
    job.run().unwrap();
    log.synced(&job);
    disk.record();
    assert!(clean(&mut log));
    let calls = disk.calls();
    let mut outcomes = std::collections::BTreeSet::new();
    for point in 0..=calls {
        for power_loss in std::iter::once(None).chain((0..30).map(Some)) {
            let forked = disk.fork(point, None).unwrap();
            let mut opening = Opening::killed(log.recovery_point());
            if let Some(seed) = power_loss {
                forked.crash(seed + 30 * point as u64);
                opening = Opening::unclean(log.recovery_point());
            }
            let forked: Arc<dyn Storage> = Arc::new(forked);
            let (log, _) = open(&forked, &config(), opening);
            let found = told(&log);
            assert!(found == "0:a=1 1:b=1 2:a=2" || found == "1:b=1 2:a=2", "at {point}: {found}");
            assert!(point < calls || found == "1:b=1 2:a=2", "what was taken over is durable");
            assert_eq!(log.end_offset(), 3);
            outcomes.insert(found);
        }
    }
    assert_eq!(outcomes.len(), 2);
}
