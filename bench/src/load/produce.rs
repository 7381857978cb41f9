//! One connection that produces batches of one shape, a few requests in flight, acks=1, to a topic that nobody else
//! writes to. Every ack is checked.

use std::time::Instant;

use serde::Deserialize;

use crate::client::batches::{Shape, build};
use crate::client::connection::Connection;
use crate::client::producer::{Producer, init_producer_id};
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    topic: String,
    /// Bytes of batches before compression that are to be acked.
    bytes: u64,
    #[serde(default)]
    batch: Shape,
    #[serde(default = "five")]
    in_flight: usize,
    /// Every request carries a batch for each of the partitions 0 to `partitions` − 1.
    #[serde(default = "one")]
    partitions: i32,
    /// A producer id, and sequences that count on.
    #[serde(default)]
    idempotent: bool,
}

fn five() -> usize {
    5
}

fn one() -> i32 {
    1
}

/// Result: `seconds`, `bytes` (of batches as sent), `uncompressedBytes`, `records`, `requests`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let mut connection = Connection::open(&options.bootstrap)?;
    let id = options.idempotent.then(|| init_producer_id(&mut connection)).transpose()?;
    let batches = build(&options.batch, id)?;
    let mut producer =
        Producer::new(connection, &options.topic, options.partitions, &batches, options.idempotent);
    let (mut bytes, mut uncompressed, mut records, mut requests) = (0, 0, 0, 0usize);
    let partitions = options.partitions as u64;
    let started = Instant::now();
    while uncompressed < options.bytes {
        if producer.in_flight() == options.in_flight.max(1) {
            producer.acked()?;
        }
        let batch = &batches[requests % batches.len()];
        producer.send()?;
        requests += 1;
        bytes += batch.bytes.len() as u64 * partitions;
        uncompressed += batch.uncompressed as u64 * partitions;
        records += batch.records as u64 * partitions;
    }
    while producer.in_flight() > 0 {
        producer.acked()?;
    }
    let seconds = started.elapsed().as_secs_f64();
    Ok(figures([
        ("seconds", seconds),
        ("bytes", bytes as f64),
        ("uncompressedBytes", uncompressed as f64),
        ("records", records as f64),
        ("requests", requests as f64),
    ]))
}
