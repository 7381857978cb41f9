use std::sync::Arc;

use proptest::prelude::*;

use crate::partition::testing::*;
use crate::partition::{
    Appended, ClientBatch, Notices, Partition, PartitionConfig, PartitionError, check_client_batch,
};
use crate::storage::{Fault, SimOperation, SimStorage};

type Answer = Result<Appended, PartitionError>;

/// Appends these batches as one run.
fn run(partition: &Arc<Partition>, batches: &[Vec<u8>], notices: &mut Notices) -> Vec<Answer> {
    let mut bytes = batches.to_vec();
    let mut run = Vec::new();
    for bytes in &mut bytes {
        let checked = check_client_batch(bytes, 9, partition.config(), ("t", 0), NOON).unwrap();
        run.push(ClientBatch { bytes, checked, acks_all: true });
    }
    partition.append_run_as_leader(&mut run, NOON, notices)
}

fn one_by_one(partition: &Arc<Partition>, batches: &[Vec<u8>], notices: &mut Notices) -> Vec<Answer> {
    batches.iter().flat_map(|batch| run(partition, std::slice::from_ref(batch), notices)).collect()
}

/// What the producer is told; the watermark it was told at may differ.
fn told(answers: Vec<Answer>) -> Vec<Answer> {
    answers.into_iter().map(|answer| Ok(Appended { high_watermark: 0, ..answer? })).collect()
}

/// A producer's next batch, its last one again, or one that leaves a gap; or a batch of nobody.
fn script() -> impl Strategy<Value = Vec<Vec<(i64, u8, i32)>>> {
    let batch = (0..4i64, prop_oneof![6 => Just(0u8), 2 => Just(1), 1 => Just(2)], 1..4i32);
    proptest::collection::vec(proptest::collection::vec(batch, 1..7), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Runs of batches leave the answers, the offsets, the producers and the bytes on disk of the same batches one by
    /// one, in segments of any size.
    #[test]
    fn a_run_is_what_its_batches_are_one_by_one(script in script(), segment in prop_oneof![Just("400"), Just("2000"), Just("1000000")]) {
        let config = || PartitionConfig::default().with([("segment.bytes", segment)]).unwrap();
        let (alone_disk, run_disk) = (SimStorage::new(), SimStorage::new());
        let (alone, together) = (leader(&alone_disk, config()), leader(&run_disk, config()));
        let mut notices = Notices::default();
        let mut sequences = [0i32; 4];
        for batches in script {
            let mut bytes = Vec::new();
            for (producer, kind, count) in batches {
                let next = &mut sequences[producer as usize];
                let base = match kind {
                    0 => *next,
                    1 => (*next - 1).max(0),
                    _ => *next + 7,
                };
                if producer == 0 {
                    bytes.push(batch(count));
                    continue;
                }
                if kind == 0 {
                    *next += count;
                }
                bytes.push(idempotent(producer, 0, base, if kind == 1 { 1 } else { count }));
            }
            let expected = told(one_by_one(&alone, &bytes, &mut notices));
            prop_assert_eq!(told(run(&together, &bytes, &mut notices)), expected);
            prop_assert_eq!(together.offsets(), alone.offsets());
            prop_assert_eq!(together.active_producers().unwrap(), alone.active_producers().unwrap());
        }
        together.close(&mut notices).unwrap().sync().unwrap();
        alone.close(&mut notices).unwrap().sync().unwrap();
        prop_assert_eq!(run_disk.digest(), alone_disk.digest());
    }
}

#[test]
fn a_run_is_written_at_once() {
    let disk = SimStorage::new();
    let partition = leader(&disk, PartitionConfig::default());
    let mut notices = Notices::default();
    run(&partition, &[batch(1)], &mut notices);
    disk.record();
    let answers = run(&partition, &[idempotent(7, 0, 0, 2), batch(1), idempotent(7, 0, 2, 1)], &mut notices);
    assert_eq!(disk.calls(), 1);
    let answers: Vec<Appended> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().map(|answer| answer.base_offset).collect::<Vec<_>>(), [1, 3, 4]);
    assert!(answers.iter().all(|answer| answer.high_watermark == 5 && answer.required <= 5), "{answers:?}");
}

#[test]
fn a_run_that_finds_no_room_never_was() {
    let disk = SimStorage::new();
    let partition = leader(&disk, PartitionConfig::default());
    let mut notices = Notices::default();
    let before = [batch(1), idempotent(7, 0, 0, 2)];
    run(&partition, &before, &mut notices);
    disk.set_full(true);
    // A retry of what stands is answered; what repeats a batch of the run shares its fate.
    let batches =
        [idempotent(7, 0, 2, 1), idempotent(7, 0, 0, 2), idempotent(7, 0, 2, 1), idempotent(8, 0, 0, 1)];
    let answers = run(&partition, &batches, &mut notices);
    assert!(matches!(answers[0], Err(PartitionError::Full { .. })), "{answers:?}");
    assert_eq!(answers[1].as_ref().map(|answer| answer.base_offset), Ok(1));
    assert!(matches!(answers[2], Err(PartitionError::Full { .. })), "{answers:?}");
    assert!(matches!(answers[3], Err(PartitionError::Full { .. })), "{answers:?}");
    assert_eq!((partition.offsets().log_end, partition.high_watermark()), (3, 3));
    assert_eq!(partition.active_producers().unwrap().len(), 1, "nobody remembers producer 8");

    disk.set_full(false);
    let again: Vec<_> = told(run(&partition, &batches, &mut notices));
    let bases: Vec<_> = again.iter().map(|answer| answer.as_ref().map(|answer| answer.base_offset)).collect();
    assert_eq!(bases, [Ok(3), Ok(1), Ok(3), Ok(4)]);
}

#[test]
fn a_run_whose_write_fails_is_refused_whole_and_takes_the_partition_offline() {
    let disk = SimStorage::new();
    let partition = leader(&disk, PartitionConfig::default());
    let mut notices = Notices::default();
    disk.fail_next(SimOperation::Write, Fault::Error(std::io::ErrorKind::Other));
    let answers = run(&partition, &[batch(1), idempotent(7, 0, 0, 2)], &mut notices);
    assert!(
        answers.iter().all(|answer| matches!(answer, Err(PartitionError::Offline { .. }))),
        "{answers:?}"
    );
    assert_eq!(notices.failures.len(), 1);
    assert_eq!(partition.high_watermark(), 0);
}
