/**
 * ListConfigResources (key 74): what has configs of its own. v0 asks for client metrics alone, v1
 * for topics, brokers, groups, client metrics and loggers, which have no configs here.
 */
import { Errors, listConfigResources } from '../protocol/index.js'
import {
  CONFIG_BROKER,
  CONFIG_CLIENT_METRICS,
  CONFIG_GROUP,
  CONFIG_TOPIC,
  configuredNames,
  topicsSorted,
} from '../state/image.js'
import { CLUSTER_NAME } from './authorize.js'
import { type Handler, serve } from './handler.js'

const BROKER_LOGGER = 8
const TYPES = [CONFIG_TOPIC, CONFIG_BROKER, BROKER_LOGGER, CONFIG_CLIENT_METRICS, CONFIG_GROUP]

export const listConfigResourcesHandler: Handler = serve(listConfigResources, (call, body, broker) => {
  const { authorizer, image } = broker
  const refuse = (errorCode: number) => call.reply({ errorCode, configResources: [] })
  if (!authorizer.allows(call, 'DESCRIBE_CONFIGS', 'CLUSTER', CLUSTER_NAME)) {
    refuse(Errors.CLUSTER_AUTHORIZATION_FAILED)
    return
  }
  if (body.resourceTypes.some((type) => !TYPES.includes(type))) {
    refuse(Errors.UNSUPPORTED_VERSION)
    return
  }
  const wanted =
    call.version === 0 ? [CONFIG_CLIENT_METRICS] : body.resourceTypes.length > 0 ? body.resourceTypes : TYPES
  const namesOf = (type: number): string[] => {
    if (type === CONFIG_TOPIC) return topicsSorted(image()).map(({ name }) => name)
    if (type === CONFIG_BROKER) return broker.brokers(call.listener).map(({ nodeId }) => String(nodeId))
    return type === BROKER_LOGGER ? [] : configuredNames(image(), type)
  }
  call.reply({
    errorCode: Errors.NONE,
    configResources: [...new Set(wanted)].flatMap((resourceType) =>
      namesOf(resourceType).map((resourceName) => ({ resourceName, resourceType })),
    ),
  })
})
