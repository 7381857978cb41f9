/**
 * The DescribeConfigs view of the config tables: value, source and synonyms of each key of a broker, topic, group or client
 * metrics subscription.
 * It decides nothing about who may see what.
 */
import type { BrokerConfig } from './broker-config.js'
import { brokerKeyNames, brokerKeyOf } from './broker-config.js'
import { clientMetricsKeys } from './client-metrics-keys.js'
import { groupKeys, groupSynonyms } from './group-keys.js'
import { type ConfigKey, ConfigType } from './key.js'
import { topicKeys, topicSynonyms } from './topic-keys.js'

/** Kafka's numbers for where a value comes from (DescribeConfigs `configSource`). */
export const ConfigSource = {
  DYNAMIC_TOPIC: 1,
  DYNAMIC_BROKER: 2,
  DYNAMIC_DEFAULT_BROKER: 3,
  STATIC_BROKER: 4,
  DEFAULT: 5,
  CLIENT_METRICS: 7,
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
  documentation: string | null
}

/** Everything about this broker, with what was set dynamically and no table has. */
export function describeBroker(config: BrokerConfig): DescribedConfig[] {
  const { own, clusterWide } = config.dynamic
  const beyond = [...own.keys(), ...clusterWide.keys()].filter((name) => brokerKeyOf(name) === null)
  return [...brokerKeyNames(), ...new Set(beyond)].map((name) => describeBrokerKey(config, name))
}

/** What was set for every broker of the cluster, and nothing else. */
export function describeBrokerDefaults(config: BrokerConfig): DescribedConfig[] {
  const onlyDefaults = ({ synonyms, ...rest }: DescribedConfig): DescribedConfig => ({
    ...rest,
    source: ConfigSource.DYNAMIC_DEFAULT_BROKER,
    synonyms: synonyms.filter(({ source }) => source === ConfigSource.DYNAMIC_DEFAULT_BROKER),
  })
  return [...config.dynamic.clusterWide].map(([name, value]) => {
    const known = describeBrokerKey(config, name)
    return onlyDefaults(known.sensitive ? known : { ...known, value })
  })
}

function describeBrokerKey(config: BrokerConfig, name: string): DescribedConfig {
  const key = brokerKeyOf(name)
  if (key === null) return unknownBrokerKey(config, name)
  const readOnly = key.updateMode === 'read-only'
  return described(name, key, brokerSynonyms(config, name), config.textOf(name), readOnly)
}

/** Nobody knows whether it is a secret, so Kafka shows it as one. */
function unknownBrokerKey({ dynamic }: BrokerConfig, name: string): DescribedConfig {
  const synonyms: ConfigSynonym[] = []
  if (dynamic.own.has(name)) synonyms.push({ name, value: null, source: ConfigSource.DYNAMIC_BROKER })
  if (dynamic.clusterWide.has(name)) {
    synonyms.push({ name, value: null, source: ConfigSource.DYNAMIC_DEFAULT_BROKER })
  }
  return {
    name,
    value: null,
    readOnly: true,
    source: synonyms[0]?.source ?? ConfigSource.DEFAULT,
    sensitive: true,
    synonyms,
    type: ConfigType.UNKNOWN,
    documentation: null,
  }
}

export function describeTopic(config: BrokerConfig, own: ReadonlyMap<string, string>): DescribedConfig[] {
  const defaults = config.topicDefaults()
  return namesOf(topicKeys).map((name) => {
    const synonyms: ConfigSynonym[] = []
    const value = own.get(name)
    if (value !== undefined) synonyms.push({ name, value, source: ConfigSource.DYNAMIC_TOPIC })
    const first = topicSynonyms[name]?.[0]?.key
    if (first !== undefined) synonyms.push(...brokerSynonyms(config, first))
    return described(name, topicKeys[name], bySource(synonyms), value ?? defaults[name], false)
  })
}

export function describeGroup(config: BrokerConfig, own: ReadonlyMap<string, string>): DescribedConfig[] {
  return namesOf(groupKeys).map((name) => {
    const key: ConfigKey<unknown> = groupKeys[name]
    const broker = groupSynonyms[name]
    const synonyms: ConfigSynonym[] =
      broker === undefined
        ? [{ name, value: key.defaultText, source: ConfigSource.DEFAULT }]
        : brokerSynonyms(config, broker)
    const value = own.get(name)
    if (value !== undefined) synonyms.unshift({ name, value, source: ConfigSource.DYNAMIC_GROUP })
    return described(name, key, synonyms, synonyms[0]?.value ?? null, false)
  })
}

/** A subscription that nobody has made is described with the defaults. */
export function describeClientMetrics(own: ReadonlyMap<string, string>): DescribedConfig[] {
  return namesOf(clientMetricsKeys).map((name) => {
    const key: ConfigKey<unknown> = clientMetricsKeys[name]
    const value = own.get(name)
    const set = value === undefined ? [] : [{ name, value, source: ConfigSource.CLIENT_METRICS }]
    return described(name, key, set, value ?? key.defaultText, false)
  })
}

/** The broker keys that a broker key defers to, itself first: log.retention.ms, log.retention.minutes, … */
const brokerSynonymNames: ReadonlyMap<string, readonly string[]> = new Map(
  Object.values(topicSynonyms).flatMap((synonyms) => {
    const names = synonyms.map(({ key }) => key)
    return names.map((name, index) => [name, names.slice(index)] as const)
  }),
)

function brokerSynonyms(config: BrokerConfig, name: string): ConfigSynonym[] {
  const { own, clusterWide } = config.dynamic
  const synonyms: ConfigSynonym[] = []
  const add = (synonym: string, value: string | null | undefined, source: ConfigSource): void => {
    if (value !== null && value !== undefined) synonyms.push({ name: synonym, value, source })
  }
  for (const synonym of brokerSynonymNames.get(name) ?? [name]) {
    add(synonym, own.get(synonym), ConfigSource.DYNAMIC_BROKER)
    add(synonym, clusterWide.get(synonym), ConfigSource.DYNAMIC_DEFAULT_BROKER)
    add(synonym, config.staticTextOf(synonym), ConfigSource.STATIC_BROKER)
    add(synonym, brokerKeyOf(synonym)?.defaultText, ConfigSource.DEFAULT)
  }
  const chain = bySource(synonyms)
  // Kafka begins where the key itself comes first: what only a synonym says is not this key's.
  const begin = chain.findIndex((synonym) => synonym.name === name)
  return begin < 0 ? [] : chain.slice(begin)
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
