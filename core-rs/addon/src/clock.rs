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

/// This instant: milliseconds since the process first asked, and since the Unix epoch.
pub fn now() -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Now { monotonic_ms: origin().elapsed().as_millis() as i64, wall_ms: wall.as_millis() as i64 }
}
