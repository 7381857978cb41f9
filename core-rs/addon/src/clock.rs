//! The only clock of the addon: both times of `Now`, read together.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use millrace_engine::time::Now;

fn origin() -> Instant {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    *ORIGIN.get_or_init(Instant::now)
}

/// Nanoseconds of a steady clock, for durations; never 0.
pub fn nanos() -> u64 {
    origin().elapsed().as_nanos() as u64 + 1
}

/// Milliseconds since the process first asked.
pub fn monotonic_ms() -> i64 {
    origin().elapsed().as_millis() as i64
}

/// This instant: milliseconds since the process first asked, and since the Unix epoch.
pub fn now() -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Now { monotonic_ms: monotonic_ms(), wall_ms: wall.as_millis() as i64 }
}
