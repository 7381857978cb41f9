//! Lookups by timestamp against a plain list of records: any order, any codec, any number of segments.

use millrace_record::{BatchBuilder, BatchSpec};
use proptest::prelude::*;

use super::*;

const CODECS: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lookups_are_exact(
        batches in prop::collection::vec((0usize..5, prop::collection::vec(-1i64..60, 1..8)), 1..40),
        targets in prop::collection::vec((0i64..70, 0u64..200), 20),
        start in 0u64..30,
        reopen in any::<bool>(),
    ) {
        let (_, storage) = sim();
        let config = small_segments(900);
        let (mut log, _) = open(&storage, &config, Opening::CLEAN);
        let mut records = Vec::new();
        for (codec, timestamps) in &batches {
            for (index, timestamp) in timestamps.iter().enumerate() {
                records.push((*timestamp, log.end_offset() + index as i64));
            }
            let bytes = build(log.end_offset(), 4, CODECS[*codec], 20, timestamps);
            append(&mut log, &[bytes]).unwrap();
        }
        let start = start as i64 % (log.end_offset() + 1);
        log.increment_start_offset(start).unwrap();
        log.expire_below(start).unwrap();
        if reopen {
            log.close().unwrap();
            log = open(&storage, &config, Opening { start_offset: start, ..Opening::CLEAN }).0;
        }
        records.retain(|(_, offset)| *offset >= start);
        for (timestamp, upper) in targets {
            let upper = start + upper as i64;
            let expected = records.iter().find(|(found, _)| *found >= timestamp);
            let expected = expected.filter(|(_, offset)| *offset < upper).copied();
            let found = log.offset_for_timestamp(timestamp, upper).unwrap();
            prop_assert_eq!(found.map(|found| (found.timestamp, found.offset)), expected);
            prop_assert!(found.is_none_or(|found| found.leader_epoch == 4));
        }
    }

    #[test]
    fn the_largest_timestamp_is_the_first_record_that_has_it(
        batches in prop::collection::vec((0usize..5, prop::collection::vec(-1i64..60, 1..8)), 0..40),
        reopen in any::<bool>(),
    ) {
        let (_, storage) = sim();
        let config = small_segments(900);
        let (mut log, _) = open(&storage, &config, Opening::CLEAN);
        let mut best: Option<(i64, i64)> = None;
        for (codec, timestamps) in &batches {
            for (timestamp, offset) in timestamps.iter().zip(log.end_offset()..) {
                if *timestamp >= 0 && best.is_none_or(|(largest, _)| *timestamp > largest) {
                    best = Some((*timestamp, offset));
                }
            }
            let bytes = build(log.end_offset(), 0, CODECS[*codec], 20, timestamps);
            append(&mut log, &[bytes]).unwrap();
        }
        if reopen {
            log.close().unwrap();
            log = open(&storage, &config, Opening::CLEAN).0;
        }
        let found = log.max_timestamp().unwrap().map(|found| (found.timestamp, found.offset));
        prop_assert_eq!(found, best);
    }
}

#[test]
fn a_log_append_time_batch_has_one_timestamp() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    let spec = BatchSpec { log_append_time: Some(500), codec: Codec::Zstd, ..BatchSpec::default() };
    let mut builder = BatchBuilder::new(spec);
    for timestamp in [9, 8, 7] {
        builder.append(timestamp, None, Some(b"v"), &[]).unwrap();
    }
    append(&mut log, &[builder.finish().unwrap()]).unwrap();
    let found = log.offset_for_timestamp(10, i64::MAX).unwrap().unwrap();
    assert_eq!((found.timestamp, found.offset), (500, 0));
    assert_eq!(log.offset_for_timestamp(501, i64::MAX).unwrap(), None);
}

#[test]
fn what_compaction_took_out_is_passed_over() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    for (base_offset, codec) in [(10, Codec::Lz4), (40, Codec::None)] {
        let spec = BatchSpec { base_offset, codec, ..BatchSpec::default() };
        let mut builder = BatchBuilder::new(spec);
        for delta in [0, 5, 9] {
            builder.append_at(delta, base_offset + i64::from(delta), None, Some(b"v"), &[]).unwrap();
        }
        append(&mut log, &[builder.finish().unwrap()]).unwrap();
    }
    let find = |timestamp| {
        let found = log.offset_for_timestamp(timestamp, i64::MAX).unwrap();
        found.map(|found| (found.offset, found.timestamp))
    };
    assert_eq!(find(0), Some((10, 10)));
    assert_eq!(find(11), Some((15, 15)));
    assert_eq!(find(20), Some((40, 40)), "between the two batches");
    assert_eq!(find(46), Some((49, 49)));
    assert_eq!(find(50), None);
    assert_eq!(log.max_timestamp().unwrap().map(|found| found.offset), Some(49));
}
