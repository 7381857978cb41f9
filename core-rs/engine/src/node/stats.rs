//! Figures of the data plane, counted by the I/O threads and shown to the control plane as JSON.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use super::shared::Node;

/// What one I/O thread has counted. Only that thread adds.
#[derive(Debug, Default)]
pub struct ThreadStats {
    pub produce: AtomicU64,
    pub fetch: AtomicU64,
    pub list_offsets: AtomicU64,
    pub control: AtomicU64,
    /// Requests for which the connection was closed.
    pub refused: AtomicU64,
    /// Connections that a cap or the stop refused.
    pub refused_connections: AtomicU64,
    /// Times that the system had no descriptor or memory for a connection.
    pub failed_accepts: AtomicU64,
    pub bytes_in: AtomicU64,
    pub bytes_out: AtomicU64,
    /// Gauges.
    pub connections: AtomicU64,
    pub parked: AtomicU64,
    pub buffer_bytes: AtomicU64,
}

impl ThreadStats {
    pub fn count_data_request(&self, api_key: i16) {
        match api_key {
            0 => add(&self.produce, 1),
            1 => add(&self.fetch, 1),
            _ => add(&self.list_offsets, 1),
        }
    }
}

/// Adds to a counter that only this thread writes: no read-modify-write needed.
pub(super) fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}

impl Node {
    /// Figures of this moment as one JSON object: counters since the start, gauges, bytes of memory by purpose.
    pub fn stats(&self) -> String {
        let sum = |pick: fn(&ThreadStats) -> &AtomicU64| -> u64 {
            self.threads.iter().map(|thread| pick(&thread.stats).load(Ordering::Relaxed)).sum()
        };
        let partitions: usize = self.partition_counts().values().sum();
        let mut json = String::new();
        let written = write!(
            json,
            concat!(
                "{{\"connections\":{},\"refusedConnections\":{},\"failedAccepts\":{},\"topics\":{},\"partitions\":{},\"parkedRequests\":{},",
                "\"requests\":{{\"produce\":{},\"fetch\":{},\"listOffsets\":{},\"control\":{},\"refused\":{}}},",
                "\"bytesIn\":{},\"bytesOut\":{},\"pendingEffects\":{},",
                "\"memory\":{{\"inputBytes\":{},\"requestBytes\":{},\"eventBytes\":{},\"bufferBytes\":{}}}}}"
            ),
            self.admission.total(),
            sum(|stats| &stats.refused_connections),
            sum(|stats| &stats.failed_accepts),
            self.topics.len(),
            partitions,
            sum(|stats| &stats.parked),
            sum(|stats| &stats.produce),
            sum(|stats| &stats.fetch),
            sum(|stats| &stats.list_offsets),
            sum(|stats| &stats.control),
            sum(|stats| &stats.refused),
            sum(|stats| &stats.bytes_in),
            sum(|stats| &stats.bytes_out),
            self.pending_effects(),
            self.budget.input_bytes(),
            self.budget.request_bytes(),
            self.events.byte_len(),
            sum(|stats| &stats.buffer_bytes),
        );
        debug_assert!(written.is_ok(), "a String takes every write");
        json
    }
}
