//! One connection that produces batches of one shape to partition 0, a few requests in flight, as fast as acks come or
//! at a given rate. Nobody else may write to the partition meanwhile.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::progress::Progress;
use crate::client::batches::{Shape, build};
use crate::client::connection::Connection;
use crate::client::producer::Producer;
use crate::options::parse;
use crate::output::Outcome;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    bootstrap: String,
    topic: String,
    /// The log end offset: where the first record goes.
    offset: i64,
    /// Bytes of batches before compression that are to be acked.
    bytes: u64,
    #[serde(default)]
    batch: Shape,
    /// 1, or −1 for all.
    acks: i16,
    in_flight: usize,
    /// Records a second; as many as can be where it is left out.
    throughput: Option<f64>,
}

/// Result: `seconds`, `records`, `bytes` as sent, `requests`, and percentiles from a request's start to its ack.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    let batches = build(&options.batch, None)?;
    let connection = Connection::open(&options.bootstrap)?;
    let mut producer = Producer::new(connection, &options.topic, 1, &batches, false)
        .with_acks(options.acks)
        .starting_at(options.offset);
    let mut sent: VecDeque<Instant> = VecDeque::new();
    let mut progress = Progress::new();
    let (mut turn, mut acked, mut uncompressed, mut records) = (0, 0, 0, 0u64);
    loop {
        let enough = uncompressed >= options.bytes;
        let early = options.throughput.map_or(Duration::ZERO, |rate| {
            Duration::from_secs_f64(records as f64 / rate).saturating_sub(progress.started().elapsed())
        });
        if !enough && early.is_zero() && sent.len() < options.in_flight {
            let batch = &batches[turn % batches.len()];
            sent.push_back(Instant::now());
            producer.send()?;
            turn += 1;
            uncompressed += batch.uncompressed as u64;
            records += batch.records as u64;
            continue;
        }
        let Some(since) = sent.pop_front() else {
            if enough {
                break;
            }
            thread::sleep(early);
            continue;
        };
        producer.acked()?;
        let batch = &batches[acked % batches.len()];
        acked += 1;
        progress.answered(since, batch.records as u64, batch.bytes.len() as u64)?;
    }
    Ok(progress.figures()?)
}
