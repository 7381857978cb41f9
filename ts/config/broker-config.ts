/**
 * A broker's settings, checked: later sources override earlier ones, an unknown key or a bad value is one sentence,
 * and a Kafka key without effect is a warning. Dynamic configs lie over them. It holds no state that changes.
 */
import { type BrokerKey, brokerKeys } from './broker-keys.js'
import { isForeignKey } from './foreign-keys.js'
import type { ConfigKey } from './key.js'
import { type ListenerKey, listenerKeyName, listenerKeyOf } from './listener-keys.js'
import { advertisedListeners, type Listener, parseListeners } from './listeners.js'
import { ConfigError, type Setting } from './sources.js'
import { type TopicKey, topicKeys, topicSynonyms } from './topic-keys.js'
import { unhonouredKeys } from './unhonoured-keys.js'

type ValueOf<K> = K extends ConfigKey<infer T> ? T : never
export type BrokerValue<K extends BrokerKey> = ValueOf<(typeof brokerKeys)[K]>

/** What was set while brokers ran (KIP-226), as the metadata has it. */
export interface DynamicBrokerConfigs {
  /** For this broker alone. */
  readonly own: ReadonlyMap<string, string>
  /** For every broker of the cluster. */
  readonly clusterWide: ReadonlyMap<string, string>
}

export class BrokerConfig {
  readonly dynamic: DynamicBrokerConfigs = { own: new Map(), clusterWide: new Map() }
  readonly warnings: readonly string[]
  /** In the order of `listeners`, with the advertised address of each where one was given. */
  readonly listeners: readonly Listener[]
  private readonly settings: ReadonlyMap<string, Setting>

  /** `sources` in rising precedence: file, environment, flags. */
  constructor(...sources: readonly (readonly Setting[])[]) {
    const settings = new Map<string, Setting>()
    const warnings: string[] = []
    for (const setting of sources.flat()) {
      const warning = check(setting)
      if (warning !== null) warnings.push(warning)
      if (specOf(setting.key) !== null) settings.set(setting.key, setting)
    }
    this.settings = settings
    this.warnings = warnings
    this.checkTogether()
    this.listeners = this.parsedListeners()
  }

  get<K extends BrokerKey>(name: K): BrokerValue<K> {
    const key: ConfigKey<unknown> = brokerKeys[name]
    const text = this.textOf(name)
    if (text === null) return null as BrokerValue<K>
    const parsed = key.parse(text)
    if ('reason' in parsed) throw new ConfigError(`${name} = ${text}: ${parsed.reason}`)
    return parsed.value as BrokerValue<K>
  }

  /** The value's text: the one that was set, while running or before, else the default; null where there is neither. */
  textOf(name: string): string | null {
    const { own, clusterWide } = this.dynamic
    const given = own.get(name) ?? clusterWide.get(name) ?? this.staticTextOf(name)
    return given ?? brokerKeyOf(name)?.defaultText ?? null
  }

  /** What the broker was started with; null where nothing was said. */
  staticTextOf(name: string): string | null {
    return this.settings.get(name)?.text.trim() ?? null
  }

  /** A key that a listener may have for itself, or the broker's. */
  listenerValue(listener: string, key: ListenerKey): number | null {
    const name = listenerKeyName(listener, key)
    const { own, clusterWide } = this.dynamic
    const text = own.get(name) ?? clusterWide.get(name) ?? this.settings.get(name)?.text
    const parsed = text === undefined ? undefined : brokerKeys[key].parse(text)
    return parsed === undefined || 'reason' in parsed ? null : parsed.value
  }

  /** The same settings below other dynamic configs. Throws ConfigError when they make no sense together. */
  withDynamic(dynamic: DynamicBrokerConfigs): BrokerConfig {
    const blank: BrokerConfig = Object.create(BrokerConfig.prototype)
    const changed = Object.assign(blank, this, { dynamic })
    return Object.assign(changed, { listeners: changed.parsedListeners() })
  }

  private parsedListeners(): Listener[] {
    return advertisedListeners(
      parseListeners(
        this.get('listeners'),
        this.get('listener.security.protocol.map'),
        this.origin('listeners'),
      ),
      this.textOf('advertised.listeners'),
      this.origin('advertised.listeners'),
    )
  }

  /** What it was made of, to make it again elsewhere. */
  get sources(): readonly Setting[] {
    return [...this.settings.values()]
  }

  get nodeId(): number {
    const nodeId = this.get('node.id')
    const brokerId = this.get('broker.id')
    return nodeId >= 0 ? nodeId : Math.max(brokerId, 0)
  }

  get logDirs(): readonly string[] {
    const dirs = (this.get('log.dirs') ?? this.get('log.dir')).split(',')
    return [...new Set(dirs.map((dir) => dir.trim()).filter((dir) => dir !== ''))]
  }

  /** The default of every topic key on this broker, as text in the topic key's unit. */
  topicDefaults(): Record<TopicKey, string> {
    const defaults: Partial<Record<TopicKey, string>> = {}
    for (const name of Object.keys(topicKeys) as TopicKey[]) defaults[name] = this.topicDefault(name)
    return defaults as Record<TopicKey, string>
  }

  /** What partitions act on and may change while the broker runs: the topic defaults, and a key of the broker's own. */
  partitionDefaults(): Record<string, string> {
    const key = 'producer.id.expiration.ms'
    return { ...this.topicDefaults(), [key]: String(this.get(key)) }
  }

  /** What the data plane is started with, by key: what partitions act on and what is the broker's as a whole. */
  dataPlaneDefaults(): Record<string, string> {
    const own = [
      'fetch.max.bytes',
      'log.cleaner.backoff.ms',
      'log.cleaner.dedupe.buffer.size',
      'log.cleaner.enable',
      'max.incremental.fetch.session.cache.slots',
      'metadata.log.segment.bytes',
      'metadata.max.retention.bytes',
      'metadata.max.retention.ms',
      'producer.id.expiration.check.interval.ms',
      'authorizer.class.name',
      'super.users',
      'allow.everyone.if.no.acl.found',
    ] as const
    return {
      ...this.partitionDefaults(),
      ...Object.fromEntries(own.map((key) => [key, this.textOf(key) ?? ''])),
    }
  }

  private topicDefault(name: TopicKey): string {
    const own = topicKeys[name].defaultText ?? ''
    const synonyms = topicSynonyms[name] ?? []
    const chosen =
      synonyms.find((synonym) => this.isSet(synonym.key)) ??
      synonyms.find((synonym) => isBrokerKey(synonym.key) && brokerKeys[synonym.key].defaultText !== null)
    if (!chosen || !isBrokerKey(chosen.key)) return own
    const text = this.textOf(chosen.key) ?? own
    if (chosen.scale === undefined) return text
    // Kafka: -1 means for ever in every unit.
    return text === '-1' ? text : (BigInt(text) * BigInt(chosen.scale)).toString()
  }

  private isSet(name: string): boolean {
    const { own, clusterWide } = this.dynamic
    return own.has(name) || clusterWide.has(name) || this.settings.has(name)
  }

  private origin(name: BrokerKey): string {
    const { own, clusterWide } = this.dynamic
    if (own.has(name) || clusterWide.has(name)) return 'set dynamically'
    return this.settings.get(name)?.origin ?? name
  }

  private checkTogether(): void {
    const nodeId = this.get('node.id')
    const brokerId = this.get('broker.id')
    if (nodeId >= 0 && brokerId >= 0 && nodeId !== brokerId) {
      throw new ConfigError(
        `node.id = ${nodeId} (${this.origin('node.id')}) and broker.id = ${brokerId} (${this.origin('broker.id')}) differ`,
      )
    }
    if (this.logDirs.length === 0)
      throw new ConfigError(`log.dirs (${this.origin('log.dirs')}) names no folder`)
    const min = this.get('group.min.session.timeout.ms')
    const max = this.get('group.max.session.timeout.ms')
    if (min > max) {
      throw new ConfigError(
        `group.min.session.timeout.ms = ${min} is above group.max.session.timeout.ms = ${max}`,
      )
    }
  }
}

export function isBrokerKey(name: string): name is BrokerKey {
  return Object.hasOwn(brokerKeys, name)
}

/** Of a broker key, whether it has an effect here or not; null for any other name. */
export function brokerKeyOf(name: string): ConfigKey<unknown> | null {
  return isBrokerKey(name) ? brokerKeys[name] : (unhonouredKeys().get(name) ?? null)
}

/** The names of all broker keys. */
export function brokerKeyNames(): string[] {
  return [...Object.keys(brokerKeys), ...unhonouredKeys().keys()]
}

/** Of a broker key, or one that a listener has for itself. */
function specOf(name: string): ConfigKey<unknown> | null {
  return brokerKeyOf(name) ?? listenerKeyOf(name)
}

function check({ key, text, origin, lenient }: Setting): string | null {
  const spec = specOf(key)
  if (spec === null) {
    if (isForeignKey(key)) return `${key} (${origin}) has no effect here`
    if (lenient) return `${origin} is not used: ${key} is not a config key`
    throw new ConfigError(`${key} = ${text} (${origin}) is not a config key that this broker or Kafka knows`)
  }
  const parsed = spec.parse(text)
  if ('reason' in parsed) {
    const shown = spec.sensitive ? '[hidden]' : text
    throw new ConfigError(`${key} = ${shown} (${origin}) is not valid: ${parsed.reason}`)
  }
  return spec.honoured ? null : `${key} (${origin}) has no effect here`
}
