//! The fetch sessions of one I/O thread (KIP-227): ids, epochs, and who must go when there is no room, by Kafka's
//! rules for consumers. A session is known on the thread that made it and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::ErrorCode;
use super::fetch_request::INITIAL_EPOCH;
use super::fetch_session::{FetchSession, next_epoch};
use crate::storage::splitmix::SplitMix;
use crate::time::Now;

/// `max.incremental.fetch.session.cache.slots`: sessions over the whole broker.
pub const DEFAULT_SESSION_SLOTS: usize = 1000;
/// A session that was not used for so long makes room for any other; a younger one is never in the way of its own
/// client only because somebody reads more partitions.
const EVICTION_MS: i64 = 120_000;
/// About what all sessions of a broker may hold in memory; Kafka bounds their number alone.
const MAX_BYTES: u64 = 64 << 20;
/// Low bits of a session id that name its thread: ids of two threads never meet.
const THREAD_BITS: u32 = 5;

/// A session as its parked requests share it; they run on the thread that owns it, so the lock is never waited for.
pub(super) type SharedSession = Arc<Mutex<FetchSession>>;

#[derive(Debug)]
struct Entry {
    session: SharedSession,
    created_ms: i64,
    used_ms: i64,
    /// Partitions and bytes as of the last use.
    size: usize,
    bytes: u64,
}

/// The sessions that one thread made.
#[derive(Debug)]
pub struct FetchSessions {
    by_id: BTreeMap<i32, Entry>,
    /// When it was used last, and which: the stalest first.
    by_use: BTreeSet<(i64, i32)>,
    /// Sessions old enough to yield to one with more partitions: the smallest first.
    evictable: BTreeSet<(usize, i32)>,
    bytes: u64,
    slots: usize,
    max_bytes: u64,
    thread: u16,
    random: SplitMix,
}

impl FetchSessions {
    /// The sessions of I/O thread `thread` of `threads`, which share the broker's slots evenly (as the shards of
    /// Kafka's cache do). `seed` is where ids come from.
    pub fn new(slots: usize, thread: u16, threads: u16, seed: u64) -> FetchSessions {
        let threads = threads.max(1);
        let share = if slots == 0 { 0 } else { (slots / usize::from(threads)).max(1) };
        FetchSessions {
            by_id: BTreeMap::new(),
            by_use: BTreeSet::new(),
            evictable: BTreeSet::new(),
            bytes: 0,
            slots: share,
            max_bytes: MAX_BYTES / u64::from(threads),
            thread,
            random: SplitMix::new(seed ^ (u64::from(thread) << 56)),
        }
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Whether a session of `size` partitions and about `bytes` in memory may be made, others evicted for it if need
    /// be: first whoever was not used for `EVICTION_MS`, then the smallest of those that have lived as long, if it is
    /// smaller than the new one.
    fn make_room(&mut self, size: usize, bytes: u64, now: Now) -> bool {
        if self.slots == 0 || bytes > self.max_bytes {
            return false;
        }
        while self.by_id.len() >= self.slots || self.bytes.saturating_add(bytes) > self.max_bytes {
            let stale = self.by_use.first().filter(|(used, _)| now.monotonic_ms - used > EVICTION_MS);
            let smaller = self.evictable.first().filter(|(smallest, _)| *smallest < size);
            let Some(id) = stale.map(|(_, id)| *id).or(smaller.map(|(_, id)| *id)) else { return false };
            self.close(id);
        }
        true
    }

    /// Keeps a new session that `fill` puts the partitions in; `None` when there is no room, and the client goes on
    /// without one.
    pub(super) fn create(
        &mut self,
        uses_topic_ids: bool,
        now: Now,
        fill: impl FnOnce(&mut FetchSession),
    ) -> Option<SharedSession> {
        let mut session = FetchSession::new(self.new_id(), uses_topic_ids);
        fill(&mut session);
        if !self.make_room(session.len(), session.bytes(), now) {
            return None;
        }
        let id = session.id;
        let session = Arc::new(Mutex::new(session));
        let (created_ms, used_ms) = (now.monotonic_ms, now.monotonic_ms);
        let entry = Entry { session: session.clone(), created_ms, used_ms, size: 0, bytes: 0 };
        self.by_id.insert(id, entry);
        self.touch(id, now);
        Some(session)
    }

    /// The session that an incremental request goes on with; its epoch moves on.
    ///
    /// Errors: `FETCH_SESSION_ID_NOT_FOUND`, `INVALID_FETCH_SESSION_EPOCH`, `FETCH_SESSION_TOPIC_ID_ERROR` when the
    /// request names topics otherwise than the session does.
    pub(super) fn go_on(
        &mut self,
        id: i32,
        epoch: i32,
        uses_topic_ids: bool,
    ) -> Result<SharedSession, ErrorCode> {
        let entry = self.by_id.get(&id).ok_or(ErrorCode::FETCH_SESSION_ID_NOT_FOUND)?;
        let mut session = entry.session.lock();
        if session.epoch != epoch {
            return Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
        }
        if session.uses_topic_ids != uses_topic_ids {
            return Err(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
        }
        session.epoch = next_epoch(epoch);
        Ok(entry.session.clone())
    }

    /// Notes that a session was used just now and how large it is. `false`: it outgrew the memory there is for
    /// sessions and was closed; its next request begins anew.
    pub(super) fn touch(&mut self, id: i32, now: Now) -> bool {
        let Some(entry) = self.by_id.get_mut(&id) else { return false };
        self.by_use.remove(&(entry.used_ms, id));
        self.evictable.remove(&(entry.size, id));
        self.bytes -= entry.bytes;
        let session = entry.session.lock();
        (entry.size, entry.bytes) = (session.len(), session.bytes());
        drop(session);
        entry.used_ms = now.monotonic_ms;
        self.bytes += entry.bytes;
        self.by_use.insert((entry.used_ms, id));
        if now.monotonic_ms - entry.created_ms > EVICTION_MS {
            self.evictable.insert((entry.size, id));
        }
        if self.bytes > self.max_bytes {
            self.close(id);
            return false;
        }
        true
    }

    pub(super) fn close(&mut self, id: i32) {
        if let Some(entry) = self.by_id.remove(&id) {
            self.by_use.remove(&(entry.used_ms, id));
            self.evictable.remove(&(entry.size, id));
            self.bytes -= entry.bytes;
        }
    }

    /// A positive id that is not in use: random, so that a client that comes back after a restart does not meet the
    /// session of another, with the thread in its low bits.
    fn new_id(&mut self) -> i32 {
        loop {
            let high = (self.random.next_u64() >> (33 + THREAD_BITS)) as i32;
            let id = (high << THREAD_BITS) | i32::from(self.thread & ((1 << THREAD_BITS) - 1));
            if id > INITIAL_EPOCH && !self.by_id.contains_key(&id) {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fetch_request::FetchPartition;
    use super::super::produce_response::TopicLabel;
    use super::*;

    fn at(monotonic_ms: i64) -> Now {
        Now { monotonic_ms, wall_ms: 0 }
    }

    fn fill(session: &mut FetchSession, partitions: i32, name: &str) {
        for index in 0..partitions {
            let spec = FetchPartition {
                index,
                current_leader_epoch: -1,
                fetch_offset: 0,
                last_fetched_epoch: -1,
                max_bytes: 1,
            };
            session.set(&TopicLabel::Name(name.into()), spec);
        }
    }

    fn create(sessions: &mut FetchSessions, partitions: i32, now: i64) -> Option<i32> {
        let session = sessions.create(false, at(now), |session| fill(session, partitions, "t"))?;
        let id = session.lock().id;
        Some(id)
    }

    #[test]
    fn a_young_or_larger_session_is_never_evicted_and_a_stale_one_always() {
        let mut sessions = FetchSessions::new(2, 0, 1, 7);
        let large = create(&mut sessions, 9, 0).unwrap();
        let small = create(&mut sessions, 2, 0).unwrap();
        assert_eq!(create(&mut sessions, 5, EVICTION_MS), None, "nobody is old yet");
        sessions.touch(large, at(EVICTION_MS + 1));
        sessions.touch(small, at(EVICTION_MS + 1));
        assert_eq!(create(&mut sessions, 2, EVICTION_MS + 2), None, "not larger than the smallest");
        let third = create(&mut sessions, 3, EVICTION_MS + 2).unwrap();
        assert_eq!(sessions.go_on(small, 1, false).unwrap_err(), ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
        sessions.touch(third, at(2 * EVICTION_MS));
        create(&mut sessions, 1, 2 * EVICTION_MS + 2).unwrap();
        assert_eq!(sessions.go_on(large, 1, false).unwrap_err(), ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
        assert!(sessions.go_on(third, 1, false).is_ok());
        assert_eq!(sessions.len(), 2);
    }

    #[test]
    fn ids_are_positive_tell_their_thread_and_follow_from_the_seed() {
        let ids = |thread, seed| -> Vec<i32> {
            let mut sessions = FetchSessions::new(400, thread, 4, seed);
            (0..100).map(|_| create(&mut sessions, 1, 0).unwrap()).collect()
        };
        assert!(ids(3, 1).iter().all(|id| *id > 0 && id & 31 == 3));
        assert_eq!(ids(3, 1), ids(3, 1));
        assert_ne!(ids(3, 1), ids(3, 2));
        assert!(ids(0, 1).iter().all(|id| !ids(1, 1).contains(id)));
    }

    #[test]
    fn threads_share_the_slots_and_zero_slots_mean_no_sessions() {
        let mut sessions = FetchSessions::new(8, 1, 4, 0);
        assert!(create(&mut sessions, 1, 0).is_some() && create(&mut sessions, 1, 0).is_some());
        assert_eq!(create(&mut sessions, 1, 0), None);
        assert_eq!(create(&mut FetchSessions::new(0, 0, 1, 0), 1, 0), None);
    }

    #[test]
    fn memory_is_bounded_whatever_the_partitions_are_called() {
        let mut sessions = FetchSessions::new(1000, 0, 1, 0);
        sessions.max_bytes = 100_000;
        let long = "x".repeat(30_000);
        assert!(sessions.create(false, at(0), |session| fill(session, 3, &long)).is_some());
        assert!(sessions.create(false, at(0), |session| fill(session, 1, &long)).is_none());
        let id = create(&mut sessions, 1, 0).unwrap();
        let session = sessions.go_on(id, 1, false).unwrap();
        fill(&mut session.lock(), 1000, "grown");
        assert!(!sessions.touch(id, at(1)), "closed");
        assert_eq!((sessions.len(), sessions.bytes <= 100_000), (1, true));
        for id in sessions.by_id.keys().copied().collect::<Vec<_>>() {
            sessions.close(id);
        }
        assert!(sessions.bytes == 0 && sessions.by_use.is_empty() && sessions.evictable.is_empty());
    }
}
