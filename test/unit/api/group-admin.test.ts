/** ListGroups, DescribeGroups, DeleteGroups and OffsetDelete over the wire and across a restart. */
import { beforeEach, describe, expect, it } from 'vitest'
import {
  createTopics,
  deleteGroups,
  deleteTopics,
  describeGroups,
  Errors,
  findCoordinator,
  incrementalAlterConfigs,
  joinGroup,
  listGroups,
  OPERATIONS_OMITTED,
  offsetCommit,
  offsetDelete,
  offsetFetch,
} from '../../../ts/protocol/index.js'
import { SimBroker } from './sim-broker.js'

let broker: SimBroker
let conn: number

beforeEach(() => {
  broker = new SimBroker()
  conn = broker.connect()
})

const start = () => {
  const topics = [{ name: 'orders', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }]
  broker.ask(conn, createTopics, 7, { topics, timeoutMs: 1000 })
  broker.ask(conn, findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
}

const commit = (groupId: string) =>
  broker.ask(conn, offsetCommit, 8, {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    topics: [
      { name: 'orders', partitions: [{ partitionIndex: 1, committedOffset: 5, committedMetadata: null }] },
    ],
  })

/** A group of one member that has not synced. */
const join = (groupId: string) =>
  broker.ask(conn, joinGroup, 3, {
    groupId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    memberId: '',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
  })

const listed = (version = 5, filters = {}) =>
  broker.ask(conn, listGroups, version, filters).groups.map(({ groupId }) => groupId)

describe('ListGroups', () => {
  it('is an empty list before there is a group', () => {
    expect(broker.ask(conn, listGroups, 5, {})).toMatchObject({ errorCode: 0, groups: [] })
  })

  it('gathers the groups of all partitions in every version', () => {
    start()
    const ids = ['a', 'b', 'c', 'd']
    for (const id of ids) commit(id)
    join('e')
    for (const version of [0, 1, 2, 3, 4, 5]) expect(listed(version).sort()).toEqual([...ids, 'e'])
    expect(listed(4, { statesFilter: ['CompletingRebalance'] })).toEqual(['e'])
    expect(listed(5, { typesFilter: ['share'] })).toEqual([])
  })
})

describe('DescribeGroups', () => {
  it('answers each group on its own, with the operations when they are asked for', () => {
    start()
    join('g')
    const groups = ['missing', 'g']
    const plain = broker.ask(conn, describeGroups, 6, { groups })
    expect(plain.groups).toMatchObject([
      { groupId: 'missing', errorCode: Errors.GROUP_ID_NOT_FOUND, groupState: 'Dead' },
      { groupId: 'g', errorCode: 0, groupState: 'CompletingRebalance', protocolType: 'consumer' },
    ])
    expect(plain.groups[1]?.members).toMatchObject([{ clientId: 'test', clientHost: '/127.0.0.1' }])
    expect(plain.groups[1]?.authorizedOperations).toBe(OPERATIONS_OMITTED)
    const asked = broker.ask(conn, describeGroups, 5, { groups, includeAuthorizedOperations: true })
    // READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS and ALTER_CONFIGS.
    const all = (1 << 3) | (1 << 6) | (1 << 8) | (1 << 10) | (1 << 11)
    expect(asked.groups).toMatchObject([
      { groupId: 'missing', errorCode: 0, groupState: 'Dead', authorizedOperations: all },
      { groupId: 'g', authorizedOperations: all },
    ])
  })

  it('is not the coordinator before __consumer_offsets exists', () => {
    const { groups } = broker.ask(conn, describeGroups, 6, { groups: ['g'] })
    expect(groups).toMatchObject([{ groupId: 'g', errorCode: Errors.NOT_COORDINATOR }])
    expect(broker.ask(conn, describeGroups, 6, { groups: [] }).groups).toEqual([])
  })
})

describe('DeleteGroups', () => {
  it('deletes what is empty for good, and tells why of the rest', () => {
    start()
    commit('empty')
    join('busy')
    const groupsNames = ['busy', 'empty', 'missing', 'empty']
    const { results } = broker.ask(conn, deleteGroups, 3, { groupsNames })
    expect(results).toMatchObject([
      { groupId: 'busy', errorCode: Errors.NON_EMPTY_GROUP, errorMessage: 'The group is not empty.' },
      { groupId: 'empty', errorCode: 0, errorMessage: null },
      { groupId: 'missing', errorCode: Errors.GROUP_ID_NOT_FOUND },
    ])
    broker.restart()
    conn = broker.connect()
    expect(listed()).toEqual(['busy'])
    const groups = [{ groupId: 'empty', topics: null }]
    expect(broker.ask(conn, offsetFetch, 8, { groups }).groups).toMatchObject([{ topics: [] }])
  })
})

describe('OffsetDelete', () => {
  it('deletes offsets of topics that exist', () => {
    start()
    commit('g')
    const ask = (groupId: string) =>
      broker.ask(conn, offsetDelete, 0, {
        groupId,
        topics: ['orders', 'nowhere'].map((name) => ({ name, partitions: [{ partitionIndex: 1 }] })),
      })
    expect(ask('g')).toMatchObject({
      errorCode: 0,
      topics: [
        {
          name: 'nowhere',
          partitions: [{ partitionIndex: 1, errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION }],
        },
        { name: 'orders', partitions: [{ partitionIndex: 1, errorCode: 0 }] },
      ],
    })
    const groups = [{ groupId: 'g', topics: null }]
    expect(broker.ask(conn, offsetFetch, 8, { groups }).groups[0]?.topics).toEqual([])
    expect(ask('other')).toMatchObject({ errorCode: Errors.GROUP_ID_NOT_FOUND, topics: [] })
  })
})

describe('a group with more offsets than the tombstones of one batch can forget', () => {
  const capBatches = (bytes: string) => {
    const configs = [{ name: 'max.message.bytes', configOperation: 0, value: bytes }]
    const resources = [{ resourceType: 2, resourceName: '__consumer_offsets', configs }]
    return broker.ask(conn, incrementalAlterConfigs, 1, { resources, validateOnly: false }).responses[0]
      ?.errorCode
  }
  const committed = () =>
    broker.ask(conn, offsetFetch, 8, { groups: [{ groupId: 'g', topics: null }] }).groups[0]?.topics

  beforeEach(() => {
    start()
    const partitions = Array.from({ length: 200 }, (_, partitionIndex) => ({
      partitionIndex,
      committedOffset: 5,
      committedMetadata: null,
    }))
    broker.ask(conn, offsetCommit, 8, { groupId: 'g', topics: [{ name: 'orders', partitions }] })
    expect(committed()?.[0]?.partitions).toHaveLength(200)
    expect(capBatches('1000')).toBe(Errors.NONE)
  })

  it('is deleted all the same, for good', () => {
    expect(broker.ask(conn, deleteGroups, 2, { groupsNames: ['g'] }).results[0]?.errorCode).toBe(Errors.NONE)
    broker.restart()
    conn = broker.connect()
    expect(committed()).toEqual([])
    expect(listed()).toEqual([])
  })

  it('forgets them with their topic', () => {
    broker.ask(conn, deleteTopics, 3, { topicNames: ['orders'], timeoutMs: 1000 })
    expect(committed()).toEqual([])
  })

  it('forgets them when their retention is over', () => {
    const body = { groupId: 'old', generationIdOrMemberEpoch: -1, memberId: '', retentionTimeMs: 0 }
    const partitions = Array.from({ length: 50 }, (_, partitionIndex) => partitionIndex)
    for (const partitionIndex of partitions) {
      const one = { partitionIndex, committedOffset: 5, committedMetadata: null }
      broker.ask(conn, offsetCommit, 4, { ...body, topics: [{ name: 'orders', partitions: [one] }] })
    }
    expect(listed()).toEqual(['g', 'old'])
    broker.advance(600_000)
    conn = broker.connect()
    expect(listed()).toEqual(['g'])
    broker.restart()
    conn = broker.connect()
    expect(listed()).toEqual(['g'])
  })

  it('keeps all where not even one tombstone fits', () => {
    expect(capBatches('60')).toBe(Errors.NONE)
    const [result] = broker.ask(conn, deleteGroups, 2, { groupsNames: ['g'] }).results
    expect(result?.errorCode).toBe(Errors.UNKNOWN_SERVER_ERROR)
    expect(committed()?.[0]?.partitions).toHaveLength(200)
  })
})
