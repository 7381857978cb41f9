//! The topics that this broker knows, found by name or by id. It holds partitions; it never opens or deletes one.

use std::collections::BTreeMap;
use std::sync::Arc;

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

    /// Adds the topic or puts it in the place of what had its name or id. Returns what its name meant before.
    pub fn insert(&self, topic: Arc<Topic>) -> Option<Arc<Topic>> {
        let mut tables = self.tables.write();
        if let Some(renamed) = tables.by_id.insert(topic.id, topic.clone())
            && renamed.name != topic.name
        {
            tables.by_name.remove(&renamed.name);
        }
        let before = tables.by_name.insert(topic.name.clone(), topic.clone());
        if let Some(before) = &before
            && before.id != topic.id
        {
            tables.by_id.remove(&before.id);
        }
        before
    }

    pub fn remove(&self, id: Uuid) -> Option<Arc<Topic>> {
        let mut tables = self.tables.write();
        let topic = tables.by_id.remove(&id)?;
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

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str, id: u8) -> Arc<Topic> {
        Arc::new(Topic { name: name.into(), id: Uuid([id; 16]), internal: false, partitions: vec![None] })
    }

    #[test]
    fn a_recreated_topic_is_no_longer_found_by_its_old_id() {
        let topics = Topics::default();
        topics.insert(topic("a", 1));
        let before = topics.insert(topic("a", 2)).unwrap();
        assert_eq!(before.id, Uuid([1; 16]));
        assert!(topics.by_id(Uuid([1; 16])).is_none());
        assert_eq!(topics.by_name("a").unwrap().id, Uuid([2; 16]));
        assert_eq!(topics.len(), 1);
        assert!(topics.remove(Uuid([2; 16])).is_some());
        assert!(topics.is_empty() && topics.by_name("a").is_none());
    }

    #[test]
    fn tells_a_partition_elsewhere_from_one_that_does_not_exist() {
        let topic = topic("a", 1);
        assert_eq!(topic.partition(0).err(), Some(PartitionError::NotLeader));
        assert_eq!(topic.partition(1).err(), Some(PartitionError::Unknown));
        assert_eq!(topic.partition(-1).err(), Some(PartitionError::Unknown));
    }
}
