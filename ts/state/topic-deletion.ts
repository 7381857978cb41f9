// DeleteTopics 0 to 6 as the controller decides it, with Kafka's errors and their texts.
// Owns the decision alone; what goes with a topic (configs, logs, committed offsets) follows from its record.
import type { deleteTopics, RequestOf, ResponseOf } from '../protocol/index.js'
import { Errors, errorMessage, ZERO_UUID } from '../protocol/index.js'
import type { MetadataImage } from './image.js'
import { topicById, topicByName } from './image.js'
import type { MetadataRecord } from './metadata-records.js'
import { metadataRecord } from './metadata-records.js'
import type { TopicPolicy } from './topics.js'

export type DeleteTopicsRequest = RequestOf<typeof deleteTopics>
export type DeleteTopicsResponse = ResponseOf<typeof deleteTopics>
type DeletedTopic = DeleteTopicsResponse['responses'][number]

/** Topics go by name (all versions) or by id (version 6); a topic named in both ways is not deleted. */
export function decideDeleteTopics(
  image: MetadataImage,
  apiVersion: number,
  request: DeleteTopicsRequest,
  policy: TopicPolicy,
): { records: MetadataRecord[]; response: DeleteTopicsResponse } {
  const asked =
    apiVersion >= 6 ? request.topics : request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
  if (!policy.deleteTopicEnable) {
    const code = apiVersion < 3 ? Errors.INVALID_REQUEST : Errors.TOPIC_DELETION_DISABLED
    const message = apiVersion < 3 ? 'Topic deletion is disabled.' : errorMessage(code)
    const responses = asked.map(({ name, topicId }) => deleted(name, topicId, code, message))
    return { records: [], response: { throttleTimeMs: 0, responses } }
  }
  const counts = new Map<string, number>()
  const count = (key: string): number => counts.get(key) ?? 0
  for (const { name, topicId } of asked)
    counts.set(askedKey(name, topicId), count(askedKey(name, topicId)) + 1)
  const byId = new Set(asked.flatMap(({ name, topicId }) => (name === null ? [topicId] : [])))
  const byName = new Set(asked.flatMap(({ name }) => (name === null ? [] : (image.topicIds.get(name) ?? []))))

  const records: MetadataRecord[] = []
  const responses: DeletedTopic[] = []
  const answered = new Set<string>()
  for (const { name, topicId } of asked) {
    const key = askedKey(name, topicId)
    // Named by id and by name, the topic stays, and the name alone is answered.
    if (answered.has(key) || (name === null && byName.has(topicId))) continue
    answered.add(key)
    const outcome = deleteTopic(image, name, topicId, count(key) > 1, byId)
    if (outcome.record !== undefined) records.push(outcome.record)
    responses.push(outcome.result)
  }
  return { records, response: { throttleTimeMs: 0, responses } }
}

function askedKey(name: string | null, topicId: string): string {
  return name === null ? `id:${topicId}` : `name:${name}:${topicId}`
}

function deleteTopic(
  image: MetadataImage,
  name: string | null,
  topicId: string,
  isDuplicate: boolean,
  byId: ReadonlySet<string>,
): { result: DeletedTopic; record?: MetadataRecord } {
  const refuse = (message: string, id = topicId) => ({
    result: deleted(name, id, Errors.INVALID_REQUEST, message),
  })
  if (name === null && topicId === ZERO_UUID) return refuse('Neither topic name nor id were specified.')
  if (name !== null && topicId !== ZERO_UUID)
    return refuse('You may not specify both topic name and topic id.')
  if (isDuplicate) return refuse(name === null ? 'Duplicate topic id.' : 'Duplicate topic name.')
  const topic = name === null ? topicById(image, topicId) : topicByName(image, name)
  if (topic === undefined) {
    const code = name === null ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION
    return { result: deleted(name, topicId, code, errorMessage(code)) }
  }
  if (name !== null && byId.has(topic.topicId)) {
    return refuse('The provided topic name maps to an ID that was already supplied.', topic.topicId)
  }
  const record = metadataRecord('RemoveTopicRecord', { topicId: topic.topicId })
  return { record, result: deleted(topic.name, topic.topicId, Errors.NONE, null) }
}

function deleted(
  name: string | null,
  topicId: string,
  errorCode: number,
  message: string | null,
): DeletedTopic {
  return { name, topicId, errorCode, errorMessage: message }
}

function askedTopics(apiVersion: number, request: DeleteTopicsRequest): DeleteTopicsRequest['topics'] {
  if (apiVersion >= 6) return request.topics
  return request.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
}

/** The same error for every topic of the request. */
export function deletionFailed(
  apiVersion: number,
  request: DeleteTopicsRequest,
  errorCode: number,
): DeleteTopicsResponse {
  const responses = askedTopics(apiVersion, request).map(({ name, topicId }) =>
    deleted(name, topicId, errorCode, errorMessage(errorCode)),
  )
  return { throttleTimeMs: 0, responses }
}
