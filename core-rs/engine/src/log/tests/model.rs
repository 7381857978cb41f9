//! Random scripts against a plain list of batches, on both kinds of storage.

use std::path::Path;
use std::sync::Arc;

use millrace_record::Codec;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// Batches of one request, each a record count and value size.
    Append(Vec<(i64, usize)>),
    Read {
        at: u64,
        max_bytes: u64,
        upper: u64,
    },
    Truncate(u64),
    IncrementStart(u64),
    /// Begin a segment, as age would have it.
    Roll,
    /// Keep at least so many bytes, by `retention.bytes`.
    Retain(u64),
    Sync,
    /// Close and open again.
    Reopen,
    /// Open again without closing, as after the process was killed.
    Kill,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => prop::collection::vec((1i64..5, 0usize..300), 1..5).prop_map(Step::Append),
        6 => (any::<u64>(), 0u64..2000, any::<u64>())
            .prop_map(|(at, max_bytes, upper)| Step::Read { at, max_bytes, upper }),
        1 => any::<u64>().prop_map(Step::Truncate),
        1 => any::<u64>().prop_map(Step::IncrementStart),
        1 => Just(Step::Roll),
        1 => (0u64..6000).prop_map(Step::Retain),
        1 => Just(Step::Sync),
        1 => Just(Step::Reopen),
        1 => Just(Step::Kill),
    ];
    prop::collection::vec(step, 1..60)
}

#[derive(Debug, Default)]
struct Model {
    /// First offset, last offset and bytes of every batch that was not truncated.
    batches: Vec<(i64, i64, Vec<u8>)>,
    start: i64,
    end: i64,
    recovery_point: i64,
}

impl Model {
    fn pick(&self, random: u64) -> i64 {
        self.start + (random % (self.end - self.start + 1) as u64) as i64
    }

    fn border_at_or_below(&self, offset: i64) -> i64 {
        let starts = self.batches.iter().map(|(first, _, _)| *first);
        starts.filter(|first| *first <= offset).max().unwrap_or(self.end)
    }

    /// The bytes of every batch that ends at or above `from`, up to the batch border `to`.
    fn bytes(&self, from: i64, to: i64) -> Vec<u8> {
        let within = self.batches.iter().filter(|(first, last, _)| *last >= from && *first < to);
        within.flat_map(|(_, _, bytes)| bytes.iter().copied()).collect()
    }
}

fn run(storage: Arc<dyn Storage>, dir: &Path, steps: &[Step]) {
    let config = LogConfig { segment_bytes: 3000, index_interval_bytes: 300, ..LogConfig::default() };
    let open = |opening| Log::open(Arc::clone(&storage), dir, config.clone(), opening, NOW).unwrap();
    let (mut log, report) = open(Opening::CLEAN);
    assert!(report.created);
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Append(sizes) => {
                let mut batches = Vec::new();
                for (count, value_len) in sizes {
                    let codec = if value_len % 3 == 0 { Codec::Lz4 } else { Codec::None };
                    let timestamps: Vec<i64> = (0..*count).map(|index| model.end + index).collect();
                    let bytes = build(model.end, 0, codec, *value_len, &timestamps);
                    model.batches.push((model.end, model.end + count - 1, bytes.clone()));
                    model.end += count;
                    batches.push(bytes);
                }
                // One append is one segment's: what exceeds it comes in pieces.
                for batch in batches {
                    append(&mut log, &[batch]).unwrap();
                }
            }
            Step::Read { at, max_bytes, upper } => {
                let at = model.pick(*at);
                // The log start may lie inside a batch; a watermark below it does not occur.
                let upper = model.border_at_or_below(model.pick(*upper));
                let upper = if upper < model.start { model.end } else { upper };
                let upper_position = log.position_of(upper).unwrap();
                let expected = model.bytes(at, upper);
                let read = log.read(at, *max_bytes, upper_position, true).unwrap();
                let bytes = read.range.read().unwrap();
                assert!(expected.starts_with(&bytes), "read at {at} below {upper}");
                if at < upper {
                    assert_eq!(read.first_batch_base, model.border_at_or_below(at));
                    let first = millrace_record::BatchView::parse(&bytes).unwrap();
                    assert!(bytes.len() as u64 <= (*max_bytes).max(first.bytes().len() as u64));
                } else {
                    assert!(bytes.is_empty());
                }
            }
            Step::Truncate(random) => {
                let offset = model.pick(*random);
                log.truncate_to(offset).unwrap();
                model.batches.retain(|(_, last, _)| *last < offset);
                // Inside a batch, the whole batch goes; a log cut at its start goes on at that very offset.
                model.end = log.end_offset();
                assert!(model.end <= offset);
                assert!(model.batches.last().is_none_or(|(_, last, _)| model.end > *last));
                model.start = model.start.min(model.end);
                model.recovery_point = log.recovery_point();
            }
            Step::IncrementStart(random) => {
                model.start = model.pick(*random);
                log.increment_start_offset(model.start).unwrap();
                log.expire_below(model.start).unwrap().run().unwrap();
            }
            Step::Roll => {
                if log.active_segment_base() < model.end {
                    assert_eq!(log.roll_active(NOW).unwrap().end_offset, model.end);
                }
            }
            Step::Retain(bytes) => {
                let retention =
                    RetentionPolicy { deletes: true, retention_ms: -1, retention_bytes: *bytes as i64 };
                log.set_config(LogConfig { retention, ..config.clone() });
                // What lies below the log start may go whatever the limit.
                let readable = model.bytes(model.start, model.end).len() as u64;
                if let Some(expired) = log.expired(model.end, NOW).unwrap() {
                    if expired.with_active {
                        log.roll_active(NOW).unwrap();
                    }
                    model.start = expired.start_offset;
                    log.increment_start_offset(model.start).unwrap();
                    log.expire_below(model.start).unwrap().run().unwrap();
                }
                assert!(log.size() >= readable.min(*bytes), "what is to be kept is kept");
                assert_eq!(log.expired(model.end, NOW).unwrap(), None, "and no segment more");
            }
            Step::Sync => {
                assert_eq!(super::sync(&mut log).offset, model.end);
                model.recovery_point = model.end;
            }
            Step::Reopen => {
                log.close().unwrap();
                let (reopened, report) = open(Opening { start_offset: model.start, ..Opening::CLEAN });
                assert_eq!(report.scanned_bytes, 0, "nothing is scanned after a clean stop");
                assert!(report.rebuilt_indexes.is_empty());
                log = reopened;
                model.recovery_point = model.end;
            }
            Step::Kill => {
                let (reopened, report) = open(Opening {
                    stop: LastStop::Machine,
                    recovery_point: model.recovery_point,
                    start_offset: model.start,
                    clean_until: 0,
                });
                assert!(report.cut.is_empty());
                log = reopened;
                model.recovery_point = model.end;
            }
        }
        assert_eq!(log.end_offset(), model.end);
        assert_eq!(log.start_offset(), model.start);
        assert_eq!(log.recovery_point(), model.recovery_point);
    }
    assert_eq!(read_all(&log), model.bytes(model.start, model.end));
    let replayed: Vec<u8> =
        log.batches_from(model.start).unwrap().flat_map(|batch| batch.unwrap().bytes).collect();
    assert_eq!(replayed, model.bytes(model.start, model.end));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_scripts_match_a_list_of_batches_on_the_simulated_disk(steps in steps()) {
        let (_, storage) = sim();
        run(storage, &dir(), &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 25, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_scripts_match_a_list_of_batches_on_real_files(steps in steps()) {
        let scratch = Scratch::new("model");
        run(scratch.storage(), &scratch.path().join("orders-0"), &steps);
    }
}
