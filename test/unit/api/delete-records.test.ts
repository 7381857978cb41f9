/** DeleteRecords as clients meet it, with the log start shown by ListOffsets. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createTopics, deleteRecords, Errors, listOffsets, produce } from '../../../ts/protocol/index.js'
import { recordBatch } from '../../record-batch.js'
import { SimBroker } from './sim-broker.js'

let broker: SimBroker
let conn: number
beforeAll(() => {
  broker = new SimBroker()
  conn = broker.connect()
  const topic = { numPartitions: 2, replicationFactor: 1, assignments: [] }
  const policy = { name: 'cleanup.policy', value: 'compact' }
  broker.ask(conn, createTopics, 7, {
    topics: [
      { ...topic, name: 'events', configs: [] },
      { ...topic, name: 'table', configs: [policy] },
      { ...topic, name: '__consumer_offsets', configs: [] },
    ],
    timeoutMs: 1000,
    validateOnly: false,
  })
  append(6)
})

function append(count: number): void {
  for (let i = 0; i < count; i++) {
    const records = recordBatch([{ value: `v${i}` }])
    broker.ask(conn, produce, 9, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topicData: [{ name: 'events', topicId: '', partitionData: [{ index: 0, records }] }],
    } as never)
  }
}

const ask = (name: string, partitionIndex: number, offset: number | bigint, version = 2) =>
  broker.ask(conn, deleteRecords, version, {
    topics: [{ name, partitions: [{ partitionIndex, offset: BigInt(offset) }] }],
    timeoutMs: 1000,
  }).topics[0]?.partitions[0]

function earliest(): number | undefined {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -2 }]
  const { topics } = broker.ask(conn, listOffsets, 5, {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: 'events', partitions }],
  } as never)
  return topics[0]?.partitions[0]?.offset
}

describe('DeleteRecords', () => {
  it.each([0, 1, 2])('moves the log start up in version %i', (version) => {
    const answer = { partitionIndex: 0, lowWatermark: version + 1, errorCode: Errors.NONE }
    expect(ask('events', 0, version + 1, version)).toEqual(answer)
    expect(earliest()).toBe(version + 1)
  })

  it('takes −1 for the high watermark and keeps the log start after a crash', () => {
    expect(ask('events', 0, 4)).toMatchObject({ lowWatermark: 4, errorCode: Errors.NONE })
    broker.restart()
    conn = broker.connect()
    expect(earliest()).toBe(4)
    expect(ask('events', 0, -1)).toMatchObject({ lowWatermark: 6, errorCode: Errors.NONE })
  })

  it.each([
    ['beyond the high watermark', 'events', 0, 7, 'OFFSET_OUT_OF_RANGE'],
    ['beyond the numbers', 'events', 0, 0x7fff_ffff_ffff_ffffn, 'OFFSET_OUT_OF_RANGE'],
    ['at the least offset there is', 'events', 0, -0x8000_0000_0000_0000n, 'OFFSET_OUT_OF_RANGE'],
    ['at a negative offset', 'events', 0, -2, 'OFFSET_OUT_OF_RANGE'],
    ['of an unknown partition', 'events', 9, 0, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['of an unknown topic', 'nothing', 0, 0, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['of a topic that is only compacted', 'table', 0, 0, 'POLICY_VIOLATION'],
    ['of an internal topic', '__consumer_offsets', 0, 0, 'INVALID_TOPIC_EXCEPTION'],
  ] as const)('refuses records %s', (_, name, partition, offset, error) => {
    expect(ask(name, partition, offset)).toEqual({
      partitionIndex: partition,
      lowWatermark: -1,
      errorCode: Errors[error],
    })
  })

  it('answers several topics and partitions in the order asked, and none with none', () => {
    const partitions = [
      { partitionIndex: 1, offset: 5n },
      { partitionIndex: 0, offset: 0n },
    ]
    const topics = [
      { name: 'events', partitions },
      { name: 'nothing', partitions: [] },
    ]
    const reply = broker.ask(conn, deleteRecords, 1, { topics, timeoutMs: 1 })
    expect(reply.topics.map(({ name }) => name)).toEqual(['events', 'nothing'])
    expect(reply.topics[0]?.partitions).toMatchObject([
      { partitionIndex: 1, errorCode: Errors.OFFSET_OUT_OF_RANGE },
      { partitionIndex: 0, lowWatermark: 6 },
    ])
    expect(broker.ask(conn, deleteRecords, 2, { topics: [], timeoutMs: 1 }).topics).toEqual([])
  })
})
