//! What else a broker has to do while latency is measured: heartbeats of group members, and batches to another topic, at
//! fixed rates. Both are driven by the thread that measures, so that no other client takes its CPU; `turn` never waits.

use std::io;
use std::time::Duration;

use serde::Deserialize;

use crate::client::batches::{Shape, build};
use crate::client::frames::ProduceFrame;
use crate::client::groups::{Member, heartbeat_error, join, leave};
use crate::client::requests::expect_no_error;
use crate::client::schedule::Schedule;
use crate::client::swarm::Swarm;
use crate::client::wire::Wire;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HeartbeatOptions {
    /// Of classic groups, each joined over a connection of its own.
    members: usize,
    group_size: usize,
    /// So many connections carry the heartbeats.
    connections: usize,
    per_second: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BatchOptions {
    /// Exists already; its partition 0 is written.
    topic: String,
    per_second: f64,
    bytes: usize,
}

/// Members that have joined and send heartbeats in turns.
pub struct Heartbeats {
    swarm: Swarm,
    members: Vec<Member>,
    frames: Vec<Vec<u8>>,
    group_size: usize,
    schedule: Schedule,
    sent: u64,
}

impl Heartbeats {
    /// Returns once all members hold an assignment.
    pub fn open(bootstrap: &str, name: &str, options: &HeartbeatOptions) -> io::Result<Self> {
        if options.members == 0 || options.group_size == 0 || options.connections == 0 {
            return Err(io::Error::other("heartbeats: members, groupSize and connections must not be 0"));
        }
        let mut swarm = Swarm::open(bootstrap, options.members)?;
        let members = join(&mut swarm, name, options.members, options.group_size)?;
        swarm.keep(options.connections.min(options.members));
        let frames = members.iter().map(|member| member.heartbeat()).collect();
        let schedule = Schedule::new(options.per_second, 1, 0);
        Ok(Self { swarm, members, frames, group_size: options.group_size, schedule, sent: 0 })
    }

    /// Sends what is due `now`, in ns since the measurement began, and takes what has come.
    /// Error: any error code, a rebalance included.
    pub fn turn(&mut self, now: u64) -> io::Result<()> {
        while self.sent < self.schedule.due(now) {
            let member = self.sent as usize % self.frames.len();
            self.swarm.send(member % self.swarm.len(), &self.frames[member])?;
            self.sent += 1;
            self.swarm.turn(Some(Duration::ZERO), answered)?;
        }
        Ok(())
    }

    /// Waits for what is outstanding, and all members leave. How many heartbeats there were.
    pub fn end(mut self) -> io::Result<u64> {
        self.swarm.settle(answered)?;
        leave(&mut self.swarm, &self.members, self.group_size)?;
        Ok(self.sent)
    }
}

fn answered(_: usize, reply: &[u8], _: Duration) -> io::Result<()> {
    expect_no_error("Heartbeat", heartbeat_error(reply)?)
}

/// Batches at a fixed rate over one connection.
pub struct Batches {
    wire: Wire,
    frame: ProduceFrame,
    schedule: Schedule,
    acked: i32,
}

impl Batches {
    pub fn open(bootstrap: &str, options: &BatchOptions) -> io::Result<Self> {
        let shape = Shape { batch_bytes: options.bytes, ..Shape::default() };
        let batch = build(&shape, None).map_err(io::Error::other)?.pop();
        let batch = batch.ok_or_else(|| io::Error::other("batches: there is none of this size"))?;
        Ok(Self {
            wire: Wire::open(bootstrap)?,
            frame: ProduceFrame::new(&options.topic, 0, &batch.bytes),
            schedule: Schedule::new(options.per_second, 1, 0),
            acked: 0,
        })
    }

    /// Sends what is due `now`, in ns since the measurement began, and takes acks. Error: any error code.
    pub fn turn(&mut self, now: u64) -> io::Result<()> {
        while (self.frame.correlation() as u64) < self.schedule.due(now) {
            self.wire.send(self.frame.next())?;
            let (frame, acked) = (&self.frame, &mut self.acked);
            self.wire.receive(|reply| {
                *acked += 1;
                frame.acked(reply, *acked).map(drop)
            })?;
        }
        self.wire.flush()
    }

    /// How many were acked.
    pub fn acked(&self) -> i32 {
        self.acked
    }
}
