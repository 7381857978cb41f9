/**
 * The config keys of a group (resource type GROUP: KIP-848, KIP-932, KIP-1071) with Kafka's defaults and ranges, the
 * broker key that gives each its default, and the bounds that the broker sets to what a group may ask for.
 */
import type { BrokerConfig } from './broker-config.js'
import { bool, type ConfigKey, int, type NumberKey, text } from './key.js'

const ms = (of: string, range: Omit<NumberKey, 'doc'>) => int({ ...range, doc: `${of}, in ms.` })

const offsetReset: ConfigKey<string> = {
  ...text({
    default: 'latest',
    doc: 'Where a share group begins: earliest, latest or by_duration:<ISO 8601>.',
  }),
  parse(raw) {
    const value = raw.trim()
    const duration = /^by_duration:P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d{1,9})?S)?)?$/i
    return value === 'latest' || value === 'earliest' || duration.test(value)
      ? { value }
      : { reason: 'must be latest, earliest or of the form by_duration:PnDTnHnMn.nS' }
  },
}

export const groupKeys = {
  'consumer.assignment.interval.ms': ms('Shortest time between two assignments', { default: 1000, min: 0 }),
  'consumer.heartbeat.interval.ms': ms('Heartbeat interval of the members', { default: 5000, min: 1 }),
  'consumer.session.timeout.ms': ms('Session timeout of the members', { default: 45000, min: 1 }),
  'share.assignment.interval.ms': ms('Shortest time between two assignments of a share group', {
    default: 1000,
    min: 0,
  }),
  'share.auto.offset.reset': offsetReset,
  'share.delivery.count.limit': int({ default: 5, min: 2, doc: 'How often a record is delivered at most.' }),
  'share.heartbeat.interval.ms': ms('Heartbeat interval of share group members', { default: 5000, min: 1 }),
  'share.isolation.level': text({
    default: 'read_uncommitted',
    oneOf: ['read_committed', 'read_uncommitted'],
    doc: 'Which records a share group sees.',
  }),
  'share.partition.max.record.locks': int({
    default: 2000,
    min: 100,
    doc: 'Records of one partition that a share group may have locked.',
  }),
  'share.record.lock.duration.ms': ms('How long an acquired record stays locked', {
    default: 30000,
    min: 1000,
  }),
  'share.renew.acknowledge.enable': bool({
    default: true,
    doc: 'Whether members may prolong the lock of a record.',
  }),
  'share.session.timeout.ms': ms('Session timeout of share group members', { default: 45000, min: 1 }),
  'streams.assignment.interval.ms': ms('Shortest time between two assignments of a streams group', {
    default: 1000,
    min: 0,
  }),
  'streams.heartbeat.interval.ms': ms('Heartbeat interval of streams group members', {
    default: 5000,
    min: 1,
  }),
  'streams.initial.rebalance.delay.ms': ms('How long an empty streams group waits for more members', {
    default: 3000,
    min: 0,
  }),
  'streams.num.standby.replicas': int({ default: 0, min: 0, doc: 'Standby replicas of each task.' }),
  'streams.session.timeout.ms': ms('Session timeout of streams group members', { default: 45000, min: 1 }),
} satisfies Record<string, ConfigKey<unknown>>

export type GroupKey = keyof typeof groupKeys

/** Those that no broker key gives a default. */
const withoutSynonym: readonly GroupKey[] = [
  'share.auto.offset.reset',
  'share.isolation.level',
  'share.renew.acknowledge.enable',
]

/** The broker key that gives a group key its default. */
export const groupSynonyms: Readonly<Partial<Record<GroupKey, string>>> = Object.fromEntries(
  (Object.keys(groupKeys) as GroupKey[])
    .filter((name) => !withoutSynonym.includes(name))
    .map((name) => [name, `group.${name}`]),
)

/** The keys that the broker bounds, in the order in which Kafka checks them. */
const bounded: readonly GroupKey[] = [
  'consumer.heartbeat.interval.ms',
  'consumer.session.timeout.ms',
  'consumer.assignment.interval.ms',
  'share.heartbeat.interval.ms',
  'share.session.timeout.ms',
  'share.record.lock.duration.ms',
  'share.delivery.count.limit',
  'share.partition.max.record.locks',
  'share.assignment.interval.ms',
  'streams.heartbeat.interval.ms',
  'streams.session.timeout.ms',
  'streams.num.standby.replicas',
  'streams.assignment.interval.ms',
]

/** Null when a group with these configs stays within what its broker allows, else Kafka's sentence about the first. */
export function outOfBounds(
  configs: ReadonlyMap<string, string | null>,
  broker: BrokerConfig,
): string | null {
  const asked = (name: GroupKey) => Number(configs.get(name) ?? broker.textOf(`group.${name}`))
  for (const name of bounded) {
    // What nobody set for the group may be outside of bounds that came later.
    if (name.endsWith('.assignment.interval.ms') && !configs.has(name)) continue
    const [type, rest] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)]
    const [min, max] = ['min', 'max'].map((end) => `group.${type}.${end}.${rest.replace(/^num\./, '')}`)
    if (min !== undefined && asked(name) < Number(broker.textOf(min) ?? -Infinity)) {
      return `${name} must be greater than or equal to ${min}`
    }
    if (max !== undefined && asked(name) > Number(broker.textOf(max) ?? Infinity)) {
      return `${name} must be less than or equal to ${max}`
    }
  }
  for (const type of ['consumer', 'share', 'streams'] as const) {
    const [session, beat] = [`${type}.session.timeout.ms`, `${type}.heartbeat.interval.ms`] as const
    if (asked(session) <= asked(beat)) return `${session} must be greater than ${beat}`
  }
  return null
}
