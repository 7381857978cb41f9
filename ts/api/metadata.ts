/**
 * Metadata (key 3), v0–13: brokers and topics, with the addresses of the listener that the connection came by. A
 * missing topic is created when request and broker allow it; the answer then waits until it can be written to.
 */
import { Errors, metadata, OPERATIONS_OMITTED, type RequestOf, ZERO_UUID } from '../protocol/index.js'
import { type TopicImage, topicById, topicByName, topicsSorted } from '../state/image.js'
import { GROUP_METADATA_TOPIC, topicNameError } from '../state/topic-name.js'
import { topicWithDefaults } from '../state/topics.js'
import { type Audit, authorizedOperations, CLUSTER_NAME, clusterOperations } from './authorize.js'
import type { BrokerView } from './broker-view.js'
import { describedTopic, encodedTopic } from './described-topics.js'
import { type Call, type Handler, serve } from './handler.js'
import { offsetsTopic } from './internal-topics.js'

/** Nobody waits longer than a client does by default. */
const AUTO_CREATE_TIMEOUT_MS = 30_000

type MetadataCall = Call<typeof metadata>
type MetadataRequest = RequestOf<typeof metadata>

export const metadataHandler: Handler = serve(metadata, (call, body, broker) => {
  const allTopics = body.topics === null || (call.version === 0 && body.topics.length === 0)
  if (
    body.topics?.some(({ name, topicId }) => call.version < 12 && (name === null || topicId !== ZERO_UUID))
  ) {
    call.close('Metadata before version 12 names topics by name alone')
    return
  }
  const missing = allTopics ? [] : missingNames(call, body, broker)
  if (missing.length === 0) {
    answer(call, body, broker, new Map())
    return
  }
  const topics = missing.map((name) => newTopic(name, broker))
  broker.controller.createTopics(
    { topics, timeoutMs: AUTO_CREATE_TIMEOUT_MS, validateOnly: false },
    (created) => {
      // Somebody else may have been quicker: then the topic is there, whatever this answer says.
      answer(call, body, broker, new Map(created.topics.map(({ name, errorCode }) => [name, errorCode])))
    },
  )
})

/** Names that are valid, unknown and may be created by this principal. */
function missingNames(call: MetadataCall, body: MetadataRequest, broker: BrokerView): string[] {
  if (!body.allowAutoTopicCreation || !broker.config.get('auto.create.topics.enable')) return []
  const names = new Set((body.topics ?? []).flatMap(({ name }) => name ?? []))
  return [...names].filter(
    (name) =>
      topicByName(broker.image(), name) === undefined &&
      topicNameError(name) === null &&
      broker.authorizer.allows(call, 'DESCRIBE', 'TOPIC', name, 'nothing') &&
      mayCreate(call, name, broker),
  )
}

function mayCreate(
  call: MetadataCall,
  name: string,
  { authorizer }: BrokerView,
  audit: Audit = 'all',
): boolean {
  return (
    authorizer.allows(call, 'CREATE', 'CLUSTER', CLUSTER_NAME, 'granted') ||
    authorizer.allows(call, 'CREATE', 'TOPIC', name, audit)
  )
}

function newTopic(name: string, { config, image }: BrokerView) {
  return name === GROUP_METADATA_TOPIC ? offsetsTopic(config, image().brokers.size) : topicWithDefaults(name)
}

function answer(
  call: MetadataCall,
  body: MetadataRequest,
  broker: BrokerView,
  created: ReadonlyMap<string, number>,
): void {
  const { authorizer } = broker
  const image = broker.image()
  const describe = (topic: TopicImage) => {
    const { listener, version } = call
    if (!body.includeTopicAuthorizedOperations) return encodedTopic(image, topic, listener, version)
    const operations = authorizedOperations(authorizer, call, 'TOPIC', topic.name)
    return describedTopic(image, topic, listener, version, operations)
  }
  const all = body.topics === null || (call.version === 0 && body.topics.length === 0)
  const mayDescribe = (name: string) =>
    authorizer.allows(call, 'DESCRIBE', 'TOPIC', name, all ? 'granted' : 'all')
  const topics = all
    ? topicsSorted(image)
        .filter(({ name }) => mayDescribe(name))
        .map(describe)
    : (body.topics ?? []).map(({ name, topicId }) => {
        const topic = name === null ? topicById(image, topicId) : topicByName(image, name)
        if (name !== null && !mayDescribe(name)) return failedTopic(name, Errors.TOPIC_AUTHORIZATION_FAILED)
        if (topic !== undefined) {
          if (mayDescribe(topic.name)) return describe(topic)
          return { ...failedTopic(null, Errors.TOPIC_AUTHORIZATION_FAILED), topicId }
        }
        if (name === null) return { ...failedTopic(null, Errors.UNKNOWN_TOPIC_ID), topicId }
        return failedTopic(
          name,
          unknownTopicError(name, created.get(name) ?? Errors.NONE, call, body, broker),
        )
      })
  call.reply({
    brokers: broker
      .brokers(call.listener)
      .map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack })),
    clusterId: broker.clusterId,
    controllerId: broker.controllerId,
    topics,
    clusterAuthorizedOperations: body.includeClusterAuthorizedOperations
      ? clusterOperations(authorizer, call)
      : OPERATIONS_OMITTED,
  })
}

function unknownTopicError(
  name: string,
  creationError: number,
  call: MetadataCall,
  body: MetadataRequest,
  broker: BrokerView,
): number {
  if (topicNameError(name) !== null) return Errors.INVALID_TOPIC_EXCEPTION
  const wanted = body.allowAutoTopicCreation && broker.config.get('auto.create.topics.enable')
  if (wanted && !mayCreate(call, name, broker, 'nothing')) return Errors.TOPIC_AUTHORIZATION_FAILED
  // These two come again by themselves; any other reason would come again for ever.
  const passing: readonly number[] = [Errors.NONE, Errors.TOPIC_ALREADY_EXISTS, Errors.NOT_CONTROLLER]
  return passing.includes(creationError) ? Errors.UNKNOWN_TOPIC_OR_PARTITION : creationError
}

function failedTopic(name: string | null, errorCode: number) {
  return {
    errorCode,
    name,
    topicId: ZERO_UUID,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: OPERATIONS_OMITTED,
  }
}
