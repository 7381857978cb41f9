// The metadata image: everything that committed metadata records say, immutable and structurally shared.
// Owns its shape and its reading; image-delta.ts folds records into it. It decides nothing.
import { NO_SECURITY, type SecurityImage } from './image-security.js'
import type { MetadataMessage, MetadataRecord } from './metadata-records.js'
import { PersistentMap } from './persistent-map.js'

/** ConfigResource types as records and DescribeConfigs number them. */
export const CONFIG_TOPIC = 2
export const CONFIG_BROKER = 4
export const CONFIG_CLIENT_METRICS = 16
export const CONFIG_GROUP = 32

export const NO_LEADER = -1

export interface PartitionImage {
  readonly partition: number
  /** −1 when there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly leaderRecoveryState: number
  /** In the order of preference. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly addingReplicas: readonly number[]
  readonly removingReplicas: readonly number[]
  /** The log directory of each replica, in the order of `replicas`. */
  readonly directories: readonly string[]
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
}

export interface TopicImage {
  readonly name: string
  readonly topicId: string
  readonly partitions: PersistentMap<number, PartitionImage>
}

export interface ListenerImage {
  readonly host: string
  readonly port: number
  /** Kafka's number: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number
}

export interface BrokerImage {
  readonly brokerId: number
  readonly epoch: number
  readonly incarnationId: string
  readonly listeners: ReadonlyMap<string, ListenerImage>
  readonly rack: string | null
  readonly fenced: boolean
  readonly inControlledShutdown: boolean
  readonly logDirs: readonly string[]
  /** Log directories that take no new replicas (KIP-1066); null where the broker has not said. */
  readonly cordonedLogDirs: readonly string[] | null
  /** What the broker can do, by feature. */
  readonly features: ReadonlyMap<string, SupportedLevels>
}

/** Both ends belong to it. */
export interface SupportedLevels {
  readonly min: number
  readonly max: number
}

export type ControllerImage = Readonly<MetadataMessage<'RegisterControllerRecord'>>

export interface MetadataImage extends SecurityImage {
  /** Offset of the last record folded in; −1 for none. */
  readonly offset: number
  /** Leader epoch (raft term) of that record. */
  readonly epoch: number
  readonly topicsById: PersistentMap<string, TopicImage>
  readonly topicIds: PersistentMap<string, string>
  /** Dynamic configs by `configKey`. */
  readonly configs: PersistentMap<string, ReadonlyMap<string, string>>
  readonly brokers: ReadonlyMap<number, BrokerImage>
  readonly controllers: ReadonlyMap<number, ControllerImage>
  /** Finalised levels; a feature that is not there is at 0. */
  readonly features: ReadonlyMap<string, number>
  /** The first producer id of the next block. */
  readonly nextProducerId: number
  /** Records of a metadata transaction (KIP-868) that is open: they count once it ends. Null: none is open. */
  readonly transaction: readonly MetadataRecord[] | null
}

export function emptyImage(): MetadataImage {
  return {
    offset: -1,
    epoch: -1,
    topicsById: PersistentMap.empty(),
    topicIds: PersistentMap.empty(),
    configs: PersistentMap.empty(),
    brokers: new Map(),
    controllers: new Map(),
    features: new Map(),
    nextProducerId: 0,
    transaction: null,
    ...NO_SECURITY,
  }
}

export function topicByName(image: MetadataImage, name: string): TopicImage | undefined {
  const topicId = image.topicIds.get(name)
  return topicId === undefined ? undefined : image.topicsById.get(topicId)
}

export function topicById(image: MetadataImage, topicId: string): TopicImage | undefined {
  return image.topicsById.get(topicId)
}

const sorted = new WeakMap<MetadataImage['topicsById'], readonly TopicImage[]>()

/** All topics by name. */
export function topicsSorted({ topicsById }: MetadataImage): readonly TopicImage[] {
  const known = sorted.get(topicsById)
  if (known !== undefined) return known
  const topics = [...topicsById.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  sorted.set(topicsById, topics)
  return topics
}

/** The topic's partitions by index. */
export function partitionsSorted(topic: TopicImage): PartitionImage[] {
  return [...topic.partitions.values()].sort((a, b) => a.partition - b.partition)
}

const NO_CONFIGS: ReadonlyMap<string, string> = new Map()

export function configKey(resourceType: number, resourceName: string): string {
  return `${resourceType}:${resourceName}`
}

/** The names of all resources of a type that have dynamic configs. */
export function configuredNames(image: MetadataImage, resourceType: number): string[] {
  const prefix = configKey(resourceType, '')
  const keys = [...image.configs.keys()].filter((key) => key.startsWith(prefix))
  return keys.map((key) => key.slice(prefix.length)).sort()
}

/** The dynamic configs of a resource; those of the cluster-wide broker default have the empty name. */
export function configsOf(
  image: MetadataImage,
  resourceType: number,
  resourceName: string,
): ReadonlyMap<string, string> {
  return image.configs.get(configKey(resourceType, resourceName)) ?? NO_CONFIGS
}
