//! The events that wait for the control plane, packed already, and when it is to be woken. It drops none: whoever
//! produces events that can wait asks `is_full` first.

use parking_lot::Mutex;

use crate::boundary::Event;

/// Bytes of waiting events beyond which no more requests and loaded records are added.
const FULL_BYTES: usize = 8 << 20;
/// Waiting control requests beyond which no more are added.
const FULL_REQUESTS: usize = 4096;

#[derive(Debug)]
pub struct EventRing {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    packed: Vec<u8>,
    requests: usize,
    /// The control plane has taken everything and waits to be woken.
    armed: bool,
}

impl Default for EventRing {
    fn default() -> EventRing {
        EventRing { inner: Mutex::new(Inner { packed: Vec::new(), requests: 0, armed: true }) }
    }
}

impl EventRing {
    /// Adds an event; true when the control plane must be woken now.
    pub fn push(&self, event: &Event<'_>) -> bool {
        let mut inner = self.inner.lock();
        event.write(&mut inner.packed);
        if matches!(event, Event::ControlRequest { .. }) {
            inner.requests += 1;
        }
        std::mem::take(&mut inner.armed)
    }

    /// Appends everything to `out` and arms the wake again.
    pub fn drain(&self, out: &mut Vec<u8>) {
        let mut inner = self.inner.lock();
        if out.is_empty() {
            std::mem::swap(out, &mut inner.packed);
            inner.packed.clear();
        } else {
            out.append(&mut inner.packed);
        }
        inner.requests = 0;
        inner.armed = true;
    }

    pub fn is_full(&self) -> bool {
        let inner = self.inner.lock();
        inner.requests >= FULL_REQUESTS || inner.packed.len() >= FULL_BYTES
    }

    /// Bytes that wait.
    pub fn byte_len(&self) -> usize {
        self.inner.lock().packed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boundary::parse_events;

    #[test]
    fn one_wake_per_drain() {
        let ring = EventRing::default();
        assert!(ring.push(&Event::Stopped), "the first event wakes");
        assert!(!ring.push(&Event::Fault { message: "x" }), "the wake is on its way");
        let mut out = Vec::new();
        ring.drain(&mut out);
        assert_eq!(parse_events(&out).unwrap(), [Event::Stopped, Event::Fault { message: "x" }]);
        assert!(ring.push(&Event::Stopped), "armed again");
        ring.drain(&mut out);
        assert_eq!(parse_events(&out).unwrap().len(), 3, "a buffer with contents is added to");
    }
}
