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
    /// Which of its readers, one after the other, the ring is for.
    generation: u32,
    /// The control plane has taken everything and waits to be woken.
    armed: bool,
    /// What waits may wait a little for company: somebody will call `wake_patient`.
    patient: bool,
}

impl Inner {
    fn new(generation: u32) -> Inner {
        Inner { packed: Vec::new(), requests: 0, generation, armed: true, patient: false }
    }
}

impl Default for EventRing {
    fn default() -> EventRing {
        EventRing { inner: Mutex::new(Inner::new(0)) }
    }
}

impl EventRing {
    /// Adds an event; true when the control plane must be woken now.
    pub fn push(&self, event: &Event<'_>) -> bool {
        self.inner.lock().push(event)
    }

    /// Adds an event that need not be looked at right now. True when the caller must see to it that
    /// [`wake_patient`](Self::wake_patient) is called within the time that the event may wait.
    pub fn push_patiently(&self, event: &Event<'_>) -> bool {
        let mut inner = self.inner.lock();
        inner.write(event);
        inner.armed && !std::mem::replace(&mut inner.patient, true)
    }

    /// The time of patience is over; true when the control plane must be woken now.
    pub fn wake_patient(&self) -> bool {
        let mut inner = self.inner.lock();
        std::mem::take(&mut inner.patient) && std::mem::take(&mut inner.armed)
    }

    /// As [`push`](Self::push), but drops an event that an earlier reader of the ring asked for.
    pub fn push_for(&self, generation: u32, event: &Event<'_>) -> bool {
        let mut inner = self.inner.lock();
        inner.generation == generation && inner.push(event)
    }

    pub fn generation(&self) -> u32 {
        self.inner.lock().generation
    }

    /// The reader is gone with whatever it had taken: what waits goes too, and the next one begins afresh.
    pub fn reset(&self) {
        let mut inner = self.inner.lock();
        let generation = inner.generation.wrapping_add(1);
        *inner = Inner::new(generation);
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
        inner.patient = false;
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

impl Inner {
    fn push(&mut self, event: &Event<'_>) -> bool {
        self.write(event);
        std::mem::take(&mut self.armed)
    }

    fn write(&mut self, event: &Event<'_>) {
        event.write(&mut self.packed);
        if matches!(event, Event::ControlRequest { .. }) {
            self.requests += 1;
        }
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

    #[test]
    fn what_is_patient_wakes_nobody_until_its_time_or_until_something_urgent_comes() {
        let ring = EventRing::default();
        assert!(ring.push_patiently(&Event::Stopped), "the first asks for a later wake");
        assert!(!ring.push_patiently(&Event::Stopped), "which is on its way");
        assert!(ring.wake_patient());
        assert!(!ring.wake_patient(), "woken already");
        assert!(!ring.push_patiently(&Event::Stopped), "the reader is on its way");
        let mut out = Vec::new();
        ring.drain(&mut out);
        assert_eq!(parse_events(&out).unwrap().len(), 3);

        assert!(ring.push_patiently(&Event::Stopped));
        assert!(ring.push(&Event::Stopped), "wakes at once");
        assert!(!ring.wake_patient());
        out.clear();
        ring.drain(&mut out);
        assert_eq!(parse_events(&out).unwrap().len(), 2, "for both");

        assert!(ring.push_patiently(&Event::Stopped));
        out.clear();
        ring.drain(&mut out);
        assert!(!ring.wake_patient(), "its reader came by itself");
    }

    #[test]
    fn a_new_reader_gets_nothing_that_was_meant_for_the_old_one() {
        let ring = EventRing::default();
        let old = ring.generation();
        ring.push(&Event::Stopped);
        ring.reset();
        assert!(!ring.push_for(old, &Event::Stopped), "dropped");
        assert!(ring.push_for(ring.generation(), &Event::Fault { message: "x" }), "armed again");
        let mut out = Vec::new();
        ring.drain(&mut out);
        assert_eq!(parse_events(&out).unwrap(), [Event::Fault { message: "x" }]);
    }
}
