// Dialogues with the classic group coordinator: what Kafka 4.x answers, in the order in which a client would ask.
import { describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import { groupState } from '../../../ts/state/group-classic.js'
import { DEFAULT_GROUP_CONFIG } from '../../../ts/state/group-messages.js'
import { GroupShard } from './group-shard.js'

const shardWith = (config: Partial<typeof DEFAULT_GROUP_CONFIG>) =>
  new GroupShard({ ...DEFAULT_GROUP_CONFIG, ...config })

describe('the first rebalance', () => {
  it('waits for the initial delay, then makes the first member the leader of generation 1', () => {
    const shard = shardWith({})
    const join = shard.join()
    shard.advance(2_999)
    expect(shard.isParked(join)).toBe(true)
    expect(shard.group().state).toBe('PreparingRebalance')
    shard.advance(1)
    expect(shard.joinAnswer(join)).toMatchObject({
      errorCode: Errors.NONE,
      generationId: 1,
      leader: 'client-uuid-1',
      memberId: 'client-uuid-1',
      protocolType: 'consumer',
      protocolName: 'range',
      members: [{ memberId: 'client-uuid-1', groupInstanceId: null, metadata: Buffer.from('topics') }],
    })
    expect(shard.group().state).toBe('CompletingRebalance')
  })

  it('extends the delay while members keep joining, but never beyond the rebalance timeout', () => {
    const shard = shardWith({})
    const first = shard.join({ rebalanceTimeoutMs: 7_000 })
    shard.advance(2_000)
    const second = shard.join({ rebalanceTimeoutMs: 7_000 })
    shard.advance(1_000)
    expect(shard.isParked(first)).toBe(true)
    shard.join({ rebalanceTimeoutMs: 7_000 })
    shard.advance(3_000)
    shard.join({ rebalanceTimeoutMs: 7_000 })
    expect(shard.isParked(second)).toBe(true)
    shard.advance(1_000)
    expect(shard.joinAnswer(first).members).toHaveLength(4)
    expect(shard.joinAnswer(second).members).toHaveLength(0)
    expect(shard.joinAnswer(second).leader).toBe(shard.joinAnswer(first).memberId)
  })

  it('gives followers no member list and everybody one generation', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(3)
    expect(generation).toBe(3)
    expect(shard.group().leaderId).toBe(memberIds[0])
  })
})

describe('member ids', () => {
  it('are handed out with MEMBER_ID_REQUIRED from version 4 and accepted when they come back', () => {
    const shard = new GroupShard()
    const first = shard.joinAnswer(shard.join({ version: 4 }))
    expect(first).toMatchObject({
      errorCode: Errors.MEMBER_ID_REQUIRED,
      memberId: 'client-uuid-1',
      protocolName: '',
    })
    const second = shard.join({ version: 4, memberId: first.memberId })
    shard.advance(0)
    expect(shard.joinAnswer(second)).toMatchObject({
      errorCode: 0,
      memberId: first.memberId,
      generationId: 1,
    })
  })

  it('that nobody comes back for expire with the session timeout and hold up a rebalance no longer', () => {
    const shard = new GroupShard()
    const { memberIds } = shard.stable(1)
    shard.join({ version: 4, sessionTimeoutMs: 6_000 })
    const rejoin = shard.join({ memberId: memberIds[0] ?? '' })
    expect(shard.isParked(rejoin)).toBe(true)
    shard.advance(6_000)
    expect(shard.joinAnswer(rejoin).generationId).toBe(2)
  })

  it('of an unknown group or member are UNKNOWN_MEMBER_ID', () => {
    const shard = new GroupShard()
    expect(shard.joinAnswer(shard.join({ memberId: 'ghost' })).errorCode).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(groupState(shard.state.groups, 'g')).toBe('Dead')
    shard.stable(1)
    expect(shard.joinAnswer(shard.join({ memberId: 'ghost' })).errorCode).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(shard.heartbeat('ghost', 1)).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(shard.syncAnswer(shard.sync('ghost', 1)).errorCode).toBe(Errors.UNKNOWN_MEMBER_ID)
  })
})

describe('a JoinGroup is refused', () => {
  it('for an empty group id, a session timeout out of range, and foreign protocols', () => {
    const shard = new GroupShard()
    expect(shard.joinAnswer(shard.join({ group: '' })).errorCode).toBe(Errors.INVALID_GROUP_ID)
    expect(shard.joinAnswer(shard.join({ sessionTimeoutMs: 5_999 })).errorCode).toBe(
      Errors.INVALID_SESSION_TIMEOUT,
    )
    const tooLong = shard.join({ sessionTimeoutMs: 1_800_001, version: 7 })
    expect(shard.joinAnswer(tooLong)).toMatchObject({
      errorCode: Errors.INVALID_SESSION_TIMEOUT,
      protocolName: null,
      generationId: -1,
    })
    expect(shard.joinAnswer(shard.join({ protocols: [] })).errorCode).toBe(Errors.INCONSISTENT_GROUP_PROTOCOL)
    expect(shard.state.groups.size).toBe(0)
    shard.stable(1)
    const other = shard.join({ protocols: [['sticky', 'x']] })
    expect(shard.joinAnswer(other).errorCode).toBe(Errors.INCONSISTENT_GROUP_PROTOCOL)
    const connect = shard.join({ protocolType: 'connect' })
    expect(shard.joinAnswer(connect).errorCode).toBe(Errors.INCONSISTENT_GROUP_PROTOCOL)
  })

  it('when the group is full', () => {
    const shard = shardWith({ groupMaxSize: 1, groupInitialRebalanceDelayMs: 0 })
    const { memberIds, generation } = shard.stable(1)
    const extra = shard.joinAnswer(shard.join())
    expect(extra).toMatchObject({ errorCode: Errors.GROUP_MAX_SIZE_REACHED, memberId: '' })
    expect(shard.heartbeat(memberIds[0] ?? '', generation)).toBe(Errors.NONE)
  })
})

describe('protocols', () => {
  it('are chosen by the votes of all members among those that all support', () => {
    const shard = shardWith({})
    const joins = [
      shard.join({
        protocols: [
          ['range', 'r'],
          ['roundrobin', 'o'],
        ],
      }),
      shard.join({
        protocols: [
          ['sticky', 's'],
          ['roundrobin', 'o'],
          ['range', 'r'],
        ],
      }),
      shard.join({
        protocols: [
          ['roundrobin', 'o'],
          ['range', 'r'],
        ],
      }),
    ]
    shard.advance(10_000)
    for (const join of joins) expect(shard.joinAnswer(join).protocolName).toBe('roundrobin')
    expect(shard.joinAnswer(joins[0] ?? 0).members.map(({ metadata }) => metadata.toString())).toEqual([
      'o',
      'o',
      'o',
    ])
  })

  it('of any type work the same way: the coordinator never looks inside', () => {
    const shard = new GroupShard()
    const join = shard.join({ protocolType: 'connect', protocols: [['sessioned', '\u0001opaque']] })
    shard.advance(0)
    expect(shard.joinAnswer(join)).toMatchObject({ protocolType: 'connect', protocolName: 'sessioned' })
  })
})

describe('SyncGroup', () => {
  it('parks followers until the leader brings the assignment, and records the generation then', () => {
    const shard = new GroupShard()
    const one = shard.join()
    shard.advance(0)
    const leader = shard.joinAnswer(one).memberId
    const two = shard.join()
    shard.join({ memberId: leader })
    const follower = shard.joinAnswer(two).memberId
    const logged = shard.log.length
    const parked = shard.sync(follower, 2)
    expect(shard.isParked(parked)).toBe(true)
    expect(shard.log).toHaveLength(logged)
    const led = shard.sync(
      leader,
      2,
      { [leader]: 'L', [follower]: 'F' },
      { version: 5, protocolType: 'consumer', protocolName: 'range' },
    )
    expect(shard.syncAnswer(led)).toMatchObject({
      errorCode: 0,
      protocolType: 'consumer',
      protocolName: 'range',
      assignment: Buffer.from('L'),
    })
    expect(shard.syncAnswer(parked).assignment.toString()).toBe('F')
    expect(shard.group().state).toBe('Stable')
    expect(shard.log.slice(logged)).toMatchObject([
      { type: 'group-metadata', key: { group: 'g' }, value: { generation: 2, leader, protocol: 'range' } },
    ])
    expect(shard.syncAnswer(shard.sync(follower, 2)).assignment.toString()).toBe('F')
  })

  it('refuses a stale generation, another protocol, an empty group id and a missing protocol', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(1)
    const id = memberIds[0] ?? ''
    const code = (to: number) => shard.syncAnswer(to).errorCode
    expect(code(shard.sync(id, generation - 1))).toBe(Errors.ILLEGAL_GENERATION)
    expect(code(shard.sync(id, generation, {}, { protocolName: 'sticky' }))).toBe(
      Errors.INCONSISTENT_GROUP_PROTOCOL,
    )
    expect(code(shard.sync(id, generation, {}, { protocolType: 'x' }))).toBe(
      Errors.INCONSISTENT_GROUP_PROTOCOL,
    )
    expect(code(shard.sync(id, generation, {}, { version: 5 }))).toBe(Errors.INCONSISTENT_GROUP_PROTOCOL)
    expect(code(shard.sync(id, generation, {}, { group: '' }))).toBe(Errors.INVALID_GROUP_ID)
    expect(code(shard.sync(id, generation, {}, { group: 'other' }))).toBe(Errors.UNKNOWN_MEMBER_ID)
  })

  it('removes who has not synced within the rebalance timeout and rebalances the others', () => {
    const shard = new GroupShard()
    const one = shard.join({ rebalanceTimeoutMs: 20_000, sessionTimeoutMs: 60_000 })
    shard.advance(0)
    const leader = shard.joinAnswer(one).memberId
    const two = shard.join({ rebalanceTimeoutMs: 20_000, sessionTimeoutMs: 60_000 })
    shard.join({ memberId: leader, rebalanceTimeoutMs: 20_000, sessionTimeoutMs: 60_000 })
    const follower = shard.joinAnswer(two).memberId
    const parked = shard.sync(follower, 2)
    shard.advance(20_000)
    expect(shard.syncAnswer(parked).errorCode).toBe(Errors.REBALANCE_IN_PROGRESS)
    expect([...shard.group().members.keys()]).toEqual([follower])
    expect(shard.group().state).toBe('PreparingRebalance')
  })

  it('answers the sync that a newer one of the same member replaces', () => {
    const shard = new GroupShard()
    const one = shard.join()
    shard.advance(0)
    const leader = shard.joinAnswer(one).memberId
    const two = shard.join()
    shard.join({ memberId: leader })
    const follower = shard.joinAnswer(two).memberId
    const old = shard.sync(follower, 2)
    const fresh = shard.sync(follower, 2)
    expect(shard.syncAnswer(old).errorCode).toBe(Errors.REBALANCE_IN_PROGRESS)
    shard.sync(leader, 2, { [follower]: 'F' })
    expect(shard.syncAnswer(fresh).assignment.toString()).toBe('F')
  })
})

describe('a rebalance', () => {
  it('is announced to heartbeats, ends when all have rejoined, and outdates the old generation', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(2)
    const [a = '', b = ''] = memberIds
    const fresh = shard.join()
    expect(shard.heartbeat(a, generation)).toBe(Errors.REBALANCE_IN_PROGRESS)
    expect(shard.syncAnswer(shard.sync(a, generation)).errorCode).toBe(Errors.REBALANCE_IN_PROGRESS)
    const rejoins = [shard.join({ memberId: a }), shard.join({ memberId: b })]
    for (const to of [fresh, ...rejoins]) expect(shard.joinAnswer(to).generationId).toBe(generation + 1)
    expect(shard.heartbeat(a, generation)).toBe(Errors.ILLEGAL_GENERATION)
    expect(shard.heartbeat(a, generation + 1)).toBe(Errors.NONE)
  })

  it('drops dynamic members that do not rejoin within the rebalance timeout', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(2, { sessionTimeoutMs: 1_000_000 })
    const [a = '', b = ''] = memberIds
    const rejoin = shard.join({ memberId: b, sessionTimeoutMs: 1_000_000, protocols: [['range', 'changed']] })
    shard.advance(60_000)
    expect(shard.joinAnswer(rejoin)).toMatchObject({ leader: b, generationId: generation + 1 })
    expect(shard.heartbeat(a, generation)).toBe(Errors.UNKNOWN_MEMBER_ID)
  })

  it('is not caused by a follower that joins again unchanged, but by the leader that does', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(2)
    const [leader = '', follower = ''] = memberIds
    const repeated = shard.joinAnswer(shard.join({ memberId: follower }))
    expect(repeated).toMatchObject({ generationId: generation, leader, members: [] })
    expect(shard.group().state).toBe('Stable')
    const asked = shard.join({ memberId: leader })
    expect(shard.isParked(asked)).toBe(true)
    expect(shard.group().state).toBe('PreparingRebalance')
  })

  it('answers parked syncs with REBALANCE_IN_PROGRESS when it interrupts CompletingRebalance', () => {
    const shard = new GroupShard()
    const one = shard.join()
    shard.advance(0)
    const leader = shard.joinAnswer(one).memberId
    const two = shard.join()
    shard.join({ memberId: leader })
    const follower = shard.joinAnswer(two).memberId
    const parked = shard.sync(follower, 2)
    shard.join()
    expect(shard.syncAnswer(parked)).toMatchObject({
      errorCode: Errors.REBALANCE_IN_PROGRESS,
      protocolName: null,
    })
  })

  it('answers the JoinGroup that a newer one of the same member replaces, once', () => {
    const shard = new GroupShard()
    const { memberIds } = shard.stable(2)
    const old = shard.join({ memberId: memberIds[0] ?? '' })
    const fresh = shard.join({ memberId: memberIds[0] ?? '' })
    expect(shard.joinAnswer(old)).toMatchObject({
      errorCode: Errors.REBALANCE_IN_PROGRESS,
      memberId: memberIds[0],
    })
    shard.join({ memberId: memberIds[1] ?? '' })
    expect(shard.joinAnswer(fresh).errorCode).toBe(Errors.NONE)
  })
})

describe('sessions', () => {
  it('live on heartbeats and commits, and end without them', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(1)
    const id = memberIds[0] ?? ''
    shard.advance(9_000)
    expect(shard.heartbeat(id, generation)).toBe(Errors.NONE)
    shard.advance(9_000)
    expect(shard.commitCode({ memberId: id, generation })).toBe(Errors.NONE)
    shard.advance(9_999)
    expect(shard.group().state).toBe('Stable')
    shard.advance(1)
    expect(shard.group()).toMatchObject({
      state: 'Empty',
      generationId: 2,
      leaderId: null,
      protocolType: 'consumer',
    })
    expect(shard.log.at(-1)).toMatchObject({
      type: 'group-metadata',
      value: { generation: 2, protocol: null, leader: null, members: [] },
    })
  })

  it('do not end while a JoinGroup is parked, except that of a new member after five minutes', () => {
    const shard = new GroupShard()
    const { memberIds } = shard.stable(2, { rebalanceTimeoutMs: 1_000_000, sessionTimeoutMs: 6_000 })
    const [a = '', b = ''] = memberIds
    const rejoin = shard.join({ memberId: a, rebalanceTimeoutMs: 1_000_000, sessionTimeoutMs: 6_000 })
    const fresh = shard.join({ rebalanceTimeoutMs: 1_000_000, sessionTimeoutMs: 6_000 })
    for (let beat = 0; beat < 61; beat += 1) {
      shard.advance(5_000)
      shard.heartbeat(b, 2)
    }
    expect(shard.isParked(rejoin)).toBe(true)
    expect(shard.joinAnswer(fresh)).toMatchObject({ errorCode: Errors.UNKNOWN_MEMBER_ID, memberId: '' })
  })
})

describe('LeaveGroup', () => {
  it('rebalances the others and empties the group in the end, with a record', () => {
    const shard = new GroupShard()
    const { memberIds, generation } = shard.stable(2)
    const [a = '', b = ''] = memberIds
    expect(shard.leave([[a]])).toMatchObject({ errorCode: 0, members: [{ memberId: a, errorCode: 0 }] })
    expect(shard.heartbeat(b, generation)).toBe(Errors.REBALANCE_IN_PROGRESS)
    expect(shard.group().leaderId).toBe(b)
    expect(shard.leave([[b]], 2)).toMatchObject({ errorCode: 0, members: [] })
    expect(shard.group()).toMatchObject({ state: 'Empty', generationId: generation + 1 })
    expect(shard.log.at(-1)).toMatchObject({ value: { members: [], generation: generation + 1 } })
  })

  it('answers per member from version 3, with the one error before', () => {
    const shard = new GroupShard()
    const { memberIds } = shard.stable(1)
    const both = shard.leave([['ghost'], [memberIds[0] ?? '']])
    expect(both.members.map(({ errorCode }) => errorCode)).toEqual([Errors.UNKNOWN_MEMBER_ID, Errors.NONE])
    expect(both.errorCode).toBe(Errors.NONE)
    expect(shard.leave([['ghost']], 1).errorCode).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(shard.leave([['ghost']], 3, 'no-group').members[0]?.errorCode).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(shard.leave([['ghost']], 3, '').errorCode).toBe(Errors.INVALID_GROUP_ID)
  })

  it('answers the sync that the member had parked', () => {
    const shard = new GroupShard()
    const one = shard.join()
    shard.advance(0)
    const leader = shard.joinAnswer(one).memberId
    const two = shard.join()
    shard.join({ memberId: leader })
    const follower = shard.joinAnswer(two).memberId
    const parked = shard.sync(follower, 2)
    shard.leave([[follower]])
    expect(shard.syncAnswer(parked).errorCode).toBe(Errors.UNKNOWN_MEMBER_ID)
  })

  it('answers the join that the member had parked', () => {
    const shard = new GroupShard()
    const { memberIds } = shard.stable(2)
    const parked = shard.join({ memberId: memberIds[0] ?? '' })
    shard.leave([[memberIds[0] ?? '']])
    expect(shard.joinAnswer(parked).errorCode).toBe(Errors.UNKNOWN_MEMBER_ID)
  })
})

describe('static members', () => {
  it('come back under a new member id without a rebalance, and fence their former self', () => {
    const shard = new GroupShard()
    const { generation } = shard.stable(1, { instanceId: 'i', version: 5 })
    const old = shard.group().leaderId ?? ''
    const logged = shard.log.length
    const back = shard.joinAnswer(shard.join({ instanceId: 'i', version: 5 }))
    expect(back).toMatchObject({
      errorCode: 0,
      generationId: generation,
      leader: old,
      members: [],
      skipAssignment: false,
    })
    expect(back.memberId).not.toBe(old)
    expect(shard.group().state).toBe('Stable')
    expect(shard.log).toHaveLength(logged + 1)
    expect(
      shard.syncAnswer(shard.sync(back.memberId, generation, {}, { instanceId: 'i' })).assignment.toString(),
    ).toBe('a0')
    expect(shard.heartbeat(old, generation, { instanceId: 'i' })).toBe(Errors.FENCED_INSTANCE_ID)
    expect(shard.commitCode({ memberId: old, generation, instanceId: 'i' })).toBe(Errors.FENCED_INSTANCE_ID)
    expect(shard.heartbeat(back.memberId, generation, { instanceId: 'other' })).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(shard.heartbeat(back.memberId, generation, { instanceId: 'i' })).toBe(Errors.NONE)
  })

  it('that lead are told from version 9 to skip the assignment', () => {
    const shard = new GroupShard()
    const { generation } = shard.stable(1, { instanceId: 'i', version: 9 })
    const back = shard.joinAnswer(shard.join({ instanceId: 'i', version: 9 }))
    expect(back).toMatchObject({ skipAssignment: true, leader: back.memberId, generationId: generation })
    expect(back.members).toHaveLength(1)
  })

  it('come back with another subscription, which is recorded and told, without a rebalance', () => {
    const shard = new GroupShard()
    const { generation } = shard.stable(1, { instanceId: 'i', version: 5, protocols: [['range', 'before']] })
    const again = shard.join({ instanceId: 'i', version: 5, protocols: [['range', 'after']] })
    expect(shard.joinAnswer(again)).toMatchObject({ errorCode: 0, generationId: generation })
    expect(shard.describe().members[0]?.memberMetadata.toString()).toBe('after')
    shard.reload()
    expect(shard.describe()).toMatchObject({ groupState: 'Stable', protocolData: 'range' })
    expect(shard.describe().members[0]?.memberMetadata.toString()).toBe('after')
  })

  it('cause a rebalance when they come back with protocols that change the choice, or between join and sync', () => {
    const shard = new GroupShard()
    shard.stable(1, { instanceId: 'i', version: 5 })
    const changed = shard.join({
      instanceId: 'i',
      version: 5,
      protocols: [
        ['sticky', 's'],
        ['range', 'r'],
      ],
    })
    expect(shard.joinAnswer(changed)).toMatchObject({ generationId: 2, protocolName: 'sticky' })
    const again = shard.join({ instanceId: 'i', version: 5, protocols: [['sticky', 's']] })
    expect(shard.joinAnswer(again).generationId).toBe(3)
  })

  it('fence a parked JoinGroup of their former self', () => {
    const shard = shardWith({})
    const parked = shard.join({ instanceId: 'i', version: 5 })
    const back = shard.join({ instanceId: 'i', version: 5 })
    expect(shard.joinAnswer(parked).errorCode).toBe(Errors.FENCED_INSTANCE_ID)
    shard.advance(10_000)
    expect(shard.joinAnswer(back).errorCode).toBe(Errors.NONE)
    expect(shard.group().members.size).toBe(1)
  })

  it('stay in the group when they miss a rebalance, until their session ends', () => {
    const shard = new GroupShard()
    shard.stable(1, { instanceId: 'i', version: 5, sessionTimeoutMs: 100_000 })
    const fresh = shard.join({ sessionTimeoutMs: 200_000 })
    shard.advance(60_000)
    expect(shard.joinAnswer(fresh)).toMatchObject({ errorCode: 0, generationId: 2 })
    expect(shard.joinAnswer(fresh).members).toHaveLength(2)
  })

  it('are removed by an administrator by instance id alone', () => {
    const shard = new GroupShard()
    shard.stable(1, { instanceId: 'i', version: 5 })
    expect(shard.leave([['', 'nobody']]).members[0]?.errorCode).toBe(Errors.UNKNOWN_MEMBER_ID)
    expect(shard.leave([['wrong-id', 'i']]).members[0]?.errorCode).toBe(Errors.FENCED_INSTANCE_ID)
    expect(shard.leave([['', 'i']]).members[0]?.errorCode).toBe(Errors.NONE)
    expect(shard.group().state).toBe('Empty')
  })
})
