//! Thousands of connections, some idle, some with a parked fetch, and one producer among them: what each connection
//! costs the broker in memory, and the producer in waiting.

use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::broker_process::{Held, add_phase};
use crate::client::paced::{Paced, one_record, over_after};
use crate::client::requests::Request;
use crate::client::swarm::{Swarm, add_percentiles};
use crate::floor::round_robin::raise_descriptor_limit;
use crate::options::{parse, pin};
use crate::output::{Figures, Outcome, figures};

/// Connections that come and go before anything is measured: what the first ones leave behind in a heap is no
/// connection's memory.
const WARM_CONNECTIONS: usize = 2000;
/// Until a broker has nothing more to do with what came.
const SETTLE: Duration = Duration::from_secs(3);
const PARKED_MS: i32 = 30 * 60 * 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    /// The broker's process.
    pid: u32,
    /// For the producer; made before.
    topic: String,
    /// Empty, and stays so; made before.
    parked_topic: String,
    connections: usize,
    parked: usize,
    /// Produce requests a second, one record of 1 KiB each.
    rate: f64,
    /// How long the producer is watched, alone and beside.
    seconds: f64,
}

/// Result: `kibPerConnection`; `aloneP50Us` … `aloneMaxUs`; `besideP50Us` … `besideMaxUs`; `p99Ratio`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    raise_descriptor_limit()?;
    let mut producer = Paced::open(&options.bootstrap, &options.topic, &one_record(1024))?;
    drop(crowd(&options, WARM_CONNECTIONS.min(options.connections))?);
    producer.run(options.rate, over_after(options.seconds / 2.0))?;
    let alone = producer.run(options.rate, over_after(options.seconds))?;
    let before = Held::by(options.pid)?;
    let mut swarm = crowd(&options, options.connections)?;
    let after = Held::by(options.pid)?;
    let beside = producer.run(options.rate, over_after(options.seconds))?;
    let until = Instant::now() + Duration::from_millis(100);
    while Instant::now() < until {
        swarm.turn(Some(Duration::from_millis(50)), |number, _, _| {
            Err(std::io::Error::other(format!("the fetch parked on connection {number} was answered")))
        })?;
    }
    if swarm.in_flight() != options.parked {
        return Err(format!("{} fetches are parked, not {}", swarm.in_flight(), options.parked).into());
    }
    let ratio = beside.value_at_quantile(0.99) as f64 / alone.value_at_quantile(0.99).max(1) as f64;
    let each = after.more_than(&before) / options.connections as f64;
    let mut result = figures([("kibPerConnection", each), ("p99Ratio", ratio)]);
    for (phase, waits) in [("alone", alone), ("beside", beside)] {
        let mut percentiles = Figures::new();
        add_percentiles(&mut percentiles, &waits);
        add_phase(&mut result, phase, percentiles);
    }
    Ok(result)
}

/// Connections that have asked for ApiVersions, a share of them with a fetch that waits.
fn crowd(options: &Options, count: usize) -> std::io::Result<Swarm> {
    let mut swarm = Swarm::open(&options.bootstrap, count)?;
    let fetch = parked_fetch(&options.parked_topic);
    for number in 0..options.parked * count / options.connections {
        swarm.send(number, &fetch)?;
    }
    thread::sleep(SETTLE);
    Ok(swarm)
}

/// Fetch v11 at the start of partition 0, for one byte or `PARKED_MS`.
fn parked_fetch(topic: &str) -> Vec<u8> {
    let request = Request::new(1, 11, 0).i32(-1).i32(PARKED_MS).i32(1).i32(1 << 20).i8(0).i32(0);
    let request = request.i32(-1).i32(1).string(topic).i32(1).i32(0).i32(-1).i64(0).i64(-1);
    request.i32(1 << 20).i32(0).string("").frame(0)
}
