// The topics, partitions and configs of the metadata image while records change them.
// Owns what those records mean. A record that contradicts the image throws: the log is then not what a controller wrote.
import type { MetadataImage, PartitionImage, TopicImage } from './image.js'
import { CONFIG_TOPIC, configKey } from './image.js'
import type { MetadataMessage, MetadataRecord } from './metadata-records.js'
import { LEADER_UNCHANGED } from './partition-change.js'
import { type MapDraft, PersistentMap } from './persistent-map.js'

/** A topic that is new or different. */
export interface TopicDelta {
  /** As it is afterwards. */
  readonly topic: TopicImage
  readonly created: boolean
  /** Indexes of partitions that are new or different. */
  readonly partitions: ReadonlySet<number>
  readonly configsChanged: boolean
}

export interface TopicsDelta {
  /** By topic id. */
  readonly topics: ReadonlyMap<string, TopicDelta>
  /** Topics that were in the image before and are not any more. */
  readonly removedTopics: readonly { readonly name: string; readonly topicId: string }[]
  readonly configs: readonly { readonly resourceType: number; readonly resourceName: string }[]
}

/** A topic whose partitions are changing. */
interface OpenTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: MapDraft<number, PartitionImage>
  readonly touched: Set<number>
}

type TopicsImage = Pick<MetadataImage, 'topicsById' | 'topicIds' | 'configs'>

export class TopicsFold {
  readonly #before: TopicsImage
  #topicsById: MetadataImage['topicsById']
  #topicIds: MetadataImage['topicIds']
  #configs: MetadataImage['configs']
  /** Until `image` writes them back. */
  readonly #open = new Map<string, OpenTopic>()
  readonly #touchedTopics = new Map<string, Set<number>>()
  readonly #removedTopics: { name: string; topicId: string }[] = []
  readonly #touchedConfigs = new Map<string, { resourceType: number; resourceName: string }>()

  constructor(before: TopicsImage) {
    this.#before = before
    this.#topicsById = before.topicsById
    this.#topicIds = before.topicIds
    this.#configs = before.configs
  }

  /** Records of other kinds change nothing here. */
  apply({ name, message }: MetadataRecord): void {
    switch (name) {
      case 'TopicRecord':
        this.#topic(message)
        break
      case 'PartitionRecord':
        this.#partition(message)
        break
      case 'PartitionChangeRecord':
        this.#partitionChange(message)
        break
      case 'RemoveTopicRecord':
        this.#removeTopic(message)
        break
      case 'ConfigRecord':
        this.#config(message)
        break
      case 'ClearElrRecord':
        this.#clearElr(message)
        break
    }
  }

  image(): TopicsImage {
    this.#writeBack()
    return { topicsById: this.#topicsById, topicIds: this.#topicIds, configs: this.#configs }
  }

  delta(): TopicsDelta {
    this.#writeBack()
    const configs = [...this.#touchedConfigs.values()]
    const configuredTopics = new Set<string>()
    for (const { resourceType, resourceName } of configs) {
      const topicId = resourceType === CONFIG_TOPIC ? this.#topicIds.get(resourceName) : undefined
      if (topicId !== undefined) configuredTopics.add(topicId)
    }
    const topics = new Map<string, TopicDelta>()
    for (const topicId of new Set([...this.#touchedTopics.keys(), ...configuredTopics])) {
      const topic = this.#topicsById.get(topicId)
      if (topic === undefined) continue
      topics.set(topicId, {
        topic,
        created: !this.#before.topicsById.has(topicId),
        partitions: this.#touchedTopics.get(topicId) ?? new Set(),
        configsChanged: configuredTopics.has(topicId),
      })
    }
    const removedTopics = this.#removedTopics.filter(({ topicId }) => this.#before.topicsById.has(topicId))
    return { topics, removedTopics, configs }
  }

  #topic({ name, topicId }: MetadataMessage<'TopicRecord'>): void {
    if (this.#topicIds.has(name)) throw new Error(`TopicRecord for ${name}, which exists`)
    this.#topicIds = this.#topicIds.set(name, topicId)
    this.#topicsById = this.#topicsById.set(topicId, { name, topicId, partitions: PersistentMap.empty() })
    this.#touchedTopics.set(topicId, new Set())
  }

  #partition(record: MetadataMessage<'PartitionRecord'>): void {
    put(this.#opened(record.topicId), {
      partition: record.partitionId,
      leader: record.leader,
      leaderEpoch: record.leaderEpoch,
      partitionEpoch: record.partitionEpoch,
      leaderRecoveryState: record.leaderRecoveryState,
      replicas: record.replicas,
      isr: record.isr,
      addingReplicas: record.addingReplicas,
      removingReplicas: record.removingReplicas,
      directories: record.directories,
      eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? [],
      lastKnownElr: record.lastKnownElr ?? [],
    })
  }

  #partitionChange(record: MetadataMessage<'PartitionChangeRecord'>): void {
    const topic = this.#opened(record.topicId)
    const partition = topic.partitions.get(record.partitionId)
    if (partition === undefined) {
      throw new Error(`PartitionChangeRecord for ${topic.name}-${record.partitionId}, which does not exist`)
    }
    // Naming a leader, even the same one, starts a new leader epoch.
    const elects = record.leader !== LEADER_UNCHANGED
    // Written out: a spread defines property by property, and ten thousand of these come with each start.
    put(topic, {
      partition: partition.partition,
      leader: elects ? record.leader : partition.leader,
      leaderEpoch: elects ? partition.leaderEpoch + 1 : partition.leaderEpoch,
      partitionEpoch: partition.partitionEpoch + 1,
      leaderRecoveryState:
        record.leaderRecoveryState === -1 ? partition.leaderRecoveryState : record.leaderRecoveryState,
      replicas: record.replicas ?? partition.replicas,
      isr: record.isr ?? partition.isr,
      addingReplicas: record.addingReplicas ?? partition.addingReplicas,
      removingReplicas: record.removingReplicas ?? partition.removingReplicas,
      directories: record.directories ?? partition.directories,
      eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? partition.eligibleLeaderReplicas,
      lastKnownElr: record.lastKnownElr ?? partition.lastKnownElr,
    })
  }

  #removeTopic({ topicId }: MetadataMessage<'RemoveTopicRecord'>): void {
    const { name } = this.#topicOf(topicId)
    this.#open.delete(topicId)
    this.#topicIds = this.#topicIds.delete(name)
    this.#topicsById = this.#topicsById.delete(topicId)
    this.#configs = this.#configs.delete(configKey(CONFIG_TOPIC, name))
    this.#removedTopics.push({ name, topicId })
    this.#touchedTopics.delete(topicId)
  }

  #config({ resourceType, resourceName, name, value }: MetadataMessage<'ConfigRecord'>): void {
    const key = configKey(resourceType, resourceName)
    const configs = new Map(this.#configs.get(key))
    if (value === null) configs.delete(name)
    else configs.set(name, value)
    this.#configs = configs.size === 0 ? this.#configs.delete(key) : this.#configs.set(key, configs)
    this.#touchedConfigs.set(key, { resourceType, resourceName })
  }

  /** An empty name means every topic. */
  #clearElr({ topicName }: MetadataMessage<'ClearElrRecord'>): void {
    const topicIds = topicName === '' ? [...this.#topicsById.keys()] : [this.#topicIds.get(topicName)]
    for (const topicId of topicIds) {
      if (topicId === undefined) throw new Error(`ClearElrRecord for ${topicName}, which does not exist`)
      for (const partition of this.#topicOf(topicId).partitions.values()) {
        if (partition.eligibleLeaderReplicas.length === 0 && partition.lastKnownElr.length === 0) continue
        put(this.#opened(topicId), { ...partition, eligibleLeaderReplicas: [], lastKnownElr: [] })
      }
    }
  }

  #writeBack(): void {
    for (const [topicId, { name, partitions }] of this.#open) {
      this.#topicsById = this.#topicsById.set(topicId, { name, topicId, partitions: partitions.finish() })
    }
    this.#open.clear()
  }

  /** The topic as it is now. */
  #topicOf(topicId: string): TopicImage {
    this.#writeBack()
    return this.#writtenBack(topicId)
  }

  /** The topic for changes of its partitions. */
  #opened(topicId: string): OpenTopic {
    const open = this.#open.get(topicId)
    if (open !== undefined) return open
    const { name, partitions } = this.#writtenBack(topicId)
    const touched = this.#touchedTopics.get(topicId) ?? new Set()
    this.#touchedTopics.set(topicId, touched)
    const opened = { name, topicId, partitions: partitions.draft(), touched }
    this.#open.set(topicId, opened)
    return opened
  }

  #writtenBack(topicId: string): TopicImage {
    const topic = this.#topicsById.get(topicId)
    if (topic === undefined) throw new Error(`a record for topic ${topicId}, which does not exist`)
    return topic
  }
}

function put({ partitions, touched }: OpenTopic, partition: PartitionImage): void {
  partitions.set(partition.partition, partition)
  touched.add(partition.partition)
}
