//! What /proc tells of the broker under load: its memory. For loads that must read it at a moment only they know.

use std::io;
use std::process::Command;

use serde::Deserialize;

use crate::options::{parse, pin};
use crate::output::{Figures, Outcome, figures};

/// Resident set of a process, KiB.
pub fn resident_kib(pid: u32) -> io::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("/proc/{pid}/status has no VmRSS")))
}

/// What a process holds.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Held {
    resident_kib: f64,
    /// What is alive on a JVM's heap; 0 for all others. A heap that was touched before takes more without growing.
    heap_kib: f64,
}

impl Held {
    /// Makes a JVM collect its garbage, through `jcmd` of the same JDK.
    pub fn by(pid: u32) -> io::Result<Self> {
        let heap_kib = if is_jvm(pid)? { live_heap_kib(pid)? } else { 0.0 };
        Ok(Self { resident_kib: resident_kib(pid)?, heap_kib })
    }

    /// KiB more than before: of the resident set or of the live heap, whichever grew more, as either can be part of the
    /// other.
    pub fn more_than(&self, before: &Self) -> f64 {
        (self.resident_kib - before.resident_kib).max(self.heap_kib - before.heap_kib)
    }
}

fn is_jvm(pid: u32) -> io::Result<bool> {
    Ok(std::fs::read_to_string(format!("/proc/{pid}/comm"))?.trim() == "java")
}

fn live_heap_kib(pid: u32) -> io::Result<f64> {
    let told = Command::new("jcmd").args([pid.to_string().as_str(), "GC.class_histogram"]).output()?;
    let total = String::from_utf8_lossy(&told.stdout).lines().rev().find_map(total_of);
    total.map(|bytes| bytes / 1024.0).ok_or_else(|| {
        io::Error::other(format!("jcmd {pid} GC.class_histogram told no total ({})", told.status))
    })
}

/// The bytes in the last line of a class histogram, `Total 123 4567`.
fn total_of(line: &str) -> Option<f64> {
    let mut words = line.split_whitespace();
    (words.next() == Some("Total")).then(|| words.nth(1)?.parse().ok())?
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    pid: u32,
    /// A result of this command.
    since: Option<Held>,
}

/// `memory-of`. Result: `residentKib`, and `heapKib`, which is 0 for all but a JVM; with `since`, `moreKib` than then
/// and nothing else.
pub fn memory_of(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let held = Held::by(options.pid)?;
    if let Some(since) = options.since {
        return Ok(figures([("moreKib", held.more_than(&since))]));
    }
    Ok(figures([("residentKib", held.resident_kib), ("heapKib", held.heap_kib)]))
}

/// Adds figures under a phase's name: `p99Us` of phase `beside` as `besideP99Us`.
pub fn add_phase(to: &mut Figures, phase: &str, figures: Figures) {
    for (name, number) in figures {
        let mut letters = name.chars();
        let capital: String =
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        to.insert(format!("{phase}{capital}"), number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory() {
        let pid = std::process::id();
        assert!(resident_kib(pid).unwrap() > 100.0);
        assert!(resident_kib(u32::MAX).is_err());
    }

    #[test]
    fn a_histogram_ends_with_its_total() {
        assert_eq!(total_of("Total       1234567       98765432"), Some(98_765_432.0));
        assert_eq!(total_of("   1:         19480        1829408  [B (java.base@17.0.15)"), None);
        assert_eq!(total_of("Total"), None);
    }

    #[test]
    fn what_grew_more_counts() {
        let before = Held { resident_kib: 100.0, heap_kib: 50.0 };
        assert_eq!(Held { resident_kib: 101.0, heap_kib: 60.0 }.more_than(&before), 10.0);
        assert_eq!(Held { resident_kib: 120.0, heap_kib: 40.0 }.more_than(&before), 20.0);
    }

    #[test]
    fn a_phase_stands_before_its_figures() {
        let mut all = Figures::new();
        add_phase(&mut all, "beside", figures([("p99Us", 3.0)]));
        assert_eq!(all, figures([("besideP99Us", 3.0)]));
    }
}
