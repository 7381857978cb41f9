//! What an interrupted compaction, deletion or copy leaves in a log's directory, as Kafka's `LogLoader` takes it.

use super::*;

fn names(storage: &Arc<dyn Storage>) -> Vec<String> {
    storage.list(&dir()).unwrap().into_iter().map(|entry| entry.name).collect()
}

fn put(storage: &Arc<dyn Storage>, name: &str, contents: &[u8]) {
    let file = storage.create(&dir().join(name)).unwrap();
    file.write_at(0, &[std::io::IoSlice::new(contents)]).unwrap();
}

fn log_name(base: i64) -> String {
    format!("{base:020}.log")
}

/// A compacted log of three segments of one batch each, at 0, 2 and 4; closed. Gives the batches.
fn three_segments(storage: &Arc<dyn Storage>) -> (LogConfig, Vec<Vec<u8>>) {
    let config = LogConfig { segment_bytes: 200, compact: true, ..LogConfig::default() };
    let (mut log, _) = open(storage, &config, Opening::CLEAN);
    let batches: Vec<Vec<u8>> = (0..3).map(|_| grow(&mut log, 2, 30)).collect();
    assert_eq!(log.segment_count(), 3);
    log.close().unwrap();
    (config, batches)
}

#[test]
fn a_swap_takes_the_place_of_the_segments_it_was_made_of() {
    for opening in [Opening::CLEAN, Opening::killed(0), Opening::unclean(0), Opening::unclean(6)] {
        let (_, storage) = sim();
        let (config, batches) = three_segments(&storage);
        // The first two segments became one, in which the last batch alone is left.
        put(&storage, &format!("{}.swap", log_name(0)), &batches[1]);
        put(&storage, "00000000000000000000.index.swap", &[]);
        put(&storage, "00000000000000000000.timeindex.swap", &[]);
        let (log, report) = open(&storage, &config, opening);
        assert_eq!(read_all(&log), batches[1..].concat(), "{opening:?}");
        assert_eq!((log.segment_count(), log.end_offset(), report.cut.len()), (2, 6, 0), "{opening:?}");
        assert!(!names(&storage).iter().any(|name| name.ends_with(".swap")));
        assert!(!names(&storage).contains(&log_name(2)));
    }
}

#[test]
fn a_swap_that_was_interrupted_half_way_is_completed() {
    let (_, storage) = sim();
    let (config, batches) = three_segments(&storage);
    put(&storage, &format!("{}.swap", log_name(0)), &batches[1]);
    storage.remove_file(&dir().join(log_name(0))).unwrap();
    storage.rename(&dir().join(log_name(2)), &dir().join(format!("{}.deleted", log_name(2)))).unwrap();
    let (log, _) = open(&storage, &config, Opening::CLEAN);
    assert_eq!(read_all(&log), batches[1..].concat());
    assert!(!names(&storage).iter().any(|name| name.ends_with(".deleted") || name.ends_with(".swap")));
}

#[test]
fn what_was_still_being_written_goes_and_takes_the_swaps_behind_it_along() {
    let (_, storage) = sim();
    let (config, batches) = three_segments(&storage);
    // A split: the second half is not complete, so neither counts.
    put(&storage, &format!("{}.swap", log_name(2)), &batches[1]);
    put(&storage, &format!("{}.cleaned", log_name(0)), &batches[0][..50]);
    let (log, _) = open(&storage, &config, Opening::CLEAN);
    assert_eq!(read_all(&log), batches.concat());
    assert_eq!(log.segment_count(), 3);
    assert!(!names(&storage).iter().any(|name| name.ends_with(".swap") || name.ends_with(".cleaned")));
}

#[test]
fn a_damaged_swap_is_an_error_and_replaces_nothing() {
    let (_, storage) = sim();
    let (config, batches) = three_segments(&storage);
    put(&storage, &format!("{}.swap", log_name(0)), &batches[1][..40]);
    let error = Log::open(storage.clone(), &dir(), config, Opening::CLEAN, NOW).unwrap_err();
    assert!(matches!(error, LogError::Corrupt { .. }), "{error}");
    assert!(names(&storage).contains(&log_name(0)) && names(&storage).contains(&log_name(2)));
}

#[test]
fn leftovers_of_interrupted_work_are_swept_and_strangers_kept() {
    let (_, storage) = sim();
    let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
    grow(&mut log, 1, 10);
    log.close().unwrap();
    let strangers = ["notes.txt", "notes.tmp", "7.log", "00000000000000000000.log.120.cut", "a.swap"];
    let leftovers =
        ["00000000000000000000.log.tmp", "00000000000000000007.index.deleted", "leader-epoch-checkpoint.tmp"];
    for name in strangers.iter().chain(&leftovers) {
        put(&storage, name, b"?");
    }
    open(&storage, &LogConfig::default(), Opening::CLEAN);
    let left = names(&storage);
    for name in strangers {
        assert!(left.contains(&name.to_owned()), "{name}: {left:?}");
    }
    for name in leftovers {
        assert!(!left.contains(&name.to_owned()), "{name}: {left:?}");
    }
}
