//! Options of a command: one JSON object, unknown keys refused; and the CPU that a process or thread is bound to.

use std::io;

use rustix::thread::{CpuSet, sched_setaffinity};
use serde::de::DeserializeOwned;

/// The options in `json`. Error: a sentence that names the key.
pub fn parse<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| format!("options: {error}"))
}

/// Binds the calling thread, and whatever it starts from now on, to one CPU; `None` leaves it free.
pub fn pin(core: Option<usize>) -> io::Result<()> {
    let Some(core) = core else { return Ok(()) };
    let mut set = CpuSet::new();
    set.set(core);
    Ok(sched_setaffinity(None, &set)?)
}
