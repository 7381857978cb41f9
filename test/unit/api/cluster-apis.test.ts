/** ApiVersions, Metadata, DescribeCluster, DescribeConfigs, CreateTopics, DeleteTopics and InitProducerId as clients meet them. */
import { beforeAll, describe, expect, it } from 'vitest'
import {
  apiVersions,
  createTopics,
  decodeResponse,
  decodeResponseHeader,
  deleteTopics,
  describeCluster,
  describeConfigs,
  Errors,
  encodeRequestFrame,
  initProducerId,
  metadata,
  unregisterBroker,
  updateFeatures,
  ZERO_UUID,
} from '../../../ts/protocol/index.js'
import { SimBroker } from './sim-broker.js'

let broker: SimBroker
let conn: number
beforeAll(() => {
  broker = new SimBroker({ 'num.partitions': 3 })
  conn = broker.connect()
})

const topic = (name: string, more: object = {}) => ({
  name,
  numPartitions: -1,
  replicationFactor: -1,
  assignments: [],
  configs: [],
  ...more,
})
const create = (topics: ReturnType<typeof topic>[], validateOnly = false) =>
  broker.ask(conn, createTopics, 7, { topics, timeoutMs: 1000, validateOnly }).topics
const lookUp = (names: string[], allowAutoTopicCreation = false) =>
  broker.ask(conn, metadata, 12, {
    topics: names.map((name) => ({ name, topicId: ZERO_UUID })),
    allowAutoTopicCreation,
  }).topics

describe('ApiVersions', () => {
  const ask = (version: number) =>
    broker.ask(conn, apiVersions, version, { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' })

  it('tells what both planes serve, and Produce from version 0', () => {
    const keys = new Map(ask(3).apiKeys.map(({ apiKey, ...range }) => [apiKey, range]))
    expect([...keys.keys()]).toEqual(expect.arrayContaining([0, 1, 2, 3, 18, 19, 32]))
    expect(keys.get(0)).toMatchObject({ minVersion: 0, maxVersion: 13 })
    expect(keys.get(1)).toMatchObject({ minVersion: 4, maxVersion: 18 })
    expect(keys.get(2)).toMatchObject({ minVersion: 0, maxVersion: 11 })
    expect(keys.get(23)).toMatchObject({ minVersion: 2, maxVersion: 4 })
  })

  it('tells finalised features with an epoch', () => {
    const { finalizedFeatures, finalizedFeaturesEpoch } = ask(4)
    expect(finalizedFeatures).toMatchObject([
      { name: 'metadata.version', maxVersionLevel: 30, minVersionLevel: 30 },
    ])
    expect(finalizedFeaturesEpoch).toBeGreaterThan(0)
  })

  it('leaves out supported features with a minimum of 0 in version 3', () => {
    expect(ask(3).supportedFeatures.every(({ minVersion }) => minVersion > 0)).toBe(true)
  })

  it('answers an unknown version with a body of version 0 and UNSUPPORTED_VERSION', () => {
    const frame = encodeRequestFrame(apiVersions, 3, 99, 'test', {
      clientSoftwareName: 'a',
      clientSoftwareVersion: '1',
    })
    frame.writeInt16BE(77, 6)
    const [reply = Buffer.alloc(0)] = broker.send(conn, frame)
    const { correlationId, bodyOffset } = decodeResponseHeader(apiVersions, 0, reply)
    expect(correlationId).toBe(99)
    expect(decodeResponse(apiVersions, 0, reply, bodyOffset)).toMatchObject({
      errorCode: Errors.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 5 }],
    })
  })
})

describe('topics', () => {
  it('can be looked up and described as soon as CreateTopics has answered', () => {
    const [created] = create([topic('made', { configs: [{ name: 'retention.ms', value: '1000' }] })])
    expect(created).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 })
    expect(created?.configs?.find(({ name }) => name === 'retention.ms')).toMatchObject({
      value: '1000',
      configSource: 1,
    })
    const [found] = lookUp(['made'])
    expect(found).toMatchObject({ errorCode: 0, topicId: created?.topicId, isInternal: false })
    expect(found?.partitions.map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
    ])
    const byId = broker.ask(conn, metadata, 12, { topics: [{ name: null, topicId: created?.topicId ?? '' }] })
    expect(byId.topics).toMatchObject([{ errorCode: 0, name: 'made' }])
  })

  it('are refused with Kafka’s errors', () => {
    const errors = create([
      topic('made'),
      topic('bad/name'),
      topic('odd', { configs: [{ name: 'retention.ms', value: 'soon' }] }),
      topic('many', { replicationFactor: 3 }),
    ]).map(({ name, errorCode }) => [name, errorCode])
    expect(errors).toEqual([
      ['made', Errors.TOPIC_ALREADY_EXISTS],
      ['bad/name', Errors.INVALID_TOPIC_EXCEPTION],
      ['odd', Errors.INVALID_CONFIG],
      ['many', Errors.INVALID_REPLICATION_FACTOR],
    ])
  })

  it('are not created when only validated', () => {
    expect(create([topic('perhaps')], true)).toMatchObject([{ errorCode: 0 }])
    expect(lookUp(['perhaps'])).toMatchObject([{ errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION }])
  })

  it('are created by Metadata when the request allows it, and can be used at once', () => {
    expect(lookUp(['auto'])).toMatchObject([{ errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION, partitions: [] }])
    const [made] = lookUp(['auto'], true)
    expect(made).toMatchObject({ errorCode: 0, name: 'auto' })
    expect(made?.partitions).toHaveLength(3)
    expect(lookUp(['no/name'], true)).toMatchObject([{ errorCode: Errors.INVALID_TOPIC_EXCEPTION }])
  })

  it('are gone, by name and by id, once DeleteTopics has answered', () => {
    const [made] = create([topic('short')])
    const topics = [{ name: null, topicId: made?.topicId ?? '' }]
    expect(broker.ask(conn, deleteTopics, 6, { topics, timeoutMs: 1000 }).responses).toMatchObject([
      { name: 'short', errorCode: 0 },
    ])
    expect(lookUp(['short'])).toMatchObject([{ errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION }])
    expect(broker.ask(conn, metadata, 12, { topics }).topics).toMatchObject([
      { errorCode: Errors.UNKNOWN_TOPIC_ID },
    ])
    expect(broker.ask(conn, deleteTopics, 6, { topics, timeoutMs: 1000 }).responses).toMatchObject([
      { errorCode: Errors.UNKNOWN_TOPIC_ID },
    ])
    const [again] = create([topic('short')])
    expect(again?.topicId).not.toBe(made?.topicId)
  })

  it('keep their ids and configs over a restart, with a new leader epoch', () => {
    const own = new SimBroker()
    let wire = own.connect()
    own.ask(wire, createTopics, 7, {
      topics: [topic('kept', { configs: [{ name: 'segment.ms', value: '5' }] })],
      timeoutMs: 1,
    })
    const look = () =>
      own.ask(wire, metadata, 12, { topics: [{ name: 'kept', topicId: ZERO_UUID }] }).topics[0]
    const before = look()
    own.restart()
    wire = own.connect()
    const after = look()
    expect(after?.topicId).toBe(before?.topicId)
    expect(after?.partitions[0]?.leaderEpoch).toBeGreaterThan(before?.partitions[0]?.leaderEpoch ?? 99)
    const resources = [{ resourceType: 2, resourceName: 'kept', configurationKeys: ['segment.ms'] }]
    expect(own.ask(wire, describeConfigs, 4, { resources }).results[0]?.configs).toMatchObject([
      { name: 'segment.ms', value: '5', configSource: 1 },
    ])
  })
})

describe('the cluster', () => {
  it('is described with the address of the listener that was asked', () => {
    const address = { host: '127.0.0.1', port: 9092 }
    expect(broker.ask(conn, describeCluster, 1, { includeClusterAuthorizedOperations: true })).toMatchObject({
      clusterId: 'simulatedClusterAAAAAA',
      controllerId: 0,
      brokers: [{ brokerId: 0, ...address }],
    })
    expect(broker.ask(conn, metadata, 0, { topics: [] }).brokers).toMatchObject([{ nodeId: 0, ...address }])
  })

  it('raises and lowers features within what is served, and says what is finalised', () => {
    const own = new SimBroker()
    const wire = own.connect()
    const features = () =>
      own.ask(wire, apiVersions, 4, { clientSoftwareName: 'test', clientSoftwareVersion: '1' })
    const before = features()
    expect(before.supportedFeatures).toEqual([{ name: 'metadata.version', minVersion: 7, maxVersion: 30 }])
    expect(before.finalizedFeatures).toEqual([
      { name: 'metadata.version', maxVersionLevel: 30, minVersionLevel: 30 },
    ])
    const update = (maxVersionLevel: number, validateOnly: boolean) =>
      own.ask(wire, updateFeatures, 2, {
        timeoutMs: 1000,
        featureUpdates: [{ feature: 'metadata.version', maxVersionLevel, upgradeType: 1 }],
        validateOnly,
      })
    expect(update(31, false)).toMatchObject({ errorCode: Errors.INVALID_UPDATE_VERSION })
    expect(update(30, true)).toMatchObject({ errorCode: Errors.NONE })
    expect(features().finalizedFeaturesEpoch).toBe(before.finalizedFeaturesEpoch)
    expect(update(30, false)).toMatchObject({ errorCode: Errors.NONE, errorMessage: null })
    expect(features().finalizedFeaturesEpoch).toBeGreaterThan(Number(before.finalizedFeaturesEpoch))
  })

  it('keeps a broker that serves, and does not know one that never was', () => {
    expect(broker.ask(conn, unregisterBroker, 0, { brokerId: 0 })).toMatchObject({
      errorCode: Errors.INVALID_REQUEST,
    })
    expect(broker.ask(conn, unregisterBroker, 0, { brokerId: 7 })).toMatchObject({
      errorCode: Errors.BROKER_ID_NOT_REGISTERED,
      errorMessage: 'Broker ID 7 is not currently registered',
    })
  })

  it('does not take itself for a controller’s listener', () => {
    const asked = { includeClusterAuthorizedOperations: false, endpointType: 2 }
    expect(broker.ask(conn, describeCluster, 1, asked)).toMatchObject({
      errorCode: Errors.MISMATCHED_ENDPOINT_TYPE,
    })
  })

  it('tells configs of the broker alone by its own id', () => {
    const resources = ['0', '1'].map((resourceName) => ({
      resourceType: 4,
      resourceName,
      configurationKeys: ['num.partitions'],
    }))
    const { results } = broker.ask(conn, describeConfigs, 4, { resources, includeSynonyms: true })
    expect(results[0]?.configs).toMatchObject([
      {
        name: 'num.partitions',
        value: '3',
        configSource: 4,
        synonyms: [
          { value: '3', source: 4 },
          { value: '1', source: 5 },
        ],
      },
    ])
    expect(results[1]).toMatchObject({
      errorCode: Errors.INVALID_REQUEST,
      errorMessage: 'Unexpected broker id, expected 0 or empty string, but received 1',
    })
  })
})

describe('producer ids', () => {
  const init = (transactionalId: string | null = null) =>
    broker.ask(conn, initProducerId, 4, { transactionalId, transactionTimeoutMs: 0 })

  it('are never given twice, not after a restart either', () => {
    const own = new SimBroker()
    const take = (wire: number) =>
      own.ask(wire, initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 }).producerId
    const first = own.connect()
    const ids = [take(first), take(first), take(first)]
    own.restart()
    const second = own.connect()
    ids.push(take(second), take(second))
    expect(ids.every((id) => id >= 0)).toBe(true)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('are refused for transactions, finally', () => {
    expect(init()).toMatchObject({ errorCode: 0, producerEpoch: 0 })
    expect(init('tx')).toMatchObject({ errorCode: Errors.INVALID_REQUEST, producerId: -1 })
  })
})

describe('a request that cannot be served', () => {
  it.each([
    ['an unknown key', Buffer.from('0000000a03e70000000000010000', 'hex'), 'the API is not served'],
    ['an unknown version', Buffer.from('0000000a0003006300000001ffff', 'hex'), 'the version is not served'],
    [
      'a body that lies about its length',
      Buffer.from('0000000e0003000000000001ffff7fffffff', 'hex'),
      'Metadata',
    ],
    ['trailing bytes', Buffer.from('000000100003000000000001ffff00000000beef', 'hex'), 'Metadata'],
  ])('closes its own connection and no other: %s', (_, bytes, reason) => {
    const other = broker.connect()
    expect(broker.send(other, bytes)).toEqual([])
    expect(broker.isOpen(other)).toBe(false)
    const warning = broker.lines.findLast((line) => line.startsWith('warn'))
    expect(warning).toContain(reason)
    expect(warning).toContain('127.0.0.1:')
    expect(lookUp(['made'])).toMatchObject([{ errorCode: 0 }])
  })
})
