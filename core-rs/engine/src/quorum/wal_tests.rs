//! The write-ahead log: what comes back after a clean end, a torn end and damage.

use std::io::IoSlice;
use std::path::Path;

use raft::eraftpb::{ConfState, Entry, EntryType, HardState};

use super::outputs::QuorumError;
use super::raft_storage::{EntryId, TailStorage};
use super::wal::{Base, Frame, Recovered, Wal, image};
use crate::storage::{SimStorage, Storage};

const PATH: &str = "/wal";

fn entry(index: u64, term: u64) -> Entry {
    Entry { index, term, data: vec![index as u8; 1500].into(), ..Entry::default() }
}

fn states() -> (ConfState, HardState) {
    let conf =
        ConfState { voters: vec![1, 2, 3], learners: vec![9], auto_leave: true, ..ConfState::default() };
    (conf, HardState { term: 7, vote: 2, commit: 11, ..HardState::default() })
}

fn base() -> Base {
    let id = EntryId { index: 10, term: 6 };
    Base { truncated: id, applied: id, end_offset: 123, start_offset: 45 }
}

/// A file whose tail starts after entry 10.
fn start(storage: &SimStorage) -> Wal {
    let (conf, hard) = states();
    let mut tail = TailStorage::new(conf);
    tail.set_hard_state(hard);
    tail.reset(base().truncated);
    Wal::replace(storage, Path::new(PATH), &image(&base(), &tail)).unwrap()
}

fn write(wal: &mut Wal, entries: &[Entry], sync: bool) {
    let mut frame = Frame::default();
    for entry in entries {
        frame.entry(entry);
    }
    let bytes = frame.take();
    wal.file.write_at(wal.len, &[IoSlice::new(&bytes)]).unwrap();
    wal.len += bytes.len() as u64;
    if sync {
        wal.file.sync().unwrap();
    }
}

fn recover(storage: &SimStorage) -> Result<Recovered, QuorumError> {
    Wal::recover(storage, Path::new(PATH))
}

#[test]
fn everything_written_comes_back() {
    let storage = SimStorage::new();
    let mut wal = start(&storage);
    let conf_change =
        Entry { entry_type: EntryType::EntryConfChangeV2, context: vec![1, 2].into(), ..entry(12, 7) };
    write(&mut wal, &[entry(11, 7), conf_change.clone()], true);
    let found = recover(&storage).unwrap();
    assert_eq!((found.base, found.wal.len), (base(), wal.len));
    assert_eq!((found.tail.conf_state().clone(), found.tail.hard_state().clone()), states());
    assert_eq!(found.tail.after(10), [entry(11, 7), conf_change]);
}

#[test]
fn an_entry_written_again_replaces_what_followed() {
    let storage = SimStorage::new();
    let mut wal = start(&storage);
    write(&mut wal, &[entry(11, 7), entry(12, 7), entry(13, 7)], true);
    write(&mut wal, &[entry(12, 8)], true);
    assert_eq!(recover(&storage).unwrap().tail.after(10), [entry(11, 7), entry(12, 8)]);
}

#[test]
fn a_torn_last_frame_is_cut_off_at_every_length() {
    let storage = SimStorage::new();
    let mut wal = start(&storage);
    write(&mut wal, &[entry(11, 7)], true);
    let whole = wal.len;
    write(&mut wal, &[entry(12, 7)], true);
    let bytes = storage.read_to_vec(Path::new(PATH)).unwrap();
    for cut in whole as usize..bytes.len() {
        let storage = SimStorage::new();
        storage.write_atomic(Path::new(PATH), &bytes[..cut]).unwrap();
        let mut found = recover(&storage).unwrap();
        assert_eq!((found.tail.last(), found.wal.len), (11, whole), "cut at {cut}");
        assert_eq!(found.wal.file.len().unwrap(), whole, "cut at {cut}");
        // What was cut must not come back under the next frame.
        write(&mut found.wal, &[entry(12, 8)], true);
        storage.crash(cut as u64);
        assert_eq!(recover(&storage).unwrap().tail.after(11), [entry(12, 8)], "cut at {cut}");
    }
}

#[test]
fn an_unsynced_frame_survives_a_crash_whole_or_not_at_all() {
    let mut seen = [0, 0];
    for seed in 0..300 {
        let storage = SimStorage::new();
        let mut wal = start(&storage);
        write(&mut wal, &[entry(11, 7), entry(12, 7)], true);
        write(&mut wal, &[entry(13, 7), entry(14, 7)], false);
        storage.crash(seed);
        let last = recover(&storage).unwrap().tail.last();
        assert!(last == 12 || last == 14, "seed {seed}: ends at {last}");
        seen[usize::from(last == 14)] += 1;
    }
    assert!(seen[0] > 0 && seen[1] > 0, "both happen: {seen:?}");
}

#[test]
fn damage_in_what_was_synced_is_an_error_with_its_place() {
    let storage = SimStorage::new();
    let mut wal = start(&storage);
    let second = wal.len;
    write(&mut wal, &[entry(11, 7)], true);
    write(&mut wal, &[entry(12, 7)], true);
    let bytes = storage.read_to_vec(Path::new(PATH)).unwrap();
    for (place, position) in [(0, 0), (20, 8), (second as usize + 100, second)] {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        storage.write_atomic(Path::new(PATH), &damaged).unwrap();
        match recover(&storage) {
            Err(QuorumError::Corrupt { position: found, .. }) => assert_eq!(found, position),
            other => panic!("damage at byte {place} gave {other:?}"),
        }
    }
}

#[test]
fn what_a_dead_process_left_unsynced_is_durable_once_it_was_recovered() {
    for seed in 0..100 {
        let storage = SimStorage::new();
        let mut wal = start(&storage);
        let old = storage.read_to_vec(Path::new(PATH)).unwrap();
        // A replacement that got as far as the rename, and a frame that got as far as the write.
        let renamed = Path::new("/wal.tmp");
        let file = storage.create(renamed).unwrap();
        file.write_at(0, &[IoSlice::new(&old)]).unwrap();
        file.sync().unwrap();
        storage.rename(renamed, Path::new(PATH)).unwrap();
        wal.file = storage.open(Path::new(PATH)).unwrap();
        write(&mut wal, &[entry(11, 7)], false);
        storage.restart();
        let mut found = recover(&storage).unwrap();
        assert_eq!(found.tail.last(), 11);
        if seed % 2 == 0 {
            storage.crash(seed);
            assert_eq!(recover(&storage).unwrap().tail.last(), 11, "seed {seed}: it was given back");
        } else {
            write(&mut found.wal, &[entry(12, 7)], true);
            storage.crash(seed);
            assert_eq!(recover(&storage).unwrap().tail.last(), 12, "seed {seed}: it was synced");
        }
    }
}
