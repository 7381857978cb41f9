//! Crashes by seed: whatever a completed sync covered comes back byte for byte, and the log goes on from there.

use crate::storage::splitmix::SplitMix;
use crate::storage::{Fault, SimOperation};

use super::*;

struct World {
    sim: SimStorage,
    storage: Arc<dyn Storage>,
    config: LogConfig,
    random: SplitMix,
    /// First offset, last offset and bytes of every batch handed to the log and not truncated, acked or not.
    batches: Vec<(i64, i64, Vec<u8>)>,
    start: i64,
    /// Everything below it was covered by a completed sync.
    durable: i64,
    /// Everything below it was appended, and the call returned.
    returned: i64,
    /// A sync was made to fail: what the page cache holds is worth nothing.
    distrusted: bool,
}

impl World {
    fn new(seed: u64) -> World {
        let (sim, storage) = sim();
        let config = LogConfig { segment_bytes: 2500, index_interval_bytes: 250, ..LogConfig::default() };
        let random = SplitMix::new(seed);
        World {
            sim,
            storage,
            config,
            random,
            batches: Vec::new(),
            start: 0,
            durable: 0,
            returned: 0,
            distrusted: false,
        }
    }

    fn below(&mut self, bound: i64) -> i64 {
        self.random.below(bound as u64) as i64
    }

    fn opening(&self, stop: LastStop) -> Opening {
        Opening { stop, recovery_point: self.durable, start_offset: self.start, clean_until: 0 }
    }

    fn append(&mut self, log: &mut Log) -> Result<(), LogError> {
        let mut batches = Vec::new();
        let mut end = log.end_offset();
        for _ in 0..=self.below(3) {
            let (count, value_len) = (1 + self.below(4), self.below(200) as usize);
            let bytes = plain(end, count, value_len);
            // An append that fails may still be on disk.
            self.batches.push((end, end + count - 1, bytes.clone()));
            end += count;
            batches.push(bytes);
        }
        append(log, &batches)?;
        self.returned = log.end_offset();
        Ok(())
    }

    fn truncate(&mut self, log: &mut Log) -> Result<(), LogError> {
        let offset = self.start + self.below(log.end_offset() - self.start + 1);
        let cut = log.position_of(offset)?;
        let cut = self.batches.iter().rev().find(|(first, _, _)| *first <= cut.offset).map_or(0, |b| b.0);
        let cut = if offset >= log.end_offset() { log.end_offset() } else { cut };
        // From here on the sync of what is cut no longer counts, whether the truncation succeeds or not.
        self.durable = self.durable.min(cut);
        self.returned = self.returned.min(cut);
        log.truncate_to(offset)?;
        self.batches.retain(|(_, last, _)| *last < offset);
        self.start = self.start.min(log.end_offset());
        if log.size() == 0 {
            self.durable = log.recovery_point();
        }
        assert_eq!(log.recovery_point(), self.durable);
        Ok(())
    }

    /// One random step; an error is a fault that was injected.
    fn step(&mut self, log: &mut Log) -> Result<(), LogError> {
        match self.below(20) {
            0..=11 => self.append(log)?,
            12..=14 => {
                let job = log.sync_job();
                // Appends while the sync is under way are not covered by it.
                for _ in 0..self.below(3) {
                    self.append(log)?;
                }
                job.run().map_err(|error| LogError::Io { path: dir(), source: error.into_io() })?;
                assert!(log.synced(&job));
                self.durable = self.durable.max(job.end().offset);
            }
            15 => self.truncate(log)?,
            16 => {
                self.start += self.below(log.end_offset() - self.start + 1);
                log.increment_start_offset(self.start)?;
                let files = log.expire_below(self.start)?;
                files.run().map_err(|source| LogError::Io { path: dir(), source })?;
            }
            17 => {
                log.close()?;
                self.durable = log.end_offset();
                *log = self.open(LastStop::Clean)?.0;
            }
            18 => {
                *log = self.open(LastStop::Machine)?.0;
                self.durable = log.end_offset();
            }
            _ => {
                let operations = [
                    SimOperation::Write,
                    SimOperation::Sync,
                    SimOperation::SyncDir,
                    SimOperation::Create,
                    SimOperation::Truncate,
                    SimOperation::Rename,
                ];
                let operation = operations[self.random.below(operations.len() as u64) as usize];
                let len = self.random.below(300);
                self.distrusted |= operation == SimOperation::Sync;
                self.sim.fail_next(operation, Fault::Short(len));
            }
        }
        Ok(())
    }

    fn open(&self, stop: LastStop) -> Result<(Log, OpenReport), LogError> {
        Log::open(Arc::clone(&self.storage), &dir(), self.config.clone(), self.opening(stop), NOW)
    }

    fn bytes_below(&self, end: i64) -> Vec<u8> {
        let within = self.batches.iter().filter(|(first, last, _)| *last >= self.start && *first < end);
        within.flat_map(|(_, _, bytes)| bytes.iter().copied()).collect()
    }

    /// Opens after a crash and checks the promises.
    fn recover(&mut self, seed: u64) -> Log {
        self.sim.forget_faults();
        let (log, report) =
            self.open(LastStop::Machine).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(log.end_offset() >= self.durable, "seed {seed}: synced records are there");
        let expected = self.bytes_below(log.end_offset());
        if log.start_offset() < log.end_offset() {
            assert_eq!(log.start_offset(), self.start, "seed {seed}");
            assert_eq!(read_all(&log), expected, "seed {seed}: what is there is what was appended");
        }
        for cut in &report.cut {
            let kept = self.storage.read_to_vec(&cut.kept_as).unwrap();
            assert_eq!(kept.len() as u64, cut.len, "seed {seed}: the cut bytes are kept");
        }
        self.start = log.start_offset();
        let end = log.end_offset();
        self.batches.retain(|(_, last, _)| *last < end);
        self.durable = end;
        self.returned = end;
        self.distrusted = false;
        log
    }

    /// Opens after the process died and checks the promises, which are greater.
    fn resume(&mut self, seed: u64) -> Log {
        self.sim.forget_faults();
        if self.below(4) == 0 {
            // The checkpoint is a minute old.
            self.durable = self.below(self.durable + 1);
        }
        let opened = self.open(LastStop::Process);
        let (log, report) = opened.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(log.end_offset() >= self.returned, "seed {seed}: what was appended is there, synced or not");
        let vouched = log.recovery_point() > self.durable;
        assert!(!vouched || log.size() == 0, "seed {seed}: and still not vouched for");
        if log.start_offset() < log.end_offset() {
            assert_eq!(read_all(&log), self.bytes_below(log.end_offset()), "seed {seed}");
        }
        assert!(report.cut.len() <= 1, "seed {seed}: one write can be torn, {report:?}");
        let end = log.end_offset();
        self.start = log.start_offset();
        self.batches.retain(|(_, last, _)| *last < end);
        self.durable = log.recovery_point();
        self.returned = end;
        log
    }
}

fn run(seed: u64) -> u64 {
    let mut world = World::new(seed);
    let (mut log, _) = world.open(LastStop::Clean).unwrap();
    for round in 0..3 {
        for _ in 0..40 {
            if world.step(&mut log).is_err() {
                break;
            }
        }
        world.sim.crash(seed * 31 + round);
        log = world.recover(seed);
        // What recovery found is durable at once: a second crash takes nothing.
        let end = log.end_offset();
        world.sim.crash(seed * 37 + round);
        log = world.recover(seed);
        assert_eq!(log.end_offset(), end, "seed {seed}");
        world.append(&mut log).unwrap();
        assert_eq!(read_all(&log), world.bytes_below(log.end_offset()), "seed {seed}: it takes appends");
    }
    world.sim.digest()
}

#[test]
fn a_crash_takes_nothing_that_a_completed_sync_covered() {
    for seed in 0..500 {
        run(seed);
    }
}

#[test]
fn the_same_seed_leaves_the_same_bytes() {
    for seed in 0..20 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
    assert_ne!(run(1), run(2));
}

/// Deaths of the process and of the machine, in any order.
#[test]
fn a_dead_process_takes_nothing_and_leaves_nothing_to_a_later_loss_of_power() {
    for seed in 1000..1200 {
        let mut world = World::new(seed);
        let (mut log, _) = world.open(LastStop::Clean).unwrap();
        for round in 0..8 {
            for _ in 0..world.below(25) {
                if world.step(&mut log).is_err() {
                    break;
                }
            }
            if world.distrusted || world.below(3) == 0 {
                world.sim.crash(seed * 31 + round);
                log = world.recover(seed);
            } else {
                world.sim.restart();
                log = world.resume(seed);
            }
            world.append(&mut log).unwrap();
            assert_eq!(read_all(&log), world.bytes_below(log.end_offset()), "seed {seed}: it takes appends");
        }
    }
}
