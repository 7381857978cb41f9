// CreatePartitions 0 to 3 as the controller decides it, with Kafka's errors and their texts.
// Owns the decision about new partitions of topics that exist; new topics are topics.ts, replicas placement.ts.
import type { createPartitions, RequestOf, ResponseOf } from '../protocol/index.js'
import { Errors, errorMessage } from '../protocol/index.js'
import type { MetadataImage, TopicImage } from './image.js'
import { topicByName } from './image.js'
import type { MetadataRecord } from './metadata-records.js'
import { placeReplicas } from './placement.js'
import { type ApiError, MAX_PARTITIONS_PER_REQUEST, manualError, partitionRecord } from './topics.js'

export type CreatePartitionsRequest = RequestOf<typeof createPartitions>
export type CreatePartitionsResponse = ResponseOf<typeof createPartitions>
type GrownTopic = CreatePartitionsRequest['topics'][number]

/** Topics grow each as a whole or not at all, independently of each other. */
export function decideCreatePartitions(
  image: MetadataImage,
  request: CreatePartitionsRequest,
): { records: MetadataRecord[]; response: CreatePartitionsResponse } {
  const counts = new Map<string, number>()
  for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
  const once = request.topics.filter(({ name }) => counts.get(name) === 1)
  const tooMany = additionalPartitions(image, once) > MAX_PARTITIONS_PER_REQUEST
  const records: MetadataRecord[] = []
  const results = once.map((topic) => {
    const grown = tooMany
      ? refuse(Errors.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
      : grow(image, topic)
    if (!Array.isArray(grown)) return { name: topic.name, ...grown }
    records.push(...grown)
    return { name: topic.name, errorCode: Errors.NONE, errorMessage: null }
  })
  for (const [name, count] of counts) {
    if (count > 1) results.push({ name, ...refuse(Errors.INVALID_REQUEST, 'Duplicate topic name.') })
  }
  return { records: request.validateOnly ? [] : records, response: { throttleTimeMs: 0, results } }
}

function additionalPartitions(image: MetadataImage, topics: readonly GrownTopic[]): number {
  return topics.reduce((sum, { name, count }) => {
    const topic = topicByName(image, name)
    return topic === undefined ? sum : sum + Math.max(0, count - topic.partitions.size)
  }, 0)
}

function grow(image: MetadataImage, { name, count, assignments }: GrownTopic): ApiError | MetadataRecord[] {
  const topic = topicByName(image, name)
  if (topic === undefined) {
    return refuse(Errors.UNKNOWN_TOPIC_OR_PARTITION, errorMessage(Errors.UNKNOWN_TOPIC_OR_PARTITION))
  }
  const size = topic.partitions.size
  if (count === size) return refuse(Errors.INVALID_PARTITIONS, `Topic already has ${size} partition(s).`)
  if (count < size) {
    const message = `The topic ${name} currently has ${size} partition(s); ${count} would not be an increase.`
    return refuse(Errors.INVALID_PARTITIONS, message)
  }
  const placed =
    assignments === null ? automatic(image, topic, count) : manual(image, topic, count, assignments)
  if ('errorCode' in placed) return placed
  return placed.replicas.map((replicas, index) =>
    partitionRecord(image, topic.topicId, size + index, replicas),
  )
}

interface Placed {
  readonly replicas: readonly (readonly number[])[]
}

function replicationFactor(topic: TopicImage): number {
  return topic.partitions.get(0)?.replicas.length ?? 1
}

/** Goes on around the ring where the topic's partitions ended. */
function automatic(image: MetadataImage, topic: TopicImage, count: number): ApiError | Placed {
  const factor = replicationFactor(topic)
  const placed = placeReplicas(image.brokers.values(), count, factor, topic.topicId)
  if ('assignments' in placed) return { replicas: placed.assignments.slice(topic.partitions.size) }
  const message = `Unable to replicate the partition ${factor} time(s): ${placed.error}`
  return refuse(Errors.INVALID_REPLICATION_FACTOR, message)
}

function manual(
  image: MetadataImage,
  topic: TopicImage,
  count: number,
  assignments: readonly { readonly brokerIds: readonly number[] }[],
): ApiError | Placed {
  const size = topic.partitions.size
  const additional = count - size
  if (assignments.length !== additional) {
    const counts = `${additional} additional partition(s), but only ${assignments.length} assignment(s)`
    return refuse(Errors.INVALID_REPLICA_ASSIGNMENT, `Attempted to add ${counts} were specified.`)
  }
  const factor = replicationFactor(topic)
  for (const [index, { brokerIds }] of assignments.entries()) {
    const message = manualError(image, size + index, brokerIds, factor)
    if (message !== null) return refuse(Errors.INVALID_REPLICA_ASSIGNMENT, message)
  }
  return { replicas: assignments.map(({ brokerIds }) => brokerIds) }
}

function refuse(errorCode: number, message: string): ApiError {
  return { errorCode, errorMessage: message }
}

/** The same error for every topic of the request. */
export function growthFailed(request: CreatePartitionsRequest, errorCode: number): CreatePartitionsResponse {
  const results = request.topics.map(({ name }) => ({
    name,
    errorCode,
    errorMessage: errorMessage(errorCode),
  }))
  return { throttleTimeMs: 0, results }
}
