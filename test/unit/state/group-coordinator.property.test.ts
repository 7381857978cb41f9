// Random clients against one group coordinator shard: whatever they do and whenever timers fire, the promises hold.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import type { Group } from '../../../ts/state/group.js'
import { DEFAULT_GROUP_CONFIG } from '../../../ts/state/group-messages.js'
import { GroupShard } from './group-shard.js'

const CLIENTS = 4

/** What a client remembers, as a real one would: its member id, its generation, whether it leads. */
interface Client {
  instanceId: string | null
  memberId: string
  generation: number
  joining: number | null
  syncing: number | null
  /** The generation that it named in the sync that it waits for. */
  claimed: number
  leads: string[] | null
  /** What it would do next of its own accord. */
  next: 'join' | 'sync' | 'heartbeat'
}

type Step =
  | { do: 'proceed'; client: number }
  | { do: 'join'; client: number; version: number; protocols: number }
  | { do: 'sync'; client: number; stale: boolean }
  | { do: 'heartbeat'; client: number }
  | { do: 'leave'; client: number }
  | { do: 'forget'; client: number }
  | { do: 'commit'; client: number; stale: boolean; offset: number }
  | { do: 'advance'; ms: number }
  | { do: 'reload' }

const client = fc.nat({ max: CLIENTS - 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 24, arbitrary: fc.record({ do: fc.constant('proceed' as const), client }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      client,
      version: fc.constantFrom(1, 3, 5, 9),
      protocols: fc.nat({ max: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sync' as const), client, stale: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('heartbeat' as const), client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), client }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('commit' as const),
      client,
      stale: fc.boolean(),
      offset: fc.nat({ max: 1_000 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('advance' as const),
      ms: fc.constantFrom(0, 1, 500, 3_000, 6_000, 30_000),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'reload' as const }) },
)

const PROTOCOLS: [string, string][][] = [
  [['range', 'r']],
  [
    ['range', 'r2'],
    ['sticky', 's'],
  ],
  [
    ['sticky', 's'],
    ['range', 'r'],
  ],
]

/** The members of a group without what only lives in memory. */
function durable(group: Group) {
  const { generationId, leaderId, protocolName, protocolType } = group
  const members = [...group.members.values()].map(
    ({ memberId, groupInstanceId, assignment, sessionTimeoutMs }) => ({
      memberId,
      groupInstanceId,
      assignment: assignment.toString(),
      sessionTimeoutMs,
    }),
  )
  return { generationId, leaderId, protocolName, protocolType, members }
}

class World {
  readonly shard = new GroupShard({
    ...DEFAULT_GROUP_CONFIG,
    groupInitialRebalanceDelayMs: 3_000,
    groupMaxSize: 3,
  })
  readonly clients: Client[] = Array.from({ length: CLIENTS }, (_, index) => ({
    instanceId: index === 0 ? 'static' : null,
    memberId: '',
    generation: -1,
    joining: null,
    syncing: null,
    claimed: -1,
    leads: null,
    next: 'join' as const,
  }))
  readonly leaders = new Map<number, string>()
  expectedOffset = -1

  run(next: Step): void {
    const { shard } = this
    if (next.do === 'advance') shard.advance(next.ms)
    else if (next.do === 'reload') shard.reload()
    else this.#act(next, this.clients[next.client] as Client)
    this.#readAnswers()
    // A generation that was never recorded, or a group that was deleted, gives its numbers out again.
    if (next.do === 'reload' || !shard.state.groups.has('g')) this.leaders.clear()
    this.#check()
  }

  #act(next: Exclude<Step, { do: 'advance' } | { do: 'reload' }>, who: Client): void {
    const { shard } = this
    const { instanceId, memberId, generation } = who
    switch (next.do) {
      case 'proceed':
        if (who.joining !== null || who.syncing !== null) return
        if (who.next === 'join') this.#act({ do: 'join', client: next.client, version: 5, protocols: 0 }, who)
        else if (who.next === 'sync') this.#act({ do: 'sync', client: next.client, stale: false }, who)
        else this.#act({ do: 'heartbeat', client: next.client }, who)
        return
      case 'join': {
        // Only version 5 and newer know static members.
        const version = instanceId === null ? next.version : Math.max(next.version, 5)
        const protocols = PROTOCOLS[next.protocols] ?? []
        who.joining = shard.join({ memberId, instanceId, version, protocols, rebalanceTimeoutMs: 20_000 })
        return
      }
      case 'sync': {
        const assigned = Object.fromEntries((who.leads ?? []).map((id) => [id, `${who.generation}:${id}`]))
        who.claimed = next.stale ? generation - 1 : generation
        who.syncing = shard.sync(memberId, who.claimed, assigned, { instanceId })
        return
      }
      case 'heartbeat':
        if (shard.heartbeat(memberId, generation, { instanceId }) !== Errors.NONE) who.next = 'join'
        return
      case 'leave':
        shard.leave([[memberId]])
        return
      case 'forget':
        who.memberId = ''
        return
      case 'commit': {
        const claimed = next.stale ? generation - 1 : generation
        const group = shard.state.groups.get('g')
        const current = group !== undefined && group.generationId === claimed && group.members.has(memberId)
        const code = shard.commitCode({ memberId, generation: claimed, instanceId }, next.offset)
        if (claimed >= 0 && !current) expect(code, 'a commit of a stale generation').not.toBe(Errors.NONE)
        if (code === Errors.NONE) this.expectedOffset = next.offset
      }
    }
  }

  /** Clients read the answers that have come in for the requests that they still wait for. */
  #readAnswers(): void {
    const { shard } = this
    for (const who of this.clients) {
      if (who.joining !== null && !shard.isParked(who.joining)) {
        const answer = shard.joinAnswer(who.joining)
        who.joining = null
        if (answer.errorCode === Errors.UNKNOWN_MEMBER_ID) who.memberId = ''
        if (answer.errorCode === Errors.NONE || answer.errorCode === Errors.MEMBER_ID_REQUIRED) {
          who.memberId = answer.memberId
        }
        who.next = answer.errorCode === Errors.NONE ? 'sync' : 'join'
        if (answer.errorCode === Errors.NONE) {
          who.generation = answer.generationId
          who.leads = answer.members.length > 0 ? answer.members.map(({ memberId }) => memberId) : null
          if (who.leads !== null) {
            const leader = this.leaders.get(answer.generationId)
            // A static leader that returns is the same member under a new id.
            if (who.instanceId === null) expect(leader ?? answer.memberId, 'one leader').toBe(answer.memberId)
            this.leaders.set(answer.generationId, answer.memberId)
          }
        }
      }
      if (who.syncing !== null && !shard.isParked(who.syncing)) {
        const answer = shard.syncAnswer(who.syncing)
        who.syncing = null
        who.next = answer.errorCode === Errors.NONE ? 'heartbeat' : 'join'
        if (answer.errorCode !== Errors.NONE) continue
        const text = answer.assignment.toString()
        // Leaders name the generation in what they assign.
        if (text !== '') expect(text.split(':')[0], 'assignment of that generation').toBe(String(who.claimed))
      }
    }
  }

  #check(): void {
    const { shard } = this
    const parked = shard.parkedTokens()
    expect(new Set(parked).size, 'a token is parked once').toBe(parked.length)
    const unanswered = [...shard.sent].filter((token) => shard.isParked(token))
    expect(
      [...parked].sort((a, b) => a - b),
      'unanswered is parked',
    ).toEqual(unanswered)
    for (const group of shard.state.groups.values()) {
      if (group.members.size > 0)
        expect(group.members.has(group.leaderId ?? ''), 'the leader is a member').toBe(true)
      for (const [instanceId, memberId] of group.staticMembers) {
        expect(group.members.get(memberId)?.groupInstanceId).toBe(instanceId)
      }
      for (const id of group.pendingSyncMembers)
        expect(group.members.has(id), 'pending sync is a member').toBe(true)
      if (group.state === 'Empty') expect(group.members.size).toBe(0)
      else if (group.state !== 'PreparingRebalance') expect(group.members.size).toBeGreaterThan(0)
      this.#checkTimers(group)
    }
    const stored = shard.state.offsets.get('g')?.get('t')?.get(0)?.offset ?? -1
    expect(stored).toBe(this.expectedOffset)
  }

  /** Nothing may hang for ever: a member, a gathering group and an unsynced generation each have their timer. */
  #checkTimers(group: Group): void {
    const has = (prefix: string) => [...this.shard.timers.keys()].some((key) => key.startsWith(prefix))
    if (group.state === 'PreparingRebalance') expect(has(`join:${group.groupId}`), 'join timer').toBe(true)
    if (group.pendingSyncMembers.size > 0) expect(has(`sync:${group.groupId}`), 'sync timer').toBe(true)
    for (const member of group.members.values()) {
      const waits = member.awaitingJoin !== null || member.awaitingSync !== null
      const timer = has(`heartbeat:${group.groupId.length}:${group.groupId}${member.memberId}`)
      if (!waits) expect(timer, 'session timer').toBe(true)
    }
  }

  /** The log alone tells the same offsets and, where a generation is settled, the same group. */
  checkReplayed(): void {
    const { shard } = this
    const fresh = shard.coordinator.create()
    shard.log.forEach((record, offset) => {
      shard.coordinator.replay(fresh, { record, offset, timestamp: 0 })
    })
    expect(fresh.offsets).toEqual(shard.state.offsets)
    expect([...fresh.groups.keys()].sort()).toEqual([...shard.state.groups.keys()].sort())
    for (const [groupId, group] of shard.state.groups) {
      const replayed = fresh.groups.get(groupId)
      if (replayed === undefined) throw new Error('unreachable: compared above')
      if (group.state === 'Stable' || (group.state === 'Empty' && group.pendingMembers.size === 0)) {
        expect(durable(replayed)).toEqual(durable(group))
      }
    }
  }
}

describe('random clients', () => {
  it('never break a promise of the group coordinator', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120, size: 'max' }), (steps) => {
        const world = new World()
        for (const next of steps) {
          world.run(next)
          world.checkReplayed()
        }
        // Left alone, everything settles: nobody waits for ever.
        world.shard.advance(700_000)
        expect(world.shard.parkedTokens()).toEqual([])
      }),
      { numRuns: 150 },
    )
  })
})
