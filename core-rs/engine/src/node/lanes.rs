//! Which reader of events a coordinator's requests and records go to: the control plane's own thread, or one of its
//! coordinator workers, by the partition of __consumer_offsets that owns the group. It decides nothing about groups.

use super::event_ring::EventRing;
use super::mail::Mail;
use super::shared::Node;
use crate::api::RequestHeader;
use crate::api::wire::Reader;
use crate::boundary::Event;

/// A reader of events: 0 is the control plane's own thread, n its worker n − 1.
pub type Lane = u16;
pub const MAIN: Lane = 0;

const GROUP_METADATA_TOPIC: &str = "__consumer_offsets";

impl Node {
    /// As [`drain_events`](Self::drain_events) for a coordinator worker.
    pub fn drain_worker(&self, worker: u16, out: &mut Vec<u8>) {
        if let Some(ring) = self.workers.get(usize::from(worker)) {
            ring.drain(out);
            self.went_on();
        }
    }

    /// A worker is gone, and with it every request that it had: their connections are closed, so that clients ask
    /// again. What comes from now on waits for its successor.
    pub fn worker_lost(&self, worker: u16) {
        if let Some(ring) = self.workers.get(usize::from(worker)) {
            ring.reset();
            let lane = worker + 1;
            self.post_all(|| Mail::LaneLost { lane });
            self.went_on();
        }
    }

    pub(super) fn ring(&self, lane: Lane) -> &EventRing {
        let worker = lane.checked_sub(1).and_then(|worker| self.workers.get(usize::from(worker)));
        worker.unwrap_or(&self.events)
    }

    pub(super) fn emit_to(&self, lane: Lane, event: &Event<'_>) {
        if self.ring(lane).push(event) {
            self.wake_lane(lane);
        }
    }

    /// As [`emit_to`](Self::emit_to) for what may wait for company; true when [`wake_patient`](Self::wake_patient) must
    /// follow.
    pub(super) fn emit_patiently(&self, lane: Lane, event: &Event<'_>) -> bool {
        self.ring(lane).push_patiently(event)
    }

    pub(super) fn wake_patient(&self, lane: Lane) {
        if self.ring(lane).wake_patient() {
            self.wake_lane(lane);
        }
    }

    /// As [`emit_to`](Self::emit_to), but only for the reader of this generation.
    pub(super) fn emit_for(&self, lane: Lane, generation: u32, event: &Event<'_>) {
        if self.ring(lane).push_for(generation, event) {
            self.wake_lane(lane);
        }
    }

    fn wake_lane(&self, lane: Lane) {
        match lane.checked_sub(1) {
            Some(worker) => self.signals.wake_worker(worker),
            None => self.signals.wake_js(),
        }
    }

    /// Who coordinates on a partition of an internal topic.
    pub(super) fn lane_of_partition(&self, partition: i32) -> Lane {
        let partition = u16::try_from(partition.rem_euclid(i32::from(u16::MAX))).unwrap_or(0);
        partition.checked_rem(self.workers.len() as u16).map_or(MAIN, |worker| worker + 1)
    }

    /// Who is to answer a control request: requests about one group go to the worker of that group.
    pub(super) fn lane_of_request(&self, frame: &[u8]) -> Lane {
        if self.workers.is_empty() {
            return MAIN;
        }
        let Some(group_id) = group_of(frame) else { return MAIN };
        let Some(topic) = self.topics.by_name(GROUP_METADATA_TOPIC) else { return MAIN };
        partition_of(group_id, topic.partitions.len()).map_or(MAIN, |found| self.lane_of_partition(found))
    }
}

/// The group that a request is about; `None` for one that is about none, about several, or cannot be read: whoever
/// answers those finds out what they are.
fn group_of(frame: &[u8]) -> Option<&str> {
    let api_key = i16::from_be_bytes(*frame.first_chunk::<2>()?);
    // OffsetCommit, OffsetFetch, JoinGroup, Heartbeat, LeaveGroup, SyncGroup
    if !matches!(api_key, 8 | 9 | 11..=14) {
        return None;
    }
    let header = RequestHeader::parse(frame).ok()?;
    let mut body = Reader::new(frame, header.body_offset, header.flexible);
    // OffsetFetch 8 and later ask for a list of groups.
    if api_key == 9 && header.api_version >= 8 && body.array(1, "groups").ok()? != 1 {
        return None;
    }
    body.string("group id").ok()
}

/// Kafka's `Utils.abs(groupId.hashCode()) % partitions`, with Java's hash over UTF-16.
fn partition_of(group_id: &str, partitions: usize) -> Option<i32> {
    let hash =
        group_id.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    let positive = if hash == i32::MIN { 0 } else { hash.abs() };
    positive.checked_rem(i32::try_from(partitions).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_fall_on_kafkas_partitions() {
        // Utils.abs("…".hashCode()) % 50 as Java computes them.
        for (group, partition) in [("", 0), ("a", 47), ("g1", 42), ("billing", 9), ("größe😀", 14)] {
            assert_eq!(partition_of(group, 50), Some(partition), "{group}");
        }
        assert_eq!(partition_of("a", 0), None);
    }

    #[test]
    fn the_group_of_a_request_is_found_where_there_is_one() {
        let frame = |key: u8, version: u8, body: &[u8]| {
            [&[0, key, 0, version, 0, 0, 0, 1, 0xff, 0xff], body].concat()
        };
        assert_eq!(group_of(&frame(12, 0, &[0, 2, b'g', b'1', 0])), Some("g1"));
        assert_eq!(group_of(&frame(12, 4, &[0, 3, b'g', b'1', 0])), Some("g1"), "flexible");
        assert_eq!(group_of(&frame(9, 8, &[0, 2, 3, b'g', b'1', 0])), Some("g1"), "a list of one");
        assert_eq!(group_of(&frame(9, 8, &[0, 3, 3, b'g', b'1', 0])), None, "two groups");
        assert_eq!(group_of(&frame(15, 0, &[0, 0, 0, 1, 0, 1, b'g'])), None, "DescribeGroups");
        assert_eq!(group_of(&frame(12, 0, &[0, 9, b'g'])), None, "cut");
        assert_eq!(group_of(&[0]), None);
    }
}
