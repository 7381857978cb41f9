/** CreatePartitions, elections, reassignments, DescribeTopicPartitions and ListConfigResources as tools meet them. */
import { beforeEach, describe, expect, it } from 'vitest'
import {
  alterPartitionReassignments,
  createPartitions,
  createTopics,
  describeTopicPartitions,
  Errors,
  electLeaders,
  incrementalAlterConfigs,
  listConfigResources,
  listPartitionReassignments,
  produce,
} from '../../../ts/protocol/index.js'
import { recordBatch } from '../../record-batch.js'
import { SimBroker } from './sim-broker.js'

let broker: SimBroker
let conn: number
beforeEach(() => {
  broker = new SimBroker()
  conn = broker.connect()
  const topic = (name: string, numPartitions: number) => ({
    name,
    numPartitions,
    replicationFactor: -1,
    assignments: [],
    configs: [],
  })
  const topics = [topic('b', 2), topic('a', 3)]
  broker.ask(conn, createTopics, 7, { topics, timeoutMs: 1000, validateOnly: false })
})

const grow = (count: number, validateOnly = false) => {
  const topics = [{ name: 'b', count, assignments: null }]
  return broker.ask(conn, createPartitions, 3, { topics, timeoutMs: 1000, validateOnly }).results
}

describe('CreatePartitions', () => {
  it('is done when it answers: the new partition takes records', () => {
    expect(grow(4)).toEqual([{ name: 'b', errorCode: Errors.NONE, errorMessage: null }])
    const topicData = [{ name: 'b', partitionData: [{ index: 3, records: recordBatch([{ value: 'x' }]) }] }]
    const { responses } = broker.ask(conn, produce, 8, { acks: -1, timeoutMs: 1000, topicData })
    expect(responses[0]?.partitionResponses[0]).toMatchObject({ errorCode: Errors.NONE, baseOffset: 0 })
  })

  it('leaves the topic as it was when it refuses or only validates', () => {
    expect(grow(2)).toMatchObject([{ errorCode: Errors.INVALID_PARTITIONS }])
    expect(grow(9, true)).toMatchObject([{ errorCode: Errors.NONE }])
    expect(page(['b']).topics).toEqual([['b', Errors.NONE, 0, 1]])
  })
})

/** Topics as name, error and partition indexes, and the cursor. */
function page(
  names: string[],
  responsePartitionLimit = 2000,
  cursor: { topicName: string; partitionIndex: number } | null = null,
) {
  const topics = names.map((name) => ({ name }))
  const body = { topics, responsePartitionLimit, cursor }
  const response = broker.ask(conn, describeTopicPartitions, 0, body)
  return {
    topics: response.topics.map(({ name, errorCode, partitions }) => [
      name,
      errorCode,
      ...partitions.map(({ partitionIndex }) => partitionIndex),
    ]),
    cursor: response.nextCursor,
  }
}

describe('DescribeTopicPartitions', () => {
  it('gives all topics in order', () => {
    expect(page([])).toEqual({
      topics: [
        ['a', Errors.NONE, 0, 1, 2],
        ['b', Errors.NONE, 0, 1],
      ],
      cursor: null,
    })
  })

  it('goes on where a page ended, inside a topic and between two', () => {
    const first = page([], 2)
    expect(first).toMatchObject({
      topics: [['a', Errors.NONE, 0, 1]],
      cursor: { topicName: 'a', partitionIndex: 2 },
    })
    const second = page([], 1, first.cursor)
    expect(second).toMatchObject({
      topics: [['a', Errors.NONE, 2]],
      cursor: { topicName: 'b', partitionIndex: 0 },
    })
    expect(page([], 2, second.cursor)).toEqual({ topics: [['b', Errors.NONE, 0, 1]], cursor: null })
  })

  it('refuses names that are unknown or no names', () => {
    expect(page(['nope', 'bad/name', 'a']).topics).toEqual([
      ['a', Errors.NONE, 0, 1, 2],
      ['bad/name', Errors.INVALID_TOPIC_EXCEPTION],
      ['nope', Errors.UNKNOWN_TOPIC_OR_PARTITION],
    ])
  })
})

describe('one broker', () => {
  it('has its preferred leaders and moves nothing', () => {
    const topicPartitions = [{ topic: 'a', partitions: [0] }]
    const elected = broker.ask(conn, electLeaders, 2, { electionType: 0, topicPartitions, timeoutMs: 1000 })
    expect(elected).toMatchObject({
      errorCode: Errors.NONE,
      replicaElectionResults: [
        { topic: 'a', partitionResult: [{ partitionId: 0, errorCode: Errors.ELECTION_NOT_NEEDED }] },
      ],
    })
    const topics = [{ name: 'a', partitions: [{ partitionIndex: 0, replicas: [1] }] }]
    const moved = broker.ask(conn, alterPartitionReassignments, 1, { topics })
    expect(moved.responses[0]?.partitions).toMatchObject([{ errorCode: Errors.INVALID_REPLICA_ASSIGNMENT }])
    expect(broker.ask(conn, listPartitionReassignments, 0, { topics: null })).toMatchObject({
      errorCode: Errors.NONE,
      topics: [],
    })
  })
})

describe('ListConfigResources', () => {
  const list = (version: number, resourceTypes: number[]) => {
    const request = version === 0 ? {} : { resourceTypes }
    const { errorCode, configResources } = broker.ask(conn, listConfigResources, version, request)
    const names = configResources.map(({ resourceType, resourceName }) => [resourceType, resourceName])
    return errorCode === Errors.NONE ? names : errorCode
  }

  it('names topics, brokers and groups with configs', () => {
    const configs = [{ name: 'consumer.session.timeout.ms', configOperation: 0, value: '50000' }]
    const resources = [{ resourceType: 32, resourceName: 'g', configs }]
    broker.ask(conn, incrementalAlterConfigs, 1, { resources, validateOnly: false })
    const topics = [
      [2, 'a'],
      [2, 'b'],
    ]
    expect(list(1, [])).toEqual([...topics, [4, '0'], [32, 'g']])
    expect(list(1, [2])).toEqual(topics)
    expect(list(0, [])).toEqual([])
    expect(list(1, [99])).toBe(Errors.UNSUPPORTED_VERSION)
  })
})
