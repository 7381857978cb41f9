/**
 * Whether the configs of a resource hold together, with Kafka's sentences: what CreateTopics and the AlterConfigs
 * APIs ask before anything is recorded. It stores nothing and knows no error codes.
 */
import { type BrokerConfig, brokerKeyOf } from './broker-config.js'
import { clientMetricsKeys, invalidClientMetricsValue } from './client-metrics-keys.js'
import { isDynamicForeignKey, isForeignKey } from './foreign-keys.js'
import { groupKeys, outOfBounds } from './group-keys.js'
import { type ConfigKey, ConfigType } from './key.js'
import { listenerKeyOf } from './listener-keys.js'
import { topicKeys } from './topic-keys.js'

type Table = Readonly<Record<string, ConfigKey<unknown>>>
type Configs = Iterable<readonly [string, string | null]>

const tables = { topic: topicKeys, group: groupKeys, 'client-metrics': clientMetricsKeys } as const
export type ConfigTable = keyof typeof tables | 'broker'

function keyOf(table: ConfigTable, name: string): ConfigKey<unknown> | null {
  if (table === 'broker') return brokerKeyOf(name) ?? listenerKeyOf(name)
  const keys: Table = tables[table]
  return Object.hasOwn(keys, name) ? (keys[name] ?? null) : null
}

/** Whether a key is a list, which can be appended to; null for a key that the table does not have. */
export function isListKey(table: ConfigTable, name: string): boolean | null {
  const key = keyOf(table, name)
  return key === null ? null : key.type === ConfigType.LIST
}

/** The key's own default, no matter what the broker's configs say. */
export function defaultOf(table: ConfigTable, name: string): string | null {
  return keyOf(table, name)?.defaultText ?? null
}

/** Null when these can be all the configs of a topic, else the sentence for INVALID_CONFIG. */
export function invalidTopicConfig(configs: Configs): string | null {
  const all = [...configs]
  const invalid = firstInvalid('topic', all, (name) => `Unknown topic config name: ${name}`)
  if (invalid !== null) return invalid
  const values = new Map(all)
  const lag = (name: keyof typeof topicKeys): bigint =>
    BigInt(values.get(name) ?? topicKeys[name].defaultText ?? 0)
  const [min, max] = [lag('min.compaction.lag.ms'), lag('max.compaction.lag.ms')]
  if (min > max) {
    return `conflict topic config setting min.compaction.lag.ms (${min}) > max.compaction.lag.ms (${max})`
  }
  if (values.get('remote.storage.enable')?.trim().toLowerCase() === 'true') {
    return 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'
  }
  return null
}

/**
 * Null when these can be all the configs of a group beside what the broker sets for all, else the sentence for
 * INVALID_CONFIG.
 */
export function invalidGroupConfig(configs: Configs, broker: BrokerConfig): string | null {
  const all = [...configs]
  const invalid = firstInvalid('group', all, (name) => `Unknown group config name: ${name}`)
  return invalid ?? outOfBounds(new Map(all), broker)
}

/** Null when these can be all the configs of a client metrics subscription, else which error and its sentence. */
export function invalidClientMetrics(configs: Configs): { unknown: boolean; sentence: string } | null {
  const all = [...configs]
  const unknown = all.find(([name]) => keyOf('client-metrics', name) === null)
  if (unknown !== undefined) {
    return { unknown: true, sentence: `Unknown client metrics configuration: ${unknown[0]}` }
  }
  const invalid = firstInvalid('client-metrics', all, () => null)
  return invalid === null ? invalidClientMetricsValue(new Map(all)) : { unknown: false, sentence: invalid }
}

/**
 * Null when these can be all the dynamic configs of a broker, or of all brokers (`isClusterWide`), else the sentence
 * for INVALID_REQUEST. Names that nobody knows are let through: they may be a plugin's.
 */
export function invalidBrokerConfig(configs: Configs, isClusterWide: boolean): string | null {
  const all = [...configs]
  const fixed = all.filter(([name]) => !isDynamic(name)).map(([name]) => name)
  if (fixed.length > 0) return `Cannot update these configs dynamically: [${fixed.join(', ')}]`
  const invalid = firstInvalid('broker', all, () => null)
  if (invalid !== null) return invalid
  const own = all
    .filter(([name]) => isClusterWide && brokerKeyOf(name)?.updateMode === 'per-broker')
    .map(([name]) => name)
  return own.length === 0
    ? null
    : `Cannot update these configs at default cluster level, broker id must be specified: [${own.join(', ')}]`
}

function isDynamic(name: string): boolean {
  const key = brokerKeyOf(name)
  if (key !== null) return key.updateMode !== 'read-only'
  return !isForeignKey(name) || isDynamicForeignKey(name)
}

function firstInvalid(
  table: ConfigTable,
  configs: Configs,
  unknown: (name: string) => string | null,
): string | null {
  for (const [name, value] of configs) {
    const key = keyOf(table, name)
    if (key === null) {
      const reason = unknown(name)
      if (reason !== null) return reason
      continue
    }
    if (value === null) return `Null value not supported for ${table} configs: ${name}`
    const parsed = key.parse(value)
    if ('reason' in parsed) return `Invalid value ${value} for configuration ${name}: ${parsed.reason}`
  }
  return null
}
