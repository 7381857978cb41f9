// A group coordinator shard in memory for the tests: appends, replays, keeps timers and answers, moves its own clock.
// It checks on the way what holds for every decision: a token is answered at most once and the state only by replay.
import { expect } from 'vitest'
import { ZERO_UUID } from '../../../ts/protocol/index.js'
import { applyDecision } from '../../../ts/state/coordinator.js'
import type { Group } from '../../../ts/state/group.js'
import { groupCoordinator } from '../../../ts/state/group-coordinator.js'
import type {
  DeletedGroup,
  DescribedGroup,
  GroupConfig,
  GroupDecision,
  GroupReply,
  GroupRequest,
  HeartbeatResponse,
  JoinGroupResponse,
  LeaveGroupResponse,
  ListGroupsResponse,
  OffsetCommitResponse,
  OffsetDeleteResponse,
  OffsetFetchGroupResponse,
  SyncGroupResponse,
} from '../../../ts/state/group-messages.js'
import { DEFAULT_GROUP_CONFIG } from '../../../ts/state/group-messages.js'
import { decodeGroupRecord, encodeGroupRecord } from '../../../ts/state/group-record-codec.js'
import type { GroupRecord } from '../../../ts/state/group-records.js'

/** What a JoinGroup may say; what is left out is an ordinary consumer's. */
export interface JoinOptions {
  memberId?: string
  instanceId?: string | null
  version?: number
  clientId?: string
  protocolType?: string
  protocols?: [name: string, metadata: string][]
  sessionTimeoutMs?: number
  rebalanceTimeoutMs?: number
  group?: string
}

/** What a request that names a member may say. */
export interface MemberOptions {
  instanceId?: string | null
  version?: number
  group?: string
}

export const START_WALL_MS = 1_700_000_000_000

export class GroupShard {
  readonly coordinator
  state
  monotonicMs = 0
  readonly log: GroupRecord[] = []
  readonly timers = new Map<string, number>()
  readonly answers = new Map<number, GroupReply>()
  readonly sent = new Set<number>()
  #nextToken = 1
  #freshUuids = 0

  constructor(readonly config: GroupConfig = { ...DEFAULT_GROUP_CONFIG, groupInitialRebalanceDelayMs: 0 }) {
    this.coordinator = groupCoordinator(config)
    this.state = this.coordinator.create()
  }

  get now() {
    return { monotonicMs: this.monotonicMs, wallMs: START_WALL_MS + this.monotonicMs }
  }

  /** Applies a decision as the runtime does, through the bytes of the log. */
  apply(decision: GroupDecision): void {
    const base = this.log.length
    const records = decision.records.map((record) => {
      const { key, value } = encodeGroupRecord(record)
      const decoded = decodeGroupRecord(key, value)
      if (decoded === null) throw new Error('wrote a record that it cannot read')
      return decoded
    })
    applyDecision(this.coordinator, this.state, { ...decision, records }, base, this.now.wallMs)
    this.log.push(...records)
    for (const { key, at } of decision.timers) {
      if (at === null) this.timers.delete(key)
      else this.timers.set(key, at)
    }
    for (const { to, response } of decision.replies) {
      expect(this.answers.has(to), `token ${to} is answered once`).toBe(false)
      expect(this.sent.has(to), `token ${to} was sent`).toBe(true)
      this.answers.set(to, response)
    }
  }

  send(request: GroupRequest): void {
    if ('to' in request) this.sent.add(request.to)
    this.apply(this.coordinator.decide(this.state, request, this.now))
  }

  /** Moves the clock, firing timers in the order of their deadlines. */
  advance(ms: number): void {
    const end = this.monotonicMs + ms
    for (;;) {
      const due = [...this.timers].filter(([, at]) => at <= end).sort((a, b) => a[1] - b[1])[0]
      if (due === undefined) break
      const [key, at] = due
      this.timers.delete(key)
      this.monotonicMs = Math.max(this.monotonicMs, at)
      this.apply(this.coordinator.expired(this.state, key, this.now))
    }
    this.monotonicMs = end
  }

  /** The broker goes away and comes back: the log alone remains. Tokens that were parked get their last answer. */
  reload(): void {
    this.apply({ ...this.coordinator.unloaded(this.state), soft: [] })
    this.timers.clear()
    this.state = this.coordinator.create()
    this.log.forEach((record, offset) => {
      this.coordinator.replay(this.state, { record, offset, timestamp: this.now.wallMs })
    })
    this.apply(this.coordinator.loaded(this.state, this.now))
  }

  token(): number {
    return this.#nextToken++
  }

  join(options: JoinOptions = {}): number {
    const to = this.token()
    const { protocols = [['range', 'topics']] } = options
    this.send({
      kind: 'join-group',
      to,
      apiVersion: options.version ?? 3,
      clientId: options.clientId ?? 'client',
      clientHost: '/127.0.0.1',
      freshUuid: `uuid-${++this.#freshUuids}`,
      body: {
        groupId: options.group ?? 'g',
        sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
        rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
        memberId: options.memberId ?? '',
        groupInstanceId: options.instanceId ?? null,
        protocolType: options.protocolType ?? 'consumer',
        protocols: protocols.map(([name, metadata]) => ({ name, metadata: Buffer.from(metadata) })),
        reason: null,
      },
    })
    return to
  }

  sync(
    memberId: string,
    generationId: number,
    assignments: Record<string, string> = {},
    options: MemberOptions & { protocolType?: string | null; protocolName?: string | null } = {},
  ): number {
    const to = this.token()
    this.send({
      kind: 'sync-group',
      to,
      apiVersion: options.version ?? 3,
      body: {
        groupId: options.group ?? 'g',
        generationId,
        memberId,
        groupInstanceId: options.instanceId ?? null,
        protocolType: options.protocolType ?? null,
        protocolName: options.protocolName ?? null,
        assignments: Object.entries(assignments).map(([id, text]) => ({
          memberId: id,
          assignment: Buffer.from(text),
        })),
      },
    })
    return to
  }

  heartbeat(memberId: string, generationId: number, options: MemberOptions = {}): number {
    const to = this.token()
    this.send({
      kind: 'heartbeat',
      to,
      apiVersion: 4,
      body: {
        groupId: options.group ?? 'g',
        generationId,
        memberId,
        groupInstanceId: options.instanceId ?? null,
      },
    })
    return this.heartbeatAnswer(to).errorCode
  }

  leave(members: [memberId: string, instanceId?: string][], version = 3, group = 'g'): LeaveGroupResponse {
    const to = this.token()
    this.send({
      kind: 'leave-group',
      to,
      apiVersion: version,
      body: {
        groupId: group,
        memberId: members[0]?.[0] ?? '',
        members: members.map(([memberId, instanceId]) => ({
          memberId,
          groupInstanceId: instanceId ?? null,
          reason: null,
        })),
      },
    })
    return this.#answer(to) as LeaveGroupResponse
  }

  commit(
    offsets: {
      topic?: string
      topicId?: string
      partition?: number
      offset: number
      metadata?: string | null
      leaderEpoch?: number
    }[],
    options: MemberOptions & { memberId?: string; generation?: number; retentionTimeMs?: number } = {},
  ): OffsetCommitResponse {
    const to = this.token()
    this.send({
      kind: 'offset-commit',
      to,
      apiVersion: options.version ?? 8,
      body: {
        groupId: options.group ?? 'g',
        generationIdOrMemberEpoch: options.generation ?? -1,
        memberId: options.memberId ?? '',
        groupInstanceId: options.instanceId ?? null,
        retentionTimeMs: options.retentionTimeMs ?? -1,
        topics: offsets.map(
          ({ topic = 't', topicId = ZERO_UUID, partition = 0, offset, metadata, leaderEpoch }) => ({
            name: topic,
            topicId,
            partitions: [
              {
                partitionIndex: partition,
                committedOffset: offset,
                committedLeaderEpoch: leaderEpoch ?? -1,
                commitTimestamp: -1,
                committedMetadata: metadata === undefined ? '' : metadata,
              },
            ],
          }),
        ),
      },
    })
    return this.#answer(to) as OffsetCommitResponse
  }

  /** The error code of a commit of one partition. */
  commitCode(options: Parameters<GroupShard['commit']>[1] = {}, offset = 1): number | undefined {
    return this.commit([{ offset }], options).topics[0]?.partitions[0]?.errorCode
  }

  fetch(
    topics: { name: string; topicId?: string; partitionIndexes: number[] }[] | null,
    group = 'g',
  ): OffsetFetchGroupResponse {
    const to = this.token()
    const body = {
      groupId: group,
      topics: topics?.map((topic) => ({ topicId: ZERO_UUID, ...topic })) ?? null,
    }
    this.send({ kind: 'offset-fetch', to, apiVersion: 8, body })
    return this.#answer(to) as OffsetFetchGroupResponse
  }

  list(statesFilter: string[] = [], typesFilter: string[] = []): ListGroupsResponse['groups'] {
    const to = this.token()
    this.send({ kind: 'list-groups', to, apiVersion: 5, body: { statesFilter, typesFilter } })
    return (this.#answer(to) as ListGroupsResponse).groups
  }

  describe(version = 6, groupId = 'g'): DescribedGroup {
    const to = this.token()
    this.send({ kind: 'describe-group', to, apiVersion: version, body: { groupId } })
    return this.#answer(to) as DescribedGroup
  }

  /** The error code of the deletion. */
  delete(groupId = 'g'): number {
    const to = this.token()
    this.send({ kind: 'delete-group', to, apiVersion: 2, body: { groupId } })
    return (this.#answer(to) as DeletedGroup).errorCode
  }

  deleteOffsets(topics: Record<string, number[]>, groupId = 'g'): OffsetDeleteResponse {
    const to = this.token()
    const asked = Object.entries(topics).map(([name, partitions]) => ({
      name,
      partitions: partitions.map((partitionIndex) => ({ partitionIndex })),
    }))
    this.send({ kind: 'offset-delete', to, apiVersion: 0, body: { groupId, topics: asked } })
    return this.#answer(to) as OffsetDeleteResponse
  }

  group(groupId = 'g'): Group {
    const group = this.state.groups.get(groupId)
    if (group === undefined) throw new Error(`no group ${groupId}`)
    return group
  }

  isParked(to: number): boolean {
    return !this.answers.has(to)
  }

  joinAnswer(to: number): JoinGroupResponse {
    return this.#answer(to) as JoinGroupResponse
  }

  syncAnswer(to: number): SyncGroupResponse {
    return this.#answer(to) as SyncGroupResponse
  }

  heartbeatAnswer(to: number): HeartbeatResponse {
    return this.#answer(to) as HeartbeatResponse
  }

  /** Every token that a member of some group holds. */
  parkedTokens(): number[] {
    return [...this.state.groups.values()].flatMap((group) =>
      [...group.members.values()].flatMap(({ awaitingJoin, awaitingSync }) =>
        [awaitingJoin, awaitingSync].flatMap((parked) => (parked === null ? [] : [parked.to])),
      ),
    )
  }

  /** A Stable group of `count` members named by their ids, each with the assignment `a<index>`. */
  stable(count: number, options: JoinOptions = {}): { memberIds: string[]; generation: number } {
    const first = this.join(options)
    this.advance(this.config.groupInitialRebalanceDelayMs)
    const memberIds = [this.joinAnswer(first).memberId]
    let tokens = [first]
    while (memberIds.length < count) {
      const next = this.join(options)
      tokens = memberIds.map((memberId) => this.join({ ...options, memberId }))
      memberIds.push(this.joinAnswer(next).memberId)
      tokens.push(next)
    }
    const { generationId, leader } = this.joinAnswer(tokens[0] ?? first)
    const assignments = Object.fromEntries(memberIds.map((id, index) => [id, `a${index}`]))
    const group = options.group === undefined ? {} : { group: options.group }
    for (const id of memberIds) if (id !== leader) this.sync(id, generationId, {}, group)
    this.sync(leader, generationId, assignments, group)
    expect(this.group(options.group).state).toBe('Stable')
    return { memberIds, generation: generationId }
  }

  #answer(to: number): GroupReply {
    const answer = this.answers.get(to)
    if (answer === undefined) throw new Error(`token ${to} is not answered`)
    return answer
  }
}
