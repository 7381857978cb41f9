// Dialogues about committed offsets: who may commit, what comes back, and when offsets go away.
import { describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import { DEFAULT_GROUP_CONFIG } from '../../../ts/state/group-messages.js'
import { GroupShard, START_WALL_MS } from './group-shard.js'

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'
const OTHER_ID = 'AAAAAAAAAAAAAAAAAAAAAg'

const partition = (shard: GroupShard, name = 't', index = 0, topicId?: string) =>
  shard.fetch([
    topicId === undefined
      ? { name, partitionIndexes: [index] }
      : { name, topicId, partitionIndexes: [index] },
  ]).topics[0]?.partitions[0]

describe('a commit', () => {
  it('from outside any group makes a simple group and is read back with metadata and leader epoch', () => {
    const shard = new GroupShard()
    shard.commit([{ offset: 42, metadata: 'note', leaderEpoch: 7 }])
    expect(partition(shard)).toEqual({
      partitionIndex: 0,
      committedOffset: 42,
      committedLeaderEpoch: 7,
      metadata: 'note',
      errorCode: 0,
    })
    expect(shard.group()).toMatchObject({ state: 'Empty', protocolType: null, generationId: 0 })
    expect(shard.log).toMatchObject([
      {
        type: 'offset-commit',
        version: 4,
        key: { group: 'g', topic: 't', partition: 0 },
        value: { offset: 42, leaderEpoch: 7, metadata: 'note', commitTimestamp: START_WALL_MS },
      },
    ])
  })

  it('stores null metadata as the empty string', () => {
    const shard = new GroupShard()
    shard.commit([{ offset: 1, metadata: null }])
    expect(partition(shard)?.metadata).toBe('')
  })

  it('of a member counts only in its own generation', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(1)
    const memberId = memberIds[0] ?? ''
    expect(shard.commitCode({ memberId, generation }, 5)).toBe(Errors.NONE)
    expect(shard.commitCode({ memberId, generation: generation - 1 }, 6)).toBe(Errors.ILLEGAL_GENERATION)
    expect(shard.commitCode({ memberId: 'ghost', generation }, 7)).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(shard.commitCode({ memberId, generation, instanceId: 'none' }, 8)).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(shard.commitCode({}, 9)).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(partition(shard)?.committedOffset).toBe(5)
  })

  it('between join and sync is told of the rebalance; while the others rejoin it still counts', () => {
    const shard = new GroupShard()
    const join = shard.join()
    shard.advance(0)
    const { memberId, generationId: generation } = shard.joinAnswer(join)
    expect(shard.commitCode({ memberId, generation })).toBe(Errors.REBALANCE_IN_PROGRESS)
    shard.sync(memberId, generation)
    shard.join()
    expect(shard.group().state).toBe('PreparingRebalance')
    expect(shard.commitCode({ memberId, generation })).toBe(Errors.NONE)
  })

  it('with a generation of a group that is not there has the error of its version', () => {
    const shard = new GroupShard()
    expect(shard.commitCode({ memberId: 'm', generation: 3, version: 8 })).toBe(Errors.ILLEGAL_GENERATION)
    expect(shard.commitCode({ memberId: 'm', generation: 3, version: 9 })).toBe(Errors.GROUP_ID_NOT_FOUND)
    expect(shard.state.groups.size).toBe(0)
    // Old clients that assign themselves have no group id, and one group.
    expect(shard.commitCode({ group: '' })).toBe(Errors.NONE)
  })

  it('refuses metadata that is too large, for that partition alone', () => {
    const shard = new GroupShard({ ...DEFAULT_GROUP_CONFIG, offsetMetadataMaxBytes: 4 })
    const answer = shard.commit([
      { offset: 1, metadata: '12345' },
      { topic: 'u', offset: 2, metadata: '1234' },
    ])
    expect(answer.topics.map(({ partitions }) => partitions[0]?.errorCode)).toEqual([
      Errors.OFFSET_METADATA_TOO_LARGE,
      Errors.NONE,
    ])
    expect(shard.log).toHaveLength(1)
  })

  it('survives a restart, and later commits win', () => {
    const shard = new GroupShard()
    shard.commit([{ offset: 1 }])
    shard.commit([{ offset: 2, metadata: 'two' }])
    shard.reload()
    expect(partition(shard)).toMatchObject({ committedOffset: 2, metadata: 'two' })
  })
})

describe('a fetch', () => {
  it('answers −1 and empty metadata for what was never committed', () => {
    const shard = new GroupShard()
    expect(partition(shard, 'unknown', 3)).toEqual({
      partitionIndex: 3,
      committedOffset: -1,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode: 0,
    })
  })

  it('without topics answers everything that the group has committed', () => {
    const shard = new GroupShard()
    shard.commit([{ offset: 1 }, { topic: 'u', topicId: TOPIC_ID, partition: 4, offset: 2 }])
    const { topics } = shard.fetch(null)
    expect(
      topics.map(({ name, topicId, partitions }) => [name, topicId, partitions[0]?.partitionIndex]),
    ).toEqual([
      ['t', 'AAAAAAAAAAAAAAAAAAAAAA', 0],
      ['u', TOPIC_ID, 4],
    ])
    expect(shard.fetch(null, 'nobody').topics).toEqual([])
  })

  it('does not take the offset of a deleted topic for that of its namesake', () => {
    const shard = new GroupShard()
    shard.commit([{ topicId: TOPIC_ID, offset: 9 }])
    expect(partition(shard, 't', 0, TOPIC_ID)?.committedOffset).toBe(9)
    expect(partition(shard, 't', 0, OTHER_ID)?.committedOffset).toBe(-1)
    expect(partition(shard)?.committedOffset).toBe(9)
  })
})

describe('offsets go', () => {
  const DAY = 24 * 60 * 60 * 1_000

  it('with their topic, but not those of its namesake', () => {
    const shard = new GroupShard()
    shard.commit([
      { topicId: TOPIC_ID, offset: 1 },
      { topic: 'kept', offset: 2 },
    ])
    shard.send({ kind: 'topics-deleted', topics: [{ name: 't', topicId: OTHER_ID }] })
    expect(partition(shard)?.committedOffset).toBe(1)
    shard.send({ kind: 'topics-deleted', topics: [{ name: 't', topicId: TOPIC_ID }] })
    expect(partition(shard)?.committedOffset).toBe(-1)
    expect(partition(shard, 'kept')?.committedOffset).toBe(2)
    expect(shard.log.at(-1)).toMatchObject({ type: 'offset-commit', value: null })
  })

  it('of a simple group when their retention is over, and the group with them', () => {
    const shard = new GroupShard()
    shard.reload()
    shard.commit([{ offset: 1 }])
    shard.advance(6 * DAY)
    shard.commit([{ partition: 1, offset: 2 }])
    shard.advance(1 * DAY + 600_000)
    expect(partition(shard)?.committedOffset).toBe(-1)
    expect(partition(shard, 't', 1)?.committedOffset).toBe(2)
    shard.advance(6 * DAY)
    expect(shard.state.groups.has('g')).toBe(false)
    shard.reload()
    expect(shard.state.groups.has('g')).toBe(false)
  })

  it('of a group that became empty only a retention after it did', () => {
    const shard = new GroupShard()
    shard.reload()
    const { memberIds, generation } = shard.stable(1, { sessionTimeoutMs: 1_800_000 })
    const memberId = memberIds[0] ?? ''
    shard.commitCode({ memberId, generation })
    while (shard.monotonicMs < 8 * DAY) {
      shard.advance(1_700_000)
      expect(shard.heartbeat(memberId, generation)).toBe(Errors.NONE)
    }
    expect(partition(shard)?.committedOffset).toBe(1)
    shard.leave([[memberId]])
    shard.advance(7 * DAY - 700_000)
    expect(partition(shard)?.committedOffset).toBe(1)
    shard.advance(1_400_000)
    expect(partition(shard)?.committedOffset).toBe(-1)
  })

  it('when the retention is over that an old client asked for', () => {
    const shard = new GroupShard()
    shard.reload()
    shard.commit([{ offset: 1 }], { version: 4, retentionTimeMs: 3_600_000 })
    expect(shard.log[0]).toMatchObject({ version: 1, value: { expireTimestamp: START_WALL_MS + 3_600_000 } })
    shard.advance(3_000_000)
    expect(partition(shard)?.committedOffset).toBe(1)
    shard.advance(1_200_000)
    expect(partition(shard)?.committedOffset).toBe(-1)
  })

  it('of a Stable group for the topics alone that it subscribes to no longer', () => {
    const shard = new GroupShard()
    shard.reload()
    // A ConsumerProtocolSubscription of version 0 to the topic `t`.
    const subscription = '\0\0\0\0\0\u0001\0\u0001t\0\0\0\0'
    const { memberIds, generation } = shard.stable(1, {
      sessionTimeoutMs: 1_800_000,
      protocols: [['range', subscription]],
    })
    const memberId = memberIds[0] ?? ''
    shard.commit([{ offset: 1 }, { topic: 'former', offset: 2 }], { memberId, generation })
    expect(partition(shard, 'former')?.committedOffset).toBe(2)
    while (shard.monotonicMs < 8 * DAY) {
      shard.advance(1_700_000)
      expect(shard.heartbeat(memberId, generation)).toBe(Errors.NONE)
    }
    expect(partition(shard)?.committedOffset).toBe(1)
    expect(partition(shard, 'former')?.committedOffset).toBe(-1)
  })
})
