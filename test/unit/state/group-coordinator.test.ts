// The shard as a whole: what a restart keeps, what unloading answers, and where a group lives.
import { describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import {
  appendError,
  failedRequest,
  groupCoordinator,
  partitionFor,
} from '../../../ts/state/group-coordinator.js'
import { DEFAULT_GROUP_CONFIG } from '../../../ts/state/group-messages.js'
import { decodeGroupRecord, encodeGroupRecord } from '../../../ts/state/group-record-codec.js'
import { groupTombstone } from '../../../ts/state/group-records.js'
import { heartbeatTimer, parseTimer } from '../../../ts/state/group-timers.js'
import { GroupShard } from './group-shard.js'

describe('a restart', () => {
  it('brings a Stable group back with its members, assignments and running sessions', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(2)
    const [a = '', b = ''] = memberIds
    shard.reload()
    expect(shard.group()).toMatchObject({
      state: 'Stable',
      generationId: generation,
      leaderId: a,
      protocolName: 'range',
    })
    expect(shard.heartbeat(a, generation)).toBe(Errors.NONE)
    expect(shard.syncAnswer(shard.sync(b, generation)).assignment.toString()).toBe('a1')
    shard.advance(9_999)
    shard.heartbeat(a, generation)
    shard.advance(1)
    expect(shard.heartbeat(a, generation)).toBe(Errors.REBALANCE_IN_PROGRESS)
    expect([...shard.group().members.keys()]).toEqual([a])
  })

  it('keeps static members and their fencing', () => {
    const shard = new GroupShard()
    const { generation } = shard.stable(1, { instanceId: 'i', version: 5 })
    const old = shard.group().leaderId ?? ''
    const fresh = shard.joinAnswer(shard.join({ instanceId: 'i', version: 5 })).memberId
    shard.reload()
    expect(shard.heartbeat(old, generation, { instanceId: 'i' })).toBe(Errors.FENCED_INSTANCE_ID)
    expect(shard.heartbeat(fresh, generation, { instanceId: 'i' })).toBe(Errors.NONE)
  })

  it('forgets a rebalance that had not completed: the last recorded generation is back', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(1)
    shard.join()
    expect(shard.group().state).toBe('PreparingRebalance')
    shard.reload()
    expect(shard.heartbeat(memberIds[0] ?? '', generation)).toBe(Errors.NONE)
  })

  it('knows a group that had only been asked into', () => {
    const shard = new GroupShard()
    const { memberId } = shard.joinAnswer(shard.join({ version: 4 }))
    shard.reload()
    expect(shard.group().state).toBe('Empty')
    expect(shard.joinAnswer(shard.join({ version: 4, memberId })).errorCode).toBe(Errors.UNKNOWN_MEMBER_ID)
  })

  it('rebalances a group that a smaller group.max.size has outgrown', () => {
    const shard = new GroupShard()
    shard.stable(2)
    const small = groupCoordinator({ ...DEFAULT_GROUP_CONFIG, groupMaxSize: 1 })
    shard.apply(small.loaded(shard.state, shard.now))
    expect(shard.group().state).toBe('PreparingRebalance')
  })
})

describe('unloading', () => {
  it('answers every parked request with NOT_COORDINATOR', () => {
    const shard = new GroupShard()
    const { memberIds } = shard.stable(2)
    const join = shard.join({ memberId: memberIds[0] ?? '' })
    const single = shard.join({ group: 'other' })
    shard.advance(0)
    shard.join({ group: 'other' })
    const rejoined = shard.join({ group: 'other', memberId: shard.joinAnswer(single).memberId })
    const { memberId, generationId } = shard.joinAnswer(rejoined)
    const follower = [...shard.group('other').members.keys()].find((id) => id !== memberId) ?? ''
    const sync = shard.sync(follower, generationId, {}, { group: 'other' })
    shard.reload()
    expect(shard.joinAnswer(join)).toMatchObject({
      errorCode: Errors.NOT_COORDINATOR,
      memberId: memberIds[0],
    })
    expect(shard.syncAnswer(sync).errorCode).toBe(Errors.NOT_COORDINATOR)
  })
})

describe('a refused append', () => {
  const heartbeat = {
    kind: 'heartbeat',
    to: 1,
    apiVersion: 4,
    body: { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null },
  } as const

  it('changes nothing and tells the client what to do next', () => {
    const shard = new GroupShard()
    const request = {
      kind: 'offset-commit',
      to: 1,
      apiVersion: 8,
      body: {
        groupId: 'g',
        generationIdOrMemberEpoch: -1,
        memberId: '',
        groupInstanceId: null,
        retentionTimeMs: -1,
        topics: [
          {
            name: 't',
            topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
            partitions: [
              {
                partitionIndex: 3,
                committedOffset: 1,
                committedLeaderEpoch: -1,
                commitTimestamp: -1,
                committedMetadata: '',
              },
            ],
          },
        ],
      },
    } as const
    const body = {
      ...request.body,
      topics: request.body.topics.map((topic) => ({ ...topic, partitions: [...topic.partitions] })),
    }
    shard.coordinator.decide(shard.state, { ...request, body }, shard.now)
    expect(shard.state.offsets.size).toBe(0)
    expect(
      shard.coordinator.refused(shard.state, { ...request, body }, Errors.NOT_ENOUGH_REPLICAS),
    ).toMatchObject({
      topics: [
        { name: 't', partitions: [{ partitionIndex: 3, errorCode: Errors.COORDINATOR_NOT_AVAILABLE }] },
      ],
    })
  })

  it('has the codes that Kafka translates to', () => {
    expect(appendError(Errors.NOT_LEADER_OR_FOLLOWER)).toBe(Errors.NOT_COORDINATOR)
    expect(appendError(Errors.MESSAGE_TOO_LARGE)).toBe(Errors.UNKNOWN_SERVER_ERROR)
    expect(appendError(Errors.INVALID_REQUEST)).toBe(Errors.INVALID_REQUEST)
  })

  it('of a shard that is loading lets heartbeats pass', () => {
    expect(failedRequest(heartbeat, Errors.COORDINATOR_LOAD_IN_PROGRESS)).toMatchObject({ errorCode: 0 })
    expect(failedRequest(heartbeat, Errors.NOT_COORDINATOR)).toMatchObject({
      errorCode: Errors.NOT_COORDINATOR,
    })
  })
})

describe('records and names', () => {
  it('puts a group where Kafka puts it', () => {
    // Java: Math.abs("…".hashCode()) % 50
    expect(partitionFor('my-group', 50)).toBe(12)
    expect(partitionFor('console-consumer-1', 50)).toBe(24)
    // "polygenelubricants".hashCode() is Integer.MIN_VALUE, which has no absolute value.
    expect(partitionFor('polygenelubricants', 50)).toBe(0)
    expect(partitionFor('', 50)).toBe(0)
  })

  it('writes tombstones and skips the records of other group protocols', () => {
    const { key, value } = encodeGroupRecord(groupTombstone('g'))
    expect(key).toEqual(Buffer.from([0, 2, 0, 1, 0x67]))
    expect(value).toBeNull()
    expect(decodeGroupRecord(key, null)).toMatchObject({
      type: 'group-metadata',
      key: { group: 'g' },
      value: null,
    })
    expect(decodeGroupRecord(Buffer.from([0, 3, 0, 1, 0x67]), null)).toBeNull()
  })

  it('keeps timers of ids with colons apart', () => {
    const key = heartbeatTimer('a:1:b', 'c:d')
    expect(parseTimer(key)).toEqual({ kind: 'heartbeat', groupId: 'a:1:b', memberId: 'c:d' })
    expect(heartbeatTimer('a', 'bc')).not.toBe(heartbeatTimer('ab', 'c'))
  })
})
