//! One-record requests as fast as the broker answers, one in flight on each of many connections: connection number i
//! writes to partition i modulo the number of partitions of a topic that is new.

use std::time::Duration;

use serde::Deserialize;

use crate::client::closed_loop::ClosedLoop;
use crate::client::connection::Connection;
use crate::client::frames::{ProduceFrame, batch_of};
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    /// Exists already, with at least so many partitions.
    topic: String,
    #[serde(default = "sixteen")]
    partitions: usize,
    connections: usize,
    seconds: f64,
    #[serde(default = "hundred")]
    record_bytes: usize,
}

fn sixteen() -> usize {
    16
}

fn hundred() -> usize {
    100
}

/// Result: `requests`, `seconds`, `requestsPerSecond` and the percentiles from sending to ack. Error: any error code, an
/// offset that does not rise on its connection, or partitions that grew by another number of records than were acked.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    if options.partitions == 0 || options.connections == 0 {
        return Err("options: partitions and connections must not be 0".into());
    }
    pin(options.core)?;
    let batch = batch_of(1, options.record_bytes)?;
    let frame = |number| ProduceFrame::new(&options.topic, (number % options.partitions) as i32, &batch);
    let mut clients =
        ClosedLoop::open(&options.bootstrap, (0..options.connections).map(frame).collect(), true)?;
    let before = records_of(&options)?;

    let started = std::time::Instant::now();
    let mut last = vec![-1; options.connections];
    let latencies = clients.run(Duration::from_secs_f64(options.seconds), |number, base_offset| {
        let previous = std::mem::replace(&mut last[number], base_offset);
        if base_offset > previous {
            return Ok(());
        }
        Err(std::io::Error::other(format!(
            "acked at offset {base_offset} after {previous} on one connection"
        )))
    })?;
    let seconds = started.elapsed().as_secs_f64();

    let (acked, kept) = (latencies.count(), records_of(&options)? - before);
    if kept != acked as i64 {
        return Err(format!("{acked} records were acked, {kept} are there").into());
    }
    let mut result = figures([
        ("requests", acked as f64),
        ("seconds", seconds),
        ("requestsPerSecond", acked as f64 / seconds),
    ]);
    latencies.add_to(&mut result, "")?;
    Ok(result)
}

/// Sum of the partitions' end offsets.
fn records_of(options: &Options) -> std::io::Result<i64> {
    let partitions: Vec<i32> = (0..options.partitions as i32).collect();
    let ends = Connection::open(&options.bootstrap)?.end_offsets(&options.topic, &partitions)?;
    match ends.iter().find(|(code, _)| *code != 0) {
        Some((code, _)) => Err(std::io::Error::other(format!("ListOffsets: error code {code}"))),
        None => Ok(ends.iter().map(|(_, end)| end).sum()),
    }
}
