/** DescribeLogDirs and DescribeQuorum as tools meet them. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createTopics, describeLogDirs, describeQuorum, Errors, produce } from '../../../ts/protocol/index.js'
import { recordBatch } from '../../record-batch.js'
import { SimBroker } from './sim-broker.js'

let broker: SimBroker
let conn: number
beforeAll(() => {
  broker = new SimBroker()
  conn = broker.connect()
  const topic = { name: 't', numPartitions: 2, replicationFactor: -1, assignments: [], configs: [] }
  broker.ask(conn, createTopics, 7, { topics: [topic], timeoutMs: 1000, validateOnly: false })
})

describe('DescribeLogDirs', () => {
  const records = recordBatch([{ value: 'some bytes' }])
  const sizes = (topics: { topic: string; partitions: number[] }[] | null) => {
    const { errorCode, results } = broker.ask(conn, describeLogDirs, 4, { topics })
    expect([errorCode, results.length, results[0]?.logDir]).toEqual([Errors.NONE, 1, '/data'])
    return results[0]?.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, partitionSize }) => [name, partitionIndex, partitionSize]),
    )
  }

  it('tells the sizes of logs, all or those that are asked for', () => {
    const topicData = [{ name: 't', partitionData: [{ index: 1, records }] }]
    broker.ask(conn, produce, 8, { acks: -1, timeoutMs: 1000, topicData })
    expect(sizes(null)).toEqual([
      ['t', 0, 0],
      ['t', 1, records.length],
    ])
    expect(sizes([{ topic: 't', partitions: [1, 9] }])).toEqual([['t', 1, records.length]])
    expect(sizes([{ topic: 'nope', partitions: [0] }])).toEqual([])
  })
})

describe('DescribeQuorum', () => {
  const ask = (topicName: string, partitionIndex = 0) =>
    broker.ask(conn, describeQuorum, 2, { topics: [{ topicName, partitions: [{ partitionIndex }] }] })

  it('shows the one voter at the end of its log', () => {
    const { errorCode, topics, nodes } = ask('__cluster_metadata')
    const partition = topics[0]?.partitions[0]
    expect(partition).toMatchObject({
      errorCode: Errors.NONE,
      leaderId: 0,
      currentVoters: [{ replicaId: 0, logEndOffset: partition?.highWatermark }],
      observers: [],
    })
    expect(partition?.highWatermark).toBeGreaterThan(0)
    expect([errorCode, nodes.map(({ nodeId }) => nodeId)]).toEqual([Errors.NONE, [0]])
  })

  it('knows no other log', () => {
    const codes = [ask('t'), ask('__cluster_metadata', 1)].map(
      ({ topics }) => topics[0]?.partitions[0]?.errorCode,
    )
    expect(codes).toEqual([Errors.UNKNOWN_TOPIC_OR_PARTITION, Errors.UNKNOWN_TOPIC_OR_PARTITION])
  })
})
