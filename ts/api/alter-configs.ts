/**
 * AlterConfigs (key 33) v0–2 and IncrementalAlterConfigs (key 44) v0–1: topics, this broker, all brokers (the empty
 * name), groups and client metrics subscriptions. They check who asks and which broker is meant; the controller
 * decides. The answer comes when the change is in force. Loggers have no configs here.
 */
import {
  alterConfigs,
  Errors,
  errorMessage,
  incrementalAlterConfigs,
  type RequestOf,
} from '../protocol/index.js'
import { type AlterConfigsResponse, type AlteredResource, ConfigOperation } from '../state/configs.js'
import { CONFIG_BROKER, CONFIG_CLIENT_METRICS, CONFIG_GROUP, CONFIG_TOPIC } from '../state/image.js'
import { type Asker, CLUSTER_NAME } from './authorize.js'
import type { BrokerView } from './broker-view.js'
import { type Handler, serve } from './handler.js'

type Answer = AlterConfigsResponse['responses'][number]

export const alterConfigsHandlers: readonly Handler[] = [
  serve(alterConfigs, (call, body, broker) => {
    alter(call, { ...body, resources: asIncremental(body) }, true, broker, (responses) =>
      call.reply({ responses }),
    )
  }),
  serve(incrementalAlterConfigs, (call, body, broker) => {
    alter(call, body, false, broker, (responses) => call.reply({ responses }))
  }),
]

function asIncremental({ resources }: RequestOf<typeof alterConfigs>): AlteredResource[] {
  return resources.map((resource) => ({
    ...resource,
    configs: resource.configs.map((config) => ({ ...config, configOperation: ConfigOperation.SET })),
  }))
}

function alter(
  asker: Asker,
  { resources, validateOnly }: { resources: readonly AlteredResource[]; validateOnly: boolean },
  replacesAll: boolean,
  broker: BrokerView,
  reply: (responses: Answer[]) => void,
): void {
  const refusals = resources.map((resource) => refusal(asker, resource, broker))
  const allowed = resources.filter((_, index) => refusals[index] === null)
  const answered = ({ responses }: AlterConfigsResponse): void => {
    const decided = responses[Symbol.iterator]()
    reply(refusals.flatMap((refused) => refused ?? decided.next().value ?? []))
  }
  if (allowed.length === 0) answered({ responses: [] })
  else broker.controller.alterConfigs({ resources: allowed, replacesAll, validateOnly }, answered)
}

/** Null for what the controller may decide. */
function refusal(
  asker: Asker,
  { resourceType, resourceName }: AlteredResource,
  { authorizer, nodeId }: BrokerView,
): Answer | null {
  const refuse = (errorCode: number, message = errorMessage(errorCode)): Answer => ({
    errorCode,
    errorMessage: message,
    resourceType,
    resourceName,
  })
  switch (resourceType) {
    case CONFIG_TOPIC:
      return authorizer.allows(asker, 'ALTER_CONFIGS', 'TOPIC', resourceName)
        ? null
        : refuse(Errors.TOPIC_AUTHORIZATION_FAILED)
    case CONFIG_GROUP:
      return authorizer.allows(asker, 'ALTER_CONFIGS', 'GROUP', resourceName)
        ? null
        : refuse(Errors.GROUP_AUTHORIZATION_FAILED)
    case CONFIG_BROKER:
      if (!authorizer.allows(asker, 'ALTER_CONFIGS', 'CLUSTER', CLUSTER_NAME)) {
        return refuse(Errors.CLUSTER_AUTHORIZATION_FAILED)
      }
      if (resourceName === '' || resourceName === String(nodeId)) return null
      return /^[+-]?\d+$/.test(resourceName)
        ? refuse(
            Errors.INVALID_REQUEST,
            `Unexpected broker id, expected ${nodeId}, but received ${resourceName}`,
          )
        : refuse(Errors.INVALID_REQUEST, `Node id must be an integer, but it is: ${resourceName}`)
    case CONFIG_CLIENT_METRICS:
      return authorizer.allows(asker, 'ALTER_CONFIGS', 'CLUSTER', CLUSTER_NAME)
        ? null
        : refuse(Errors.CLUSTER_AUTHORIZATION_FAILED)
    default:
      return refuse(Errors.INVALID_REQUEST, `Unknown resource type ${resourceType}`)
  }
}
