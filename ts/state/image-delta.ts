// Folds metadata records into an image and tells what changed: the one meaning of every record.
// Owns replay alone. A record that contradicts the image throws: the log is then not what the controller wrote.
import type { BrokerImage, ListenerImage, MetadataImage, PartitionImage, TopicImage } from './image.js'
import { CONFIG_TOPIC, configKey } from './image.js'
import type { MetadataMessage, MetadataRecord } from './metadata-records.js'
import { PersistentMap } from './persistent-map.js'

/** A topic that is new or different. */
export interface TopicDelta {
  /** As it is afterwards. */
  readonly topic: TopicImage
  readonly created: boolean
  /** Indexes of partitions that are new or different. */
  readonly partitions: ReadonlySet<number>
  readonly configsChanged: boolean
}

export interface MetadataDelta {
  /** By topic id. */
  readonly topics: ReadonlyMap<string, TopicDelta>
  /** Topics that were in the image before and are not any more. */
  readonly removedTopics: readonly { readonly name: string; readonly topicId: string }[]
  readonly configs: readonly { readonly resourceType: number; readonly resourceName: string }[]
  /** Brokers that are new, different or gone. */
  readonly brokers: ReadonlySet<number>
  readonly featuresChanged: boolean
  readonly producerIdsChanged: boolean
  /** Ids of ACLs that are new or gone. */
  readonly acls: ReadonlySet<string>
}

/**
 * The image after these records, and the difference.
 * @param offset offset of the last of the records
 * @param epoch leader epoch (raft term) of that record
 */
export function applyRecords(
  image: MetadataImage,
  offset: number,
  epoch: number,
  records: Iterable<MetadataRecord>,
): { image: MetadataImage; delta: MetadataDelta } {
  const fold = new ImageFold(image)
  for (const record of records) fold.apply(record)
  return fold.finish(offset, epoch)
}

class ImageFold {
  readonly #before: MetadataImage
  #topicsById: MetadataImage['topicsById']
  #topicIds: MetadataImage['topicIds']
  #configs: MetadataImage['configs']
  #brokers: MetadataImage['brokers']
  #features: MetadataImage['features']
  #nextProducerId: number
  #acls: MetadataImage['acls']
  readonly #touchedTopics = new Map<string, Set<number>>()
  readonly #removedTopics: { name: string; topicId: string }[] = []
  readonly #touchedConfigs = new Map<string, { resourceType: number; resourceName: string }>()
  readonly #touchedBrokers = new Set<number>()
  readonly #touchedAcls = new Set<string>()

  constructor(image: MetadataImage) {
    this.#before = image
    this.#topicsById = image.topicsById
    this.#topicIds = image.topicIds
    this.#configs = image.configs
    this.#brokers = image.brokers
    this.#features = image.features
    this.#nextProducerId = image.nextProducerId
    this.#acls = image.acls
  }

  apply(record: MetadataRecord): void {
    switch (record.name) {
      case 'TopicRecord':
        this.#topic(record.message)
        break
      case 'PartitionRecord':
        this.#partition(record.message)
        break
      case 'PartitionChangeRecord':
        this.#partitionChange(record.message)
        break
      case 'RemoveTopicRecord':
        this.#removeTopic(record.message)
        break
      case 'ConfigRecord':
        this.#config(record.message)
        break
      case 'RegisterBrokerRecord':
        this.#registerBroker(record.message)
        break
      case 'BrokerRegistrationChangeRecord':
        this.#brokerChange(record.message)
        break
      case 'FeatureLevelRecord':
        this.#feature(record.message)
        break
      case 'ProducerIdsRecord':
        this.#nextProducerId = record.message.nextProducerId
        break
      case 'AccessControlEntryRecord':
        this.#acl(record.message)
        break
      case 'RemoveAccessControlEntryRecord':
        this.#removeAcl(record.message)
        break
      case 'NoOpRecord':
        break
    }
  }

  finish(offset: number, epoch: number): { image: MetadataImage; delta: MetadataDelta } {
    const image = {
      offset,
      epoch,
      topicsById: this.#topicsById,
      topicIds: this.#topicIds,
      configs: this.#configs,
      brokers: this.#brokers,
      features: this.#features,
      nextProducerId: this.#nextProducerId,
      acls: this.#acls,
    }
    return { image, delta: this.#delta(image) }
  }

  #delta(image: MetadataImage): MetadataDelta {
    const configs = [...this.#touchedConfigs.values()]
    const configuredTopics = new Set<string>()
    for (const { resourceType, resourceName } of configs) {
      const topicId = resourceType === CONFIG_TOPIC ? image.topicIds.get(resourceName) : undefined
      if (topicId !== undefined) configuredTopics.add(topicId)
    }
    const topics = new Map<string, TopicDelta>()
    for (const topicId of new Set([...this.#touchedTopics.keys(), ...configuredTopics])) {
      const topic = image.topicsById.get(topicId)
      if (topic === undefined) continue
      topics.set(topicId, {
        topic,
        created: !this.#before.topicsById.has(topicId),
        partitions: this.#touchedTopics.get(topicId) ?? new Set(),
        configsChanged: configuredTopics.has(topicId),
      })
    }
    return {
      topics,
      removedTopics: this.#removedTopics.filter(({ topicId }) => this.#before.topicsById.has(topicId)),
      configs,
      brokers: this.#touchedBrokers,
      featuresChanged: this.#before.features !== image.features,
      producerIdsChanged: this.#before.nextProducerId !== image.nextProducerId,
      acls: this.#touchedAcls,
    }
  }

  #topic({ name, topicId }: MetadataMessage<'TopicRecord'>): void {
    if (this.#topicIds.has(name)) throw new Error(`TopicRecord for ${name}, which exists`)
    this.#topicIds = this.#topicIds.set(name, topicId)
    this.#topicsById = this.#topicsById.set(topicId, { name, topicId, partitions: PersistentMap.empty() })
    this.#touchedTopics.set(topicId, new Set())
  }

  #partition(record: MetadataMessage<'PartitionRecord'>): void {
    this.#putPartition(this.#topicOf(record.topicId), {
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
    const topic = this.#topicOf(record.topicId)
    const partition = topic.partitions.get(record.partitionId)
    if (partition === undefined) {
      throw new Error(`PartitionChangeRecord for ${topic.name}-${record.partitionId}, which does not exist`)
    }
    // Naming a leader, even the same one, starts a new leader epoch.
    const elects = record.leader !== -2
    this.#putPartition(topic, {
      ...partition,
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

  #registerBroker(record: MetadataMessage<'RegisterBrokerRecord'>): void {
    const listeners = new Map<string, ListenerImage>(
      record.endPoints.map(({ name, host, port, securityProtocol }) => [
        name,
        { host, port, securityProtocol },
      ]),
    )
    this.#putBroker({
      brokerId: record.brokerId,
      epoch: record.brokerEpoch,
      incarnationId: record.incarnationId,
      listeners,
      rack: record.rack,
      fenced: record.fenced,
      inControlledShutdown: record.inControlledShutdown,
      logDirs: record.logDirs,
    })
  }

  #brokerChange(record: MetadataMessage<'BrokerRegistrationChangeRecord'>): void {
    const broker = this.#brokers.get(record.brokerId)
    if (broker === undefined || broker.epoch !== record.brokerEpoch) {
      throw new Error(
        `BrokerRegistrationChangeRecord for broker ${record.brokerId}, not registered at that epoch`,
      )
    }
    this.#putBroker({
      ...broker,
      fenced: record.fenced === 0 ? broker.fenced : record.fenced === 1,
      inControlledShutdown: record.inControlledShutdown === 0 ? broker.inControlledShutdown : true,
      logDirs: record.logDirs.length === 0 ? broker.logDirs : record.logDirs,
    })
  }

  #feature({ name, featureLevel }: MetadataMessage<'FeatureLevelRecord'>): void {
    const features = new Map(this.#features)
    if (featureLevel === 0) features.delete(name)
    else features.set(name, featureLevel)
    this.#features = features
  }

  #acl({ id, ...acl }: MetadataMessage<'AccessControlEntryRecord'>): void {
    this.#acls = this.#acls.set(id, acl)
    this.#touchedAcls.add(id)
  }

  #removeAcl({ id }: MetadataMessage<'RemoveAccessControlEntryRecord'>): void {
    if (!this.#acls.has(id)) throw new Error(`RemoveAccessControlEntryRecord for ${id}, which does not exist`)
    this.#acls = this.#acls.delete(id)
    this.#touchedAcls.add(id)
  }

  #topicOf(topicId: string): TopicImage {
    const topic = this.#topicsById.get(topicId)
    if (topic === undefined) throw new Error(`a record for topic ${topicId}, which does not exist`)
    return topic
  }

  #putPartition(topic: TopicImage, partition: PartitionImage): void {
    const partitions = topic.partitions.set(partition.partition, partition)
    this.#topicsById = this.#topicsById.set(topic.topicId, { ...topic, partitions })
    const touched = this.#touchedTopics.get(topic.topicId) ?? new Set()
    touched.add(partition.partition)
    this.#touchedTopics.set(topic.topicId, touched)
  }

  #putBroker(broker: BrokerImage): void {
    this.#brokers = new Map(this.#brokers).set(broker.brokerId, broker)
    this.#touchedBrokers.add(broker.brokerId)
  }
}
