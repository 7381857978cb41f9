/**
 * The metadata image as the metadata log runs it, and how its changes look to the data plane: a topic's configs are
 * its own over those that were set dynamically for the broker. Folding is state/'s.
 */
import type { BrokerConfig } from '../config/broker-config.js'
import {
  CONFIG_BROKER,
  CONFIG_TOPIC,
  configsOf,
  emptyImage,
  type MetadataImage,
  partitionsSorted,
  type TopicImage,
  topicsSorted,
} from '../state/image.js'
import { applyRecords, type MetadataDelta } from '../state/image-delta.js'
import type { MetadataRecord } from '../state/metadata-records.js'
import { isInternalTopic } from '../state/topic-name.js'
import type { ConfigOf } from './dynamic-config.js'
import type { ApplyImage, ImageModel } from './metadata-log.js'

/** `started`: what the data plane was opened with. */
export function imageModel(
  started: BrokerConfig,
  configOf: ConfigOf,
): ImageModel<MetadataRecord, MetadataImage, MetadataDelta> {
  const overrides = dynamicPartitionDefaults(started)
  return {
    empty: emptyImage,
    fold: applyRecords,
    toApply(image, delta) {
      const defaults = overrides(configOf(image))
      if (delta === null) {
        const topics = topicsSorted(image).map((topic) => toApplyTopic(image, topic, null, defaults))
        return { removedTopics: [], topics }
      }
      const changed = (topicId: string) => delta.topics.get(topicId)?.partitions ?? NO_PARTITIONS
      const topics = configuresBroker(delta, started.nodeId)
        ? topicsSorted(image)
        : [...delta.topics.values()].map(({ topic }) => topic)
      return {
        removedTopics: delta.removedTopics.map(({ topicId }) => topicId),
        topics: topics.map((topic) => toApplyTopic(image, topic, changed(topic.topicId), defaults)),
      }
    },
  }
}

const NO_PARTITIONS: ReadonlySet<number> = new Set()

function configuresBroker({ configs }: MetadataDelta, nodeId: number): boolean {
  return configs.some(
    ({ resourceType, resourceName }) =>
      resourceType === CONFIG_BROKER && (resourceName === '' || resourceName === String(nodeId)),
  )
}

/** What partitions act on of a config, as far as it differs from the start. */
function dynamicPartitionDefaults(
  started: BrokerConfig,
): (config: BrokerConfig) => ReadonlyMap<string, string> {
  const atStart: Readonly<Record<string, string>> = started.partitionDefaults()
  let last: { config: BrokerConfig; defaults: ReadonlyMap<string, string> } | null = null
  return (config) => {
    if (last?.config !== config) {
      const now = Object.entries(config.partitionDefaults())
      last = { config, defaults: new Map(now.filter(([key, value]) => atStart[key] !== value)) }
    }
    return last.defaults
  }
}

/** `changed` null: all partitions. Configs always go whole. */
function toApplyTopic(
  image: MetadataImage,
  topic: TopicImage,
  changed: ReadonlySet<number> | null,
  defaults: ReadonlyMap<string, string>,
): ApplyImage['topics'][number] {
  const { name, topicId } = topic
  const configs = new Map([...defaults, ...configsOf(image, CONFIG_TOPIC, name)])
  return {
    name,
    topicId,
    internal: isInternalTopic(name),
    configs: [...configs].map(([key, value]) => ({ key, value })),
    partitions: partitionsSorted(topic)
      .filter(({ partition }) => changed?.has(partition) ?? true)
      .map(({ partition, leader, leaderEpoch, partitionEpoch, replicas, isr }) => ({
        index: partition,
        leader,
        leaderEpoch,
        partitionEpoch,
        replicas,
        isr,
      })),
  }
}
