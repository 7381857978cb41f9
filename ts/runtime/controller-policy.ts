/** What the controller needs of the broker's configuration to decide about topics and configs. */
import type { BrokerConfig } from '../config/broker-config.js'
import { describeTopic } from '../config/describe.js'
import { invalidListenerChange } from '../config/listeners.js'
import { ConfigError } from '../config/sources.js'
import {
  type ConfigTable,
  defaultOf,
  invalidBrokerConfig,
  invalidClientMetrics,
  invalidGroupConfig,
  invalidTopicConfig,
  isListKey,
} from '../config/validate.js'
import { Errors } from '../protocol/index.js'
import type { ControllerPolicy } from '../state/controller.js'
import { CONFIG_BROKER, CONFIG_CLIENT_METRICS, CONFIG_GROUP, CONFIG_TOPIC } from '../state/image.js'

const tables: ReadonlyMap<number, ConfigTable> = new Map([
  [CONFIG_TOPIC, 'topic'],
  [CONFIG_BROKER, 'broker'],
  [CONFIG_GROUP, 'group'],
  [CONFIG_CLIENT_METRICS, 'client-metrics'],
])

export function controllerPolicy(config: BrokerConfig): ControllerPolicy {
  // Many topics of one request have the same configs, and a table to be told for each.
  let last: { key: string; described: ReturnType<ControllerPolicy['effectiveTopicConfigs']> } | null = null
  return {
    defaultNumPartitions: config.get('num.partitions'),
    defaultReplicationFactor: config.get('default.replication.factor'),
    deleteTopicEnable: config.get('delete.topic.enable'),
    validateTopicConfigs: (configs) => refusal(Errors.INVALID_CONFIG, invalidTopicConfig(configs)),
    effectiveTopicConfigs(configs) {
      const key = JSON.stringify([...configs])
      if (last?.key === key) return last.described
      const described = describeTopic(config, configs).map(
        ({ name, value, readOnly, source, sensitive }) => ({
          name,
          value,
          readOnly,
          configSource: source,
          isSensitive: sensitive,
        }),
      )
      last = { key, described }
      return described
    },
    isListConfig: (resourceType, name) => isListKey(tableOf(resourceType), name) === true,
    defaultConfig: (resourceType, name) => defaultOf(tableOf(resourceType), name),
    validateConfigs(resourceType, resourceName, configs) {
      if (resourceType === CONFIG_TOPIC) return refusal(Errors.INVALID_CONFIG, invalidTopicConfig(configs))
      if (resourceType === CONFIG_GROUP)
        return refusal(Errors.INVALID_CONFIG, invalidGroupConfig(configs, config))
      if (resourceType === CONFIG_CLIENT_METRICS) {
        const wrong = invalidClientMetrics(configs)
        const code = wrong?.unknown === true ? Errors.INVALID_REQUEST : Errors.INVALID_CONFIG
        return refusal(code, wrong?.sentence ?? null)
      }
      const invalid =
        invalidBrokerConfig(configs, resourceName === '') ??
        (resourceName === String(config.nodeId) ? invalidTogether(config, configs) : null)
      return refusal(Errors.INVALID_REQUEST, invalid)
    },
  }
}

/** Whether this broker can run with other dynamic configs of its own. */
function invalidTogether(config: BrokerConfig, own: ReadonlyMap<string, string>): string | null {
  try {
    const after = config.withDynamic({ ...config.dynamic, own })
    return invalidListenerChange(config.listeners, after.listeners)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

function tableOf(resourceType: number): ConfigTable {
  return tables.get(resourceType) ?? 'broker'
}

function refusal(errorCode: number, reason: string | null) {
  return reason === null ? null : { errorCode, errorMessage: reason }
}
