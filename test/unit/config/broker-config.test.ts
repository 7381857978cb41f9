/** The config table as a user meets it: precedence, one-sentence errors, listeners, topic defaults, DescribeConfigs. */
import { describe, expect, it } from 'vitest'
import { BrokerConfig } from '../../../ts/config/broker-config.js'
import { ConfigSource, describeBroker, describeGroup, describeTopic } from '../../../ts/config/describe.js'
import {
  settingFromAssignment,
  settingsFromEnvironment,
  settingsFromObject,
  settingsFromProperties,
} from '../../../ts/config/sources.js'
import { invalidTopicConfig } from '../../../ts/config/validate.js'

const file = (text: string) => settingsFromProperties(text, 'server.properties')
const config = (text: string) => new BrokerConfig(file(text))

describe('sources', () => {
  it('lets flags override the environment, which overrides the file', () => {
    const fromFile = file('num.partitions=2\nmax.connections=5\nlog.dirs=/a')
    const fromEnv = settingsFromEnvironment({ KAFKA_NUM_PARTITIONS: '3', KAFKA_LOG_DIRS: '/b', OTHER: 'x' })
    const merged = new BrokerConfig(fromFile, fromEnv, [settingFromAssignment('log.dirs=/c')])
    expect(merged.get('num.partitions')).toBe(3)
    expect(merged.get('max.connections')).toBe(5)
    expect(merged.logDirs).toEqual(['/c'])
  })

  it('reads one, two and three underscores as dot, underscore and dash', () => {
    expect(settingsFromEnvironment({ KAFKA_A_B__C___D: '1' })).toMatchObject([{ key: 'a.b_c-d' }])
  })

  it('does not take the variables of the start scripts for keys', () => {
    expect(settingsFromEnvironment({ KAFKA_HEAP_OPTS: '-Xmx1G', KAFKA_LOG4J_OPTS: 'x' })).toEqual([])
  })

  it('names key, value and line of what is not valid', () => {
    expect(() => config('# a comment\n\nnum.partitions = many\n')).toThrow(
      'num.partitions = many (server.properties line 3) is not valid: Not a number of type INT',
    )
    expect(() => config('num.partition=3')).toThrow(
      'num.partition = 3 (server.properties line 1) is not a config key that this broker or Kafka knows',
    )
    expect(() => config('num.partitions=0')).toThrow('Value must be at least 1')
  })

  it('warns of a Kafka key without effect and of an unknown variable', () => {
    const { warnings } = new BrokerConfig(
      file('zookeeper.connect=localhost:2181\nlog.retention.hours=1'),
      settingsFromEnvironment({ KAFKA_SOMETHING: '1' }),
    )
    expect(warnings).toEqual([
      'zookeeper.connect (server.properties line 1) has no effect here',
      'log.retention.hours (server.properties line 2) has no effect here',
      'KAFKA_SOMETHING is not used: something is not a config key',
    ])
  })

  it('takes numbers, booleans and arrays in a config object', () => {
    const object = new BrokerConfig(
      settingsFromObject({
        'node.id': 7,
        'auto.create.topics.enable': false,
        'log.dirs': ['/a', '/b', '/a'],
      }),
    )
    expect(object.nodeId).toBe(7)
    expect(object.get('auto.create.topics.enable')).toBe(false)
    expect(object.logDirs).toEqual(['/a', '/b'])
  })

  it('refuses a node.id that contradicts broker.id and takes either alone', () => {
    expect(() => config('node.id=1\nbroker.id=2')).toThrow('differ')
    expect(config('broker.id=2').nodeId).toBe(2)
    expect(config('').nodeId).toBe(0)
  })
})

describe('listeners', () => {
  it('parses names, hosts, ports and what is advertised', () => {
    const { listeners } = config(
      'listeners=PLAINTEXT://:9092,INSIDE://[::1]:0\n' +
        'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,INSIDE:PLAINTEXT\n' +
        'advertised.listeners=PLAINTEXT://broker.example:19092',
    )
    expect(listeners).toEqual([
      {
        name: 'PLAINTEXT',
        host: '',
        port: 9092,
        securityProtocol: 'PLAINTEXT',
        advertised: { host: 'broker.example', port: 19092 },
      },
      { name: 'INSIDE', host: '::1', port: 0, securityProtocol: 'PLAINTEXT', advertised: null },
    ])
  })

  it.each([
    ['listeners=localhost:9092', 'expected NAME://host:port'],
    ['listeners=PLAINTEXT://h:99999', 'expected NAME://host:port'],
    ['listeners=OTHER://h:1', 'has no entry for OTHER'],
    ['listeners=SSL://h:1', 'security protocol SSL is not supported yet'],
    ['listeners=PLAINTEXT://h:1,PLAINTEXT://h:2', 'stands there twice'],
    ['advertised.listeners=OTHER://h:1', 'which listeners does not have'],
    ['advertised.listeners=PLAINTEXT://0.0.0.0:1', 'clients cannot reach'],
  ])('refuses %s', (text, reason) => {
    expect(() => config(text)).toThrow(reason)
  })
})

describe('topic defaults', () => {
  it('takes the finest unit that is set', () => {
    expect(config('').topicDefaults()['retention.ms']).toBe('604800000')
    expect(config('log.retention.hours=1').topicDefaults()['retention.ms']).toBe('3600000')
    expect(config('log.retention.hours=1\nlog.retention.minutes=2').topicDefaults()['retention.ms']).toBe(
      '120000',
    )
    expect(config('log.retention.hours=-1').topicDefaults()['retention.ms']).toBe('-1')
  })

  it('keeps 64-bit values exact', () => {
    expect(config('').topicDefaults()['flush.messages']).toBe('9223372036854775807')
    expect(config('').get('log.flush.interval.messages')).toBe(Number.MAX_SAFE_INTEGER)
  })
})

describe('DescribeConfigs', () => {
  const entry = (list: ReturnType<typeof describeBroker>, name: string) =>
    list.find((item) => item.name === name)

  it('shows the synonym chain of a topic key, what was set before the defaults', () => {
    const topic = describeTopic(
      config('message.max.bytes=2000000'),
      new Map([['max.message.bytes', '3000000']]),
    )
    expect(entry(topic, 'max.message.bytes')).toMatchObject({
      value: '3000000',
      source: ConfigSource.DYNAMIC_TOPIC,
      readOnly: false,
      type: 3,
      synonyms: [
        { name: 'max.message.bytes', value: '3000000', source: ConfigSource.DYNAMIC_TOPIC },
        { name: 'message.max.bytes', value: '2000000', source: ConfigSource.STATIC_BROKER },
        { name: 'message.max.bytes', value: '1048588', source: ConfigSource.DEFAULT },
      ],
    })
    expect(entry(topic, 'retention.ms')).toMatchObject({
      value: '604800000',
      source: ConfigSource.DEFAULT,
      synonyms: [],
    })
  })

  it('shows a static broker value and which keys can change at run time', () => {
    const broker = describeBroker(config('num.partitions=4'))
    expect(entry(broker, 'num.partitions')).toMatchObject({
      value: '4',
      source: ConfigSource.STATIC_BROKER,
      readOnly: true,
    })
    expect(entry(broker, 'message.max.bytes')).toMatchObject({ readOnly: false })
    expect(entry(broker, 'log.retention.ms')).toMatchObject({ value: null, source: ConfigSource.DEFAULT })
  })

  it('checks keys that have no effect, and warns of them', () => {
    expect(() => config('telemetry.max.bytes=many')).toThrow(
      'telemetry.max.bytes = many (server.properties line 1) is not valid: Not a number of type INT',
    )
    expect(() => config('ssl.keystore.pass=x')).toThrow('is not a config key that this broker or Kafka knows')
    const set = config('ssl.key.password=x')
    expect(set.warnings).toEqual(['ssl.key.password (server.properties line 1) has no effect here'])
    expect(entry(describeBroker(set), 'ssl.key.password')).toMatchObject({ value: null, sensitive: true })
  })

  it.each([
    ['compression.gzip.level', '0'],
    ['follower.replication.throttled.replicas', '0:1,2'],
  ])('refuses %s=%s of a topic', (name, value) => {
    expect(invalidTopicConfig([[name, value]])).toContain(`Invalid value ${value} for configuration ${name}`)
  })

  it('describes a group', () => {
    expect(entry(describeGroup(config(''), new Map()), 'consumer.session.timeout.ms')).toMatchObject({
      value: '45000',
    })
  })

  it('checks the configs of a new topic in Kafka’s words', () => {
    expect(invalidTopicConfig([['retention.ms', '1000']])).toBeNull()
    expect(invalidTopicConfig([['retention', '1']])).toBe('Unknown topic config name: retention')
    expect(invalidTopicConfig([['retention.ms', 'x']])).toBe(
      'Invalid value x for configuration retention.ms: Not a number of type LONG',
    )
  })
})
