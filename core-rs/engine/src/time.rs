//! The pair of clocks that every decision is given; this crate never reads one itself.

/// One instant on both clocks, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Steady clock of the process: deadlines and timeouts.
    pub monotonic_ms: i64,
    /// Wall clock since the Unix epoch: record timestamps and retention.
    pub wall_ms: i64,
}
