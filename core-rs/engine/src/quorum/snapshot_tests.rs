//! Snapshots of one voter: written, kept, let go of, found again; and what a start does where one is damaged.

use std::io;
use std::path::Path;

use super::checkpoint_file::{self, SnapshotId};
use super::crashing_storage::CrashingStorage;
use super::quorum_tests::{committed, drive, new_disk, open, values};
use super::snapshots::{KnownSnapshot, SnapshotChunk, SnapshotRetention, first_kept};
use super::{Quorum, QuorumOutput};
use crate::storage::{Fault, SimOperation, SimStorage, Storage};

const DIR: &str = "/data/__cluster_metadata-0";
/// Keeps the newest snapshot alone.
pub const NEWEST_ONLY: SnapshotRetention = SnapshotRetention { bytes: 0, ms: -1 };

fn chunk(end_offset: i64, position: i32, done: bool, text: &str) -> SnapshotChunk {
    let id = SnapshotId { end_offset, epoch: 1 };
    SnapshotChunk { id, timestamp: 1000, position, done, values: values(text) }
}

/// Writes a snapshot of `text` up to the present end, in two chunks.
fn snapshot(quorum: &mut Quorum, text: &str) -> i64 {
    let end = quorum.high_watermark();
    let (first, second) = text.split_once(' ').unwrap();
    quorum.write_snapshot(chunk(end, 0, false, first));
    drive(quorum);
    quorum.write_snapshot(chunk(end, 1, true, second));
    drive(quorum);
    end
}

fn written(outputs: &[QuorumOutput]) -> Vec<(i64, i32, Option<&str>)> {
    let one = |output| match output {
        &QuorumOutput::SnapshotWritten { end_offset, position, ref failure } => {
            Some((end_offset, position, failure.as_deref()))
        }
        _ => None,
    };
    outputs.iter().filter_map(one).collect()
}

/// Every value that a start gave, of its snapshot and of the log after it.
pub fn told_values(outputs: &[QuorumOutput]) -> Vec<String> {
    let values = outputs.iter().filter_map(|output| match output {
        QuorumOutput::Snapshot { values, .. } | QuorumOutput::Committed { values, .. } => Some(values),
        _ => None,
    });
    values.flatten().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

fn propose(quorum: &mut Quorum, text: &str) {
    quorum.propose(1, 1000, values(text)).unwrap();
    drive(quorum);
}

fn names(disk: &SimStorage, suffix: &str) -> Vec<String> {
    let entries = disk.list(Path::new(DIR)).unwrap().into_iter().map(|entry| entry.name);
    entries.filter(|name| name.ends_with(suffix)).collect()
}

fn damage(disk: &SimStorage, name: &str) {
    let path = Path::new(DIR).join(name);
    let file = disk.open(&path).unwrap();
    file.write_at(file.len().unwrap() / 2, &[io::IoSlice::new(b"\xff\x00\xff")]).unwrap();
    file.sync().unwrap();
}

/// Two snapshots with a segment between them, and a tail.
fn with_two_snapshots(retention: SnapshotRetention) -> SimStorage {
    let disk = new_disk();
    let mut quorum = open(disk.clone(), 1).unwrap();
    quorum.snapshots.set_min_segment_bytes(1);
    quorum.set_snapshot_retention(retention);
    drive(&mut quorum);
    propose(&mut quorum, "a b");
    snapshot(&mut quorum, "a b");
    propose(&mut quorum, "c");
    snapshot(&mut quorum, "a b c");
    propose(&mut quorum, "d");
    quorum.close().unwrap();
    disk
}

#[test]
fn a_start_begins_with_the_newest_snapshot_and_goes_on_with_the_log() {
    let disk = new_disk();
    let mut quorum = open(disk.clone(), 1).unwrap();
    drive(&mut quorum);
    propose(&mut quorum, "a b c");
    quorum.take_outputs();
    assert_eq!(snapshot(&mut quorum, "a b c"), 4);
    assert_eq!(written(&quorum.take_outputs()), [(4, 0, None), (4, 1, None)]);
    propose(&mut quorum, "d");
    assert_eq!(names(&disk, ".checkpoint"), ["00000000000000000004-0000000001.checkpoint"]);
    disk.crash(3);

    let mut quorum = open(disk, 1).unwrap();
    drive(&mut quorum);
    let outputs = quorum.take_outputs();
    assert_eq!(told_values(&outputs), ["a", "b", "c", "d"]);
    let [QuorumOutput::Snapshot { end_offset: 4, epoch: 1, timestamp: 1000, done: false, .. }, ..] =
        &outputs[..]
    else {
        panic!("{outputs:?}")
    };
    assert_eq!(committed(&outputs), [(4, 1, 1000, -1, "d".to_owned())]);
}

#[test]
fn what_a_newer_snapshot_makes_superfluous_goes_and_the_log_starts_there() {
    let disk = with_two_snapshots(NEWEST_ONLY);
    assert_eq!(names(&disk, ".checkpoint"), ["00000000000000000004-0000000001.checkpoint"]);
    assert_eq!(
        names(&disk, ".log"),
        ["00000000000000000004.log"],
        "segments of what the snapshot holds are gone"
    );
    let mut quorum = open(disk, 2).unwrap();
    drive(&mut quorum);
    assert_eq!(told_values(&quorum.take_outputs()), ["a", "b", "c", "d"]);
    assert_eq!(quorum.high_watermark(), 6, "a new term's leader change follows");
}

#[test]
fn a_damaged_snapshot_is_named_and_an_older_one_or_the_log_used() {
    let disk = with_two_snapshots(SnapshotRetention::default());
    let [older, newer] = &names(&disk, ".checkpoint")[..] else { panic!("two snapshots") };
    let start = |disk: &SimStorage| {
        let mut quorum = open(disk.clone(), 2).unwrap();
        drive(&mut quorum);
        let outputs = quorum.take_outputs();
        let damaged = outputs.iter().filter_map(|output| match output {
            QuorumOutput::SnapshotDamaged { file, .. } => file.file_name()?.to_str().map(str::to_owned),
            _ => None,
        });
        (damaged.collect::<Vec<_>>(), told_values(&outputs))
    };
    damage(&disk, newer);
    assert_eq!(start(&disk), (vec![newer.clone()], values_of("a b c d")));
    damage(&disk, older);
    assert_eq!(start(&disk), (vec![newer.clone(), older.clone()], values_of("a b c d")));
}

fn values_of(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn without_a_readable_snapshot_of_what_was_let_go_of_the_start_stops_with_a_sentence() {
    let disk = with_two_snapshots(NEWEST_ONLY);
    damage(&disk, &names(&disk, ".checkpoint")[0]);
    let error = open(disk, 2).err().unwrap().to_string();
    assert!(error.contains("starts at offset 4, and no snapshot of what was before can be read"), "{error}");
}

#[test]
fn a_half_written_snapshot_is_nothing() {
    let disk = new_disk();
    let mut quorum = open(disk.clone(), 1).unwrap();
    drive(&mut quorum);
    propose(&mut quorum, "a b");
    quorum.write_snapshot(chunk(3, 0, false, "a"));
    drive(&mut quorum);
    assert_eq!(names(&disk, ".part").len(), 1);
    quorum.close().unwrap();
    let mut quorum = open(disk.clone(), 2).unwrap();
    drive(&mut quorum);
    assert_eq!(told_values(&quorum.take_outputs()), ["a", "b"]);
    assert_eq!(names(&disk, ".part").len(), 0);
}

#[test]
fn pieces_that_do_not_fit_are_refused_with_the_reason() {
    let mut quorum = open(new_disk(), 1).unwrap();
    drive(&mut quorum);
    propose(&mut quorum, "a b");
    quorum.take_outputs();
    for (chunk, reason) in [
        (chunk(9, 0, true, "a"), "does not lie between the last snapshot (0) and 3"),
        (chunk(3, 1, true, "a"), "no snapshot is being written"),
    ] {
        quorum.write_snapshot(chunk);
        drive(&mut quorum);
        let outputs = quorum.take_outputs();
        assert!(written(&outputs)[0].2.unwrap().contains(reason), "{outputs:?}");
    }
    quorum.write_snapshot(chunk(3, 0, false, "a"));
    drive(&mut quorum);
    quorum.write_snapshot(chunk(3, 2, false, "a"));
    let outputs = quorum.take_outputs();
    assert_eq!(written(&outputs)[1].2, Some("chunk 2 is not the next of the snapshot"));
    snapshot(&mut quorum, "a b");
    quorum.write_snapshot(chunk(3, 0, true, "a"));
    let outputs = quorum.take_outputs();
    assert!(written(&outputs).last().unwrap().2.unwrap().contains("last snapshot (3)"), "{outputs:?}");
}

#[test]
fn a_snapshot_that_cannot_be_written_costs_nothing_but_itself() {
    let disk = new_disk();
    let mut quorum = open(disk.clone(), 1).unwrap();
    drive(&mut quorum);
    propose(&mut quorum, "a b");
    quorum.take_outputs();
    disk.fail_next(SimOperation::Write, Fault::Error(io::ErrorKind::StorageFull));
    quorum.write_snapshot(chunk(3, 0, true, "a b"));
    drive(&mut quorum);
    let outputs = quorum.take_outputs();
    assert!(matches!(written(&outputs)[..], [(3, 0, Some(_))]), "{outputs:?}");
    assert!(!quorum.is_faulted());
    assert_eq!(names(&disk, ".part").len(), 0, "the room it took is free again");
    snapshot(&mut quorum, "a b");
    assert_eq!(names(&disk, ".checkpoint").len(), 1);
}

#[test]
fn a_file_on_disk_is_a_whole_checkpoint() {
    let disk = with_two_snapshots(SnapshotRetention::default());
    let name = &names(&disk, ".checkpoint")[1];
    let bytes = disk.read_to_vec(&Path::new(DIR).join(name)).unwrap();
    let contents = checkpoint_file::read(&bytes).unwrap();
    assert_eq!(contents.batches, [values("a"), values("b c")]);
}

#[test]
fn snapshots_are_kept_by_size_and_age_and_the_newest_always() {
    let known: Vec<KnownSnapshot> = (1..=4)
        .map(|n| {
            let id = SnapshotId { end_offset: 100 * n, epoch: 1 };
            KnownSnapshot { id, bytes: 10, timestamp: 1000 * n }
        })
        .collect();
    // One byte of log for each offset.
    let kept = |bytes, ms, now_ms| {
        let retention = SnapshotRetention { bytes, ms };
        first_kept(&known, 0, |start| (500 - start) as u64, retention, now_ms)
    };
    assert_eq!(kept(-1, -1, i64::MAX), 0);
    assert_eq!(kept(540, -1, 0), 0, "4 · 10 and 500 bytes of log");
    assert_eq!(kept(539, -1, 0), 1, "3 · 10 and 300");
    assert_eq!(kept(329, -1, 0), 2);
    assert_eq!(kept(0, -1, 0), 3);
    assert_eq!(kept(-1, 500, 1500), 0);
    assert_eq!(kept(-1, 500, 2501), 2);
    assert_eq!(kept(-1, 0, i64::MAX), 3);
    assert_eq!(first_kept(&[], 0, |_| 0, SnapshotRetention::default(), 0), 0);
}

/// What Kafka leaves behind: the log, and none of our folders.
fn without_our_folder(disk: &SimStorage) {
    disk.remove_dir_all(&Path::new(DIR).join("raft")).unwrap();
    disk.sync_dir(Path::new(DIR)).unwrap();
}

#[test]
fn a_log_that_kafka_wrote_is_taken_over_with_its_snapshots_and_goes_on_in_a_later_epoch() {
    for retention in [SnapshotRetention::default(), NEWEST_ONLY] {
        let disk = with_two_snapshots(retention);
        without_our_folder(&disk);
        for (start, seed) in [(1, 2), (2, 3)] {
            let mut quorum = open(disk.clone(), seed).unwrap();
            drive(&mut quorum);
            let outputs = quorum.take_outputs();
            let mut expected = values_of("a b c d");
            expected.extend(std::iter::repeat_n("more".to_owned(), start - 1));
            assert_eq!(told_values(&outputs), expected);
            assert_eq!(quorum.describe().epoch, 1 + start as i32);
            propose(&mut quorum, "more");
            disk.crash(seed);
        }
    }
}

#[test]
fn wherever_the_machine_stops_during_a_takeover_the_next_start_finishes_it() {
    for stop in 0..60 {
        let disk = with_two_snapshots(SnapshotRetention::default());
        without_our_folder(&disk);
        drop(open(CrashingStorage::new(disk.clone(), stop), 2));
        disk.crash(stop as u64);
        let mut quorum = open(disk, 3).unwrap_or_else(|error| panic!("stopped at {stop}: {error}"));
        drive(&mut quorum);
        assert_eq!(told_values(&quorum.take_outputs()), ["a", "b", "c", "d"], "stopped at {stop}");
    }
}

#[test]
fn a_log_of_a_quorum_of_several_voters_is_left_alone() {
    let disk = with_two_snapshots(SnapshotRetention::default());
    without_our_folder(&disk);
    let state = b"{\"clusterId\":\"\",\"leaderId\":2,\"leaderEpoch\":7,\"votedId\":-1,\"appliedOffset\":0,\
        \"currentVoters\":[{\"voterId\":1},{\"voterId\":2}],\"data_version\":0}";
    disk.write_atomic(&Path::new(DIR).join("quorum-state"), state).unwrap();
    let error = open(disk.clone(), 2).err().unwrap().to_string();
    assert!(error.contains("a quorum of the voters 1, 2: only that of node 1 alone"), "{error}");
    assert!(!disk.exists(&Path::new(DIR).join("raft")).unwrap());
    disk.write_atomic(&Path::new(DIR).join("quorum-state"), b"{\"leaderEpoch\":7,\"data_version\":1}")
        .unwrap();
    let mut quorum = open(disk, 2).unwrap();
    drive(&mut quorum);
    assert_eq!(quorum.describe().epoch, 8, "above every epoch that the file knows");
}
