//! Hostile files: what a disk may hold after anybody wrote into it. Opening answers with an error or with a log that
//! can be read; never with a panic.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use millrace_engine::log::{AppendBatch, Log, LogConfig, Opening, checkpoint, producer_snapshot};
use millrace_engine::quorum::{METADATA_TOPIC, Quorum};
use millrace_engine::storage::{SimStorage, Storage};
use millrace_engine::time::Now;
use millrace_record::{BatchBuilder, BatchHeader, BatchSpec, BatchView};

const NOW: Now = Now { monotonic_ms: 0, wall_ms: 1_700_000_000_000 };
const DIR: &str = "/data/t-0";
/// What a patch may go to, by the input's first byte.
const FILES: [&str; 9] = [
    "00000000000000000000.log",
    "00000000000000000000.index",
    "00000000000000000000.timeindex",
    "00000000000000000000.txnindex",
    "00000000000000000004.snapshot",
    "00000000000000000004.log",
    "00000000000000000004.index",
    "00000000000000000004.timeindex",
    "leader-epoch-checkpoint",
];

fn replace(storage: &dyn Storage, path: &Path, contents: &[u8]) {
    if storage.exists(path).expect("a simulated disk") {
        storage.remove_file(path).expect("a simulated disk");
    }
    let file = storage.create(path).expect("a simulated disk");
    file.write_at(0, &[IoSlice::new(contents)]).expect("a simulated disk");
}

/// A log of two segments in which the file that the first byte names is changed: the second byte says how, and how the
/// log was left behind.
pub fn log_files(input: &[u8]) {
    let [which, how, contents @ ..] = input else { return };
    let disk = SimStorage::new();
    disk.create_dir_all(Path::new("/data")).expect("a simulated disk");
    write_log(&disk);
    let path = PathBuf::from(DIR).join(FILES[usize::from(*which) % FILES.len()]);
    let mut bytes = disk.read_to_vec(&path).unwrap_or_default();
    match how % 4 {
        0 => bytes = contents.to_vec(),
        1 => bytes.extend_from_slice(contents),
        _ => patch(&mut bytes, contents),
    }
    replace(&disk, &path, &bytes);
    let opening = match how / 4 % 3 {
        0 => Opening::CLEAN,
        1 => Opening::unclean(i64::from(how / 12)),
        _ => Opening::killed(i64::from(how / 12)),
    };
    read_log(&disk, opening);
}

/// Two bytes of position, one of length, and that many bytes; again and again.
fn patch(bytes: &mut [u8], mut patches: &[u8]) {
    while let [high, low, len, rest @ ..] = patches {
        let at = usize::from(u16::from_be_bytes([*high, *low]));
        let (new, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        for (old, new) in bytes.iter_mut().skip(at).zip(new) {
            *old = *new;
        }
        patches = rest;
    }
}

fn config() -> LogConfig {
    LogConfig { segment_bytes: 400, index_interval_bytes: 0, ..LogConfig::default() }
}

fn write_log(disk: &SimStorage) {
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    let (mut log, _) = Log::open(storage, Path::new(DIR), config(), Opening::CLEAN, NOW).expect("a new log");
    for base_offset in (0..12).step_by(2) {
        append(&mut log, base_offset);
    }
    log.close().expect("a clean stop");
}

fn append(log: &mut Log, base_offset: i64) {
    let spec = BatchSpec {
        base_offset,
        partition_leader_epoch: 3,
        producer_id: 9,
        producer_epoch: 0,
        base_sequence: base_offset as i32,
        ..BatchSpec::default()
    };
    let mut builder = BatchBuilder::new(spec);
    for delta in 0..2 {
        let value = [base_offset as u8; 30];
        builder.append(1_700_000_000_000 + base_offset + delta, None, Some(&value), &[]).expect("small");
    }
    let bytes = builder.finish().expect("small");
    let header = BatchHeader::parse(&bytes).expect("its own batch");
    let batch =
        AppendBatch { bytes: &bytes, last_offset: header.last_offset(), max_timestamp: header.max_timestamp };
    log.append(&[batch], NOW).expect("a simulated disk takes it");
}

/// Opens the log, reads all of it by every way in, and appends to it.
fn read_log(disk: &SimStorage, opening: Opening) {
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    let Ok((mut log, _)) = Log::open(storage, Path::new(DIR), config(), opening, NOW) else { return };
    let (start, end) = (log.start_offset(), log.end_offset());
    assert!(start <= end, "a log does not end before it begins");
    for offset in (start..=end).take(40) {
        for max_bytes in [0, 100, 10_000] {
            let Ok(read) = log.read(offset, max_bytes, log.end_position(), true) else { continue };
            let Ok(bytes) = read.range.read() else { continue };
            if let Ok(view) = BatchView::parse(&bytes) {
                assert!(view.last_offset() >= offset, "the batch that holds the offset, or a later one");
            }
        }
        let _ = log.position_of(offset);
        let _ = log.offset_for_timestamp(1_700_000_000_000 + offset, end);
    }
    let _ = log.max_timestamp();
    if let Ok(mut batches) = log.replay_from(start) {
        for _ in 0..100 {
            if !matches!(batches.next(), Some(Ok(_))) {
                break;
            }
        }
    }
    if end < 1 << 40 && !log.is_offline() {
        append(&mut log, end);
        assert_eq!(log.end_offset(), end + 2);
    }
    let _ = log.close();
}

/// What decodes encodes to the same bytes.
pub fn producer_snapshot(input: &[u8]) {
    if let Ok(entries) = producer_snapshot::decode(input) {
        let again = producer_snapshot::decode(&producer_snapshot::encode(&entries));
        assert_eq!(again.expect("its own snapshot"), entries);
    }
}

/// Checkpoints of offsets and of leader epochs.
pub fn checkpoint(input: &[u8]) {
    let disk = SimStorage::new();
    let path = Path::new("/data/checkpoint");
    disk.create_dir_all(Path::new("/data")).expect("a simulated disk");
    replace(&disk, path, input);
    if let Ok(entries) = checkpoint::read_offsets(&disk, path) {
        checkpoint::write_offsets(&disk, path, &entries).expect("a simulated disk");
        assert_eq!(checkpoint::read_offsets(&disk, path).expect("its own file").len(), entries.len());
    }
    replace(&disk, path, input);
    let _ = checkpoint::read_epochs(&disk, path);
}

fn metadata_folder() -> PathBuf {
    Path::new("/data").join(format!("{METADATA_TOPIC}-0"))
}

fn run_quorum(disk: &SimStorage, proposals: i64) -> bool {
    let Ok(mut quorum) = Quorum::open(Arc::new(disk.clone()), Path::new("/data"), 1, 7) else { return false };
    for id in 0..=proposals {
        while let Some(job) = quorum.ready() {
            let result = job.run();
            quorum.persisted(job, result);
        }
        let _ = quorum.take_outputs();
        let _ = quorum.propose(id, NOW.wall_ms, vec![vec![id as u8; 20]]);
    }
    quorum.close().is_ok()
}

/// The write-ahead log of the quorum, patched or replaced.
pub fn wal(input: &[u8]) {
    let [how, contents @ ..] = input else { return };
    let disk = SimStorage::new();
    disk.create_dir_all(Path::new("/data")).expect("a simulated disk");
    assert!(run_quorum(&disk, 4), "a new quorum");
    let path = metadata_folder().join("raft").join("wal");
    let mut bytes = disk.read_to_vec(&path).expect("the file of a quorum");
    match how % 3 {
        0 => bytes = contents.to_vec(),
        1 => bytes.extend_from_slice(contents),
        _ => patch(&mut bytes, contents),
    }
    replace(&disk, &path, &bytes);
    run_quorum(&disk, 2);
}

/// A snapshot of the metadata that somebody put beside the log.
pub fn metadata_snapshot(input: &[u8]) {
    let disk = SimStorage::new();
    disk.create_dir_all(Path::new("/data")).expect("a simulated disk");
    assert!(run_quorum(&disk, 4), "a new quorum");
    replace(&disk, &metadata_folder().join("00000000000000000003-0000000001.checkpoint"), input);
    run_quorum(&disk, 2);
}
