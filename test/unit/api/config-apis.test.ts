/** AlterConfigs and IncrementalAlterConfigs, and what DescribeConfigs and the data plane make of them at once. */
import { beforeEach, describe, expect, it } from 'vitest'
import {
  alterConfigs,
  createTopics,
  describeConfigs,
  Errors,
  incrementalAlterConfigs,
  listConfigResources,
  produce,
} from '../../../ts/protocol/index.js'
import { recordBatch } from '../../record-batch.js'
import { SimBroker } from './sim-broker.js'

const TOPIC = 2
const BROKER = 4
const METRICS = 16
const GROUP = 32
const [SET, DELETE, APPEND] = [0, 1, 2]
const [CLIENT_METRICS, DYNAMIC_GROUP] = [7, 8]
const [DYNAMIC_TOPIC, DYNAMIC_BROKER, DYNAMIC_DEFAULT_BROKER, STATIC_BROKER, DEFAULT] = [1, 2, 3, 4, 5]

let broker: SimBroker
let conn: number
beforeEach(() => {
  broker = new SimBroker({ 'message.max.bytes': 2_000_000 })
  conn = broker.connect()
  create('t')
})

const create = (name: string) => {
  const topic = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
  return broker.ask(conn, createTopics, 7, { topics: [topic], timeoutMs: 1000, validateOnly: false })
    .topics[0]
}

function change(
  resourceType: number,
  resourceName: string,
  ...changes: [number, string, (string | null)?][]
) {
  const configs = changes.map(([configOperation, name, value = null]) => ({ name, configOperation, value }))
  const resources = [{ resourceType, resourceName, configs }]
  const [answer] = broker.ask(conn, incrementalAlterConfigs, 1, { resources, validateOnly: false }).responses
  return [answer?.errorCode, answer?.errorMessage]
}

function look(resourceType: number, resourceName: string, name: string) {
  const resources = [{ resourceType, resourceName, configurationKeys: [name] }]
  const [result] = broker.ask(conn, describeConfigs, 4, { resources, includeSynonyms: true }).results
  return result?.configs[0]
}

const chain = (resourceType: number, resourceName: string, name: string) =>
  look(resourceType, resourceName, name)?.synonyms.map((one) => [one.source, one.name, one.value])

function produceTo(topic: string, bytes: number) {
  const records = recordBatch([{ value: 'x'.repeat(bytes) }])
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const { responses } = broker.ask(conn, produce, 8, { acks: -1, timeoutMs: 1000, topicData })
  return responses[0]?.partitionResponses[0]?.errorCode
}

const FINE = [Errors.NONE, null]

describe('a topic', () => {
  it('tells where max.message.bytes comes from, down to the default', () => {
    expect(change(TOPIC, 't', [SET, 'max.message.bytes', '100'])).toEqual(FINE)
    expect(change(BROKER, '0', [SET, 'message.max.bytes', '300'])).toEqual(FINE)
    expect(change(BROKER, '', [SET, 'message.max.bytes', '200'])).toEqual(FINE)
    expect(chain(TOPIC, 't', 'max.message.bytes')).toEqual([
      [DYNAMIC_TOPIC, 'max.message.bytes', '100'],
      [DYNAMIC_BROKER, 'message.max.bytes', '300'],
      [DYNAMIC_DEFAULT_BROKER, 'message.max.bytes', '200'],
      [STATIC_BROKER, 'message.max.bytes', '2000000'],
      [DEFAULT, 'message.max.bytes', '1048588'],
    ])
    expect(look(TOPIC, 't', 'max.message.bytes')).toMatchObject({ value: '100', configSource: DYNAMIC_TOPIC })
    change(TOPIC, 't', [DELETE, 'max.message.bytes'])
    expect(look(TOPIC, 't', 'max.message.bytes')).toMatchObject({
      value: '300',
      configSource: DYNAMIC_BROKER,
    })
  })

  it('refuses a record at once that its new config forbids, and takes it again afterwards', () => {
    expect(produceTo('t', 500)).toBe(Errors.NONE)
    change(TOPIC, 't', [SET, 'max.message.bytes', '100'])
    expect(produceTo('t', 500)).toBe(Errors.MESSAGE_TOO_LARGE)
    change(TOPIC, 't', [DELETE, 'max.message.bytes'])
    expect(produceTo('t', 500)).toBe(Errors.NONE)
  })

  it('appends to a list', () => {
    expect(change(TOPIC, 't', [APPEND, 'cleanup.policy', 'compact'])).toEqual(FINE)
    expect(look(TOPIC, 't', 'cleanup.policy')?.value).toBe('delete,compact')
  })

  it.each([
    ['retention.ms', 'soon', 'Invalid value soon for configuration retention.ms: Not a number of type LONG'],
    ['retention', '1', 'Unknown topic config name: retention'],
    [
      'remote.storage.enable',
      'true',
      'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.',
    ],
  ])('is told of %s=%s what Kafka says', (name, value, message) => {
    expect(change(TOPIC, 't', [SET, name, value])).toEqual([Errors.INVALID_CONFIG, message])
  })

  it('refuses values that contradict each other', () => {
    const answer = change(
      TOPIC,
      't',
      [SET, 'min.compaction.lag.ms', '9'],
      [SET, 'max.compaction.lag.ms', '8'],
    )
    const message = 'conflict topic config setting min.compaction.lag.ms (9) > max.compaction.lag.ms (8)'
    expect(answer).toEqual([Errors.INVALID_CONFIG, message])
  })
})

describe('a broker', () => {
  it('gives its dynamic defaults to every topic at once, and across a restart', () => {
    change(BROKER, '', [SET, 'message.max.bytes', '100'])
    expect(produceTo('t', 500)).toBe(Errors.MESSAGE_TOO_LARGE)
    create('later')
    expect(produceTo('later', 500)).toBe(Errors.MESSAGE_TOO_LARGE)
    broker.restart()
    conn = broker.connect()
    expect(produceTo('t', 500)).toBe(Errors.MESSAGE_TOO_LARGE)
    change(BROKER, '', [DELETE, 'message.max.bytes'])
    expect(produceTo('t', 500)).toBe(Errors.NONE)
  })

  it('lists what was set for all brokers under the empty name', () => {
    change(BROKER, '', [SET, 'log.retention.ms', '1000'], [SET, 'my.plugin', 'secret'])
    const resources = [{ resourceType: BROKER, resourceName: '', configurationKeys: null }]
    const { results } = broker.ask(conn, describeConfigs, 4, { resources, includeSynonyms: true })
    expect(results[0]?.configs).toMatchObject([
      {
        name: 'log.retention.ms',
        value: '1000',
        configSource: DYNAMIC_DEFAULT_BROKER,
        synonyms: [{ name: 'log.retention.ms', value: '1000', source: DYNAMIC_DEFAULT_BROKER }],
      },
      { name: 'my.plugin', value: null, isSensitive: true, configSource: DYNAMIC_DEFAULT_BROKER },
    ])
  })

  it('accepts a name that nobody knows and shows it as a secret', () => {
    expect(change(BROKER, '0', [SET, 'my.plugin', 'secret'])).toEqual(FINE)
    expect(look(BROKER, '0', 'my.plugin')).toMatchObject({
      value: null,
      isSensitive: true,
      configSource: DYNAMIC_BROKER,
      synonyms: [{ name: 'my.plugin', value: null, source: DYNAMIC_BROKER }],
    })
  })

  it.each([
    ['0', 'log.dirs', '/x', 'Cannot update these configs dynamically: [log.dirs]'],
    ['0', 'num.partitions', '5', 'Cannot update these configs dynamically: [num.partitions]'],
    [
      '',
      'ssl.keystore.location',
      '/k',
      'Cannot update these configs at default cluster level, broker id must be specified: [ssl.keystore.location]',
    ],
    [
      '',
      'background.threads',
      '0',
      'Invalid value 0 for configuration background.threads: Value must be at least 1',
    ],
    [
      '0',
      'broker.session.timeout.ms',
      '1',
      'Cannot update these configs dynamically: [broker.session.timeout.ms]',
    ],
    [
      '',
      'log.retention.ms',
      'x',
      'Invalid value x for configuration log.retention.ms: Not a number of type LONG',
    ],
    ['5', 'log.retention.ms', '1', 'Unexpected broker id, expected 0, but received 5'],
    ['me', 'log.retention.ms', '1', 'Node id must be an integer, but it is: me'],
  ])('%s refuses %s=%s', (name, key, value, message) => {
    expect(change(BROKER, name, [SET, key, value])).toEqual([Errors.INVALID_REQUEST, message])
  })
})

describe('a key of Kafka without effect here', () => {
  it('is described and stored like any other', () => {
    broker.restart({ 'group.consumer.max.size': 7 })
    conn = broker.connect()
    expect(look(BROKER, '0', 'group.consumer.max.size')).toMatchObject({
      value: '7',
      readOnly: true,
      configSource: STATIC_BROKER,
    })
    expect(look(BROKER, '0', 'telemetry.max.bytes')).toMatchObject({
      value: '1048576',
      configSource: DEFAULT,
    })
    change(BROKER, '', [SET, 'background.threads', '3'])
    expect(chain(BROKER, '0', 'background.threads')).toEqual([
      [DYNAMIC_DEFAULT_BROKER, 'background.threads', '3'],
      [DEFAULT, 'background.threads', '10'],
    ])
  })
})

describe('a group', () => {
  it('takes its defaults from the broker', () => {
    broker.restart({ 'group.consumer.session.timeout.ms': 50_000 })
    conn = broker.connect()
    expect(change(GROUP, 'g', [SET, 'consumer.heartbeat.interval.ms', '6000'])).toEqual(FINE)
    expect(chain(GROUP, 'g', 'consumer.heartbeat.interval.ms')).toEqual([
      [DYNAMIC_GROUP, 'consumer.heartbeat.interval.ms', '6000'],
      [DEFAULT, 'group.consumer.heartbeat.interval.ms', '5000'],
    ])
    expect(look(GROUP, 'g', 'consumer.session.timeout.ms')).toMatchObject({
      value: '50000',
      configSource: STATIC_BROKER,
    })
  })

  it.each([
    [
      'consumer.session.timeout.ms',
      '44999',
      'consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms',
    ],
    [
      'share.heartbeat.interval.ms',
      '15001',
      'share.heartbeat.interval.ms must be less than or equal to group.share.max.heartbeat.interval.ms',
    ],
    [
      'streams.num.standby.replicas',
      '3',
      'streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas',
    ],
    ['session.timeout.ms', '1', 'Unknown group config name: session.timeout.ms'],
  ])('may not have %s=%s', (name, value, message) => {
    expect(change(GROUP, 'g', [SET, name, value])).toEqual([Errors.INVALID_CONFIG, message])
  })

  it('needs a session that is longer than its heartbeats', () => {
    const bounds = { 'group.consumer.max.heartbeat.interval.ms': 90_000 }
    broker.restart(bounds)
    conn = broker.connect()
    expect(change(GROUP, 'g', [SET, 'consumer.heartbeat.interval.ms', '45000'])).toEqual([
      Errors.INVALID_CONFIG,
      'consumer.session.timeout.ms must be greater than consumer.heartbeat.interval.ms',
    ])
  })
})

describe('a client metrics subscription', () => {
  const listed = () => broker.ask(conn, listConfigResources, 0, {}).configResources

  it('is stored, listed and described, before and after a restart', () => {
    expect(listed()).toEqual([])
    expect(change(METRICS, 's', [SET, 'interval.ms', '100'], [SET, 'match', 'client_id=a.*'])).toEqual(FINE)
    expect(change(METRICS, 's', [APPEND, 'metrics', 'org.apache.'])).toEqual(FINE)
    for (const restart of [false, true]) {
      if (restart) broker.restart()
      if (restart) conn = broker.connect()
      expect(listed()).toMatchObject([{ resourceName: 's' }])
      expect(look(METRICS, 's', 'interval.ms')).toMatchObject({ value: '100', configSource: CLIENT_METRICS })
      expect(look(METRICS, 's', 'metrics')?.value).toBe('org.apache.')
    }
    change(METRICS, 's', [DELETE, 'interval.ms'], [DELETE, 'match'], [DELETE, 'metrics'])
    expect(listed()).toEqual([])
    expect(look(METRICS, 's', 'interval.ms')).toMatchObject({ value: '300000', configSource: DEFAULT })
  })

  it.each([
    [Errors.INVALID_REQUEST, 'interval', '1', 'Unknown client metrics configuration: interval'],
    [
      Errors.INVALID_REQUEST,
      'interval.ms',
      '99',
      'Invalid value 99 for interval.ms, interval must be between 100 and 3600000 (1 hour)',
    ],
    [Errors.INVALID_CONFIG, 'match', 'client_id', 'Illegal client matching pattern: client_id'],
    [Errors.INVALID_CONFIG, 'match', 'shoe_size=4', 'Illegal client matching pattern: shoe_size=4'],
    [Errors.INVALID_CONFIG, 'match', 'client_id=(', 'Illegal client matching pattern: client_id=('],
  ])('answers %i to %s=%s', (code, name, value, message) => {
    expect(change(METRICS, 's', [SET, name, value])).toEqual([code, message])
    expect(listed()).toEqual([])
  })

  it('needs a name', () => {
    expect(change(METRICS, '', [SET, 'interval.ms', '100'])[0]).toBe(Errors.INVALID_REQUEST)
  })
})

describe('AlterConfigs', () => {
  it('replaces the configs of a topic and answers every resource in order', () => {
    change(TOPIC, 't', [SET, 'retention.ms', '1000'], [SET, 'segment.ms', '2000'])
    const resource = (resourceName: string, value: string) => ({
      resourceType: TOPIC,
      resourceName,
      configs: [{ name: 'segment.ms', value }],
    })
    const logger = { resourceType: 8, resourceName: '0', configs: [] }
    const resources = [logger, resource('t', '3000'), resource('nope', '1')]
    const { responses } = broker.ask(conn, alterConfigs, 2, { resources, validateOnly: false })
    expect(responses.map(({ resourceName, errorCode }) => [resourceName, errorCode])).toEqual([
      ['0', Errors.INVALID_REQUEST],
      ['t', Errors.NONE],
      ['nope', Errors.UNKNOWN_TOPIC_OR_PARTITION],
    ])
    expect(look(TOPIC, 't', 'segment.ms')).toMatchObject({ value: '3000', configSource: DYNAMIC_TOPIC })
    expect(look(TOPIC, 't', 'retention.ms')).toMatchObject({ configSource: DEFAULT })
  })

  it('changes nothing when it only validates', () => {
    const configs = [{ name: 'segment.ms', value: '3000' }]
    const resources = [{ resourceType: TOPIC, resourceName: 't', configs }]
    broker.ask(conn, alterConfigs, 0, { resources, validateOnly: true })
    expect(look(TOPIC, 't', 'segment.ms')).toMatchObject({ configSource: DEFAULT })
  })
})
