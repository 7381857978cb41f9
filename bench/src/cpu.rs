//! CPU time of the calling thread, user and system apart, and of another process as a whole.

use std::io;

use rustix::param::clock_ticks_per_second;
use rustix::time::{ClockId, clock_gettime};

use crate::output::{Figures, figures};

/// CPU-seconds of the calling thread so far.
pub fn thread_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// CPU-seconds of the calling thread so far.
pub struct ThreadUsage {
    all: f64,
    /// Ticks of 10 ms: good for the ratio of the two alone.
    user_ticks: f64,
    system_ticks: f64,
}

impl ThreadUsage {
    pub fn now() -> io::Result<Self> {
        let [user_ticks, system_ticks] = ticks_in("/proc/thread-self/stat")?;
        Ok(Self { all: thread_seconds(), user_ticks, system_ticks })
    }

    /// What the thread took since, per GiB of `bytes`: `cpuSecondsPerGiB`, `userSecondsPerGiB`, `systemSecondsPerGiB`.
    pub fn per_gib(self, bytes: u64) -> io::Result<Figures> {
        let now = Self::now()?;
        let all = (now.all - self.all) * (1u64 << 30) as f64 / bytes as f64;
        let (user, system) = (now.user_ticks - self.user_ticks, now.system_ticks - self.system_ticks);
        let user = all * user / (user + system).max(1.0);
        let parts =
            [("cpuSecondsPerGiB", all), ("userSecondsPerGiB", user), ("systemSecondsPerGiB", all - user)];
        Ok(figures(parts))
    }
}

/// User and system time in the `stat` file of a process or thread, ticks.
fn ticks_in(path: &str) -> io::Result<[f64; 2]> {
    let stat = std::fs::read_to_string(path)?;
    // The name in parentheses may hold anything; user and system time are the 12th and 13th field behind it.
    let behind = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut ticks = behind.split_whitespace().skip(11).map(|field| field.parse::<f64>());
    let mut next = || match ticks.next() {
        Some(Ok(ticks)) => Ok(ticks),
        _ => Err(io::Error::other(format!("{path} has another form than expected"))),
    };
    Ok([next()?, next()?])
}

/// CPU-seconds of a process so far, all its threads, in ticks of 10 ms.
#[derive(Clone, Copy)]
pub struct ProcessUsage {
    pid: u32,
    user: f64,
    system: f64,
}

impl ProcessUsage {
    pub fn of(pid: u32) -> io::Result<Self> {
        let [user, system] =
            ticks_in(&format!("/proc/{pid}/stat"))?.map(|ticks| ticks / clock_ticks_per_second() as f64);
        Ok(Self { pid, user, system })
    }

    /// User and system together.
    pub fn seconds(self) -> f64 {
        self.user + self.system
    }

    /// Adds what each of `requests` has cost the process since: `cpuUsPerRequest`, `userUsPerRequest`, and the share of
    /// one core that was busy, `cpuSeconds`.
    pub fn add_per_request(self, to: &mut Figures, requests: u64) -> io::Result<()> {
        let now = Self::of(self.pid)?;
        let (user, all) = (now.user - self.user, now.user + now.system - self.user - self.system);
        to.insert("cpuSeconds".to_string(), all.into());
        to.insert("cpuUsPerRequest".to_string(), (all * 1e6 / requests.max(1) as f64).into());
        to.insert("userUsPerRequest".to_string(), (user * 1e6 / requests.max(1) as f64).into());
        Ok(())
    }
}
