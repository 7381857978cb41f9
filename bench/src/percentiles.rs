//! Latencies in nanoseconds, given out as percentiles in microseconds.

use std::io;

use hdrhistogram::Histogram;

use crate::output::Figures;

/// What a curve shows, in the order of its plot.
const CURVE: [(&str, f64); 10] = [
    ("10", 0.10),
    ("25", 0.25),
    ("50", 0.50),
    ("75", 0.75),
    ("90", 0.90),
    ("95", 0.95),
    ("99", 0.99),
    ("999", 0.999),
    ("9999", 0.9999),
    ("99999", 0.99999),
];

/// Times from a few nanoseconds to minutes, to three digits.
pub struct Latencies(Histogram<u64>);

impl Latencies {
    pub fn new() -> Self {
        Self(
            Histogram::new_with_max(120_000_000_000, 3)
                .unwrap_or_else(|_| unreachable!("the bounds are sound")),
        )
    }

    /// `count` times that took `nanos` each; what is longer than the longest counts as that.
    pub fn record(&mut self, nanos: u64, count: u64) {
        self.0.saturating_record_n(nanos, count);
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Adds `p10Us`, `p25Us`, `p50Us`, `p75Us`, `p90Us`, `p95Us`, `p99Us`, `p999Us`, `p9999Us`, `p99999Us`, `maxUs`, each
    /// name behind `prefix` (`ack` gives `ackP50Us`). Error: nothing was recorded.
    pub fn add_to(&self, figures: &mut Figures, prefix: &str) -> io::Result<()> {
        if self.0.is_empty() {
            return Err(io::Error::other(format!("no latency was recorded ({prefix})")));
        }
        let letter = if prefix.is_empty() { "p" } else { "P" };
        for (name, quantile) in CURVE {
            let micros = self.0.value_at_quantile(quantile) as f64 / 1e3;
            figures.insert(format!("{prefix}{letter}{name}Us"), micros.into());
        }
        let max = if prefix.is_empty() { "maxUs".to_string() } else { format!("{prefix}MaxUs") };
        figures.insert(max, (self.0.max() as f64 / 1e3).into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_microseconds_under_their_names() {
        let mut latencies = Latencies::new();
        latencies.record(50_000, 990);
        latencies.record(8_000_000, 10);
        let mut figures = Figures::new();
        latencies.add_to(&mut figures, "ack").unwrap();
        let near = |name: &str, micros: f64| (figures[name].as_f64().unwrap() / micros - 1.0).abs() < 0.01;
        assert!(
            near("ackP50Us", 50.0)
                && near("ackP99Us", 50.0)
                && near("ackP999Us", 8000.0)
                && near("ackMaxUs", 8000.0)
        );
        assert!(Latencies::new().add_to(&mut figures, "").is_err());
    }
}
