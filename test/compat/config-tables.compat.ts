// The config tables against Apache Kafka's own, key for key: names, types, defaults and update modes. What differs on
// purpose is listed here, so that nothing else does.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, it } from 'vitest'
import { brokerKeyNames, brokerKeyOf } from '../../ts/config/broker-config.js'
import { clientMetricsKeys } from '../../ts/config/client-metrics-keys.js'
import { groupKeys } from '../../ts/config/group-keys.js'
import { type ConfigKey, ConfigType } from '../../ts/config/key.js'
import { topicKeys } from '../../ts/config/topic-keys.js'
import { kafkaJars, output } from './toolchains.js'

const source = join(dirname(fileURLToPath(import.meta.url)), 'java', 'ConfigTables.java')

/** Broker keys whose default is this broker's own, and keys that it cannot (or can) change while it runs. */
const ownDefaults = [
  'log.dir',
  'listeners',
  'num.network.threads',
  'process.roles',
  'queued.max.request.bytes',
]
const ownModes = [
  'advertised.listeners',
  'log.cleaner.backoff.ms',
  'log.cleaner.dedupe.buffer.size',
  'num.io.threads',
  'num.network.threads',
]
/** Those that Kafka judges later than its table does, or not at all, and two that it reads and this broker does not. */
const ownRanges = [
  'authorizer.class.name',
  'broker.id',
  'controller.quorum.bootstrap.servers',
  'controller.quorum.voters',
  'default.replication.factor',
  'log.roll.jitter.ms',
  'log.roll.ms',
  'max.connections.per.ip.overrides',
  'metadata.max.retention.bytes',
  'metadata.max.retention.ms',
  'node.id',
  'offset.metadata.max.bytes',
  'offsets.topic.compression.codec',
  'sasl.server.max.receive.size',
]
/** The second is one of Kafka's internal keys. */
const ownNames = ['coordinator.threads', 'producer.id.expiration.check.interval.ms']
/** Kafka's authorizer defines these, not its broker. */
const ofAuthorizer = ['super.users', 'allow.everyone.if.no.acl.found']

/** What every key is asked whether it takes it: both sides of every bound that Kafka has, and texts of other types. */
const probes = [
  '-131073 -131072 -3 -2 -1 0 1 2 3 4 5 6 9 10 11 17 18 22 23 25 26 99 100 101 999 1000 1001 1023 1024 1999 2000 2001',
  '3600 3601 3999 4000 4001 9999 10000 10001 29999 30000 30001 86400 86401 524287 524288 1048575 1048576 3600000',
  '3600001 8388607 8388608 2147483647 2147483648 0.3 0.6 1.5 true nonsense delete compact,delete gzip none classic',
  'latest by_duration:PT1S by_duration:P read_committed LogAppendTime SSL es256 Disabled 0:1 0:1,2:3 0 *',
].flatMap((line) => line.split(' '))

let lines: string[][]
beforeAll(async () => {
  const java = ['-Xmx200m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
  const printed = await output('java', [...java, '-cp', join(kafkaJars(), '*'), source, ...probes])
  lines = printed
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => line.split('\t'))
})

const theirs = (table: string) =>
  new Map(
    lines
      .filter(([of]) => of === table)
      .map(([, name = '', ...rest]) => [name, rest.slice(0, 3).join(' ')] as const),
  )

function ours(name: string, key: ConfigKey<unknown>, mode: string): [string, string] {
  const type = Object.entries(ConfigType).find(([, number]) => number === key.type)?.[0]
  return [name, `${type} ${key.defaultText} ${mode}`]
}

it.each([
  ['topic', topicKeys],
  ['group', groupKeys],
  ['client-metrics', clientMetricsKeys],
] as const)('every %s key is that of Kafka', (table, keys) => {
  const all = Object.entries<ConfigKey<unknown>>(keys).map(([name, key]) => ours(name, key, ''))
  expect(Object.fromEntries(all)).toEqual(Object.fromEntries(theirs(table)))
})

it('every broker key is that of Kafka, but for those that are listed', () => {
  const kafka = theirs('broker')
  const expected = new Map([...kafka].map(([name, text]) => [name, known(name, text)]))
  const all = brokerKeyNames()
    .filter(
      (name) => !ownNames.includes(name) && !ofAuthorizer.includes(name) && !name.startsWith('millrace.'),
    )
    .map((name) => {
      const key = brokerKeyOf(name)
      if (key === null) throw new Error(name)
      const [, text] = ours(name, key, key.updateMode)
      return [name, known(name, text)] as const
    })
  // node.id may be left out here: −1 is nobody's id.
  expected.set('node.id', 'INT -1 read-only')
  expect(Object.fromEntries(all)).toEqual(Object.fromEntries(expected))
  const secrets = all.filter(([name]) => brokerKeyOf(name)?.sensitive === true).map(([name]) => name)
  expect(secrets.sort()).toEqual(
    [...kafka].flatMap(([name, text]) => (text.startsWith('PASSWORD') ? [name] : [])).sort(),
  )
})

/** The line without what differs on purpose. */
function known(name: string, text: string): string {
  const parts = text.split(' ')
  const type = parts[0] ?? ''
  const mode = ownModes.includes(name) ? '' : (parts.at(-1) ?? '')
  return [type, ownDefaults.includes(name) ? '' : parts.slice(1, -1).join(' '), mode].join(' ')
}

const tables: Record<string, (name: string) => ConfigKey<unknown> | null | undefined> = {
  topic: (name) => new Map<string, ConfigKey<unknown>>(Object.entries(topicKeys)).get(name),
  group: (name) => new Map<string, ConfigKey<unknown>>(Object.entries(groupKeys)).get(name),
  'client-metrics': (name) =>
    new Map<string, ConfigKey<unknown>>(Object.entries(clientMetricsKeys)).get(name),
  broker: brokerKeyOf,
}

it('every key takes what Kafka’s takes', () => {
  const differing = lines.flatMap(([table = '', name = '', , , , accepted = '']) => {
    const key = tables[table]?.(name)
    // Kafka looks for a class of that name, which is its own business.
    if (!key || ownRanges.includes(name) || key.type === ConfigType.CLASS) return []
    const taken = probes.filter((probe) => 'value' in key.parse(probe)).join(',')
    return taken === accepted ? [] : [{ name, taken, accepted }]
  })
  expect(differing).toEqual([])
})
