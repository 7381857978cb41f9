/** FindCoordinator, the classic group protocol and offsets, over the wire and across a restart. */
import { beforeEach, describe, expect, it } from 'vitest'
import {
  createTopics,
  deleteTopics,
  Errors,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  metadata,
  offsetCommit,
  offsetFetch,
  syncGroup,
  ZERO_UUID,
} from '../../../ts/protocol/index.js'
import { SimBroker } from './sim-broker.js'

let broker: SimBroker
let conn: number
let topicId: string

beforeEach(() => {
  broker = new SimBroker()
  conn = broker.connect()
  const topics = [{ name: 'orders', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }]
  topicId = broker.ask(conn, createTopics, 7, { topics, timeoutMs: 1000 }).topics[0]?.topicId ?? ''
})

const find = (version = 4) =>
  broker.ask(conn, findCoordinator, version, { key: 'g', keyType: 0, coordinatorKeys: ['g'] })

const join = (memberId = '') =>
  broker.ask(conn, joinGroup, 5, {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
  })

/** A member that leads generation 1 of group g and has its assignment. */
function stableMember(): string {
  find()
  const { errorCode, memberId } = join()
  expect(errorCode).toBe(Errors.MEMBER_ID_REQUIRED)
  expect(join(memberId)).toMatchObject({ errorCode: 0, generationId: 1, leader: memberId })
  const assignments = [{ memberId, assignment: Buffer.from('all') }]
  const synced = broker.ask(conn, syncGroup, 3, { groupId: 'g', generationId: 1, memberId, assignments })
  expect(synced).toMatchObject({ errorCode: 0, assignment: Buffer.from('all') })
  return memberId
}

const commit = (memberId: string, generation: number, offset: number) =>
  broker
    .ask(conn, offsetCommit, 8, {
      groupId: 'g',
      generationIdOrMemberEpoch: generation,
      memberId,
      topics: [
        {
          name: 'orders',
          partitions: [{ partitionIndex: 1, committedOffset: offset, committedMetadata: 'note' }],
        },
        { name: 'nowhere', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] },
      ],
    })
    .topics.map(({ name, partitions }) => [name, partitions[0]?.errorCode])

describe('FindCoordinator', () => {
  it('creates __consumer_offsets and answers when its group can be joined', () => {
    expect(find()).toMatchObject({
      coordinators: [{ key: 'g', nodeId: 0, host: '127.0.0.1', port: 9092, errorCode: 0 }],
    })
    expect(join().errorCode).toBe(Errors.MEMBER_ID_REQUIRED)
    const { topics } = broker.ask(conn, metadata, 9, { topics: [{ name: '__consumer_offsets' }] })
    expect(topics).toMatchObject([{ errorCode: 0, isInternal: true }])
    expect(topics[0]?.partitions).toHaveLength(2)
  })

  it('answers old versions in their own form', () => {
    expect(find(1)).toMatchObject({ nodeId: 0, host: '127.0.0.1', port: 9092, errorCode: 0 })
  })

  it('answers a whole batch', () => {
    const keys = ['a', 'b', 'c']
    const { coordinators } = broker.ask(conn, findCoordinator, 4, { keyType: 0, coordinatorKeys: keys })
    expect(coordinators.map(({ key, errorCode }) => [key, errorCode])).toEqual(keys.map((key) => [key, 0]))
  })

  it('refuses transactions and share groups finally', () => {
    for (const keyType of [1, 2, 9]) {
      const { coordinators } = broker.ask(conn, findCoordinator, 6, { keyType, coordinatorKeys: ['x'] })
      expect(coordinators).toMatchObject([{ nodeId: -1, errorCode: Errors.INVALID_REQUEST }])
    }
  })
})

describe('a group', () => {
  it('does not exist before its coordinator was asked for', () => {
    expect(join()).toMatchObject({ errorCode: Errors.NOT_COORDINATOR })
  })

  it('is joined, synced, kept alive and left', () => {
    const memberId = stableMember()
    const beat = (generationId: number) =>
      broker.ask(conn, heartbeat, 4, { groupId: 'g', generationId, memberId }).errorCode
    expect(beat(1)).toBe(0)
    expect(beat(7)).toBe(Errors.ILLEGAL_GENERATION)
    const left = broker.ask(conn, leaveGroup, 4, { groupId: 'g', members: [{ memberId }] })
    expect(left).toMatchObject({ errorCode: 0, members: [{ memberId, errorCode: 0 }] })
    expect(beat(1)).toBe(Errors.UNKNOWN_MEMBER_ID)
  })

  it('loses a member that stays silent past its session timeout', () => {
    const memberId = stableMember()
    broker.advance(10_001)
    expect(broker.ask(conn, heartbeat, 4, { groupId: 'g', generationId: 1, memberId })).toMatchObject({
      errorCode: Errors.UNKNOWN_MEMBER_ID,
    })
  })
})

describe('offsets', () => {
  const fetched = (groupId = 'g') =>
    broker.ask(conn, offsetFetch, 5, { groupId, topics: [{ name: 'orders', partitionIndexes: [0, 1] }] })

  it('are committed by members of the generation, for topics that exist', () => {
    const memberId = stableMember()
    expect(commit(memberId, 1, 42)).toEqual([
      ['orders', 0],
      ['nowhere', Errors.UNKNOWN_TOPIC_OR_PARTITION],
    ])
    expect(commit(memberId, 9, 43)[0]).toEqual(['orders', Errors.ILLEGAL_GENERATION])
    expect(fetched().topics[0]?.partitions).toMatchObject([
      { partitionIndex: 0, committedOffset: -1 },
      { partitionIndex: 1, committedOffset: 42, metadata: 'note' },
    ])
  })

  it('are fetched for several groups, all topics and topic ids at once', () => {
    commit(stableMember(), 1, 42)
    const groups = [
      { groupId: 'g', topics: null },
      {
        groupId: 'other',
        topics: [
          { topicId, partitionIndexes: [0] },
          { topicId: 'x'.repeat(22), partitionIndexes: [0] },
        ],
      },
    ]
    const answer = broker.ask(conn, offsetFetch, 10, { groups })
    expect(answer.groups[0]).toMatchObject({ groupId: 'g', errorCode: 0, topics: [{ topicId }] })
    expect(answer.groups[0]?.topics[0]?.partitions).toMatchObject([
      { partitionIndex: 1, committedOffset: 42 },
    ])
    expect(answer.groups[1]?.topics.map(({ partitions }) => partitions[0]?.errorCode)).toEqual([
      0,
      Errors.UNKNOWN_TOPIC_ID,
    ])
  })

  it('are committed by topic id', () => {
    find()
    const partitions = [{ partitionIndex: 0, committedOffset: 5, committedMetadata: null }]
    const topics = [
      { topicId, partitions },
      { topicId: ZERO_UUID, partitions },
    ]
    const answer = broker.ask(conn, offsetCommit, 10, { groupId: 'simple', memberId: '', topics })
    expect(answer.topics.map((topic) => topic.partitions[0]?.errorCode)).toEqual([0, Errors.UNKNOWN_TOPIC_ID])
    expect(fetched('simple').topics[0]?.partitions[0]).toMatchObject({ committedOffset: 5 })
  })

  it('and the group itself are still there after a restart', () => {
    const memberId = stableMember()
    commit(memberId, 1, 42)
    broker.restart()
    conn = broker.connect()
    find()
    expect(fetched().topics[0]?.partitions[1]).toMatchObject({ committedOffset: 42, metadata: 'note' })
    expect(broker.ask(conn, heartbeat, 4, { groupId: 'g', generationId: 1, memberId }).errorCode).toBe(0)
  })

  it('go with their topic', () => {
    commit(stableMember(), 1, 42)
    broker.ask(conn, deleteTopics, 6, { topics: [{ name: null, topicId }], timeoutMs: 1000 })
    expect(fetched().topics[0]?.partitions[1]).toMatchObject({ committedOffset: -1 })
  })
})
