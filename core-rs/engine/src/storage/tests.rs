//! Both disks keep the same promises to whoever writes; the simulated one also loses what it may.

use std::io::{ErrorKind, IoSlice};
use std::path::{Path, PathBuf};

use super::*;

fn on_both(name: &str, test: impl Fn(&dyn Storage, &Path)) {
    let sim = SimStorage::new();
    test(&sim, Path::new("/"));
    let dir = std::env::temp_dir().join(format!("millrace-storage-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    test(&FileStorage::new(), &dir);
    std::fs::remove_dir_all(&dir).unwrap();
}

fn write(file: &dyn StorageFile, offset: u64, bytes: &[u8]) {
    file.write_at(offset, &[IoSlice::new(bytes)]).unwrap();
}

#[test]
fn files_write_and_read_at_positions() {
    on_both("positions", |storage, dir| {
        let path = dir.join("file");
        assert_eq!(storage.open(&path).unwrap_err().kind(), ErrorKind::NotFound);
        let file = storage.create(&path).unwrap();
        assert_eq!(storage.create(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        // More slices than one system call takes, some of them empty.
        let pieces: Vec<Vec<u8>> = (0..3000usize).map(|i| vec![i as u8; i % 5]).collect();
        let slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        file.write_at(3, &slices).unwrap();
        let whole = [vec![0; 3], pieces.concat()].concat();
        assert_eq!(file.len().unwrap(), whole.len() as u64);
        assert_eq!(storage.read_to_vec(&path).unwrap(), whole);
        let mut tail = [0; 10];
        assert_eq!(file.read_at(whole.len() as u64 - 4, &mut tail).unwrap(), 4, "short only at the end");
        assert_eq!(file.read_at(whole.len() as u64 + 4, &mut tail).unwrap(), 0);
        file.truncate(5).unwrap();
        assert_eq!(storage.open_shared(&path).unwrap().len().unwrap(), 5);
        file.sync().unwrap();
    });
}

#[test]
fn a_file_is_read_whole_whatever_its_length() {
    on_both("lengths", |storage, dir| {
        for len in [0, 1, 4095, 4096, 4097, 8192, 100_000] {
            let path = dir.join(format!("{len}"));
            let contents: Vec<u8> = (0..len).map(|at: u32| (at % 251) as u8).collect();
            write(&*storage.create(&path).unwrap(), 0, &contents);
            assert_eq!(storage.read_to_vec(&path).unwrap(), contents, "{len} bytes");
        }
    });
}

#[test]
fn bytes_that_left_memory_are_told_from_those_in_it() {
    const LEN: u64 = 3 << 20;
    on_both("resident", |storage, dir| {
        let file = storage.create(&dir.join("file")).unwrap();
        let byte = |at: u64| (at / 100) as u8;
        write(&*file, 0, &(0..LEN).map(byte).collect::<Vec<u8>>());
        file.sync().unwrap();
        assert_eq!((file.resident(0, LEN), file.resident(5000, 3), file.resident(7, 0)), (LEN, 3, 0));
        let Some(fd) = file.fd() else { return };
        // From the middle of a page on, which stays, as does a larger page; a file system in memory lets go of nothing.
        let kept = 1_234_567;
        rustix::fs::fadvise(fd, kept, None, rustix::fs::Advice::DontNeed).unwrap();
        let resident = file.resident(0, LEN);
        assert!(resident >= kept, "{resident}");
        if resident < LEN {
            assert_eq!(file.resident(100, resident), resident - 100, "up to where it is gone");
            assert_eq!(file.resident(LEN - 5000, 5000), 0);
        }
        file.bring(kept, LEN).unwrap();
        assert_eq!(file.resident(0, LEN), LEN, "and what is behind the end is waited for by nobody");
        let mut bytes = vec![0; LEN as usize];
        assert_eq!(file.read_at(0, &mut bytes).unwrap(), LEN as usize);
        assert!(bytes.iter().zip(0..).all(|(got, at)| *got == byte(at)));
    });
}

#[test]
fn names_can_be_listed_changed_and_removed() {
    on_both("names", |storage, dir| {
        storage.create_dir_all(&dir.join("a/b")).unwrap();
        storage.write_atomic(&dir.join("z"), b"one").unwrap();
        storage.write_atomic(&dir.join("z"), b"other").unwrap();
        let entry = |name: &str, is_dir, len| DirEntry { name: name.into(), is_dir, len };
        assert_eq!(storage.list(dir).unwrap(), [entry("a", true, 0), entry("z", false, 5)]);
        assert_eq!(storage.names(dir).unwrap(), ["a", "z"]);
        let held = storage.open_shared(&dir.join("z")).unwrap();
        storage.rename(&dir.join("z"), &dir.join("a/y")).unwrap();
        assert_eq!(storage.open_shared(&dir.join("z")).unwrap_err().kind(), ErrorKind::NotFound);
        storage.rename(&dir.join("a"), &dir.join("c")).unwrap();
        assert_eq!(storage.read_to_vec(&dir.join("c/y")).unwrap(), b"other");
        assert_eq!(storage.open_shared(&dir.join("c/y")).unwrap().len().unwrap(), 5);
        storage.remove_dir_all(&dir.join("c")).unwrap();
        assert!(!storage.exists(&dir.join("c/y")).unwrap());
        assert!(!storage.exists(&dir.join("c")).unwrap());
        assert_eq!(storage.list(&dir.join("c")).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(storage.names(&dir.join("c")).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(held.len().unwrap(), 5, "an open handle keeps the contents");
        storage.sync_dir(dir).unwrap();
    });
}

#[test]
fn shared_handles_are_bounded_and_follow_names() {
    let dir = std::env::temp_dir().join(format!("millrace-storage-{}-shared", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let storage = FileStorage::with_shared_limit(4);
    let paths: Vec<PathBuf> = (0..10).map(|i| dir.join(format!("{i}"))).collect();
    for (index, path) in paths.iter().enumerate() {
        write(&*storage.create(path).unwrap(), 0, &[index as u8]);
    }
    for path in paths.iter().chain(&paths) {
        storage.open_shared(path).unwrap();
        assert!(storage.shared_open() <= 4);
    }
    let again = storage.open_shared(&paths[9]).unwrap();
    assert!(Arc::ptr_eq(&again, &storage.open_shared(&paths[9]).unwrap()));
    // What was used least recently goes first.
    paths.iter().take(3).for_each(|path| drop(storage.open_shared(path).unwrap()));
    let used = storage.open_shared(&paths[9]).unwrap();
    assert!(Arc::ptr_eq(&again, &used));
    paths.iter().skip(3).take(3).for_each(|path| drop(storage.open_shared(path).unwrap()));
    assert!(Arc::ptr_eq(&again, &storage.open_shared(&paths[9]).unwrap()));
    assert_eq!(storage.shared_open(), 4);
    storage.rename(&paths[0], &paths[9]).unwrap();
    let mut byte = [9];
    storage.open_shared(&paths[9]).unwrap().read_at(0, &mut byte).unwrap();
    assert_eq!(byte, [0], "the name means the other file now");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_crash_keeps_what_was_synced_and_nothing_else_for_sure() {
    let path = Path::new("/file");
    let (mut lost, mut kept, mut torn) = (0, 0, 0);
    for seed in 0..300 {
        let sim = SimStorage::new();
        let file = sim.create(path).unwrap();
        write(&*file, 0, &[1; 600]);
        file.sync().unwrap();
        sim.sync_dir(Path::new("/")).unwrap();
        write(&*file, 600, &[2; 5000]);
        sim.crash(seed);
        assert!(file.read_at(0, &mut [0]).is_err(), "handles die with the process");
        let contents = sim.read_to_vec(path).unwrap();
        assert_eq!(contents[..600], [1; 600]);
        match contents.len() {
            600 => lost += 1,
            5600 if contents[600..].iter().all(|byte| *byte == 2) => kept += 1,
            _ => torn += 1,
        }
    }
    assert!(lost > 30 && kept > 30 && torn > 30, "{lost} lost, {kept} kept, {torn} torn");
}

#[test]
fn a_crash_may_take_names_that_were_not_synced() {
    let (mut gone, mut there) = (0, 0);
    for seed in 0..100 {
        let sim = SimStorage::new();
        sim.create_dir_all(Path::new("/a")).unwrap();
        sim.sync_dir(Path::new("/")).unwrap();
        sim.create(Path::new("/a/old")).unwrap().sync().unwrap();
        sim.sync_dir(Path::new("/a")).unwrap();
        sim.create(Path::new("/a/new")).unwrap().sync().unwrap();
        sim.rename(Path::new("/a/old"), Path::new("/a/renamed")).unwrap();
        sim.crash(seed);
        let names: Vec<String> =
            sim.list(Path::new("/a")).unwrap().into_iter().map(|entry| entry.name).collect();
        match names.join(" ").as_str() {
            "old" => gone += 1,
            "new old" | "new renamed" => there += 1,
            other => panic!("{other}"),
        }
    }
    assert!(gone > 10 && there > 10);
}

#[test]
fn a_write_that_failed_to_sync_is_not_made_durable_by_the_next_sync() {
    let sim = SimStorage::new();
    let file = sim.create(Path::new("/file")).unwrap();
    sim.sync_dir(Path::new("/")).unwrap();
    write(&*file, 0, b"lost");
    sim.fail_next(SimOperation::Sync, Fault::Error(ErrorKind::Other));
    assert!(file.sync().is_err());
    file.sync().unwrap();
    assert_eq!(sim.read_to_vec(Path::new("/file")).unwrap(), b"lost");
    sim.crash(0);
    assert_eq!(sim.read_to_vec(Path::new("/file")).unwrap(), b"");
}

#[test]
fn the_same_calls_and_seed_give_the_same_disk() {
    let run = |seed| {
        let sim = SimStorage::new();
        for index in 0..20u64 {
            let file = sim.create(&PathBuf::from(format!("/{index}"))).unwrap();
            write(&*file, index, &[index as u8; 2000]);
            if index % 3 == 0 {
                file.sync().unwrap();
                sim.sync_dir(Path::new("/")).unwrap();
            }
        }
        let before = sim.digest();
        sim.clone().crash(seed);
        (before, sim.digest())
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5).1, run(6).1);
    assert_ne!(run(5).0, run(5).1);
}

#[test]
fn a_fork_is_the_disk_of_an_earlier_call_and_goes_its_own_way() {
    let sim = SimStorage::new();
    sim.record();
    let mut digests = vec![sim.digest()];
    let file = sim.create(Path::new("/file")).unwrap();
    digests.push(sim.digest());
    for index in 0..10u8 {
        write(&*file, u64::from(index) * 700, &[index; 700]);
        digests.push(sim.digest());
        if index == 5 {
            file.sync().unwrap();
            sim.sync_dir(Path::new("/")).unwrap();
            digests.extend([sim.digest(), sim.digest()]);
        }
    }
    sim.create_dir_all(Path::new("/a/b")).unwrap();
    sim.create(Path::new("/a/b/c")).unwrap();
    sim.remove_dir_all(Path::new("/a")).unwrap();
    assert_eq!(sim.calls(), digests.len() - 1 + 3 + 3, "a directory is removed name by name");
    for (calls, digest) in digests.iter().enumerate().rev() {
        assert_eq!(sim.fork(calls, None).unwrap().digest(), *digest, "after {calls} calls");
    }
    assert!(sim.fork(sim.calls() + 1, None).is_err());
    let fork = sim.fork(8, None).unwrap();
    fork.crash(1);
    fork.remove_file(Path::new("/file")).unwrap_or_default();
    assert_eq!(sim.fork(8, None).unwrap().digest(), digests[8]);
    assert_eq!(sim.describe_call(2).unwrap(), "write file 1 at 700, 700 bytes (/file)");
    let amid = |seed| sim.fork(2, Some(seed)).unwrap().read_to_vec(Path::new("/file")).unwrap().len();
    let lengths: Vec<usize> = (0..50).map(amid).collect();
    assert!(lengths.iter().all(|len| (700..1400).contains(len)), "{lengths:?}");
    assert!(lengths.iter().any(|len| *len != lengths[0]));
}

#[test]
fn a_process_does_not_reach_the_disk_after_its_end() {
    let sim = SimStorage::new();
    let process = sim.mount(None);
    let file = process.create(Path::new("/file")).unwrap();
    sim.restart();
    assert!(file.write_at(0, &[IoSlice::new(b"late")]).is_err());
    assert!(process.create(Path::new("/late")).is_err() && process.list(Path::new("/")).is_err());
    assert_eq!(sim.mount(None).read_to_vec(Path::new("/file")).unwrap(), b"");
}
