/**
 * CreateTopics (19) v0–7 and DeleteTopics (20) v0–6. They check form, permission and configs; the controller decides.
 * The answer comes when the change is committed and the logs exist or are gone.
 */
import { describeTopic, invalidTopicConfig } from '../config/describe.js'
import {
  createTopics,
  deleteTopics,
  type EncodableResponse,
  Errors,
  errorMessage,
  type RequestOf,
  ZERO_UUID,
} from '../protocol/index.js'
import { CLUSTER_NAME } from './authorize.js'
import type { BrokerView, CreatedTopic, NewTopic } from './broker-view.js'
import { type Call, type Handler, serve } from './handler.js'

export const topicHandlers: readonly Handler[] = [serve(createTopics, create), serve(deleteTopics, remove)]

function create(
  call: Call<typeof createTopics>,
  body: RequestOf<typeof createTopics>,
  broker: BrokerView,
): void {
  const refused = new Map<number, CreatedTopic>()
  const accepted: NewTopic[] = []
  for (const [index, topic] of body.topics.entries()) {
    const refusal = refusalOf(topic, body.topics, call, broker)
    if (refusal === null) accepted.push(topic)
    else refused.set(index, { ...unplaced(topic.name), ...refusal })
  }
  const finish = (created: readonly CreatedTopic[]) => {
    const rest = created[Symbol.iterator]()
    const topics = body.topics.map((topic, index) => {
      const result = refused.get(index) ?? rest.next().value ?? unplaced(topic.name)
      return createdTopic(topic, result, call, broker)
    })
    call.reply({ topics })
  }
  if (accepted.length === 0) finish([])
  else broker.controller.createTopics(accepted, body.validateOnly, finish)
}

function refusalOf(
  topic: NewTopic,
  all: readonly NewTopic[],
  { principal }: Call<typeof createTopics>,
  { authorizer }: BrokerView,
): { errorCode: number; errorMessage: string } | null {
  if (all.filter(({ name }) => name === topic.name).length > 1) {
    return { errorCode: Errors.INVALID_REQUEST, errorMessage: 'Duplicate topic name.' }
  }
  const allowed =
    authorizer.allows(principal, 'CREATE', 'CLUSTER', CLUSTER_NAME) ||
    authorizer.allows(principal, 'CREATE', 'TOPIC', topic.name)
  if (!allowed) {
    const errorCode = Errors.TOPIC_AUTHORIZATION_FAILED
    return { errorCode, errorMessage: errorMessage(errorCode) }
  }
  const reason = invalidTopicConfig(topic.configs.map(({ name, value }) => [name, value] as const))
  return reason === null ? null : { errorCode: Errors.INVALID_CONFIG, errorMessage: reason }
}

function unplaced(name: string): CreatedTopic {
  const errorCode = Errors.UNKNOWN_SERVER_ERROR
  return { name, topicId: ZERO_UUID, errorCode, errorMessage: null, numPartitions: -1, replicationFactor: -1 }
}

type CreateResult = NonNullable<EncodableResponse<typeof createTopics>['topics']>[number]

function createdTopic(
  topic: NewTopic,
  result: CreatedTopic,
  { principal }: Call<typeof createTopics>,
  { authorizer, config }: BrokerView,
): CreateResult {
  if (result.errorCode !== Errors.NONE) return { ...result, configs: null }
  if (!authorizer.allows(principal, 'DESCRIBE_CONFIGS', 'TOPIC', topic.name)) {
    const hidden = { numPartitions: -1, replicationFactor: -1, configs: null }
    return { ...result, ...hidden, topicConfigErrorCode: Errors.TOPIC_AUTHORIZATION_FAILED }
  }
  const own = new Map(
    topic.configs.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const])),
  )
  const configs = describeTopic(config, own).map(({ name, value, readOnly, source, sensitive }) => ({
    name,
    value,
    readOnly,
    configSource: source,
    isSensitive: sensitive,
  }))
  return { ...result, configs }
}

interface Target {
  name: string | null
  topicId: string
}

function remove(
  call: Call<typeof deleteTopics>,
  body: RequestOf<typeof deleteTopics>,
  broker: BrokerView,
): void {
  const targets: Target[] =
    call.version >= 6 ? body.topics : body.topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
  const refused = new Map<number, { errorCode: number; errorMessage: string } & Target>()
  const accepted = targets.filter((target, index) => {
    const refusal = deletionRefusal(target, targets, call, broker)
    if (refusal !== null) refused.set(index, refusal)
    return refusal === null
  })
  const finish = (deleted: readonly (Target & { errorCode: number; errorMessage: string | null })[]) => {
    const rest = deleted[Symbol.iterator]()
    const fallback = { errorCode: Errors.UNKNOWN_SERVER_ERROR, errorMessage: null }
    call.reply({
      responses: targets.map((target, index) => {
        const {
          name,
          topicId,
          errorCode,
          errorMessage: message,
        } = refused.get(index) ?? rest.next().value ?? { ...target, ...fallback }
        return { name, topicId, errorCode, errorMessage: message }
      }),
    })
  }
  if (accepted.length === 0) finish([])
  else broker.controller.deleteTopics(accepted, finish)
}

function deletionRefusal(
  target: Target,
  all: readonly Target[],
  { principal, version }: Call<typeof deleteTopics>,
  broker: BrokerView,
): ({ errorCode: number; errorMessage: string } & Target) | null {
  const byId = target.name === null
  const refuse = (errorCode: number, message?: string, name = target.name) => ({
    name,
    topicId: target.topicId,
    errorCode,
    errorMessage: message ?? errorMessage(errorCode),
  })
  if (!broker.config.get('delete.topic.enable')) {
    return refuse(version < 3 ? Errors.INVALID_REQUEST : Errors.TOPIC_DELETION_DISABLED)
  }
  if (!byId && target.topicId !== ZERO_UUID) {
    return refuse(Errors.INVALID_REQUEST, 'You may not specify both topic name and topic id.')
  }
  if (byId && target.topicId === ZERO_UUID) {
    return refuse(Errors.INVALID_REQUEST, 'Neither topic name nor id were specified.')
  }
  const same = all.filter(({ name, topicId }) =>
    byId ? topicId === target.topicId && name === null : name === target.name,
  )
  if (same.length > 1)
    return refuse(Errors.INVALID_REQUEST, byId ? 'Duplicate topic id.' : 'Duplicate topic name.')
  const topic = target.name === null ? broker.topicById(target.topicId) : broker.topicByName(target.name)
  const name = topic?.name ?? target.name
  if (name !== null && !broker.authorizer.allows(principal, 'DELETE', 'TOPIC', name)) {
    // Who may not even describe the topic does not learn its name.
    const shown = byId && !broker.authorizer.allows(principal, 'DESCRIBE', 'TOPIC', name) ? null : name
    return refuse(Errors.TOPIC_AUTHORIZATION_FAILED, undefined, shown)
  }
  if (topic !== undefined) return null
  return refuse(byId ? Errors.UNKNOWN_TOPIC_ID : Errors.UNKNOWN_TOPIC_OR_PARTITION)
}
