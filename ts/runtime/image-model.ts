/**
 * The metadata image as the metadata log runs it, and how its changes look to the data plane. Folding is state/'s.
 */
import {
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
import type { ApplyImage, ImageModel } from './metadata-log.js'

export const imageModel: ImageModel<MetadataRecord, MetadataImage, MetadataDelta> = {
  empty: emptyImage,
  fold: applyRecords,
  toApply(image, delta) {
    if (delta === null) {
      return {
        removedTopics: [],
        topics: topicsSorted(image).map((topic) => toApplyTopic(image, topic, null)),
      }
    }
    return {
      removedTopics: delta.removedTopics.map(({ topicId }) => topicId),
      topics: [...delta.topics.values()].map(({ topic, partitions }) =>
        toApplyTopic(image, topic, partitions),
      ),
    }
  },
}

/** `changed` null: all partitions. Configs always go whole. */
function toApplyTopic(
  image: MetadataImage,
  topic: TopicImage,
  changed: ReadonlySet<number> | null,
): ApplyImage['topics'][number] {
  const { name, topicId } = topic
  return {
    name,
    topicId,
    internal: isInternalTopic(name),
    configs: [...configsOf(image, CONFIG_TOPIC, name)].map(([key, value]) => ({ key, value })),
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
