//! One connection that produces batches of 1 KiB records to partition 0, a few requests in flight.

use std::time::Instant;

use serde::Deserialize;

use crate::client::connection::{Connection, batch_of_one_mebibyte};
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    topic: String,
    bytes: u64,
}

/// Result: `seconds`, `bytes`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let (batch, records) = batch_of_one_mebibyte();
    let mut connection = Connection::open(&options.bootstrap)?;
    let started = Instant::now();
    connection.produce(&options.topic, &batch, records, options.bytes)?;
    Ok(figures([("seconds", started.elapsed().as_secs_f64()), ("bytes", options.bytes as f64)]))
}
