//! Members of classic groups that send heartbeats at a fixed rate, whatever comes back when.

use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use serde::Deserialize;

use crate::client::groups::{heartbeat_error, join, leave};
use crate::client::swarm::{Swarm, add_percentiles, due};
use crate::cpu::ProcessUsage;
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    members: usize,
    per_second: f64,
    seconds: f64,
    #[serde(default = "fifty")]
    group_size: usize,
    /// Connections that stay open once all have joined, each on its own; all of them where left out.
    connections: Option<usize>,
    /// Heartbeats before those that count, s.
    #[serde(default)]
    warm_seconds: f64,
    /// The broker, whose CPU is then told of.
    pid: Option<u32>,
}

fn fifty() -> usize {
    50
}

/// Result: `requests`, `seconds`, `joinSeconds`, times from sending to reply `p50Us`, `p99Us`, `p999Us`, `maxUs`; with
/// `pid` `cpuUsPerRequest`, `userUsPerRequest`. Error: any error code, a rebalance included.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    if options.members == 0 || options.group_size == 0 || options.connections == Some(0) {
        return Err("options: members, groupSize and connections must not be 0".into());
    }
    pin(options.core)?;
    let mut swarm = Swarm::open(&options.bootstrap, options.members)?;
    let started = Instant::now();
    let name = format!("beats-{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos());
    let members = join(&mut swarm, &name, options.members, options.group_size)?;
    let join_seconds = started.elapsed().as_secs_f64();
    swarm.keep(options.connections.unwrap_or(options.members).min(options.members));

    let frames: Vec<Vec<u8>> = members.iter().map(|member| member.heartbeat()).collect();
    beat(&mut swarm, &frames, options.per_second, options.warm_seconds)?;
    let before = options.pid.map(ProcessUsage::of).transpose()?;
    let (times, seconds) = beat(&mut swarm, &frames, options.per_second, options.seconds)?;
    let mut result =
        figures([("requests", times.len() as f64), ("seconds", seconds), ("joinSeconds", join_seconds)]);
    add_percentiles(&mut result, &times);
    if let Some(before) = before {
        before.add_per_request(&mut result, times.len())?;
    }
    leave(&mut swarm, &members, options.group_size)?;
    Ok(result)
}

/// Heartbeats of all members in turn for `seconds`; how long each took, and all of them together.
fn beat(
    swarm: &mut Swarm,
    frames: &[Vec<u8>],
    per_second: f64,
    seconds: f64,
) -> io::Result<(Histogram<u64>, f64)> {
    let mut times = Histogram::new(3).map_err(io::Error::other)?;
    let mut answered = |_: usize, reply: &[u8], took: Duration| match heartbeat_error(reply)? {
        0 => times.record(took.as_micros() as u64).map_err(io::Error::other),
        code => Err(io::Error::other(format!("Heartbeat: error code {code}"))),
    };
    let (started, total) = (Instant::now(), (per_second * seconds) as u64);
    let mut sent = 0;
    while sent < total {
        while sent < due(started, per_second).min(total) {
            let member = sent as usize % frames.len();
            swarm.send(member % swarm.len(), &frames[member])?;
            sent += 1;
        }
        swarm.turn(Some(Duration::from_millis(1)), &mut answered)?;
    }
    swarm.settle(&mut answered)?;
    Ok((times, started.elapsed().as_secs_f64()))
}
