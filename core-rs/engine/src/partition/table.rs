//! The topics that this broker knows, found by name or by id. It holds partitions; it never opens or deletes one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;

use super::{Partition, PartitionError};
use crate::uuid::Uuid;

/// One topic as the metadata image describes it; replaced as a whole when it changes.
#[derive(Debug)]
pub struct Topic {
    pub name: Arc<str>,
    pub id: Uuid,
    /// Written by coordinators alone: clients may read but not produce.
    pub internal: bool,
    /// By partition index; `None` where this broker holds no replica.
    pub partitions: Vec<Option<Arc<Partition>>>,
}

impl Topic {
    /// The partition `index` of this topic.
    ///
    /// Errors: `Unknown` when the topic has no such partition, `NotLeader` when only other brokers hold it.
    pub fn partition(&self, index: i32) -> Result<&Arc<Partition>, PartitionError> {
        let slot = usize::try_from(index).ok().and_then(|index| self.partitions.get(index));
        slot.ok_or(PartitionError::Unknown)?.as_ref().ok_or(PartitionError::NotLeader)
    }
}

/// Every topic of the applied image. Lookups allocate nothing and hold the lock only to clone an `Arc`.
#[derive(Debug, Default)]
pub struct Topics {
    tables: RwLock<Tables>,
    /// Of all topics together.
    partitions: AtomicUsize,
}

#[derive(Debug, Default)]
struct Tables {
    by_name: BTreeMap<Arc<str>, Arc<Topic>>,
    by_id: BTreeMap<Uuid, Arc<Topic>>,
}

impl Topics {
    pub fn by_name(&self, name: &str) -> Option<Arc<Topic>> {
        self.tables.read().by_name.get(name).cloned()
    }

    pub fn by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.tables.read().by_id.get(&id).cloned()
    }

    /// The partition of a topic id, if this broker holds it.
    pub fn partition(&self, id: Uuid, index: i32) -> Option<Arc<Partition>> {
        self.tables.read().by_id.get(&id)?.partition(index).ok().cloned()
    }

    /// The partition behind this place in the order of topic ids and indexes, the first one where there is no place. A
    /// walk over all of them costs no more than a look-up each.
    pub fn partition_after(&self, place: Option<(Uuid, i32)>) -> Option<Arc<Partition>> {
        let tables = self.tables.read();
        let (id, from) = place.map_or((Uuid::ZERO, 0), |(id, index)| (id, index.saturating_add(1)));
        let from = |topic: &Topic| if topic.id == id { usize::try_from(from).unwrap_or(0) } else { 0 };
        let mut topics = tables.by_id.range(id..).map(|(_, topic)| topic);
        topics.find_map(|topic| topic.partitions.iter().skip(from(topic)).flatten().next().cloned())
    }

    /// Adds the topic or puts it in the place of what had its name or id. Returns what its name meant before.
    pub fn insert(&self, topic: Arc<Topic>) -> Option<Arc<Topic>> {
        let mut tables = self.tables.write();
        self.partitions.fetch_add(topic.partitions.len(), Ordering::Relaxed);
        if let Some(same_id) = tables.by_id.insert(topic.id, topic.clone()) {
            self.partitions.fetch_sub(same_id.partitions.len(), Ordering::Relaxed);
            if same_id.name != topic.name {
                tables.by_name.remove(&same_id.name);
            }
        }
        let before = tables.by_name.insert(topic.name.clone(), topic.clone());
        if let Some(before) = &before
            && before.id != topic.id
            && let Some(gone) = tables.by_id.remove(&before.id)
        {
            self.partitions.fetch_sub(gone.partitions.len(), Ordering::Relaxed);
        }
        before
    }

    pub fn remove(&self, id: Uuid) -> Option<Arc<Topic>> {
        let mut tables = self.tables.write();
        let topic = tables.by_id.remove(&id)?;
        self.partitions.fetch_sub(topic.partitions.len(), Ordering::Relaxed);
        tables.by_name.remove(&topic.name);
        Some(topic)
    }

    /// Every topic, by name.
    pub fn all(&self) -> Vec<Arc<Topic>> {
        self.tables.read().by_name.values().cloned().collect()
    }

    pub fn len(&self) -> usize {
        self.tables.read().by_id.len()
    }

    /// Partitions of all topics together, wherever they are.
    pub fn partitions(&self) -> usize {
        self.partitions.load(Ordering::Relaxed)
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::PartitionConfig;
    use crate::partition::testing::{reopen, spec};
    use crate::storage::SimStorage;

    fn topic_of(name: &str, id: u8) -> Topic {
        Topic { name: name.into(), id: Uuid([id; 16]), internal: false, partitions: vec![None] }
    }

    fn topic(name: &str, id: u8) -> Arc<Topic> {
        Arc::new(topic_of(name, id))
    }

    #[test]
    fn a_recreated_topic_is_no_longer_found_by_its_old_id() {
        let topics = Topics::default();
        topics.insert(topic("a", 1));
        let before = topics.insert(topic("a", 2)).unwrap();
        assert_eq!(before.id, Uuid([1; 16]));
        assert!(topics.by_id(Uuid([1; 16])).is_none());
        assert_eq!(topics.by_name("a").unwrap().id, Uuid([2; 16]));
        assert_eq!((topics.len(), topics.partitions()), (1, 1));
        topics.insert(topic("a", 2));
        assert_eq!(topics.partitions(), 1, "replaced");
        assert!(topics.remove(Uuid([2; 16])).is_some());
        assert_eq!(topics.partitions(), 0);
        assert!(topics.is_empty() && topics.by_name("a").is_none());
    }

    #[test]
    fn a_walk_meets_every_partition_of_this_broker_once_and_goes_on_where_topics_come_and_go() {
        let disk = SimStorage::new();
        let mut places = Vec::new();
        let topics = Topics::default();
        for (id, held) in [(3u8, [true, false, true]), (1, [false, false, false]), (2, [false, true, true])] {
            let name = format!("topic-{id}");
            let open =
                |index: usize| reopen(&disk, spec(&name, id, index as i32), PartitionConfig::default());
            let partitions = (0..3).map(|index| held[index].then(|| open(index))).collect();
            topics.insert(Arc::new(Topic { partitions, ..topic_of(&name, id) }));
            places.extend((0..3).filter(|index| held[*index]).map(|index| (Uuid([id; 16]), index as i32)));
        }
        places.sort();
        let place = |partition: &Arc<Partition>| (partition.topic_id(), partition.index());
        let next = |after: &Arc<Partition>| topics.partition_after(Some(place(after)));
        let walk: Vec<_> = std::iter::successors(topics.partition_after(None), next).collect();
        assert_eq!(walk.iter().map(place).collect::<Vec<_>>(), places);
        topics.remove(Uuid([2; 16]));
        assert_eq!(next(&walk[0]).map(|found| place(&found)), Some((Uuid([3; 16]), 0)));
        assert!(Topics::default().partition_after(None).is_none());
    }

    #[test]
    fn tells_a_partition_elsewhere_from_one_that_does_not_exist() {
        let topic = topic("a", 1);
        assert_eq!(topic.partition(0).err(), Some(PartitionError::NotLeader));
        assert_eq!(topic.partition(1).err(), Some(PartitionError::Unknown));
        assert_eq!(topic.partition(-1).err(), Some(PartitionError::Unknown));
    }
}
