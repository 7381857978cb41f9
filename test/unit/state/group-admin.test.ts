// Dialogues of administrators: what they are told of groups in every state, and what they may delete.
import { describe, expect, it } from 'vitest'
import { Errors, OPERATIONS_OMITTED } from '../../../ts/protocol/index.js'
import { GroupShard } from './group-shard.js'

/** A ConsumerProtocolSubscription of version 0 without user data, as text that survives the way through JoinGroup. */
function subscription(...topics: string[]): string {
  const names = topics.map((name) => `${String.fromCharCode(0, name.length)}${name}`)
  return `\0\0\0\0\0${String.fromCharCode(topics.length)}${names.join('')}\0\0\0\0`
}

describe('ListGroups', () => {
  const shard = new GroupShard()
  shard.stable(1, { group: 'stable' })
  shard.stable(1, { group: 'connect', protocolType: 'connect' })
  shard.commit([{ offset: 1 }], { group: 'simple' })
  const ids = (states?: string[], types?: string[]) => shard.list(states, types).map(({ groupId }) => groupId)

  it('tells of every group its protocol type, state and type', () => {
    expect(shard.list()).toEqual([
      { groupId: 'stable', protocolType: 'consumer', groupState: 'Stable', groupType: 'classic' },
      { groupId: 'connect', protocolType: 'connect', groupState: 'Stable', groupType: 'classic' },
      { groupId: 'simple', protocolType: '', groupState: 'Empty', groupType: 'classic' },
    ])
  })

  it('filters by state and type in any case', () => {
    expect(ids(['EMPTY'])).toEqual(['simple'])
    expect(ids([' stable ', 'Empty'])).toEqual(['stable', 'connect', 'simple'])
    expect(ids(['Dead'])).toEqual([])
    expect(ids([], ['Classic'])).toHaveLength(3)
    expect(ids([], ['consumer'])).toEqual([])
    expect(ids([], ['consumer', 'classic'])).toHaveLength(3)
    expect(ids(['Stable'], ['nonsense'])).toEqual([])
  })
})

describe('DescribeGroups', () => {
  it('tells metadata and assignments of a Stable group', () => {
    const shard = new GroupShard()
    const { memberIds } = shard.stable(2, { protocols: [['range', 'meta']], clientId: 'c' })
    expect(shard.describe()).toEqual({
      errorCode: Errors.NONE,
      errorMessage: null,
      groupId: 'g',
      groupState: 'Stable',
      protocolType: 'consumer',
      protocolData: 'range',
      authorizedOperations: OPERATIONS_OMITTED,
      members: memberIds.map((memberId, index) => ({
        memberId,
        groupInstanceId: null,
        clientId: 'c',
        clientHost: '/127.0.0.1',
        memberMetadata: Buffer.from('meta'),
        memberAssignment: Buffer.from(`a${index}`),
      })),
    })
  })

  it('keeps them to itself while the group rebalances', () => {
    const shard = new GroupShard()
    const { memberIds } = shard.stable(1)
    shard.join()
    const described = shard.describe()
    expect(described).toMatchObject({
      groupState: 'PreparingRebalance',
      protocolType: 'consumer',
      protocolData: '',
    })
    expect(described.members[0]).toMatchObject({
      memberId: memberIds[0],
      memberMetadata: Buffer.alloc(0),
      memberAssignment: Buffer.alloc(0),
    })
  })

  it('calls an absent group Dead, and from version 6 on an error', () => {
    const shard = new GroupShard()
    expect(shard.describe(5)).toMatchObject({ errorCode: Errors.NONE, groupState: 'Dead', members: [] })
    expect(shard.describe(6)).toMatchObject({
      errorCode: Errors.GROUP_ID_NOT_FOUND,
      errorMessage: 'Group g not found.',
      groupState: 'Dead',
    })
  })
})

describe('DeleteGroups', () => {
  it('removes an Empty group with all its offsets, in the log too', () => {
    const shard = new GroupShard()
    const { memberIds } = shard.stable(1)
    shard.leave([[memberIds[0] ?? '']])
    shard.commit([
      { topic: 'a', offset: 1 },
      { topic: 'b', partition: 3, offset: 2 },
    ])
    const before = shard.log.length
    expect(shard.delete()).toBe(Errors.NONE)
    expect(shard.log.slice(before).map(({ key, value }) => [key, value])).toEqual([
      [{ group: 'g', topic: 'a', partition: 0 }, null],
      [{ group: 'g', topic: 'b', partition: 3 }, null],
      [{ group: 'g' }, null],
    ])
    shard.reload()
    expect(shard.list()).toEqual([])
    expect(shard.fetch(null).topics).toEqual([])
    expect(shard.delete()).toBe(Errors.GROUP_ID_NOT_FOUND)
  })

  it('refuses a group with members, in every state', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(1)
    expect(shard.delete()).toBe(Errors.NON_EMPTY_GROUP)
    shard.join()
    expect(shard.group().state).toBe('PreparingRebalance')
    expect(shard.delete()).toBe(Errors.NON_EMPTY_GROUP)
    shard.join({ memberId: memberIds[0] ?? '' })
    expect(shard.group()).toMatchObject({ state: 'CompletingRebalance', generationId: generation + 1 })
    expect(shard.delete()).toBe(Errors.NON_EMPTY_GROUP)
    expect(shard.log.every(({ value }) => value !== null)).toBe(true)
  })

  it('forgets a member that was only handed an id, and its timer', () => {
    const shard = new GroupShard()
    const { memberId } = shard.joinAnswer(shard.join({ version: 5 }))
    expect(shard.timers.size).toBe(1)
    expect(shard.delete()).toBe(Errors.NONE)
    expect(shard.timers.size).toBe(0)
    expect(shard.joinAnswer(shard.join({ version: 5, memberId })).errorCode).toBe(Errors.UNKNOWN_MEMBER_ID)
  })
})

describe('OffsetDelete', () => {
  const committed = (shard: GroupShard) => shard.fetch(null).topics.map(({ name }) => name)

  it('spares the topics that the members subscribe to', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(1, { protocols: [['range', subscription('read', 'too')]] })
    const memberId = memberIds[0] ?? ''
    shard.commit(
      [
        { topic: 'read', offset: 1 },
        { topic: 'old', offset: 2 },
      ],
      { memberId, generation },
    )
    const before = shard.log.length
    expect(shard.deleteOffsets({ read: [0], old: [0, 1, 0] })).toEqual({
      errorCode: Errors.NONE,
      throttleTimeMs: 0,
      topics: [
        { name: 'read', partitions: [{ partitionIndex: 0, errorCode: Errors.GROUP_SUBSCRIBED_TO_TOPIC }] },
        {
          name: 'old',
          partitions: [0, 1, 0].map((partitionIndex) => ({ partitionIndex, errorCode: Errors.NONE })),
        },
      ],
    })
    // One tombstone: of the offset that was there, once.
    expect(shard.log.slice(before)).toMatchObject([{ key: { topic: 'old', partition: 0 }, value: null }])
    expect(committed(shard)).toEqual(['read'])
  })

  it('spares every topic when it cannot read what the members subscribe to', () => {
    const shard = new GroupShard()
    shard.stable(1, { protocols: [['range', '?']] })
    const [topic] = shard.deleteOffsets({ t: [0] }).topics
    expect(topic?.partitions[0]?.errorCode).toBe(Errors.GROUP_SUBSCRIBED_TO_TOPIC)
  })

  it('deletes anything of a group without members and leaves the group', () => {
    const shard = new GroupShard()
    shard.commit([{ offset: 1 }])
    expect(shard.deleteOffsets({ t: [0] }).errorCode).toBe(Errors.NONE)
    shard.reload()
    expect(committed(shard)).toEqual([])
  })

  it('is refused as a whole for groups that are not there, have no name or are not of consumers', () => {
    const shard = new GroupShard()
    shard.stable(1, { group: 'connect', protocolType: 'connect' })
    const code = (group: string) => shard.deleteOffsets({ t: [0] }, group)
    expect(code('g')).toEqual({ errorCode: Errors.GROUP_ID_NOT_FOUND, throttleTimeMs: 0, topics: [] })
    expect(code('').errorCode).toBe(Errors.INVALID_GROUP_ID)
    expect(code('connect').errorCode).toBe(Errors.NON_EMPTY_GROUP)
  })
})
