//! A closed log taken over by its summary: the same as one that was opened, and only where nobody has touched it since.

use std::io::IoSlice;

use super::*;
use crate::log::{AbortedTxn, LogSummary};
use crate::storage::splitmix::SplitMix;

fn opening(left: &LogSummary) -> Opening {
    Opening { recovery_point: left.end_offset, ..Opening::CLEAN }
}

fn resume(
    storage: &Arc<dyn Storage>,
    config: &LogConfig,
    opening: Opening,
    left: &LogSummary,
) -> Option<Log> {
    Log::resume(storage, &dir(), config.clone(), opening, left, NOW).unwrap()
}

/// A log that has lived: several segments, epochs, aborted transactions, records deleted and cut off. Gives what its
/// clean stop leaves.
fn lived(storage: &Arc<dyn Storage>, config: &LogConfig, seed: u64) -> LogSummary {
    let mut random = SplitMix::new(seed);
    let (mut log, _) = open(storage, config, Opening::CLEAN);
    for epoch in 0..random.below(5) as i32 {
        for _ in 0..random.below(12) {
            let base = log.end_offset();
            let timestamps: Vec<i64> = (0..=random.below(4)).map(|_| random.below(1000) as i64 - 1).collect();
            let batch = build(base, epoch, Codec::None, 20 + random.below(150) as usize, &timestamps);
            append(&mut log, &[batch]).unwrap();
            if random.below(6) == 0 {
                let last_stable_offset = log.end_offset();
                let aborted =
                    AbortedTxn { producer_id: 1, first_offset: base, last_offset: base, last_stable_offset };
                log.append_aborted(&aborted).unwrap();
            }
        }
        match random.below(5) {
            0 => log.truncate_to(random.below(log.end_offset() as u64 + 1) as i64).unwrap(),
            1 => log.increment_start_offset(random.below(log.end_offset() as u64 + 1) as i64).unwrap(),
            _ => {}
        }
    }
    if random.below(3) == 0 {
        log.expire_below(log.start_offset()).unwrap().run().unwrap();
    }
    log.write_producer_snapshot(&[]).unwrap();
    log.close().unwrap();
    log.summary().expect("nothing stands there but the log")
}

/// The same, of several segments.
fn lived_long(config: &LogConfig) -> (Arc<dyn Storage>, LogSummary) {
    let mut lives = (0..).map(|seed| {
        let (_, storage) = sim();
        let left = lived(&storage, config, seed);
        (storage, left)
    });
    lives.find(|(_, left)| left.segments.len() > 2).unwrap()
}

#[test]
fn a_log_is_resumed_as_it_would_have_been_opened() {
    let config = small_segments(1000);
    let mut segments = 0;
    for seed in 0..200 {
        let (_, storage) = sim();
        let left = lived(&storage, &config, seed);
        let opening = opening(&left);
        let mut resumed = resume(&storage, &config, opening, &left).expect("as it was");
        let (mut opened, _) = open(&storage, &config, opening);
        assert_eq!(format!("{resumed:?}"), format!("{opened:?}"), "seed {seed}");
        segments += resumed.segment_count();
        // And lives on.
        let bytes = grow(&mut resumed, 3, 50);
        resumed.close().unwrap();
        let left = resumed.summary().unwrap();
        opened = resume(&storage, &config, self::opening(&left), &left).unwrap();
        assert!(read_all(&opened).ends_with(&bytes));
    }
    assert!(segments > 500, "{segments}");
}

#[test]
fn a_log_that_was_touched_since_is_not_resumed() {
    let config = small_segments(1000);
    type Touch = fn(&dyn Storage, &Path);
    let touches: [Touch; 5] = [
        |storage, log| storage.open(log).unwrap().write_at(0, &[IoSlice::new(&[0])]).unwrap(),
        |storage, log| storage.open(log).unwrap().truncate(1).unwrap(),
        |storage, _| storage.remove_file(&dir().join("leader-epoch-checkpoint")).unwrap(),
        |storage, _| drop(storage.create(&dir().join("00000000000000000000.snapshot")).unwrap()),
        |storage, log| {
            let contents = storage.read_to_vec(log).unwrap();
            storage.remove_file(log).unwrap();
            storage.create(log).unwrap().write_at(0, &[IoSlice::new(&contents)]).unwrap();
        },
    ];
    for (number, touch) in touches.iter().enumerate() {
        let (storage, left) = lived_long(&config);
        let active = dir().join(format!("{:020}.log", left.segments.last().unwrap().base));
        assert!(resume(&storage, &config, opening(&left), &left).is_some());
        touch(&*storage, &active);
        assert!(resume(&storage, &config, opening(&left), &left).is_none(), "touch {number}");
    }
}

#[test]
fn a_log_is_resumed_after_no_other_stop_than_the_one_that_closed_it() {
    let config = small_segments(1000);
    let (storage, left) = lived_long(&config);
    let clean = opening(&left);
    let is_resumed = |opening| resume(&storage, &config, opening, &left).is_some();
    assert!(is_resumed(clean));
    for stop in [LastStop::Process, LastStop::Machine] {
        assert!(!is_resumed(Opening { stop, ..clean }));
    }
    for recovery_point in [0, clean.recovery_point - 1, clean.recovery_point + 1, i64::MAX] {
        assert!(!is_resumed(Opening { recovery_point, ..clean }));
    }
    assert!(!is_resumed(Opening { start_offset: clean.recovery_point + 1, ..clean }), "behind its end");
    let second = left.segments[1].base;
    assert!(!is_resumed(Opening { start_offset: second, ..clean }), "the first segment is to be removed");
}

#[test]
fn a_log_beside_which_something_is_left_to_do_is_not_summed_up() {
    for name in ["00000000000000000007.log.swap", "00000000000000000099.snapshot", "1.cut", "x"] {
        let (_, storage) = sim();
        let (mut log, _) = open(&storage, &LogConfig::default(), Opening::CLEAN);
        grow(&mut log, 3, 10);
        log.write_producer_snapshot(&[]).unwrap();
        storage.create(&dir().join(name)).unwrap();
        log.close().unwrap();
        assert_eq!(log.summary(), None, "{name}");
    }
}
