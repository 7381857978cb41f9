/** The topics that the broker creates for its coordinators, with the configs that Kafka gives them. */
import type { BrokerConfig } from '../config/broker-config.js'
import { GROUP_METADATA_TOPIC } from '../state/topic-name.js'
import type { CreatableTopic } from '../state/topics.js'

/** __consumer_offsets; it is created even when there are fewer brokers than it should have replicas. */
export function offsetsTopic(config: BrokerConfig, brokers: number): CreatableTopic {
  const replicas = config.get('offsets.topic.replication.factor')
  return {
    name: GROUP_METADATA_TOPIC,
    numPartitions: config.get('offsets.topic.num.partitions'),
    replicationFactor: Math.max(1, Math.min(replicas, brokers)),
    assignments: [],
    configs: [
      { name: 'cleanup.policy', value: 'compact' },
      { name: 'compression.type', value: 'producer' },
      { name: 'segment.bytes', value: String(config.get('offsets.topic.segment.bytes')) },
    ],
  }
}
