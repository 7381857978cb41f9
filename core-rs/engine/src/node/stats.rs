//! Figures of the data plane, counted by the I/O threads and shown to the control plane as JSON.

use std::sync::atomic::{AtomicU64, Ordering};

use super::request_metrics::{self, RequestMetrics};
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
    pub times: RequestMetrics,
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
        let listeners: serde_json::Map<_, _> = self
            .admission
            .by_listener()
            .into_iter()
            .map(|(name, connections)| (name.to_string(), connections.into()))
            .collect();
        let partitions: usize = self.partition_counts().values().sum();
        let control_times = self.control_times.lock();
        let figures = serde_json::json!({
            "connections": self.admission.total(),
            "connectionsOfListeners": listeners,
            "refusedConnections": sum(|stats| &stats.refused_connections),
            "failedAccepts": sum(|stats| &stats.failed_accepts),
            "topics": self.topics.len(),
            "partitions": partitions,
            "parkedRequests": sum(|stats| &stats.parked),
            "requests": {
                "produce": sum(|stats| &stats.produce),
                "fetch": sum(|stats| &stats.fetch),
                "listOffsets": sum(|stats| &stats.list_offsets),
                "control": sum(|stats| &stats.control),
                "refused": sum(|stats| &stats.refused),
            },
            "requestTimes": request_metrics::to_json(self.threads.iter().map(|thread| &thread.stats.times).chain([&*control_times])),
            "bytesIn": sum(|stats| &stats.bytes_in),
            "bytesOut": sum(|stats| &stats.bytes_out),
            "scrubbedBytes": self.scrubbing.bytes(),
            "damagedPlaces": self.scrubbing.damaged_places(),
            "pendingEffects": self.pending_effects(),
            "memory": {
                "inputBytes": self.budget.input_bytes(),
                "requestBytes": self.budget.request_bytes(),
                "eventBytes": self.events.byte_len() + self.workers.iter().map(|ring| ring.byte_len()).sum::<usize>(),
                "bufferBytes": sum(|stats| &stats.buffer_bytes),
            },
        });
        figures.to_string()
    }
}
