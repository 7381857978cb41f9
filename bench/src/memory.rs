//! Memory made warm before a measurement. A guest gives free pages back to its host within seconds, and whoever touches
//! them next pays the host's page faults: ten times the work that is to be measured.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use serde::Deserialize;

use crate::cpu::thread_seconds;
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

const PIECE: usize = 1 << 20;
const GIB: f64 = (1u64 << 30) as f64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Prime {
    core: Option<usize>,
    /// Written and removed in each pass.
    file: PathBuf,
    bytes: u64,
    /// CPU-seconds per GiB; a pass at or below is the last one.
    limit: f64,
    passes: u32,
}

/// `prime`: recycles page-cache memory until writing it is cheap. Result: `cpuSecondsPerGiB` of the last pass, `passes`.
pub fn prime(json: &str) -> Outcome {
    let options: Prime = parse(json)?;
    if options.passes == 0 {
        return Err("options: passes starts at 1".into());
    }
    pin(options.core)?;
    let piece = vec![7u8; PIECE];
    let count = options.bytes.div_ceil(PIECE as u64).max(1);
    let (mut cost, mut passes) = (f64::INFINITY, 0);
    while passes < options.passes && cost > options.limit {
        let started = thread_seconds();
        let mut file = File::create(&options.file)?;
        let written = (0..count).try_for_each(|_| file.write_all(&piece));
        cost = (thread_seconds() - started) / (count as f64 * PIECE as f64 / GIB);
        // Freed this instant it is still backed, and the allocator hands it out next.
        std::fs::remove_file(&options.file)?;
        written?;
        passes += 1;
    }
    Ok(figures([("cpuSecondsPerGiB", cost), ("passes", f64::from(passes))]))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Touch {
    core: Option<usize>,
    bytes: usize,
}

/// `touch`: writes one byte into each page of fresh memory, and gives it back. Result: `cpuSecondsPerGiB`.
pub fn touch(json: &str) -> Outcome {
    let options: Touch = parse(json)?;
    pin(options.core)?;
    let started = thread_seconds();
    let mut memory = vec![0u8; options.bytes];
    for page in memory.iter_mut().step_by(4096) {
        *page = 1;
    }
    std::hint::black_box(&memory);
    let used = thread_seconds() - started;
    Ok(figures([("cpuSecondsPerGiB", used * GIB / options.bytes.max(1) as f64)]))
}
