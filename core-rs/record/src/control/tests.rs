use super::*;
use crate::batch::BatchView;
use crate::validate::{Origin, ValidateOptions, validate};
use proptest::prelude::*;

fn voter(id: i32) -> Voter {
    Voter {
        id,
        directory_id: [id as u8; 16],
        endpoints: vec![VoterEndpoint { name: "CONTROLLER".into(), host: "localhost".into(), port: 65_535 }],
        min_kraft_version: 0,
        max_kraft_version: 1,
    }
}

fn quorum_records() -> Vec<ControlRecord> {
    let quorum = |version, id| QuorumVoter { id, directory_id: [version as u8 * 9; 16] };
    let change = |version| {
        ControlRecord::LeaderChange(LeaderChange {
            version,
            leader_id: 3,
            voters: vec![quorum(version, 3), quorum(version, 4)],
            granting_voters: vec![quorum(version, 3)],
        })
    };
    vec![
        change(0),
        change(1),
        ControlRecord::SnapshotHeader { last_contained_log_timestamp: 1_700_000_000_000 },
        ControlRecord::KraftVersion { kraft_version: 1 },
        ControlRecord::Voters(vec![voter(1), voter(2)]),
        ControlRecord::SnapshotFooter,
    ]
}

fn read_back(batch: &[u8]) -> Vec<ControlRecord> {
    let batch = BatchView::parse(batch).unwrap();
    let options = ValidateOptions { origin: Origin::Coordinator, max_decompressed: 0 };
    assert!(validate(&batch, &options).unwrap().is_control);
    batch.borrowed_records().unwrap().map(|record| ControlRecord::decode(&record.unwrap()).unwrap()).collect()
}

#[test]
fn quorum_records_come_back_from_a_control_batch() {
    let batch = control_batch(BatchSpec::default(), 5, &quorum_records()).unwrap();
    assert_eq!(read_back(&batch), quorum_records());
    assert!(!BatchView::parse(&batch).unwrap().is_transactional());
}

#[test]
fn end_markers_are_transactional_control_batches_of_their_producer() {
    let spec = BatchSpec { producer_id: 7, producer_epoch: 2, base_offset: 40, ..BatchSpec::default() };
    for committed in [true, false] {
        let marker = ControlRecord::EndTxn(EndTxnMarker { committed, coordinator_epoch: 11 });
        assert_eq!(marker.key(), [0, 0, 0, u8::from(committed)]);
        assert_eq!(marker.value().unwrap(), [0, 0, 0, 0, 0, 11]);
        let bytes = control_batch(spec, 5, std::slice::from_ref(&marker)).unwrap();
        assert_eq!(read_back(&bytes), std::slice::from_ref(&marker));
        let batch = BatchView::parse(&bytes).unwrap();
        assert!(batch.is_transactional() && batch.is_control());
        assert_eq!((batch.producer_id, batch.producer_epoch, batch.base_sequence), (7, 2, -1));
        assert!(control_batch(BatchSpec::default(), 5, std::slice::from_ref(&marker)).is_err());
        assert!(control_batch(spec, 5, &[marker.clone(), marker]).is_err());
    }
    assert!(control_batch(spec, 5, &[]).is_err());
}

#[test]
fn later_types_and_tagged_fields_are_passed_over() {
    let record = |key: &'static [u8], value| RecordView {
        attributes: 0,
        offset: 0,
        timestamp: 0,
        key: Some(key),
        value: Some(value),
        headers: crate::records::Headers::default(),
    };
    let unknown = ControlRecord::decode(&record(&[0, 0, 0, 99], &[]));
    assert_eq!(unknown, Ok(ControlRecord::Unknown { kind: 99 }));
    let tagged = [0, 1, 0, 0, 0, 5, 1, 1, 1, 7, 2, 0xaa, 0xbb];
    let ControlRecord::LeaderChange(change) = ControlRecord::decode(&record(&[0, 0, 0, 2], &tagged)).unwrap()
    else {
        panic!("not a leader change")
    };
    assert_eq!((change.version, change.leader_id, change.voters.len()), (1, 5, 0));
    assert!(ControlRecord::decode(&record(&[0xff, 0xff, 0, 2], &tagged)).is_err());
    assert!(ControlRecord::decode(&record(&[0, 0, 0], &tagged)).is_err());
}

#[test]
fn every_cut_of_a_value_is_an_error() {
    for control in quorum_records() {
        let (key, value) = (control.key(), control.value().unwrap());
        for len in 0..value.len() - 1 {
            let value = Some(&value[..len]);
            let record = RecordView { key: Some(&key), value, ..RecordView::default() };
            let decoded = ControlRecord::decode(&record);
            assert!(matches!(decoded, Err(BatchError::Control { .. })), "{control:?} cut to {len}");
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_values_never_panic_or_allocate_by_claim(kind in 0..8u8, value in proptest::collection::vec(any::<u8>(), 0..60)) {
        let key = [0, 0, 0, kind];
        let record = RecordView { key: Some(&key), value: Some(&value), ..RecordView::default() };
        let _ = ControlRecord::decode(&record);
    }
}
