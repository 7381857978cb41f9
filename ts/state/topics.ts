// CreateTopics 0 to 7 as the controller decides it, with Kafka's errors and their texts.
// Owns the decision about new topics; names are topic-name.ts, replicas placement.ts, records are folded by image-delta.ts.
import type { createTopics, RequestOf, ResponseOf } from '../protocol/index.js'
import { Errors, errorMessage, ZERO_UUID } from '../protocol/index.js'
import type { MetadataImage } from './image.js'
import { CONFIG_TOPIC, NO_LEADER } from './image.js'
import type { MetadataRecord } from './metadata-records.js'
import { metadataRecord } from './metadata-records.js'
import { placeReplicas } from './placement.js'
import { CLUSTER_METADATA_TOPIC, collisionKey, topicNameError } from './topic-name.js'

export type CreateTopicsRequest = RequestOf<typeof createTopics>
export type CreateTopicsResponse = ResponseOf<typeof createTopics>
export type CreatableTopic = CreateTopicsRequest['topics'][number]
type CreatedTopic = CreateTopicsResponse['topics'][number]

export interface ApiError {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** What the controller needs to know of the broker's configuration. */
export interface TopicPolicy {
  /** num.partitions */
  readonly defaultNumPartitions: number
  /** default.replication.factor */
  readonly defaultReplicationFactor: number
  /** delete.topic.enable */
  readonly deleteTopicEnable: boolean
  /** Checks a new topic's configs; null when they are fine. */
  readonly validateTopicConfigs: (configs: ReadonlyMap<string, string>) => ApiError | null
  /** What DescribeConfigs would say of a topic with these configs: goes into the answer from version 5. */
  readonly effectiveTopicConfigs: (configs: ReadonlyMap<string, string>) => CreatedTopic['configs']
}

/** Names that exist, by what they collide in (topic-name's collisionKey). */
export type Collisions = ReadonlyMap<string, ReadonlySet<string>>

/** More would hold everybody else up. */
export const MAX_PARTITIONS_PER_REQUEST = 10_000

/** A topic with the broker's defaults, as auto-creation asks for it. */
export function topicWithDefaults(name: string): CreatableTopic {
  return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
}

/**
 * @param freshTopicIds one unused topic id for each topic of the request
 */
export function decideCreateTopics(
  image: MetadataImage,
  collisions: Collisions,
  request: CreateTopicsRequest,
  freshTopicIds: readonly string[],
  policy: TopicPolicy,
): { records: MetadataRecord[]; response: CreateTopicsResponse } {
  const records: MetadataRecord[] = []
  const once = withoutDuplicates(request.topics)
  const tooMany = totalPartitions(once.topics, policy) > MAX_PARTITIONS_PER_REQUEST
  const topics = once.topics.map((topic, index): CreatedTopic => {
    if (tooMany) {
      return failed(
        topic.name,
        Errors.POLICY_VIOLATION,
        'Excessively large number of partitions per request.',
      )
    }
    const error = nameError(image, collisions, topic.name)
    if (error !== null) return failed(topic.name, error.errorCode, error.errorMessage)
    const topicId = freshTopicIds[index]
    if (topicId === undefined) throw new Error('fewer fresh topic ids than topics')
    const created = createTopic(image, topic, topicId, policy)
    if ('errorCode' in created) return failed(topic.name, created.errorCode, created.errorMessage)
    records.push(...created.records)
    return created.result
  })
  for (const name of once.duplicates)
    topics.push(failed(name, Errors.INVALID_REQUEST, 'Duplicate topic name.'))
  return { records: request.validateOnly ? [] : records, response: { throttleTimeMs: 0, topics } }
}

function withoutDuplicates(topics: readonly CreatableTopic[]): {
  topics: CreatableTopic[]
  duplicates: Set<string>
} {
  const seen = new Set<string>()
  const duplicates = new Set<string>()
  for (const { name } of topics) {
    if (seen.has(name)) duplicates.add(name)
    seen.add(name)
  }
  return { topics: topics.filter(({ name }) => !duplicates.has(name)), duplicates }
}

function totalPartitions(topics: readonly CreatableTopic[], policy: TopicPolicy): number {
  return topics.reduce((sum, topic) => {
    if (topic.assignments.length > 0) return sum + topic.assignments.length
    return sum + (topic.numPartitions === -1 ? policy.defaultNumPartitions : Math.max(topic.numPartitions, 0))
  }, 0)
}

function nameError(image: MetadataImage, collisions: Collisions, name: string): ApiError | null {
  if (name === CLUSTER_METADATA_TOPIC) {
    return { errorCode: Errors.TOPIC_AUTHORIZATION_FAILED, errorMessage: 'Authorization failed.' }
  }
  if (image.topicIds.has(name)) {
    return { errorCode: Errors.TOPIC_ALREADY_EXISTS, errorMessage: `Topic '${name}' already exists.` }
  }
  const invalid = topicNameError(name)
  if (invalid !== null) return { errorCode: Errors.INVALID_TOPIC_EXCEPTION, errorMessage: invalid }
  const key = collisionKey(name)
  const [existing] = key === null ? [] : (collisions.get(key) ?? [])
  if (existing === undefined) return null
  const message = `Topic '${name}' collides with existing topic: ${existing}`
  return { errorCode: Errors.INVALID_TOPIC_EXCEPTION, errorMessage: message }
}

function createTopic(
  image: MetadataImage,
  topic: CreatableTopic,
  topicId: string,
  policy: TopicPolicy,
): ApiError | { records: MetadataRecord[]; result: CreatedTopic } {
  const nulls = topic.configs.filter(({ value }) => value === null).map(({ name }) => name)
  if (nulls.length > 0) {
    return invalid(Errors.INVALID_CONFIG, `Null value not supported for topic configs: ${nulls.join(',')}`)
  }
  const configs = new Map(topic.configs.map(({ name, value }) => [name, value ?? '']))
  const configError = policy.validateTopicConfigs(configs)
  if (configError !== null) return configError
  const placed =
    topic.assignments.length > 0 ? manual(image, topic) : automatic(image, topic, topicId, policy)
  if ('errorCode' in placed) return placed

  const records: MetadataRecord[] = [metadataRecord('TopicRecord', { name: topic.name, topicId })]
  for (const [name, value] of configs) {
    const resource = { resourceType: CONFIG_TOPIC, resourceName: topic.name }
    records.push(metadataRecord('ConfigRecord', { ...resource, name, value }))
  }
  placed.assignments.forEach((replicas, partitionId) => {
    records.push(partitionRecord(image, topicId, partitionId, replicas))
  })
  const result = {
    name: topic.name,
    topicId,
    errorCode: Errors.NONE,
    errorMessage: null,
    topicConfigErrorCode: Errors.NONE,
    numPartitions: placed.assignments.length,
    replicationFactor: placed.assignments[0]?.length ?? -1,
    configs: policy.effectiveTopicConfigs(configs),
  }
  return { records, result }
}

interface Assigned {
  readonly assignments: readonly (readonly number[])[]
}

function automatic(
  image: MetadataImage,
  topic: CreatableTopic,
  topicId: string,
  policy: TopicPolicy,
): ApiError | Assigned {
  if (topic.replicationFactor < -1 || topic.replicationFactor === 0) {
    const message = 'Replication factor must be larger than 0, or -1 to use the default value.'
    return invalid(Errors.INVALID_REPLICATION_FACTOR, message)
  }
  if (topic.numPartitions < -1 || topic.numPartitions === 0) {
    return invalid(
      Errors.INVALID_PARTITIONS,
      'Number of partitions was set to an invalid non-positive value.',
    )
  }
  const partitions = topic.numPartitions === -1 ? policy.defaultNumPartitions : topic.numPartitions
  const factor = topic.replicationFactor === -1 ? policy.defaultReplicationFactor : topic.replicationFactor
  const placed = placeReplicas(image.brokers.values(), partitions, factor, topicId)
  if ('assignments' in placed) return placed
  const message = `Unable to replicate the partition ${factor} time(s): ${placed.error}`
  return invalid(Errors.INVALID_REPLICATION_FACTOR, message)
}

function manual(image: MetadataImage, topic: CreatableTopic): ApiError | Assigned {
  const prefix = 'A manual partition assignment was specified, but '
  if (topic.replicationFactor !== -1) {
    return invalid(Errors.INVALID_REQUEST, `${prefix}replication factor was not set to -1.`)
  }
  if (topic.numPartitions !== -1) {
    return invalid(Errors.INVALID_REQUEST, `${prefix}numPartitions was not set to -1.`)
  }
  const byPartition = new Map<number, readonly number[]>()
  let factor: number | null = null
  for (const { partitionIndex, brokerIds } of topic.assignments) {
    const message = byPartition.has(partitionIndex)
      ? `Found multiple manual partition assignments for partition ${partitionIndex}`
      : manualError(image, partitionIndex, brokerIds, factor)
    if (message !== null) return invalid(Errors.INVALID_REPLICA_ASSIGNMENT, message)
    factor = brokerIds.length
    byPartition.set(partitionIndex, brokerIds)
  }
  const assignments: (readonly number[])[] = []
  for (let index = 0; index < byPartition.size; index += 1) {
    const replicas = byPartition.get(index)
    if (replicas === undefined) {
      const message = 'partitions should be a consecutive 0-based integer sequence'
      return invalid(Errors.INVALID_REPLICA_ASSIGNMENT, message)
    }
    assignments.push(replicas)
  }
  return { assignments }
}

/** Why these cannot be a partition's replicas, in Kafka's words; `factor` null where any number is right. */
export function manualError(
  image: MetadataImage,
  partition: number,
  brokerIds: readonly number[],
  factor: number | null,
): string | null {
  const prefix = 'The manual partition assignment includes'
  if (brokerIds.length === 0) return `${prefix} an empty replica list.`
  const seen = new Set<number>()
  for (const brokerId of [...brokerIds].sort((a, b) => a - b)) {
    if (!image.brokers.has(brokerId)) return `${prefix} broker ${brokerId}, but no such broker is registered.`
    if (seen.has(brokerId)) return `${prefix} the broker ${brokerId} more than once.`
    seen.add(brokerId)
  }
  if (factor !== null && brokerIds.length !== factor) {
    return (
      `${prefix} a partition with ${brokerIds.length} replica(s), but this is not consistent with previous ` +
      `partitions, which have ${factor} replica(s).`
    )
  }
  if (brokerIds.every((id) => !isActive(image, id))) {
    const which = `for partition ${partition} are fenced or in controlled shutdown.`
    return `All brokers specified in the manual partition assignment ${which}`
  }
  return null
}

/** Whether a broker can lead. */
export function isActive(image: MetadataImage, brokerId: number): boolean {
  const broker = image.brokers.get(brokerId)
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown
}

/** A new partition: every active replica is in sync, the first of them leads. */
export function partitionRecord(
  image: MetadataImage,
  topicId: string,
  partitionId: number,
  replicas: readonly number[],
): MetadataRecord {
  const isr = replicas.filter((id) => isActive(image, id))
  return metadataRecord('PartitionRecord', {
    partitionId,
    topicId,
    replicas: [...replicas],
    isr,
    removingReplicas: [],
    addingReplicas: [],
    leader: isr[0] ?? NO_LEADER,
    leaderRecoveryState: 0,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: replicas.map((id) => directoryOf(image, id)),
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  })
}

/** The directory of a broker that has only one; otherwise unassigned, for the broker to choose. */
function directoryOf(image: MetadataImage, brokerId: number): string {
  const [only, ...others] = image.brokers.get(brokerId)?.logDirs ?? []
  return only !== undefined && others.length === 0 ? only : ZERO_UUID
}

function invalid(errorCode: number, message: string): ApiError {
  return { errorCode, errorMessage: message }
}

function failed(name: string, errorCode: number, message: string | null): CreatedTopic {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode,
    errorMessage: message,
    topicConfigErrorCode: Errors.NONE,
    numPartitions: -1,
    replicationFactor: -1,
    configs: [],
  }
}

/** The same error for every topic of the request. */
export function creationFailed(request: CreateTopicsRequest, errorCode: number): CreateTopicsResponse {
  const topics = request.topics.map(({ name }) => failed(name, errorCode, errorMessage(errorCode)))
  return { throttleTimeMs: 0, topics }
}
