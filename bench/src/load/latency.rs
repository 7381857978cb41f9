//! End-to-end latency, open loop: one connection produces at fixed times whether or not acks come, another one waits in
//! fetches. Each record counts from when its request was due to when the fetch that brought it was whole. One thread, so
//! that both ends have one clock.

use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Deserialize;

use super::beside::{BatchOptions, Batches, HeartbeatOptions, Heartbeats};
use crate::client::connection::Connection;
use crate::client::frames::{FetchFrame, ProduceFrame, batch_of, batches};
use crate::client::schedule::Schedule;
use crate::client::wire::Wire;
use crate::options::{parse, pin};
use crate::output::{Figures, Outcome, figures, progress};
use crate::percentiles::Latencies;

/// No progress for so long after the last request was due is an error.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    /// Exists already; nobody else may write to its partition 0.
    topic: String,
    requests_per_second: f64,
    #[serde(default = "one")]
    records_per_request: u32,
    #[serde(default = "hundred")]
    record_bytes: usize,
    seconds: f64,
    /// Before what counts, at the same rate.
    #[serde(default)]
    warm_seconds: f64,
    /// Looks at the sockets and the clock over and over: its own waking up is then no part of a latency, but it needs a
    /// CPU to itself. Otherwise it sleeps until something comes or is due.
    #[serde(default)]
    spin: bool,
    /// What the broker has to do beside; only with `spin`.
    heartbeats: Option<HeartbeatOptions>,
    batches: Option<BatchOptions>,
    /// A line of progress a second.
    #[serde(default)]
    progress: bool,
}

fn one() -> u32 {
    1
}

fn hundred() -> usize {
    100
}

/// Result: percentiles from due to fetched (`p50Us` …), from due to acked (`ackP50Us` …), and how late the client itself
/// sent (`lateP50Us` …); `records`, `seconds`; `heartbeats` and `batches`, how many of them there were. Error: any error code, a record at another offset than expected, or no
/// progress for 30 s.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    if options.requests_per_second.is_nan()
        || options.requests_per_second <= 0.0
        || options.records_per_request == 0
    {
        return Err("options: requestsPerSecond and recordsPerRequest must be above 0".into());
    }
    if !options.spin && (options.heartbeats.is_some() || options.batches.is_some()) {
        return Err("options: heartbeats and batches need spin".into());
    }
    pin(options.core)?;
    // Where it is allowed, nobody else's short work on this CPU comes before ours.
    let _ = rustix::process::nice(-20);
    let first = match Connection::open(&options.bootstrap)?.end_offsets(&options.topic, &[0])?.first() {
        Some((0, end)) => *end,
        other => return Err(format!("ListOffsets: {other:?}").into()),
    };
    let schedule = Schedule::new(options.requests_per_second, options.records_per_request, first);
    let mut heartbeats = options
        .heartbeats
        .as_ref()
        .map(|heartbeats| Heartbeats::open(&options.bootstrap, &options.topic, heartbeats))
        .transpose()?;
    let mut batches =
        options.batches.as_ref().map(|batches| Batches::open(&options.bootstrap, batches)).transpose()?;
    let mut ends = Ends::open(&options, schedule)?;
    ends.run(&options, |now| {
        heartbeats.as_mut().map_or(Ok(()), |heartbeats| heartbeats.turn(now))?;
        batches.as_mut().map_or(Ok(()), |batches| batches.turn(now))
    })?;
    let mut result =
        figures([("records", ends.fetched_latencies.count() as f64), ("seconds", options.seconds)]);
    if let Some(heartbeats) = heartbeats {
        result.insert("heartbeats".to_string(), heartbeats.end()?.into());
    }
    if let Some(batches) = batches {
        result.insert("batches".to_string(), batches.acked().into());
    }
    ends.fetched_latencies.add_to(&mut result, "")?;
    ends.acked_latencies.add_to(&mut result, "ack")?;
    ends.late.add_to(&mut result, "late")?;
    Ok(result)
}

/// Both ends of the one partition.
struct Ends {
    schedule: Schedule,
    /// Requests that do not count.
    warm: u64,
    total: u64,
    started: Instant,
    producer: Wire,
    produce: ProduceFrame,
    consumer: Wire,
    fetch: FetchFrame,
    sent: u64,
    acked: u64,
    fetched: u64,
    fetched_latencies: Latencies,
    acked_latencies: Latencies,
    late: Latencies,
}

impl Ends {
    fn open(options: &Options, schedule: Schedule) -> io::Result<Self> {
        let batch = batch_of(options.records_per_request, options.record_bytes)?;
        let mut fetch = FetchFrame::new(&options.topic);
        let mut consumer = Wire::open(&options.bootstrap)?;
        let producer = Wire::open(&options.bootstrap)?;
        consumer.send(fetch.from(schedule.offset_of(0)))?;
        Ok(Self {
            schedule,
            warm: schedule.within(options.warm_seconds),
            total: schedule.within(options.warm_seconds + options.seconds),
            started: Instant::now(),
            producer,
            produce: ProduceFrame::new(&options.topic, 0, &batch),
            consumer,
            fetch,
            sent: 0,
            acked: 0,
            fetched: 0,
            fetched_latencies: Latencies::new(),
            acked_latencies: Latencies::new(),
            late: Latencies::new(),
        })
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// `beside` is called again and again with the ns since the beginning.
    fn run(&mut self, options: &Options, mut beside: impl FnMut(u64) -> io::Result<()>) -> io::Result<()> {
        let last = self.schedule.at(self.total) + PATIENCE.as_nanos() as u64;
        let mut told = 0;
        self.started = Instant::now();
        while self.acked < self.total || self.fetched < self.total {
            let now = self.now();
            self.send_what_is_due(now)?;
            beside(now)?;
            if now > last {
                let (sent, acked, fetched) = (self.sent, self.acked, self.fetched);
                return Err(io::Error::other(format!(
                    "{PATIENCE:?} after the last of {sent} requests {acked} were acked and {fetched} fetched"
                )));
            }
            if options.progress && now / 1_000_000_000 > told {
                told = now / 1_000_000_000;
                self.tell(told)?;
            }
            let due = if self.sent < self.total { self.schedule.at(self.sent) } else { last };
            let (acks, records) = self.wait(if options.spin { 0 } else { due.saturating_sub(now) })?;
            if acks {
                self.take_acks()?;
            }
            if records {
                self.take_records()?;
            }
        }
        Ok(())
    }

    fn send_what_is_due(&mut self, now: u64) -> io::Result<()> {
        self.producer.flush()?;
        while self.sent < self.schedule.due(now).min(self.total) {
            self.producer.send(self.produce.next())?;
            if self.sent >= self.warm {
                self.late.record(self.now() - self.schedule.at(self.sent), 1);
            }
            self.sent += 1;
        }
        Ok(())
    }

    /// Whether acks and whether records may be read, after at most so long.
    fn wait(&self, nanos: u64) -> io::Result<(bool, bool)> {
        let seconds = (nanos / 1_000_000_000) as i64;
        let timeout = Timespec { tv_sec: seconds, tv_nsec: (nanos % 1_000_000_000) as _ };
        let out = if self.producer.is_behind() { PollFlags::OUT } else { PollFlags::empty() };
        let mut ends =
            [PollFd::new(&self.producer, PollFlags::IN | out), PollFd::new(&self.consumer, PollFlags::IN)];
        match poll(&mut ends, Some(&timeout)) {
            Err(rustix::io::Errno::INTR) => return Ok((false, false)),
            other => other?,
        };
        Ok((!ends[0].revents().is_empty(), !ends[1].revents().is_empty()))
    }

    fn take_acks(&mut self) -> io::Result<()> {
        let (schedule, warm, started) = (self.schedule, self.warm, self.started);
        let (produce, acked, latencies) = (&self.produce, &mut self.acked, &mut self.acked_latencies);
        self.producer.receive(|reply| {
            let now = started.elapsed().as_nanos() as u64;
            let base_offset = produce.acked(reply, *acked as i32 + 1)?;
            if base_offset != schedule.offset_of(*acked) {
                return Err(io::Error::other(format!(
                    "request {acked} was acked at offset {base_offset}, expected {}",
                    schedule.offset_of(*acked)
                )));
            }
            if *acked >= warm {
                latencies.record(now - schedule.at(*acked), 1);
            }
            *acked += 1;
            Ok(())
        })
    }

    fn take_records(&mut self) -> io::Result<()> {
        let (schedule, warm, started) = (self.schedule, self.warm, self.started);
        let (fetch, fetched, latencies) = (&self.fetch, &mut self.fetched, &mut self.fetched_latencies);
        let mut replies = 0;
        self.consumer.receive(|reply| {
            let now = started.elapsed().as_nanos() as u64;
            replies += 1;
            for (base_offset, records) in batches(fetch.records(reply)?) {
                let request = schedule.request_of(base_offset, records);
                if request != Some(*fetched) {
                    return Err(io::Error::other(format!(
                        "{records} records at offset {base_offset} came where offset {} was due",
                        schedule.offset_of(*fetched)
                    )));
                }
                if *fetched >= warm {
                    latencies.record(now - schedule.at(*fetched), records as u64);
                }
                *fetched += 1;
            }
            Ok(())
        })?;
        if replies > 0 && self.fetched < self.total {
            self.consumer.send(self.fetch.from(self.schedule.offset_of(self.fetched)))?;
        }
        Ok(())
    }

    fn tell(&self, seconds: u64) -> io::Result<()> {
        let mut so_far: Figures = figures([
            ("seconds", seconds as f64),
            ("requests", self.sent as f64),
            ("records", self.fetched_latencies.count() as f64),
        ]);
        if self.fetched_latencies.count() > 0 {
            self.fetched_latencies.add_to(&mut so_far, "")?;
        }
        progress(&so_far);
        Ok(())
    }
}
