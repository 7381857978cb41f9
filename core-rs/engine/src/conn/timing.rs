//! The stations of one request on its way through the broker, as Kafka's RequestMetrics has them. It reads no clock.

/// Nanoseconds of the stopwatch that the shell gave; all 0 without one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    pub api_key: i16,
    /// Its last byte was read.
    pub received: u64,
    /// Its handling began.
    pub started: u64,
    /// It was done with, or parked.
    pub handled: u64,
    /// Its reply was there.
    pub replied: u64,
    /// For how long the connection is muted because of it.
    pub throttle_ms: u32,
}
