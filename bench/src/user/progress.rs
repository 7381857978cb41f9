//! What has been done so far, told once a second and at the end.

use std::io;
use std::time::{Duration, Instant};

use crate::output::{Figures, figures, progress};
use crate::percentiles::Latencies;

const EVERY: Duration = Duration::from_secs(1);

/// Requests that were answered: their records, their bytes as sent, and how long each took.
pub struct Progress {
    started: Instant,
    told: Instant,
    records: u64,
    bytes: u64,
    requests: u64,
    latencies: Latencies,
}

impl Progress {
    /// Time runs from now on.
    pub fn new() -> Self {
        let now = Instant::now();
        Self { started: now, told: now, records: 0, bytes: 0, requests: 0, latencies: Latencies::new() }
    }

    pub fn started(&self) -> Instant {
        self.started
    }

    /// One request that was sent then and answered now. Prints a line if the last one is a second old.
    pub fn answered(&mut self, sent: Instant, records: u64, bytes: u64) -> io::Result<()> {
        let now = Instant::now();
        self.latencies.record((now - sent).as_nanos() as u64, 1);
        self.records += records;
        self.bytes += bytes;
        self.requests += 1;
        if now - self.told >= EVERY {
            self.told = now;
            progress(&self.figures()?);
        }
        Ok(())
    }

    /// `seconds`, `records`, `bytes`, `requests` and percentiles. Error: no request was answered.
    pub fn figures(&self) -> io::Result<Figures> {
        let mut all = figures([
            ("seconds", self.started.elapsed().as_secs_f64()),
            ("records", self.records as f64),
            ("bytes", self.bytes as f64),
            ("requests", self.requests as f64),
        ]);
        self.latencies.add_to(&mut all, "")?;
        Ok(all)
    }
}
