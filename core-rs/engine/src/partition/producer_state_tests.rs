//! Sequences, epochs and duplicates of idempotent producers.

use super::PartitionError;
use super::producer_state::*;
use crate::log::{AbortedTxn, LogPosition};

fn batch(epoch: i16, base_sequence: i32, count: i32) -> IncomingBatch {
    IncomingBatch {
        producer_id: 7,
        epoch,
        base_sequence,
        last_offset_delta: count - 1,
        is_transactional: false,
    }
}

fn at(offset: i64) -> LogPosition {
    LogPosition { offset, segment_base: 0, position: 0 }
}

fn append(states: &mut ProducerStates, incoming: IncomingBatch, base_offset: i64) {
    assert_eq!(states.check(&incoming, base_offset), Ok(None));
    states.appended(&incoming, at(base_offset), base_offset + i64::from(incoming.last_offset_delta), 1000);
}

#[test]
fn a_retry_of_any_of_the_last_five_batches_gets_its_first_offset() {
    let mut states = ProducerStates::default();
    for place in 0..6 {
        append(&mut states, batch(0, place * 10, 10), i64::from(place) * 10 + 100);
    }
    for place in 1..6 {
        let duplicate = states.check(&batch(0, place * 10, 10), 160).unwrap().unwrap();
        assert_eq!(duplicate.first_offset(), i64::from(place) * 10 + 100);
    }
    let forgotten = states.check(&batch(0, 0, 10), 160);
    assert!(matches!(forgotten, Err(PartitionError::OutOfOrderSequence { expected_after: 59, .. })));
    let resized = states.check(&batch(0, 50, 9), 160);
    assert!(matches!(resized, Err(PartitionError::OutOfOrderSequence { .. })), "same start, other end");
}

#[test]
fn a_gap_is_refused_and_the_next_in_line_is_not() {
    let mut states = ProducerStates::default();
    append(&mut states, batch(0, 0, 3), 0);
    let gap = states.check(&batch(0, 4, 1), 3);
    let refused =
        PartitionError::OutOfOrderSequence { producer_id: 7, offset: 3, sequence: 4, expected_after: 2 };
    assert_eq!(gap, Err(refused));
    assert_eq!(states.check(&batch(0, 3, 1), 3), Ok(None));
}

#[test]
fn an_unknown_producer_may_begin_anywhere() {
    assert_eq!(ProducerStates::default().check(&batch(3, 77, 1), 0), Ok(None));
}

#[test]
fn an_old_epoch_is_fenced_and_a_new_one_begins_at_zero() {
    let mut states = ProducerStates::default();
    append(&mut states, batch(4, 0, 3), 0);
    let fenced = states.check(&batch(3, 3, 1), 3);
    assert_eq!(fenced, Err(PartitionError::InvalidProducerEpoch { producer_id: 7, epoch: 3, current: 4 }));
    assert!(matches!(states.check(&batch(5, 3, 1), 3), Err(PartitionError::OutOfOrderSequence { .. })));
    append(&mut states, batch(5, 0, 1), 3);
    assert!(states.check(&batch(4, 0, 3), 4).is_err(), "a batch of the old epoch is no duplicate any more");
}

#[test]
fn sequences_wrap_from_the_largest_to_zero() {
    let mut states = ProducerStates::default();
    append(&mut states, batch(0, i32::MAX - 1, 4), 0);
    let duplicate = states.check(&batch(0, i32::MAX - 1, 4), 4).unwrap().unwrap();
    assert_eq!((duplicate.first_offset(), duplicate.last_sequence), (0, 1));
    assert_eq!(states.check(&batch(0, 2, 1), 4), Ok(None));
    let mut states = ProducerStates::default();
    append(&mut states, batch(0, i32::MAX, 1), 0);
    assert_eq!(states.check(&batch(0, 0, 1), 1), Ok(None));
}

#[test]
fn a_snapshot_keeps_the_last_batch_and_what_follows_it() {
    let mut states = ProducerStates::default();
    append(&mut states, batch(2, 0, 3), 10);
    append(&mut states, batch(2, 3, 2), 13);
    let restored = ProducerStates::from_snapshot(&states.snapshot());
    assert_eq!(restored.snapshot(), states.snapshot());
    assert_eq!(restored.check(&batch(2, 3, 2), 15).unwrap().unwrap().first_offset(), 13);
    assert_eq!(restored.check(&batch(2, 5, 1), 15), Ok(None));
    assert!(restored.check(&batch(2, 0, 3), 15).is_err());
}

#[test]
fn a_producer_silent_for_a_day_is_forgotten() {
    let mut states = ProducerStates::default();
    append(&mut states, batch(2, 0, 3), 10);
    states.expire(1000 + PRODUCER_EXPIRATION_MS - 1, PRODUCER_EXPIRATION_MS);
    assert_eq!(states.len(), 1);
    states.expire(1000 + PRODUCER_EXPIRATION_MS, PRODUCER_EXPIRATION_MS);
    assert!(states.is_empty());
}

#[test]
fn a_flood_of_producer_ids_displaces_those_whose_last_append_is_the_oldest() {
    let mut states = ProducerStates::default();
    let of = |producer_id| IncomingBatch { producer_id, ..batch(0, 0, 1) };
    let mut offset = 0;
    for producer_id in 0..MAX_PRODUCERS as i64 {
        append(&mut states, of(producer_id), offset);
        offset += 1;
    }
    // The very first one goes on writing, so it is not among the oldest.
    append(&mut states, IncomingBatch { producer_id: 0, ..batch(0, 1, 1) }, offset);
    for producer_id in 0..3 * MAX_PRODUCERS as i64 {
        offset += 1;
        append(&mut states, of(1_000_000 + producer_id), offset);
        assert!(states.len() <= MAX_PRODUCERS);
        if producer_id == 0 {
            assert_eq!(states.check(&of(1), offset), Ok(None), "forgotten: as one nobody has seen");
            assert!(
                states.check(&IncomingBatch { producer_id: 0, ..batch(0, 1, 1) }, offset).unwrap().is_some()
            );
        }
    }
    assert_eq!(states.check(&of(0), offset), Ok(None), "silence made it old in the end");
}

fn in_txn(epoch: i16, base_sequence: i32) -> IncomingBatch {
    IncomingBatch { is_transactional: true, ..batch(epoch, base_sequence, 1) }
}

fn end(epoch: i16, coordinator_epoch: i32, committed: bool) -> TxnEnd {
    TxnEnd { producer_id: 7, epoch, coordinator_epoch, committed }
}

#[test]
fn a_transaction_begins_with_its_first_batch_and_ends_with_its_marker() {
    let mut states = ProducerStates::default();
    append(&mut states, in_txn(0, 0), 10);
    append(&mut states, in_txn(0, 1), 11);
    assert_eq!(states.first_unstable().map(|(first, _)| first), Some(10));
    assert_eq!(states.snapshot()[0].current_txn_first_offset, 10);
    let restored = ProducerStates::from_snapshot(&states.snapshot());
    assert_eq!(restored.first_unstable(), Some((10, None)), "open across a restart");

    let aborted = states.ended(&end(0, 3, false), 12, 2000).unwrap();
    let expected = AbortedTxn { producer_id: 7, first_offset: 10, last_offset: 12, last_stable_offset: 13 };
    assert_eq!(aborted, expected);
    states.replicated(13);
    assert_eq!(states.first_unstable(), None);
    let entry = states.snapshot()[0];
    assert_eq!((entry.current_txn_first_offset, entry.coordinator_epoch, entry.timestamp), (-1, 3, 2000));
    assert_eq!(entry.last_sequence, 1, "with the same epoch sequences go on");
    append(&mut states, in_txn(0, 2), 13);
    assert_eq!(states.ended(&end(0, 3, true), 14, 2000), None, "committed: nothing for the index");
    assert_eq!(states.ended(&end(0, 3, false), 15, 2000), None, "a transaction without records is none");
}

#[test]
fn a_batch_outside_of_its_producer_s_transaction_is_refused() {
    let mut states = ProducerStates::default();
    append(&mut states, in_txn(0, 0), 10);
    let refused = states.check(&batch(0, 1, 1), 11);
    assert_eq!(refused, Err(PartitionError::OutsideTxn { producer_id: 7, offset: 11 }));
    let bumped = states.check(&batch(1, 0, 1), 11);
    assert!(matches!(bumped, Err(PartitionError::OutsideTxn { .. })), "with a new epoch too");
}

#[test]
fn a_batch_that_no_coordinator_vouched_for_is_refused_unless_it_is_a_retry() {
    let mut states = ProducerStates::default();
    assert_eq!(states.check_unverified(&in_txn(0, 0)), Err(PartitionError::InvalidTxnState));
    append(&mut states, in_txn(2, 0), 10);
    assert_eq!(states.check_unverified(&in_txn(2, 0)), Ok(()));
    assert_eq!(states.check_unverified(&in_txn(2, 1)), Err(PartitionError::InvalidTxnState));
    let stale = states.check_unverified(&in_txn(1, 0));
    assert_eq!(stale, Err(PartitionError::InvalidProducerEpoch { producer_id: 7, epoch: 1, current: 2 }));
}

#[test]
fn late_markers_and_succeeded_coordinators_are_fenced() {
    let mut states = ProducerStates::default();
    assert_eq!(states.check_end(&end(0, 0, true), 2), Ok(()), "of a producer that nobody remembers");
    append(&mut states, in_txn(5, 0), 10);
    let fenced = |epoch| PartitionError::InvalidProducerEpoch { producer_id: 7, epoch, current: 5 };
    for version in [0, 1] {
        assert_eq!(states.check_end(&end(4, 1, true), version), Err(fenced(4)));
        assert_eq!(states.check_end(&end(5, 1, true), version), Ok(()));
    }
    assert_eq!(states.check_end(&end(5, 1, true), 2), Err(fenced(5)), "its transaction has a later epoch");
    assert_eq!(states.check_end(&end(6, 1, true), 2), Ok(()));
    states.ended(&end(6, 4, true), 11, 0);
    assert_eq!(states.check_end(&end(6, 4, true), 2), Ok(()), "the same marker once more");
    let zombie = states.check_end(&end(6, 3, true), 2);
    assert_eq!(zombie, Err(PartitionError::CoordinatorFenced { producer_id: 7, epoch: 3, current: 4 }));
    assert_eq!(states.check(&in_txn(6, 0), 12), Ok(None), "the marker's epoch begins at sequence 0");
    assert!(states.check(&in_txn(5, 1), 12).is_err());
}

#[test]
fn a_producer_with_an_open_transaction_outlives_silence_and_floods() {
    let mut states = ProducerStates::default();
    append(&mut states, in_txn(0, 0), 0);
    states.expire(i64::MAX, 1);
    for producer_id in 0..MAX_PRODUCERS as i64 + 10 {
        append(&mut states, IncomingBatch { producer_id: 100 + producer_id, ..batch(0, 0, 1) }, producer_id);
    }
    assert!(states.check(&in_txn(0, 0), 0).unwrap().is_some());
}
