//! Group commit in one thread without a socket: what all writers have gathered is appended with one write, then synced,
//! and everybody goes on. The least that an ack after a sync costs.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::client::swarm::add_percentiles;
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    writers: usize,
    /// Of each writer, in each turn.
    record_bytes: usize,
    seconds: f64,
    file: PathBuf,
}

/// Result: `acksPerSecond`, and how long a writer waited: `p50Us`, `p99Us`, `p999Us`, `maxUs`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let gathered: Vec<u8> = (0..options.writers * options.record_bytes).map(|i| (i * 31) as u8).collect();
    let file = File::create(&options.file)?;
    let mut waits = hdrhistogram::Histogram::<u64>::new(3)?;
    let started = Instant::now();
    let mut turns = 0;
    while started.elapsed() < Duration::from_secs_f64(options.seconds) {
        let asked = Instant::now();
        file.write_all_at(&gathered, turns * gathered.len() as u64)?;
        file.sync_data()?;
        waits.record(asked.elapsed().as_micros() as u64)?;
        turns += 1;
    }
    let acks = turns as f64 * options.writers as f64;
    let mut result = figures([("acksPerSecond", acks / started.elapsed().as_secs_f64())]);
    add_percentiles(&mut result, &waits);
    std::fs::remove_file(&options.file)?;
    Ok(result)
}
