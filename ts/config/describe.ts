/**
 * The DescribeConfigs view of the config tables: value, source and synonyms of each key of a broker, topic or group.
 * It decides nothing about who may see what.
 */
import type { BrokerConfig } from './broker-config.js'
import { isBrokerKey } from './broker-config.js'
import { type BrokerKey, brokerKeys } from './broker-keys.js'
import { groupKeys } from './group-keys.js'
import type { ConfigKey, ConfigType } from './key.js'
import { type TopicKey, topicKeys, topicSynonyms } from './topic-keys.js'

/** Kafka's numbers for where a value comes from (DescribeConfigs `configSource`). */
export const ConfigSource = {
  DYNAMIC_TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  DYNAMIC_GROUP: 8,
} as const
export type ConfigSource = (typeof ConfigSource)[keyof typeof ConfigSource]

export interface ConfigSynonym {
  name: string
  value: string | null
  source: ConfigSource
}

export interface DescribedConfig {
  name: string
  value: string | null
  readOnly: boolean
  source: ConfigSource
  sensitive: boolean
  synonyms: ConfigSynonym[]
  type: ConfigType
  documentation: string
}

export function describeBroker(config: BrokerConfig): DescribedConfig[] {
  return namesOf(brokerKeys).map((name) => {
    const key = brokerKeys[name]
    return described(
      name,
      key,
      brokerSynonyms(config, name),
      config.textOf(name),
      key.updateMode === 'read-only',
    )
  })
}

export function describeTopic(config: BrokerConfig, own: ReadonlyMap<string, string>): DescribedConfig[] {
  const defaults = config.topicDefaults()
  return namesOf(topicKeys).map((name) => {
    const synonyms: ConfigSynonym[] = []
    const value = own.get(name)
    if (value !== undefined) synonyms.push({ name, value, source: ConfigSource.DYNAMIC_TOPIC })
    for (const synonym of topicSynonyms[name] ?? []) {
      if (isBrokerKey(synonym.key)) synonyms.push(...brokerSynonyms(config, synonym.key))
    }
    return described(name, topicKeys[name], bySource(synonyms), value ?? defaults[name], false)
  })
}

export function describeGroup(own: ReadonlyMap<string, string>): DescribedConfig[] {
  return namesOf(groupKeys).map((name) => {
    const key: ConfigKey<unknown> = groupKeys[name]
    const synonyms: ConfigSynonym[] = [{ name, value: key.defaultText, source: ConfigSource.DEFAULT }]
    const value = own.get(name)
    if (value !== undefined) synonyms.unshift({ name, value, source: ConfigSource.DYNAMIC_GROUP })
    return described(name, key, synonyms, value ?? key.defaultText, false)
  })
}

/** Null when the configs of a new topic are fine, else Kafka's sentence for INVALID_CONFIG. */
export function invalidTopicConfig(configs: Iterable<readonly [string, string | null]>): string | null {
  for (const [name, value] of configs) {
    if (!Object.hasOwn(topicKeys, name)) return `Unknown topic config name: ${name}`
    if (value === null) return `Null value not supported for topic configs: ${name}`
    const parsed = topicKeys[name as TopicKey].parse(value)
    if ('reason' in parsed) return `Invalid value ${value} for configuration ${name}: ${parsed.reason}`
  }
  return null
}

function brokerSynonyms(config: BrokerConfig, name: BrokerKey): ConfigSynonym[] {
  const { defaultText } = brokerKeys[name]
  const synonyms: ConfigSynonym[] = []
  if (config.isSet(name))
    synonyms.push({ name, value: config.textOf(name), source: ConfigSource.STATIC_BROKER })
  if (defaultText !== null) synonyms.push({ name, value: defaultText, source: ConfigSource.DEFAULT })
  return synonyms
}

/** Kafka lists what was set before any default; the order within one source stays. */
function bySource(synonyms: ConfigSynonym[]): ConfigSynonym[] {
  return synonyms.toSorted((a, b) => a.source - b.source)
}

function described(
  name: string,
  key: ConfigKey<unknown>,
  synonyms: ConfigSynonym[],
  value: string | null,
  readOnly: boolean,
): DescribedConfig {
  const hidden = (text: string | null): string | null => (key.sensitive ? null : text)
  return {
    name,
    value: hidden(value),
    readOnly,
    source: synonyms[0]?.source ?? ConfigSource.DEFAULT,
    sensitive: key.sensitive,
    synonyms: synonyms.map((synonym) => ({ ...synonym, value: hidden(synonym.value) })),
    type: key.type,
    documentation: key.doc,
  }
}

function namesOf<T extends object>(table: T): (keyof T & string)[] {
  return Object.keys(table) as (keyof T & string)[]
}
