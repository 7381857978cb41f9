//! Members of classic groups that commit offsets, each on a connection of its own: at a fixed rate, or each as soon as
//! the one before is answered. OffsetCommit v7.

use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use serde::Deserialize;

use crate::client::control_frames::Reply;
use crate::client::groups::{Member, join, leave};
use crate::client::requests::{Request, expect_no_error};
use crate::client::swarm::{Swarm, add_percentiles, due};
use crate::cpu::ProcessUsage;
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    topic: String,
    /// Partitions of one commit, from 0 on.
    #[serde(default = "one")]
    partitions: usize,
    /// Groups of one member.
    groups: usize,
    /// Commits a second over all groups; as many as are answered where left out.
    per_second: Option<f64>,
    /// Commits of one group that are under way at once, where there is no rate.
    #[serde(default = "one")]
    in_flight: usize,
    seconds: f64,
    /// The same before what counts, s.
    #[serde(default)]
    warm_seconds: f64,
    /// The broker, whose CPU is then told of.
    pid: Option<u32>,
}

fn one() -> usize {
    1
}

/// Result: `requests`, `seconds`, `perSecond`, times from sending to reply `p50Us`, `p99Us`, `p999Us`, `maxUs`; with
/// `pid` `cpuUsPerRequest`, `userUsPerRequest`. Error: any error code.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    if options.groups == 0 || options.in_flight == 0 || options.partitions == 0 {
        return Err("options: groups, inFlight and partitions must not be 0".into());
    }
    pin(options.core)?;
    let mut swarm = Swarm::open(&options.bootstrap, options.groups)?;
    let name = format!("commits-{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos());
    let members = join(&mut swarm, &name, options.groups, 1)?;
    let mut load = Commits {
        frames: members.iter().map(|member| commit(member, &options.topic, options.partitions)).collect(),
        offset: 0,
    };
    load.run(&mut swarm, &options, options.warm_seconds)?;
    let before = options.pid.map(ProcessUsage::of).transpose()?;
    let (times, seconds) = load.run(&mut swarm, &options, options.seconds)?;
    let count = times.len();
    let rate = count as f64 / seconds;
    let mut result = figures([("requests", count as f64), ("seconds", seconds), ("perSecond", rate)]);
    add_percentiles(&mut result, &times);
    if let Some(before) = before {
        before.add_per_request(&mut result, count)?;
    }
    leave(&mut swarm, &members, 1)?;
    Ok(result)
}

struct Commits {
    /// One by group.
    frames: Vec<Vec<u8>>,
    offset: i64,
}

impl Commits {
    fn send(&mut self, swarm: &mut Swarm, group: usize) -> io::Result<()> {
        self.offset += 1;
        let frame = &mut self.frames[group];
        // The last partition's offset lies before its leader epoch and its empty metadata.
        let at = frame.len() - 2 - 4 - 8;
        frame[at..at + 8].copy_from_slice(&self.offset.to_be_bytes());
        swarm.send(group, frame)
    }

    /// Commits for `seconds`; how long each took, and all of them together.
    fn run(
        &mut self,
        swarm: &mut Swarm,
        options: &Options,
        seconds: f64,
    ) -> io::Result<(Histogram<u64>, f64)> {
        let mut times = Histogram::new(3).map_err(io::Error::other)?;
        let started = Instant::now();
        let (mut sent, mut again) = (0u64, Vec::new());
        if options.per_second.is_none() && seconds > 0.0 {
            for group in
                (0..self.frames.len()).flat_map(|group| std::iter::repeat_n(group, options.in_flight))
            {
                self.send(swarm, group)?;
            }
        }
        while started.elapsed().as_secs_f64() < seconds {
            if let Some(per_second) = options.per_second {
                while sent < due(started, per_second) {
                    self.send(swarm, sent as usize % self.frames.len())?;
                    sent += 1;
                }
            }
            swarm.turn(Some(Duration::from_millis(1)), |group, reply, took| {
                again.push(group);
                committed(reply)?;
                times.record(took.as_micros() as u64).map_err(io::Error::other)
            })?;
            if options.per_second.is_some() {
                again.clear();
            }
            for group in again.drain(..) {
                self.send(swarm, group)?;
            }
        }
        swarm.settle(|_, reply, took| {
            committed(reply)?;
            times.record(took.as_micros() as u64).map_err(io::Error::other)
        })?;
        Ok((times, started.elapsed().as_secs_f64()))
    }
}

fn commit(member: &Member, topic: &str, partitions: usize) -> Vec<u8> {
    let request = Request::new(8, 7, 0).string(&member.group).i32(member.generation).string(&member.id);
    let request = request.null_string().i32(1).string(topic).i32(partitions as i32);
    let each = |request: Request, number| request.i32(number as i32).i64(0).i32(-1).string("");
    (0..partitions).fold(request, each).frame(0)
}

/// Error: any partition's error code.
fn committed(reply: &[u8]) -> io::Result<()> {
    let mut reply = Reply::new(reply);
    reply.take(8)?;
    for _ in 0..reply.i32()? {
        reply.string()?;
        for _ in 0..reply.i32()? {
            reply.i32()?;
            expect_no_error("OffsetCommit", reply.i16()?)?;
        }
    }
    Ok(())
}
