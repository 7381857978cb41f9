//! One incremental fetch session (KIP-227): the partitions that a client reads, what it was told of each, and which
//! of them a reply must name. How many sessions there may be is `fetch_sessions`' business.

use std::collections::BTreeMap;

use super::fetch_request::FetchPartition;
use super::fetch_response::FetchedPartition;
use super::produce_response::TopicLabel;

/// What one partition of a session is taken to hold, beside its topic's name.
const PARTITION_BYTES: u64 = 160;

/// The place of a partition in a session; a place is never given out twice.
pub(super) type Place = u64;

/// A partition of the session: what the client wants of it and what it knows.
#[derive(Debug)]
pub(super) struct CachedPartition {
    pub topic: TopicLabel,
    pub spec: FetchPartition,
    /// As told last; −1 before the first answer and after an error, so that the next answer is told again.
    high_watermark: i64,
    log_start_offset: i64,
}

/// Every partition of a session, in the order in which they are read.
#[derive(Debug)]
pub(super) struct FetchSession {
    pub id: i32,
    /// Epoch that the next request must have.
    pub epoch: i32,
    pub uses_topic_ids: bool,
    by_place: BTreeMap<Place, CachedPartition>,
    places: BTreeMap<(TopicLabel, i32), Place>,
    next_place: Place,
    bytes: u64,
}

/// The epoch after `epoch`: 0 asks for a session and does not come again.
pub(super) fn next_epoch(epoch: i32) -> i32 {
    epoch.checked_add(1).unwrap_or(1)
}

impl FetchSession {
    pub(super) fn new(id: i32, uses_topic_ids: bool) -> FetchSession {
        FetchSession {
            id,
            epoch: 1,
            uses_topic_ids,
            by_place: BTreeMap::new(),
            places: BTreeMap::new(),
            next_place: 0,
            bytes: 0,
        }
    }

    /// Partitions.
    pub(super) fn len(&self) -> usize {
        self.by_place.len()
    }

    /// About what it holds in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds a partition or takes over new wishes for one that is there.
    pub(super) fn set(&mut self, topic: &TopicLabel, spec: FetchPartition) {
        let key = (topic.clone(), spec.index);
        if let Some(place) = self.places.get(&key)
            && let Some(known) = self.by_place.get_mut(place)
        {
            known.spec = spec;
            return;
        }
        let place = self.take_place();
        self.bytes += weight(topic);
        let cached = CachedPartition { topic: topic.clone(), spec, high_watermark: -1, log_start_offset: -1 };
        self.by_place.insert(place, cached);
        self.places.insert(key, place);
    }

    pub(super) fn forget(&mut self, topic: &TopicLabel, index: i32) {
        if let Some(place) = self.places.remove(&(topic.clone(), index)) {
            self.by_place.remove(&place);
            self.bytes = self.bytes.saturating_sub(weight(topic));
        }
    }

    /// The partitions in reading order, each with its place.
    pub(super) fn partitions(&self) -> impl Iterator<Item = (Place, &CachedPartition)> {
        self.by_place.iter().map(|(&place, cached)| (place, cached))
    }

    /// Remembers an answer as told, and says whether an incremental reply must carry it: records, an error, a parted
    /// history or offsets that moved. With `rotate`, a partition that gave records goes to the end of the order, so
    /// that those behind it get their turn when the bytes of a reply are used up.
    pub(super) fn tell(&mut self, place: Place, answer: &FetchedPartition, rotate: bool) -> bool {
        let Some(cached) = self.by_place.get_mut(&place) else {
            // Forgotten by a later request while this one waited.
            return answer.error.is_error() || answer.len() > 0;
        };
        let moved = cached.high_watermark != answer.high_watermark
            || cached.log_start_offset != answer.log_start_offset;
        cached.high_watermark = if answer.error.is_error() { -1 } else { answer.high_watermark };
        cached.log_start_offset = answer.log_start_offset;
        if rotate && answer.len() > 0 {
            self.move_to_end(place);
        }
        moved || answer.len() > 0 || answer.error.is_error() || answer.divergence.is_some()
    }

    fn move_to_end(&mut self, place: Place) {
        let Some(cached) = self.by_place.remove(&place) else { return };
        let last = self.take_place();
        self.places.insert((cached.topic.clone(), cached.spec.index), last);
        self.by_place.insert(last, cached);
    }

    fn take_place(&mut self) -> Place {
        let place = self.next_place;
        self.next_place += 1;
        place
    }
}

fn weight(topic: &TopicLabel) -> u64 {
    PARTITION_BYTES + topic.text_len() as u64
}
