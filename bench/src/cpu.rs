//! CPU time of the calling thread, user and system apart.

use rustix::time::{ClockId, clock_gettime};

/// CPU-seconds of the calling thread so far.
pub fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
