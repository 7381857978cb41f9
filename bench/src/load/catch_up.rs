//! A consumer that reads a topic from its start, cold, beside a producer at a fixed rate on another topic.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::setpriority_process;
use rustix::thread::gettid;
use serde::Deserialize;

use super::broker_process::add_phase;
use crate::client::batches::Shape;
use crate::client::connection::Connection;
use crate::client::consumer::{Consumer, FetchSize};
use crate::client::paced::{Paced, over_after};
use crate::client::swarm::add_percentiles;
use crate::options::{parse, pin};
use crate::output::{Figures, Outcome, figures};

/// A consumer that was told to catch up fast.
const FETCH_BYTES: i32 = 8 << 20;
/// The reader shares the producer's core: it must not keep the producer's clock waiting.
const READER_NICENESS: i32 = 19;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    /// Read from its start.
    topic: String,
    bytes: u64,
    /// Written to meanwhile; made before.
    produce_topic: String,
    /// Produce requests a second.
    rate: f64,
    /// In each request.
    batch: Shape,
    /// How long the producer is watched without a reader.
    seconds: f64,
}

/// Result: `gibPerSecond`; `aloneP50Us` … `aloneMaxUs`; `besideP50Us` … `besideMaxUs`; `p99Ratio`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let mut producer = Paced::open(&options.bootstrap, &options.produce_topic, &options.batch)?;
    producer.run(options.rate, over_after(options.seconds / 2.0))?;
    let alone = producer.run(options.rate, over_after(options.seconds))?;
    let is_read = AtomicBool::new(false);
    let (beside, read) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let read = read(&options);
            is_read.store(true, Ordering::Relaxed);
            read
        });
        let beside = producer.run(options.rate, || is_read.load(Ordering::Relaxed));
        (beside, reader.join())
    });
    let seconds = read.map_err(|_| "the reading thread panicked")??.as_secs_f64();
    let beside = beside?;
    let ratio = beside.value_at_quantile(0.99) as f64 / alone.value_at_quantile(0.99).max(1) as f64;
    let gib = options.bytes as f64 / (1u64 << 30) as f64;
    let mut result = figures([("gibPerSecond", gib / seconds), ("p99Ratio", ratio), ("seconds", seconds)]);
    for (phase, waits) in [("alone", alone), ("beside", beside)] {
        let mut percentiles = Figures::new();
        add_percentiles(&mut percentiles, &waits);
        add_phase(&mut result, phase, percentiles);
    }
    Ok(result)
}

fn read(options: &Options) -> std::io::Result<Duration> {
    setpriority_process(Some(gettid()), READER_NICENESS)?;
    let size = FetchSize { max_bytes: FETCH_BYTES, partition_bytes: FETCH_BYTES };
    let mut consumer = Consumer::new(Connection::open(&options.bootstrap)?, &options.topic, size);
    let started = Instant::now();
    consumer.read(options.bytes)?;
    Ok(started.elapsed())
}
