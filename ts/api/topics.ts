/**
 * CreateTopics (19) v0–7 and DeleteTopics (20) v0–6. They check form and permission; the controller decides. The
 * answer comes when the change is committed and the logs exist or are gone.
 */
import {
  createTopics,
  deleteTopics,
  Errors,
  errorMessage,
  type RequestOf,
  type ResponseOf,
  ZERO_UUID,
} from '../protocol/index.js'
import { topicById } from '../state/image.js'
import { CLUSTER_NAME } from './authorize.js'
import type { BrokerView } from './broker-view.js'
import { type Call, type Handler, serve } from './handler.js'

export const topicHandlers: readonly Handler[] = [serve(createTopics, create), serve(deleteTopics, remove)]

type CreatedTopic = ResponseOf<typeof createTopics>['topics'][number]

function create(
  call: Call<typeof createTopics>,
  body: RequestOf<typeof createTopics>,
  broker: BrokerView,
): void {
  const { authorizer } = broker
  const mayCreateAll = authorizer.allows(call, 'CREATE', 'CLUSTER', CLUSTER_NAME, 'granted')
  const mayCreate = (name: string) => mayCreateAll || authorizer.allows(call, 'CREATE', 'TOPIC', name)
  const allowed = body.topics.filter(({ name }) => mayCreate(name))
  const refused = body.topics.filter(({ name }) => !mayCreate(name)).map(({ name }) => unauthorized(name))
  if (allowed.length === 0) {
    call.reply({ topics: refused })
    return
  }
  broker.controller.createTopics({ ...body, topics: allowed }, ({ topics }) => {
    const shown = topics.map((topic) =>
      topic.errorCode !== Errors.NONE ||
      authorizer.allows(call, 'DESCRIBE_CONFIGS', 'TOPIC', topic.name, 'granted')
        ? topic
        : withoutConfigs(topic),
    )
    call.reply({ topics: [...shown, ...refused] })
  })
}

function unauthorized(name: string) {
  const errorCode = Errors.TOPIC_AUTHORIZATION_FAILED
  return { name, errorCode, errorMessage: errorMessage(errorCode), configs: null }
}

/** Who may not read configs does not learn them from a creation either (KIP-525). */
function withoutConfigs(topic: CreatedTopic): CreatedTopic {
  const topicConfigErrorCode = Errors.TOPIC_AUTHORIZATION_FAILED
  return { ...topic, topicConfigErrorCode, numPartitions: -1, replicationFactor: -1, configs: null }
}

type DeletedTopic = ResponseOf<typeof deleteTopics>['responses'][number]

function remove(
  call: Call<typeof deleteTopics>,
  body: RequestOf<typeof deleteTopics>,
  broker: BrokerView,
): void {
  const refused: DeletedTopic[] = []
  const mayDeleteAll = broker.authorizer.allows(call, 'DELETE', 'CLUSTER', CLUSTER_NAME, 'granted')
  const mayDelete = (name: string | null, topicId: string): boolean => {
    if (mayDeleteAll) return true
    const refusal = deletionRefusal(name, topicId, call, broker)
    if (refusal !== null) refused.push(refusal)
    return refusal === null
  }
  const allowed = {
    ...body,
    topics: body.topics.filter(({ name, topicId }) => mayDelete(name, topicId)),
    topicNames: body.topicNames.filter((name) => mayDelete(name, ZERO_UUID)),
  }
  broker.controller.deleteTopics(allowed, call.version, ({ responses }) => {
    call.reply({ responses: [...responses, ...refused] })
  })
}

/** Null when this principal may delete the topic, or when there is none: that is the controller's to say. */
function deletionRefusal(
  askedName: string | null,
  topicId: string,
  call: Call<typeof deleteTopics>,
  { authorizer, image }: BrokerView,
): DeletedTopic | null {
  const name = askedName ?? topicById(image(), topicId)?.name
  if (name === undefined || authorizer.allows(call, 'DELETE', 'TOPIC', name)) return null
  // Who names a topic by id and may not even describe it does not learn its name.
  const mayKnow = askedName !== null || authorizer.allows(call, 'DESCRIBE', 'TOPIC', name)
  const errorCode = Errors.TOPIC_AUTHORIZATION_FAILED
  return { name: mayKnow ? name : null, topicId, errorCode, errorMessage: errorMessage(errorCode) }
}
