//! Bytes that were on disk before: nothing of them is served unchecked, whatever is flipped in them, and what is whole
//! is served all the same.

use std::collections::BTreeMap;

use super::*;
use crate::log::{CheckedRead, DamagedPlace};
use crate::storage::splitmix::SplitMix;

/// The batches of a log of several segments, by base offset.
fn written(storage: &Arc<dyn Storage>, config: &LogConfig) -> BTreeMap<i64, Vec<u8>> {
    let (mut log, _) = open(storage, config, Opening::CLEAN);
    let mut batches = BTreeMap::new();
    for round in 0..40 {
        let (base, count) = (log.end_offset(), 1 + round % 3);
        batches.insert(base, grow(&mut log, count, 60 + (round as usize * 37) % 200));
    }
    log.close().unwrap();
    batches
}

struct Reader {
    log: Log,
    damages: Vec<DamagedPlace>,
}

impl Reader {
    fn new(storage: &Arc<dyn Storage>, config: &LogConfig) -> Result<Reader, LogError> {
        let opened = Log::open(Arc::clone(storage), &dir(), config.clone(), Opening::CLEAN, NOW);
        opened.map(|(log, _)| Reader { log, damages: Vec::new() })
    }

    fn read(&mut self, offset: i64, max_bytes: u64) -> Result<Vec<u8>, LogError> {
        for _ in 0..4 {
            let end = self.log.end_position();
            let CheckedRead { read, cold, .. } = self.log.read_checked(offset, max_bytes, end, true)?;
            let Some(cold) = cold else { return Ok(read.range.read().unwrap()) };
            assert_eq!(read.range.len, 0, "nothing before it was checked");
            let job = self.log.cold_job(cold)?.expect("what is cold can be checked");
            self.damages.extend(self.log.brought(job.run()?)?);
        }
        panic!("offset {offset} stays cold");
    }

    /// Every batch that comes, one offset after the other, is one that was written; gives those that came.
    fn read_all(&mut self, batches: &BTreeMap<i64, Vec<u8>>, what: &str) -> Vec<i64> {
        let mut came = Vec::new();
        let last = *batches.keys().next_back().unwrap();
        for base in batches.keys() {
            match self.read(*base, 700) {
                Ok(bytes) => {
                    for batch in millrace_record::split_batches(&bytes) {
                        let Ok(batch) = batch else { break };
                        let known = batches.get(&batch.base_offset);
                        assert!(
                            known.is_some_and(|known| same(known, batch.bytes())),
                            "{what}: a wrong batch at offset {} for a read at {base} up to {last}",
                            batch.base_offset
                        );
                        came.push(batch.base_offset);
                    }
                }
                Err(LogError::Corrupt { .. } | LogError::OffsetOutOfRange { .. }) => {}
                Err(error) => panic!("{what}: {error}"),
            }
        }
        came.sort_unstable();
        came.dedup();
        came
    }
}

/// Leader epochs are not covered by any checksum, and no record depends on them.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left[..12] == right[..12] && left[16..] == right[16..]
}

fn flip(storage: &dyn Storage, name: &str, position: u64, bits: u8) {
    let file = storage.open(&dir().join(name)).unwrap();
    let mut byte = [0];
    file.read_at(position, &mut byte).unwrap();
    file.write_at(position, &[std::io::IoSlice::new(&[byte[0] ^ bits])]).unwrap();
}

fn names(storage: &dyn Storage, suffix: &str) -> Vec<(String, u64)> {
    let entries = storage.list(&dir()).unwrap().into_iter();
    entries.filter(|entry| entry.name.ends_with(suffix)).map(|entry| (entry.name, entry.len)).collect()
}

#[test]
fn old_bytes_are_served_once_checked_and_new_ones_at_once() {
    let (_, storage) = sim();
    let config = small_segments(2000);
    let batches = written(&storage, &config);
    let mut reader = Reader::new(&storage, &config).unwrap();
    let end = reader.log.end_position();
    let first = reader.log.read_checked(0, 1000, end, true).unwrap();
    assert_eq!((first.cold, first.read.range.len), (Some(0), 0));
    assert_eq!(reader.read_all(&batches, "nothing flipped").len(), batches.len());
    assert_eq!(reader.damages, []);
    let bytes = grow(&mut reader.log, 1, 10);
    let end = reader.log.end_position();
    let hot = reader.log.read_checked(end.offset - 1, 1000, end, true).unwrap();
    assert_eq!((hot.cold, hot.read.range.read().unwrap()), (None, bytes));
}

/// Larger than the piece of a file that a lookup reads.
const VALUE: usize = 6000;

#[test]
fn bytes_that_left_memory_are_served_once_they_are_back() {
    let (sim, storage) = sim();
    let (log, _) = open(&storage, &small_segments(60_000), Opening::CLEAN);
    let mut reader = Reader { log, damages: Vec::new() };
    let batches: Vec<(i64, Vec<u8>)> =
        (0..60).map(|_| (reader.log.end_offset(), grow(&mut reader.log, 1, VALUE))).collect();
    let end = reader.log.end_position();
    let is_cold = |log: &mut Log, offset: i64| log.read_checked(offset, 1, end, true).unwrap().cold.is_some();
    assert!(!batches.iter().any(|(offset, _)| is_cold(&mut reader.log, *offset)), "this process wrote them");
    sim.evict();
    assert!(is_cold(&mut reader.log, 0));
    assert!(!is_cold(&mut reader.log, 59), "who follows the producers is not asked to wait");
    for (offset, bytes) in &batches {
        assert_eq!(reader.read(*offset, 1).unwrap(), *bytes);
    }
    assert!(!is_cold(&mut reader.log, 0), "back in memory");
    // Where memory keeps nothing, readers get on all the same: what was read for one is given out once.
    for (offset, bytes) in &batches {
        sim.evict();
        let Some(job) = reader.log.cold_job(*offset).unwrap() else { panic!("{offset} cannot be checked") };
        reader.log.brought(job.run().unwrap()).unwrap();
        sim.evict();
        let read = reader.log.read_checked(*offset, 1, end, true).unwrap();
        assert_eq!(read.read.range.read().unwrap(), *bytes);
    }
    sim.evict();
    assert!(is_cold(&mut reader.log, 0));
}

#[test]
fn a_reader_of_what_left_memory_has_the_next_piece_fetched_in_time() {
    let (sim, storage) = sim();
    let (mut log, _) = open(&storage, &small_segments(60_000), Opening::CLEAN);
    (0..60).for_each(|_| drop(grow(&mut log, 1, VALUE)));
    sim.evict();
    let end = log.end_position();
    let mut offset = 0;
    let mut pieces = 0;
    let mut wanted = log.read_checked(0, 100_000, end, true).unwrap().cold;
    while let Some(next) = wanted {
        assert_eq!(next, offset, "no byte is fetched twice, and none is left out");
        let job = log.cold_job(next).unwrap().unwrap();
        log.brought(job.run().unwrap()).unwrap();
        let read = log.read_checked(offset, 100_000, end, true).unwrap();
        let bytes = read.read.range.read().unwrap();
        offset += millrace_record::split_batches(&bytes).count() as i64;
        (wanted, pieces) = (read.ahead, pieces + 1);
    }
    assert!(pieces > 3 && offset >= 60 - 24, "{pieces} pieces, up to {offset}");
    assert_eq!(log.read_checked(offset, 1, end, true).unwrap().cold, None, "the rest was never away");
}

#[test]
fn whatever_is_flipped_in_a_segment_no_wrong_record_is_served_and_the_rest_is() {
    let config = small_segments(2000);
    let mut named = 0;
    for seed in 0..150 {
        let (sim, storage) = sim();
        let batches = written(&storage, &config);
        let mut random = SplitMix::new(seed);
        let logs = names(&*storage, ".log");
        let (name, len) = &logs[random.below(logs.len() as u64) as usize];
        // Headers are what is hard: a third of all bytes hit are in the first one of the file.
        let position = random.below(if seed % 3 == 0 { 61 } else { *len });
        let bits = 1 << random.below(8);
        flip(&*storage, name, position, bits);
        let what = format!("seed {seed}: {name} at {position} ^ {bits}");
        match Reader::new(&storage, &config) {
            Ok(mut reader) => {
                let came = reader.read_all(&batches, &what);
                assert!(came.len() + 3 >= batches.len(), "{what}: only {came:?}");
                assert!(came.len() == batches.len() || !reader.damages.is_empty(), "{what}: not named");
                named += reader.damages.len();
            }
            // The last segment is looked at while opening.
            Err(LogError::Corrupt { path, .. }) => {
                assert!(path.ends_with(name) && *name == logs.last().unwrap().0, "{what}: {path:?}");
                named += 1;
            }
            Err(error) => panic!("{what}: {error}"),
        }
        drop(sim);
    }
    assert!(named > 110, "{named}");
}

#[test]
fn whatever_is_flipped_in_an_index_every_record_is_found_and_the_index_is_mended() {
    let config = small_segments(2000);
    for seed in 0..100 {
        let (_, storage) = sim();
        let batches = written(&storage, &config);
        let mut random = SplitMix::new(seed);
        let kind = if seed % 3 == 0 { ".timeindex" } else { ".index" };
        let indexes = names(&*storage, kind);
        // The last one is built again when it does not fit.
        let (name, len) = &indexes[random.below(indexes.len() as u64 - 1) as usize];
        let (position, bits) = (random.below((*len).max(1)), 1 << random.below(8));
        if *len == 0 {
            continue;
        }
        flip(&*storage, name, position, bits);
        let what = format!("seed {seed}: {name} at {position} ^ {bits}");
        let mut reader = Reader::new(&storage, &config).unwrap();
        assert_eq!(reader.read_all(&batches, &what).len(), batches.len(), "{what}");
        // The scrubber looks at what no reader came upon.
        let mut base = 0;
        while let Some(mut check) = reader.log.scrub_job(base).unwrap() {
            base = check.base() + 1;
            while !check.step(500).unwrap() {}
            reader.damages.extend(reader.log.checked(check.finish().unwrap()).unwrap());
        }
        assert!(reader.damages.iter().all(|damage| damage.offset == -1), "{what}: {:?}", reader.damages);
        let mut base = 0;
        while let Some(mut check) = reader.log.scrub_job(base).unwrap() {
            base = check.base() + 1;
            while !check.step(u64::MAX).unwrap() {}
            assert_eq!(reader.log.checked(check.finish().unwrap()).unwrap(), [], "{what}: mended");
        }
    }
}

#[test]
fn a_record_that_holds_a_batch_is_not_taken_for_one_behind_damage() {
    let (_, storage) = sim();
    let config = small_segments(1 << 20);
    let (mut log, _) = open(&storage, &config, Opening::CLEAN);
    grow(&mut log, 1, 10);
    // A record whose value is a whole batch with the offset that comes next.
    let spec = BatchSpec { base_offset: 1, ..BatchSpec::default() };
    let mut builder = BatchBuilder::new(spec);
    let inner = plain(1, 1, 50);
    builder.append(5, None, Some(&inner), &[]).unwrap();
    let outer = builder.finish().unwrap();
    let position = log.end_position().position;
    append(&mut log, std::slice::from_ref(&outer)).unwrap();
    let last = grow(&mut log, 1, 10);
    log.close().unwrap();
    drop(log);
    // Its length is damaged, so that nothing tells where the next batch is.
    flip(&*storage, "00000000000000000000.log", position + 10, 0x40);
    let (mut log, _) = (Log::open(storage, &dir(), LogConfig::default(), Opening::CLEAN, NOW)).unwrap();
    let end = log.end_position();
    while let Ok(CheckedRead { cold: Some(cold), .. }) = log.read_checked(1, 9999, end, true) {
        let checked = log.cold_job(cold).unwrap().unwrap().run().unwrap();
        assert_eq!(log.brought(checked).unwrap()[0].offset, 1);
    }
    assert!(matches!(log.read_checked(1, 9999, end, true), Err(LogError::Corrupt { .. })));
    assert_eq!(log.read_checked(2, 9999, end, true).unwrap().read.range.read().unwrap(), last);
}
