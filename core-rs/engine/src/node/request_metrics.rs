//! How long requests took, by API key and station, as Kafka's RequestMetrics: in the queue, at work, waiting for
//! others, waiting to be sent, being sent, and in all. Of the control plane's requests an I/O thread knows the way in
//! and out; what happens between is told from there.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::histogram::{Counted, Histogram};
use crate::conn::Timing;

/// Keys that Kafka has; others are never answered.
const KEYS: usize = 95;
const NANOS_PER_MICRO: u64 = 1000;

/// The requests of one I/O thread; a key that nobody used costs a pointer.
#[derive(Debug)]
pub struct RequestMetrics {
    by_key: [OnceLock<Box<Stations>>; KEYS],
}

#[derive(Debug, Default)]
struct Stations {
    queue: Histogram,
    local: Histogram,
    remote: Histogram,
    response_queue: Histogram,
    response_send: Histogram,
    throttle: Histogram,
    total: Histogram,
}

impl Default for RequestMetrics {
    fn default() -> RequestMetrics {
        RequestMetrics { by_key: [const { OnceLock::new() }; KEYS] }
    }
}

impl RequestMetrics {
    /// Microseconds of a request in the control plane: in the queue, at work, waiting for others. For one caller at a
    /// time.
    pub fn timed(&mut self, api_key: i16, micros: [i32; 3]) {
        let key = usize::try_from(api_key).ok().and_then(|key| self.by_key.get(key));
        let Some(stations) = key.map(|key| key.get_or_init(Box::default)) else { return };
        let [queue, local, remote] = micros.map(|micros| u64::try_from(micros).unwrap_or(0));
        stations.queue.add(queue);
        stations.local.add(local);
        stations.remote.add(remote);
    }

    /// A reply has left: its first byte at `begun`, its last one at `sent`.
    pub fn sent(&self, timing: &Timing, begun: u64, sent: u64) {
        let key = usize::try_from(timing.api_key).ok().and_then(|key| self.by_key.get(key));
        let Some(stations) = key.map(|key| key.get_or_init(Box::default)) else { return };
        let micros = |from: u64, to: u64| to.saturating_sub(from) / NANOS_PER_MICRO;
        // The control plane's own requests have no end of handling here.
        if timing.handled > 0 {
            stations.queue.add(micros(timing.received, timing.started));
            stations.local.add(micros(timing.started, timing.handled));
            stations.remote.add(micros(timing.handled, timing.replied));
        }
        stations.response_queue.add(micros(timing.replied, begun));
        stations.response_send.add(micros(begun, sent));
        stations.throttle.add(u64::from(timing.throttle_ms) * NANOS_PER_MICRO);
        stations.total.add(micros(timing.received, sent));
    }
}

/// One JSON object of all threads: API key → Kafka's name of the time → counts. What was never counted is left out.
pub(super) fn to_json<'a>(threads: impl Iterator<Item = &'a RequestMetrics>) -> serde_json::Value {
    let mut keys: BTreeMap<String, BTreeMap<&str, Counted>> = BTreeMap::new();
    for (key, slot) in threads.flat_map(|thread| thread.by_key.iter().enumerate()) {
        let Some(stations) = slot.get() else { continue };
        let counted = keys.entry(key.to_string()).or_default();
        for (name, histogram) in [
            ("RequestQueueTimeMs", &stations.queue),
            ("LocalTimeMs", &stations.local),
            ("RemoteTimeMs", &stations.remote),
            ("ResponseQueueTimeMs", &stations.response_queue),
            ("ResponseSendTimeMs", &stations.response_send),
            ("ThrottleTimeMs", &stations.throttle),
            ("TotalTimeMs", &stations.total),
        ] {
            histogram.add_to(counted.entry(name).or_default());
        }
    }
    let named = keys.into_iter().map(|(key, counted)| {
        let counted = counted.into_iter().filter(|(_, counted)| counted.count > 0);
        let members = counted.map(|(name, counted)| (name.to_owned(), counted.to_json()));
        (key, serde_json::Value::Object(members.collect()))
    });
    serde_json::Value::Object(named.collect())
}
