//! Clients that ask for the metadata of many topics by name, each as soon as the answer before is there. Metadata v12.

use std::io;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Deserialize;

use crate::client::control_frames::Reply;
use crate::client::requests::{Request, expect_no_error};
use crate::client::swarm::{Swarm, add_percentiles};
use crate::cpu::ProcessUsage;
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    /// The topics are `PREFIX-0` and so on.
    topic_prefix: String,
    topics: usize,
    /// Partitions of all of them together, which every answer must have.
    partitions: usize,
    connections: usize,
    seconds: f64,
    /// The same before what counts, s.
    #[serde(default)]
    warm_seconds: f64,
    /// The broker, whose CPU is then told of.
    pid: Option<u32>,
}

/// Result: `requests`, `seconds`, `perSecond`, `replyBytes` (of one), times from sending to reply `p50Us`, `p99Us`,
/// `p999Us`, `maxUs`; with `pid` `cpuUsPerRequest`, `userUsPerRequest`. Error: any error code, or a partition too few.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let mut swarm = Swarm::open(&options.bootstrap, options.connections)?;
    let frame = ask(&options);
    load(&mut swarm, &options, &frame, options.warm_seconds)?;
    let before = options.pid.map(ProcessUsage::of).transpose()?;
    let (times, seconds, reply_bytes) = load(&mut swarm, &options, &frame, options.seconds)?;
    let count = times.len();
    let mut result = figures([
        ("requests", count as f64),
        ("seconds", seconds),
        ("perSecond", count as f64 / seconds),
        ("replyBytes", reply_bytes as f64),
    ]);
    add_percentiles(&mut result, &times);
    if let Some(before) = before {
        before.add_per_request(&mut result, count)?;
    }
    Ok(result)
}

/// Requests for `seconds`; how long each took, all of them together, and the bytes of a reply.
fn load(
    swarm: &mut Swarm,
    options: &Options,
    frame: &[u8],
    seconds: f64,
) -> io::Result<(Histogram<u64>, f64, usize)> {
    let mut times = Histogram::new(3).map_err(io::Error::other)?;
    let mut reply_bytes = 0;
    let mut answered = |reply: &[u8], took: Duration| {
        reply_bytes = reply.len();
        match partitions_of(reply)? {
            count if count == options.partitions => {}
            count => return Err(io::Error::other(format!("Metadata: {count} partitions"))),
        }
        times.record(took.as_micros() as u64).map_err(io::Error::other)
    };
    let started = Instant::now();
    let mut free: Vec<usize> = (0..swarm.len()).collect();
    while started.elapsed().as_secs_f64() < seconds {
        for connection in free.drain(..) {
            swarm.send(connection, frame)?;
        }
        swarm.turn(None, |connection, reply, took| {
            free.push(connection);
            answered(reply, took)
        })?;
    }
    swarm.settle(|_, reply, took| answered(reply, took))?;
    Ok((times, started.elapsed().as_secs_f64(), reply_bytes))
}

fn ask(options: &Options) -> Vec<u8> {
    let request = Request::flexible(3, 12, 0).compact_length(options.topics);
    let each = |request: Request, number| {
        let name = format!("{}-{number}", options.topic_prefix);
        request.raw(&[0; 16]).compact_string(&name).no_tags()
    };
    (0..options.topics).fold(request, each).i8(0).i8(0).no_tags().frame(0)
}

/// Partitions in a reply. Error: an error code of a topic or of a partition.
fn partitions_of(reply: &[u8]) -> io::Result<usize> {
    let mut reply = Reply::new(reply);
    reply.take(4)?;
    reply.skip_tags()?;
    reply.take(4)?;
    for _ in 0..reply.compact_length()? {
        reply.take(4)?;
        reply.skip_compact_string()?;
        reply.take(4)?;
        reply.skip_compact_string()?;
        reply.skip_tags()?;
    }
    reply.skip_compact_string()?;
    reply.take(4)?;
    let mut partitions = 0;
    for _ in 0..reply.compact_length()? {
        expect_no_error("Metadata, a topic", reply.i16()?)?;
        reply.skip_compact_string()?;
        reply.take(16 + 1)?;
        for _ in 0..reply.compact_length()? {
            expect_no_error("Metadata, a partition", reply.i16()?)?;
            reply.take(4 + 4 + 4)?;
            for _ in 0..3 {
                let nodes = reply.compact_length()?;
                reply.take(4 * nodes)?;
            }
            reply.skip_tags()?;
            partitions += 1;
        }
        reply.take(4)?;
        reply.skip_tags()?;
    }
    Ok(partitions)
}
