/**
 * DescribeConfigs (key 32), v0–4: topics, this broker, groups and client metrics subscriptions, answered from
 * the config tables. Loggers have no configs here.
 */
import {
  ConfigSource,
  type DescribedConfig,
  describeBroker,
  describeBrokerDefaults,
  describeClientMetrics,
  describeGroup,
  describeTopic,
} from '../config/describe.js'
import { describeConfigs, Errors, errorMessage, type RequestOf } from '../protocol/index.js'
import {
  CONFIG_BROKER,
  CONFIG_CLIENT_METRICS,
  CONFIG_GROUP,
  CONFIG_TOPIC,
  configsOf as setConfigs,
  topicByName,
} from '../state/image.js'
import { topicNameError } from '../state/topic-name.js'
import { CLUSTER_NAME } from './authorize.js'
import type { BrokerView } from './broker-view.js'
import { type Call, type Handler, serve } from './handler.js'

type ConfigsRequest = RequestOf<typeof describeConfigs>
type Resource = ConfigsRequest['resources'][number]

export const describeConfigsHandler: Handler = serve(describeConfigs, (call, body, broker) => {
  call.reply({
    results: body.resources.map((resource) => {
      const { resourceType, resourceName, configurationKeys } = resource
      const found = configsOf(resource, call, broker)
      if (!Array.isArray(found)) return { resourceType, resourceName, configs: [], ...found }
      const wanted =
        configurationKeys === null || configurationKeys.length === 0 ? null : new Set(configurationKeys)
      const configs = found
        .filter(({ name }) => wanted?.has(name) ?? true)
        .map((config) => toWire(config, body))
      return { resourceType, resourceName, errorCode: Errors.NONE, errorMessage: null, configs }
    }),
  })
})

type Refusal = { errorCode: number; errorMessage: string | null }

function configsOf(
  { resourceType, resourceName }: Resource,
  call: Call<typeof describeConfigs>,
  broker: BrokerView,
): DescribedConfig[] | Refusal {
  const { authorizer, config } = broker
  switch (resourceType) {
    case CONFIG_TOPIC: {
      if (!authorizer.allows(call, 'DESCRIBE_CONFIGS', 'TOPIC', resourceName)) {
        return refuse(Errors.TOPIC_AUTHORIZATION_FAILED)
      }
      const reason = topicNameError(resourceName)
      if (reason !== null) return refuse(Errors.INVALID_TOPIC_EXCEPTION, reason)
      const topic = topicByName(broker.image(), resourceName)
      return topic === undefined
        ? refuse(Errors.UNKNOWN_TOPIC_OR_PARTITION, null)
        : describeTopic(config, setConfigs(broker.image(), CONFIG_TOPIC, resourceName))
    }
    case CONFIG_BROKER: {
      if (!authorizer.allows(call, 'DESCRIBE_CONFIGS', 'CLUSTER', CLUSTER_NAME)) {
        return refuse(Errors.CLUSTER_AUTHORIZATION_FAILED)
      }
      // The empty name stands for what was set for all brokers.
      if (resourceName === '') return describeBrokerDefaults(config)
      if (resourceName === String(broker.nodeId)) return describeBroker(config)
      const expected = `expected ${broker.nodeId} or empty string, but received ${resourceName}`
      return refuse(Errors.INVALID_REQUEST, `Unexpected broker id, ${expected}`)
    }
    case CONFIG_GROUP:
      if (!authorizer.allows(call, 'DESCRIBE_CONFIGS', 'GROUP', resourceName)) {
        return refuse(Errors.GROUP_AUTHORIZATION_FAILED)
      }
      return resourceName === ''
        ? refuse(Errors.INVALID_REQUEST, 'Group name must not be empty')
        : describeGroup(config, setConfigs(broker.image(), CONFIG_GROUP, resourceName))
    case CONFIG_CLIENT_METRICS:
      if (!authorizer.allows(call, 'DESCRIBE_CONFIGS', 'CLUSTER', CLUSTER_NAME)) {
        return refuse(Errors.CLUSTER_AUTHORIZATION_FAILED)
      }
      return resourceName === ''
        ? refuse(Errors.INVALID_REQUEST, 'Client metrics subscription name must not be empty')
        : describeClientMetrics(setConfigs(broker.image(), CONFIG_CLIENT_METRICS, resourceName))
    default:
      return refuse(Errors.INVALID_REQUEST, `Unsupported resource type: ${resourceType}`)
  }
}

function refuse(errorCode: number, message: string | null = errorMessage(errorCode)): Refusal {
  return { errorCode, errorMessage: message }
}

function toWire(config: DescribedConfig, { includeSynonyms, includeDocumentation }: ConfigsRequest) {
  return {
    name: config.name,
    value: config.value,
    readOnly: config.readOnly,
    isDefault: config.source === ConfigSource.DEFAULT,
    configSource: config.source,
    isSensitive: config.sensitive,
    synonyms: includeSynonyms ? config.synonyms : [],
    configType: config.type,
    documentation: includeDocumentation ? config.documentation : null,
  }
}
