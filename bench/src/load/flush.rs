//! Many producers, one record in flight each, acks=all: what a topic with `flush.messages=1` acks a second.

use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::client::paced::{acked_at, one_batch, one_record, produce_frame};
use crate::client::swarm::{Swarm, add_percentiles};
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    /// Made before, with one partition.
    topic: String,
    producers: usize,
    #[serde(default = "one_kibibyte")]
    value_bytes: usize,
    /// Not measured, before.
    #[serde(default)]
    warm_seconds: f64,
    seconds: f64,
}

fn one_kibibyte() -> usize {
    1024
}

/// Result: `acksPerSecond`, and how long each ack took: `p50Us`, `p99Us`, `p999Us`, `maxUs`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let frame = produce_frame(&options.topic, &one_batch(&one_record(options.value_bytes))?.bytes);
    let mut swarm = Swarm::open(&options.bootstrap, options.producers)?;
    let mut waits = hdrhistogram::Histogram::<u64>::new(3)?;
    let mut last = vec![-1; options.producers];
    let mut ready = Vec::new();
    for producer in 0..options.producers {
        swarm.send(producer, &frame)?;
    }
    let warm = Instant::now() + Duration::from_secs_f64(options.warm_seconds);
    let end = warm + Duration::from_secs_f64(options.seconds);
    let mut measured = 0f64;
    while Instant::now() < end {
        swarm.turn(Some(Duration::from_millis(100)), |producer, reply, took| {
            let offset = acked_at(reply, &options.topic)?;
            if offset <= last[producer] {
                return Err(std::io::Error::other(format!("acked at {offset} after {}", last[producer])));
            }
            last[producer] = offset;
            ready.push((producer, took));
            Ok(())
        })?;
        let counts = Instant::now() >= warm;
        for (producer, took) in ready.drain(..) {
            if counts {
                waits.record(took.as_micros() as u64)?;
                measured += 1.0;
            }
            swarm.send(producer, &frame)?;
        }
    }
    let seconds = warm.elapsed().as_secs_f64();
    swarm.settle(|_, reply, _| acked_at(reply, &options.topic).map(drop))?;
    let mut result = figures([("acksPerSecond", measured / seconds), ("seconds", seconds)]);
    add_percentiles(&mut result, &waits);
    Ok(result)
}
