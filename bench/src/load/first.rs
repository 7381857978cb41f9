//! The first things a client sees of a broker that is starting: that it accepts, and the first ack. Looking often costs
//! next to nothing here: who waits must not take the core of who starts.

use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::client::connection::Connection;
use crate::client::paced::{acked_at, one_batch, one_record, produce_frame};
use crate::options::{parse, pin};
use crate::output::{Figures, Outcome, figures};

/// Far above what any broker needs.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(1);
const VALUE_BYTES: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Accept {
    core: Option<usize>,
    bootstrap: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Ack {
    core: Option<usize>,
    bootstrap: String,
    /// Not there yet.
    topic: String,
}

/// `await-accept`: tries every millisecond. Result: nothing.
pub fn accept(json: &str) -> Outcome {
    let options: Accept = parse(json)?;
    pin(options.core)?;
    until_it_works(|| Connection::open(&options.bootstrap).map(drop))?;
    Ok(Figures::new())
}

/// `first-ack`: creates the topic and produces one record of 100 bytes with acks=all, over one connection; both again
/// while the broker is not that far. Result: `seconds`.
pub fn ack(json: &str) -> Outcome {
    let options: Ack = parse(json)?;
    pin(options.core)?;
    let frame = produce_frame(&options.topic, &one_batch(&one_record(VALUE_BYTES))?.bytes);
    let started = Instant::now();
    let mut connection = Connection::open(&options.bootstrap)?;
    until_it_works(|| connection.create_topic(&options.topic, 1, &[]))?;
    until_it_works(|| {
        connection.send(&frame)?;
        acked_at(connection.reply()?, &options.topic).map(drop)
    })?;
    Ok(figures([("seconds", started.elapsed().as_secs_f64())]))
}

fn until_it_works(mut act: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let until = Instant::now() + PATIENCE;
    loop {
        match act() {
            Err(_) if Instant::now() < until => sleep(PAUSE),
            done => return done,
        }
    }
}
