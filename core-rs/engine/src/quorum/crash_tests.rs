//! A voter whose machine stops at every operation of a script: what was told as committed stays, byte for byte.

use super::crashing_storage::CrashingStorage;
use super::quorum_tests::{committed, drive, log_bytes, new_disk, open, values};
use super::snapshot_tests::told_values;
use super::{Quorum, QuorumOutput, SnapshotChunk, SnapshotId, SnapshotRetention};
use crate::storage::SimStorage;

/// Far more operations than the script needs.
const ENDLESS: i64 = 1 << 40;

/// What a start told, and the log's bytes when it told the last of it.
#[derive(Default)]
struct Told {
    records: Vec<(i64, i32, i64, i64, String)>,
    log: Vec<u8>,
}

impl Told {
    fn take(&mut self, disk: &SimStorage, quorum: &mut Quorum) {
        let mut records = committed(&quorum.take_outputs());
        if records.is_empty() {
            return;
        }
        for record in &mut records {
            record.3 = -1;
        }
        self.records.extend(records);
        self.log = log_bytes(disk);
    }
}

/// One start: proposals in bursts, compaction in between, a clean close. Ends early where the disk goes away.
fn script(disk: &SimStorage, storage: CrashingStorage, seed: u64) -> Told {
    let mut told = Told::default();
    let Ok(mut quorum) = open(storage, seed) else { return told };
    (quorum.compact_bytes, quorum.compact_at) = (700, 700);
    drive(&mut quorum);
    told.take(disk, &mut quorum);
    for id in 0..8i64 {
        for burst in 0..=(id % 3) {
            let text = format!("start-{seed}-{id}-{burst} second");
            if quorum.propose(10 * id + burst, 1000 + id, values(&text)).is_err() {
                return told;
            }
        }
        drive(&mut quorum);
        told.take(disk, &mut quorum);
    }
    let _ = quorum.close();
    told
}

/// A start that finds everything told before, at the same offsets and with the same bytes.
fn check(disk: &SimStorage, told: &Told, seed: u64, what: &str) {
    let mut quorum = open(disk.clone(), seed).unwrap_or_else(|error| panic!("{what}: {error}"));
    drive(&mut quorum);
    let mut found = Told::default();
    found.take(disk, &mut quorum);
    assert!(!quorum.is_faulted(), "{what}: faulted");
    assert!(found.records.len() >= told.records.len(), "{what}: records are lost");
    assert_eq!(found.records[..told.records.len()], told.records, "{what}");
    assert_eq!(found.log.get(..told.log.len()), Some(&told.log[..]), "{what}: other bytes");
    quorum.propose(1, 1, values("alive")).unwrap();
    drive(&mut quorum);
    assert_eq!(committed(&quorum.take_outputs()).len(), 1, "{what}: it takes no more");
}

fn operations() -> i64 {
    let disk = new_disk();
    let storage = CrashingStorage::new(disk.clone(), ENDLESS);
    script(&disk, storage.clone(), 0);
    storage.served(ENDLESS)
}

#[test]
fn nothing_told_is_lost_wherever_the_machine_stops() {
    let operations = operations();
    let mut lost_some = 0;
    for seed in 0..300u64 {
        let stop = seed as i64 % (operations + 1);
        let disk = new_disk();
        let told = script(&disk, CrashingStorage::new(disk.clone(), stop), seed);
        disk.crash(seed);
        lost_some += usize::from(told.records.len() < 15);
        check(&disk, &told, seed + 1, &format!("seed {seed}, stopped at operation {stop}"));
    }
    assert!(lost_some > 100, "the crashes come too late to mean anything: {lost_some}");
}

#[test]
fn a_second_crash_during_recovery_loses_nothing_either() {
    let operations = operations();
    for seed in 0..300u64 {
        let disk = new_disk();
        let first = operations / 4 + (seed as i64 * 7) % (operations * 3 / 4);
        let told = script(&disk, CrashingStorage::new(disk.clone(), first), seed);
        disk.crash(seed);
        let second = seed as i64 % 40;
        let again = script(&disk, CrashingStorage::new(disk.clone(), second), seed + 1000);
        disk.crash(seed + 1);
        let what = format!("seed {seed}, stopped at operations {first} and {second}");
        let newest = if again.records.len() > told.records.len() { again } else { told };
        check(&disk, &newest, seed + 2, &what);
    }
}

/// One start with snapshots of all that was told, after some bursts and with retention that keeps little. The values that
/// were told, in order.
fn snapshot_script(storage: CrashingStorage, seed: u64, told: &mut Vec<String>) {
    let Ok(mut quorum) = open(storage, seed) else { return };
    (quorum.compact_bytes, quorum.compact_at) = (700, 700);
    quorum.snapshots.set_min_segment_bytes(100);
    quorum.set_snapshot_retention(SnapshotRetention { bytes: 600, ms: -1 });
    drive(&mut quorum);
    let found = told_values(&quorum.take_outputs());
    if found.len() >= told.len() {
        *told = found;
    }
    for id in 0..8i64 {
        if quorum.propose(id, 1000 + id, values(&format!("s{seed}-{id} second"))).is_err() {
            return;
        }
        drive(&mut quorum);
        told.extend(told_values(&quorum.take_outputs()));
        if id % 2 == 1 && !quorum.is_faulted() {
            let snapshot = SnapshotId { end_offset: quorum.high_watermark(), epoch: 1 };
            let all: Vec<Vec<u8>> = told.iter().map(|text| text.clone().into_bytes()).collect();
            for (position, values) in [(0, &all[..1]), (1, &all[1..])] {
                let (values, done) = (values.to_vec(), position == 1);
                let chunk = SnapshotChunk { id: snapshot, timestamp: 1000 + id, position, done, values };
                quorum.write_snapshot(chunk);
                drive(&mut quorum);
            }
        }
    }
    let _ = quorum.close();
}

#[test]
fn a_snapshot_or_the_log_is_whole_wherever_the_machine_stops() {
    let operations = {
        let storage = CrashingStorage::new(new_disk(), ENDLESS);
        snapshot_script(storage.clone(), 0, &mut Vec::new());
        storage.served(ENDLESS)
    };
    let mut trimmed = 0;
    for seed in 0..2 * operations as u64 {
        let disk = new_disk();
        let mut told = Vec::new();
        // The second run ends somewhere too: snapshots of an earlier start, and a stop while they are let go of.
        let stop = seed as i64 / 2;
        snapshot_script(CrashingStorage::new(disk.clone(), stop), seed, &mut told);
        disk.crash(seed);
        if seed % 2 == 1 {
            snapshot_script(CrashingStorage::new(disk.clone(), (stop * 7) % operations), seed + 1, &mut told);
            disk.crash(seed + 1);
        }
        let what = format!("seed {seed}, stopped at operation {stop} of {operations}");
        let mut quorum = open(disk.clone(), seed + 2).unwrap_or_else(|error| panic!("{what}: {error}"));
        drive(&mut quorum);
        let outputs = quorum.take_outputs();
        let damaged = outputs.iter().any(|output| matches!(output, QuorumOutput::SnapshotDamaged { .. }));
        assert!(!damaged && !quorum.is_faulted(), "{what}: {outputs:?}");
        let found = told_values(&outputs);
        assert_eq!(found.get(..told.len()), Some(&told[..]), "{what}");
        quorum.propose(1, 1, values("alive")).unwrap();
        drive(&mut quorum);
        assert_eq!(committed(&quorum.take_outputs()).len(), 1, "{what}: it takes no more");
        trimmed += usize::from(quorum.log.start_offset() > 0);
    }
    assert!(trimmed > 50, "the log is hardly ever let go of: {trimmed}");
}

#[test]
fn the_same_seed_gives_the_same_disk() {
    for seed in 0..20u64 {
        let run = || {
            let disk = new_disk();
            let told = script(&disk, CrashingStorage::new(disk.clone(), 30 + seed as i64), seed);
            disk.crash(seed);
            script(&disk, CrashingStorage::new(disk.clone(), ENDLESS), seed + 1);
            (told.records, disk.digest())
        };
        assert_eq!(run(), run(), "seed {seed}");
    }
}
