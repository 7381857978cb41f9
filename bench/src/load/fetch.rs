//! Consumers, one connection and thread each, that read partition 0 of a topic from its start, all at once.

use std::io;
use std::thread;
use std::time::Instant;

use serde::Deserialize;

use crate::client::connection::Connection;
use crate::client::consumer::{Consumer, FetchSize};
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    topic: String,
    /// Bytes of whole batches that each consumer reads in a pass.
    bytes: u64,
    /// How often each consumer reads them.
    #[serde(default = "one")]
    passes: usize,
    #[serde(default = "one")]
    consumers: usize,
    #[serde(default = "fifty_mebibytes")]
    max_bytes: i32,
    #[serde(default = "one_mebibyte")]
    partition_bytes: i32,
}

fn one() -> usize {
    1
}

/// `fetch.max.bytes` of Kafka's consumer.
fn fifty_mebibytes() -> i32 {
    50 << 20
}

/// `max.partition.fetch.bytes` of Kafka's consumer.
fn one_mebibyte() -> i32 {
    1 << 20
}

/// Result: `seconds`, `bytes` of whole batches over all consumers, `requests`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let size = FetchSize { max_bytes: options.max_bytes, partition_bytes: options.partition_bytes };
    let consumers = (0..options.consumers)
        .map(|_| Ok(Consumer::new(Connection::open(&options.bootstrap)?, &options.topic, size)))
        .collect::<io::Result<Vec<Consumer>>>()?;
    let started = Instant::now();
    let threads: Vec<_> = consumers
        .into_iter()
        .map(|consumer| thread::spawn(move || read(consumer, options.bytes, options.passes)))
        .collect();
    let (mut bytes, mut requests) = (0, 0);
    for thread in threads {
        let (more_bytes, more_requests) = thread.join().map_err(|_| "a consumer panicked")??;
        bytes += more_bytes;
        requests += more_requests;
    }
    let seconds = started.elapsed().as_secs_f64();
    Ok(figures([("seconds", seconds), ("bytes", bytes as f64), ("requests", requests as f64)]))
}

fn read(mut consumer: Consumer, total: u64, passes: usize) -> io::Result<(u64, u64)> {
    let (mut bytes, mut requests) = (0, 0);
    for _ in 0..passes {
        let (more_bytes, more_requests) = consumer.read(total)?;
        bytes += more_bytes;
        requests += more_requests;
    }
    Ok((bytes, requests))
}
