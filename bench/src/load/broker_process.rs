//! What /proc tells of the broker under load: its memory. For loads that must read it at a moment only they know.

use std::io;

use crate::output::Figures;

/// Resident set of a process, KiB.
pub fn resident_kib(pid: u32) -> io::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| io::Error::other(format!("/proc/{pid}/status has no VmRSS")))
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
    use crate::output::figures;

    #[test]
    fn this_process_has_memory() {
        let pid = std::process::id();
        assert!(resident_kib(pid).unwrap() > 100.0);
        assert!(resident_kib(u32::MAX).is_err());
    }

    #[test]
    fn a_phase_stands_before_its_figures() {
        let mut all = Figures::new();
        add_phase(&mut all, "beside", figures([("p99Us", 3.0)]));
        assert_eq!(all, figures([("besideP99Us", 3.0)]));
    }
}
