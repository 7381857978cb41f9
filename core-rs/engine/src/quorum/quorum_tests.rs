//! One voter on a simulated disk: proposing, committing, restarting, compacting, failing.

use std::io;
use std::path::Path;
use std::sync::Arc;

use millrace_record::{BatchView, split_batches};

use super::{Persist, ProposeError, Quorum, QuorumError, QuorumOutput};
use crate::storage::{Fault, SimOperation, SimStorage, Storage};

pub const NODE: i32 = 1;
const LOG: &str = "/data/__cluster_metadata-0/00000000000000000000.log";

/// A disk that holds the log directory and nothing else.
pub fn new_disk() -> SimStorage {
    let disk = SimStorage::new();
    disk.create_dir_all(Path::new("/data")).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk
}

pub fn open(storage: impl Storage + 'static, seed: u64) -> Result<Quorum, QuorumError> {
    Quorum::open(Arc::new(storage), Path::new("/data"), NODE, seed)
}

/// Runs the disk work until there is none.
pub fn drive(quorum: &mut Quorum) {
    loop {
        if let Some(job) = quorum.ready() {
            let result = job.run();
            quorum.persisted(job, result);
        } else if let Some(job) = quorum.ready_snapshot() {
            quorum.snapshot_done(job.run(), 5000);
        } else {
            break;
        }
    }
}

pub fn values(text: &str) -> Vec<Vec<u8>> {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

/// Offset, epoch, timestamp, proposal id and joined values of every Committed.
pub fn committed(outputs: &[QuorumOutput]) -> Vec<(i64, i32, i64, i64, String)> {
    let one = |output: &QuorumOutput| match output {
        QuorumOutput::Committed { base_offset, epoch, timestamp, proposal_id, values } => {
            let text: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value)).collect();
            Some((*base_offset, *epoch, *timestamp, *proposal_id, text.join(" ")))
        }
        _ => None,
    };
    outputs.iter().filter_map(one).collect()
}

pub fn log_bytes(storage: &dyn Storage) -> Vec<u8> {
    storage.read_to_vec(Path::new(LOG)).unwrap()
}

fn role(leader_id: i32, epoch: i32, high_watermark: i64, caught_up: bool) -> QuorumOutput {
    QuorumOutput::Role { leader_id, epoch, high_watermark, caught_up }
}

#[test]
fn a_new_voter_leads_at_once_and_commits_what_it_is_given() {
    let storage = new_disk();
    let mut quorum = open(storage.clone(), 1).unwrap();
    drive(&mut quorum);
    assert_eq!(quorum.take_outputs(), [role(NODE, 1, 1, true)]);

    quorum.propose(70, 1000, values("a b c")).unwrap();
    quorum.propose(71, 1001, values("d")).unwrap();
    assert_eq!(quorum.take_outputs(), [], "nothing before the sync");
    drive(&mut quorum);
    let expected = [(1, 1, 1000, 70, "a b c".to_owned()), (4, 1, 1001, 71, "d".to_owned())];
    assert_eq!(committed(&quorum.take_outputs()), expected);

    let description = quorum.describe();
    assert_eq!((description.leader_id, description.epoch, description.high_watermark), (NODE, 1, 5));
    assert_eq!(
        description.voters.iter().map(|v| (v.node_id, v.log_end_offset)).collect::<Vec<_>>(),
        [(1, 5)]
    );
}

#[test]
fn proposals_that_arrive_during_a_sync_share_the_next_one() {
    let mut quorum = open(new_disk(), 1).unwrap();
    drive(&mut quorum);
    quorum.propose(1, 5, values("first")).unwrap();
    let job = quorum.ready().unwrap();
    for id in 2..10 {
        quorum.propose(id, 5, values("later")).unwrap();
        assert!(quorum.ready().is_none(), "one is out already");
    }
    let result = job.run();
    quorum.persisted(job, result);
    let job = quorum.ready().unwrap();
    let result = job.run();
    quorum.persisted(job, result);
    assert!(quorum.ready().is_none());
    assert_eq!(committed(&quorum.take_outputs()).len(), 9);
}

#[test]
fn batches_are_kafkas_and_an_empty_entry_is_a_leader_change() {
    let storage = new_disk();
    let mut quorum = open(storage.clone(), 1).unwrap();
    drive(&mut quorum);
    quorum.propose(0, 1234, values("x yz")).unwrap();
    drive(&mut quorum);
    let bytes = log_bytes(&storage);
    let batches: Vec<BatchView<'_>> = split_batches(&bytes).map(Result::unwrap).collect();
    let [leader_change, records] = &batches[..] else { panic!("{} batches", batches.len()) };
    for batch in &batches {
        batch.check_crc().unwrap();
        assert_eq!(batch.partition_leader_epoch, 1);
    }
    assert!(leader_change.is_control());
    assert_eq!(leader_change.max_timestamp, -1, "nobody has told a time yet");
    let record = leader_change.borrowed_records().unwrap().next().unwrap().unwrap();
    assert_eq!(record.key, Some(&[0, 0, 0, 2][..]));
    // Version 0, leader 1, one voter, one that granted its vote.
    assert_eq!(record.value, Some(&[0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 1, 0, 0][..]));
    assert!(!records.is_control());
    assert_eq!((records.base_offset, records.count, records.base_timestamp), (1, 2, 1234));
    let record = records.borrowed_records().unwrap().nth(1).unwrap().unwrap();
    assert_eq!((record.key, record.value, record.offset), (None, Some(&b"yz"[..]), 2));

    let metadata = storage.read_to_vec(Path::new("/data/__cluster_metadata-0/partition.metadata")).unwrap();
    assert_eq!(String::from_utf8(metadata).unwrap(), "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ");
    let state = storage.read_to_vec(Path::new("/data/__cluster_metadata-0/quorum-state")).unwrap();
    assert_eq!(
        String::from_utf8(state).unwrap(),
        r#"{"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}"#
    );
}

#[test]
fn a_restart_delivers_everything_again_and_leads_a_new_epoch() {
    for clean in [true, false] {
        let storage = new_disk();
        let mut quorum = open(storage.clone(), 1).unwrap();
        drive(&mut quorum);
        quorum.propose(3, 10, values("a b")).unwrap();
        drive(&mut quorum);
        if clean {
            quorum.close().unwrap();
            assert_eq!(quorum.propose(4, 10, values("c")), Err(ProposeError::Stopped));
        }
        storage.restart();

        let mut quorum = open(storage.clone(), 2).unwrap();
        drive(&mut quorum);
        let outputs = quorum.take_outputs();
        let bytes = log_bytes(&storage);
        let last = split_batches(&bytes).last().unwrap().unwrap();
        assert!(
            last.is_control() && last.max_timestamp == 10,
            "a leader change takes over the time before it"
        );
        assert_eq!(committed(&outputs), [(1, 1, 10, -1, "a b".to_owned())], "clean: {clean}");
        assert_eq!(outputs.last(), Some(&role(NODE, 2, 4, true)));
        quorum.propose(0, 11, values("c")).unwrap();
        drive(&mut quorum);
        assert_eq!(committed(&quorum.take_outputs()), [(4, 2, 11, 0, "c".to_owned())]);
        quorum.close().unwrap();
        storage.restart();

        let mut quorum = open(storage, 3).unwrap();
        drive(&mut quorum);
        assert_eq!(quorum.describe().epoch, 3);
        let expected = [(1, 1, 10, -1, "a b".to_owned()), (4, 2, 11, -1, "c".to_owned())];
        assert_eq!(committed(&quorum.take_outputs()), expected);
    }
}

#[test]
fn compaction_keeps_every_record_and_bounds_the_file() {
    let storage = new_disk();
    let mut quorum = open(storage.clone(), 1).unwrap();
    (quorum.compact_bytes, quorum.compact_at) = (2000, 2000);
    drive(&mut quorum);
    let mut told = Vec::new();
    let mut largest = 0;
    for id in 0..200 {
        quorum.propose(id, id, values(&format!("record-{id} {}", "x".repeat(100)))).unwrap();
        drive(&mut quorum);
        told.extend(committed(&quorum.take_outputs()));
        largest = largest.max(storage.read_to_vec(&quorum.wal.path).unwrap().len());
    }
    assert!(largest < 3000, "the write-ahead log grew to {largest}");
    assert_eq!(told.len(), 200);
    let bytes = log_bytes(&storage);
    storage.crash(7);

    let mut quorum = open(storage.clone(), 2).unwrap();
    drive(&mut quorum);
    for record in &mut told {
        record.3 = -1;
    }
    assert_eq!(committed(&quorum.take_outputs()), told);
    assert_eq!(log_bytes(&storage)[..bytes.len()], bytes);
}

#[test]
fn what_cannot_be_proposed_is_refused_at_once() {
    let mut quorum = open(new_disk(), 1).unwrap();
    drive(&mut quorum);
    assert_eq!(quorum.propose(1, 0, Vec::new()), Err(ProposeError::Empty));
    assert_eq!(quorum.propose(2, 0, vec![vec![0; 9 << 20]]), Err(ProposeError::TooLarge));
    drive(&mut quorum);
    assert_eq!(committed(&quorum.take_outputs()), []);
}

#[test]
fn a_failed_sync_is_one_fault_and_the_end() {
    let (broken, full) = (io::ErrorKind::Other, io::ErrorKind::StorageFull);
    for (operation, kind) in
        [(SimOperation::Write, broken), (SimOperation::Sync, broken), (SimOperation::Sync, full)]
    {
        let storage = new_disk();
        let mut quorum = open(storage.clone(), 1).unwrap();
        drive(&mut quorum);
        quorum.take_outputs();
        quorum.propose(1, 0, values("a")).unwrap();
        storage.fail_next(operation, Fault::Error(kind));
        drive(&mut quorum);
        let outputs = quorum.take_outputs();
        assert!(matches!(&outputs[..], [QuorumOutput::Fault(_)]), "{outputs:?}");
        assert!(quorum.is_faulted());
        assert_eq!(quorum.propose(2, 0, values("b")), Err(ProposeError::Stopped));
        quorum.tick();
        assert!(quorum.ready().is_none());
        assert_eq!(quorum.take_outputs(), []);
        quorum.close().unwrap();
    }
}

#[test]
fn a_failed_directory_is_a_fault_even_while_disk_work_is_out() {
    let mut quorum = open(new_disk(), 1).unwrap();
    drive(&mut quorum);
    quorum.take_outputs();
    quorum.propose(1, 0, values("a")).unwrap();
    let job = quorum.ready().unwrap();
    quorum.fail("the disk went away");
    quorum.fail("once more");
    let result = job.run();
    quorum.persisted(job, result);
    let fault = QuorumOutput::Fault("metadata quorum: the disk went away".to_owned());
    assert_eq!(quorum.take_outputs(), [fault], "and nothing is told as committed");
}

#[test]
fn a_failed_append_to_the_metadata_log_is_a_fault_and_nothing_is_told() {
    let storage = new_disk();
    let mut quorum = open(storage.clone(), 1).unwrap();
    drive(&mut quorum);
    quorum.take_outputs();
    quorum.propose(1, 0, values("a")).unwrap();
    let job = quorum.ready().unwrap();
    let result = job.run();
    storage.fail_next(SimOperation::Write, Fault::Error(io::ErrorKind::Other));
    quorum.persisted(job, result);
    let outputs = quorum.take_outputs();
    assert!(matches!(&outputs[..], [QuorumOutput::Fault(_)]), "{outputs:?}");
    // It was synced all the same: the next start has it.
    storage.restart();
    let mut quorum = open(storage, 2).unwrap();
    drive(&mut quorum);
    assert_eq!(committed(&quorum.take_outputs()), [(1, 1, 0, -1, "a".to_owned())]);
}

#[test]
fn a_full_disk_holds_proposals_up_and_loses_none() {
    // The write-ahead log alone, the metadata log alone, and both find no room.
    for (wal_full, log_full) in [(true, false), (false, true), (true, true)] {
        let storage = new_disk();
        let mut quorum = open(storage.clone(), 1).unwrap();
        drive(&mut quorum);
        quorum.take_outputs();
        quorum.propose(1, 0, values("a")).unwrap();
        let mut job = quorum.ready().unwrap();
        quorum.propose(2, 0, values("b")).unwrap();
        storage.set_full(wal_full);
        let result = job.run();
        storage.set_full(log_full);
        quorum.persisted(job, result);
        let is_full = |output: &QuorumOutput| matches!(output, QuorumOutput::Full(_));
        let outputs = quorum.take_outputs();
        assert!(!outputs.is_empty() && outputs.iter().all(is_full), "{outputs:?}");
        if wal_full {
            assert!(quorum.ready().is_none(), "not before some time has passed");
            quorum.tick();
            job = quorum.ready().unwrap();
            let result = job.run();
            assert_eq!(result.is_err(), log_full);
            storage.set_full(false);
            quorum.persisted(job, result);
        }
        storage.set_full(false);
        quorum.tick();
        drive(&mut quorum);
        let told = committed(&quorum.take_outputs());
        let proposals: Vec<_> = told.iter().map(|(_, _, _, id, value)| (*id, value.as_str())).collect();
        assert_eq!(proposals, [(1, "a"), (2, "b")]);
        quorum.close().unwrap();
        let mut quorum = open(storage, 2).unwrap();
        let again = committed(&quorum.take_outputs());
        assert_eq!(again.iter().map(|entry| entry.4.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
}

#[test]
fn a_quorum_closed_on_a_full_disk_keeps_what_it_was_given_back() {
    let storage = new_disk();
    let mut quorum = open(storage.clone(), 1).unwrap();
    drive(&mut quorum);
    quorum.propose(1, 0, values("a")).unwrap();
    let job = quorum.ready().unwrap();
    storage.set_full(true);
    let result = job.run();
    quorum.persisted(job, result);
    assert!(matches!(quorum.close(), Err(QuorumError::Io { .. })));
    storage.set_full(false);
    storage.restart();
    let mut quorum = open(storage, 2).unwrap();
    drive(&mut quorum);
    assert_eq!(committed(&quorum.take_outputs()), [], "and nothing that was not synced");
}

#[test]
fn it_may_be_shared_between_threads_behind_a_lock() {
    fn send<T: Send>() {}
    fn sync<T: Sync>() {}
    send::<Quorum>();
    send::<Persist>();
    sync::<Persist>();
}

#[test]
fn ticks_of_a_lone_voter_change_nothing() {
    let storage = new_disk();
    let mut quorum = open(storage.clone(), 1).unwrap();
    drive(&mut quorum);
    quorum.take_outputs();
    let digest = storage.digest();
    for _ in 0..500 {
        quorum.tick();
        assert!(quorum.ready().is_none());
    }
    assert_eq!((quorum.take_outputs(), storage.digest()), (Vec::new(), digest));
}

#[test]
fn a_folder_of_another_node_or_without_its_write_ahead_log_is_refused() {
    let storage = new_disk();
    let mut quorum = open(storage.clone(), 1).unwrap();
    drive(&mut quorum);
    quorum.close().unwrap();
    let other = Quorum::open(Arc::new(storage.clone()), Path::new("/data"), 5, 1);
    assert!(matches!(other, Err(QuorumError::WrongNode { found: 1, expected: 5, .. })));
    storage.remove_file(&quorum.wal.path).unwrap();
    assert!(matches!(open(storage, 1), Err(QuorumError::Fault(_))));
}

#[test]
fn a_lost_metadata_log_is_refused() {
    let storage = new_disk();
    let mut quorum = open(storage.clone(), 1).unwrap();
    drive(&mut quorum);
    quorum.close().unwrap();
    storage.open(Path::new(LOG)).unwrap().truncate(0).unwrap();
    assert!(matches!(open(storage, 1), Err(QuorumError::Log(_))));
}
