/** The config keys of a group (resource type GROUP, KIP-848 and KIP-932) with Kafka's defaults and ranges. */
import { type ConfigKey, int, text } from './key.js'

export const groupKeys = {
  'consumer.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: 'Heartbeat interval of the members, in ms.',
  }),
  'consumer.session.timeout.ms': int({
    default: 45000,
    min: 1,
    doc: 'Session timeout of the members, in ms.',
  }),
  'share.auto.offset.reset': text({
    default: 'latest',
    doc: 'Where a share group begins: earliest, latest or by_duration:<ISO 8601>.',
  }),
  'share.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: 'Heartbeat interval of share group members, in ms.',
  }),
  'share.isolation.level': text({
    default: 'read_uncommitted',
    oneOf: ['read_committed', 'read_uncommitted'],
    doc: 'Which records a share group sees.',
  }),
  'share.record.lock.duration.ms': int({
    default: 30000,
    min: 1000,
    doc: 'How long an acquired record stays locked, in ms.',
  }),
  'share.session.timeout.ms': int({
    default: 45000,
    min: 1,
    doc: 'Session timeout of share group members, in ms.',
  }),
  'streams.heartbeat.interval.ms': int({
    default: 5000,
    min: 1,
    doc: 'Heartbeat interval of streams group members, in ms.',
  }),
  'streams.num.standby.replicas': int({
    default: 0,
    min: 0,
    doc: 'Standby replicas of each task.',
  }),
  'streams.session.timeout.ms': int({
    default: 45000,
    min: 1,
    doc: 'Session timeout of streams group members, in ms.',
  }),
} satisfies Record<string, ConfigKey<unknown>>

export type GroupKey = keyof typeof groupKeys
