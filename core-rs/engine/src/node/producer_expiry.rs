//! The periodic look for producers that fell silent (Kafka's `PeriodicProducerExpirationCheck`); what silence means is
//! the partition's to say.

use super::effects::Effect;
use super::shared::Node;
use crate::time::Now;

impl Node {
    pub(super) fn tick_producer_expiry(&self, now: Now) {
        if self.producer_expiry.is_due(now) {
            self.push_effect(Effect::ExpireProducers);
        }
    }

    pub(super) fn expire_producers(&self, now: Now) {
        for topic in self.topics.all() {
            for partition in topic.partitions.iter().flatten() {
                partition.expire_producers(now);
            }
        }
        self.producer_expiry.done();
    }
}
