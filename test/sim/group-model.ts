// A seeded model of the group coordinator: the production shard and coordinator under members that hang, restart, retry
// and are late, on a log that is reloaded at any batch. It holds the coordinator to what groups are promised.
import type { AppendReply, AppendRequest } from '../../ts/native/append.js'
import { Errors } from '../../ts/protocol/index.js'
import type { Logger } from '../../ts/runtime/host.js'
import { Shard, type ShardPlace } from '../../ts/runtime/shard.js'
import { Timers } from '../../ts/runtime/timers.js'
import type { Now } from '../../ts/state/coordinator.js'
import type { Group } from '../../ts/state/group.js'
import { type GroupShardState, groupCoordinator } from '../../ts/state/group-coordinator.js'
import {
  DEFAULT_GROUP_CONFIG,
  type GroupDecision,
  type GroupReply,
  type GroupRequest,
  type GroupSoft,
  type HeartbeatResponse,
  type OffsetCommitResponse,
  type SyncGroupResponse,
  type SyncRequest,
} from '../../ts/state/group-messages.js'
import { decodeGroupRecord, encodeGroupRecord } from '../../ts/state/group-record-codec.js'
import type { GroupRecord } from '../../ts/state/group-records.js'
import {
  GROUP,
  type MemberRequest,
  ModelMember,
  type Network,
  REBALANCE_MS,
  SESSION_MS,
} from './group-model-member.js'
import { History, Violation } from './history.js'
import { Random } from './random.js'

const START_WALL_MS = 1_700_000_000_000
const MEMBERS = 5
/** Members misbehave for so long; then all have the quiet time to agree. */
const UNREST_MS = 240_000
const QUIET_MS = 120_000
/** A refused append of the shard's own is tried again within moments. */
const SLACK_MS = 2_500
/** Joining and then syncing may each take a rebalance timeout; nothing may wait for longer. */
const PATIENCE_MS = 2 * REBALANCE_MS + 5_000

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }
type GroupShard = Shard<GroupShardState, GroupRequest, GroupRecord, GroupSoft, GroupReply>

interface Batch {
  readonly timestamp: number
  readonly records: readonly { key: Buffer; value: Buffer | null }[]
  /** The commit that this batch made durable, by its token. */
  readonly commit: { readonly to: number; readonly offset: number } | null
}

interface Caller {
  readonly request: MemberRequest
  readonly since: number
  readonly answer: (reply: GroupReply) => void
}

export interface ModelResult {
  readonly digest: string
  readonly generations: number
  readonly commits: number
  readonly reloads: number
}

/** Runs one world to its end. A broken promise throws with the seed and the last lines of the history. */
export function runGroupModel(seed: number, print: ((line: string) => void) | null = null): ModelResult {
  const model = new GroupModel(seed, new History(print))
  try {
    return model.run()
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
    throw new Violation(`group model, seed ${seed}: ${reason}\n${model.history.tail()}`)
  }
}

interface Claim {
  readonly memberId: string
  readonly generationId: number
  readonly groupInstanceId: string | null
}

/** Whether this answers an OffsetCommit of one partition with success. */
function committed(reply: GroupReply): boolean {
  const { topics } = reply as OffsetCommitResponse
  return topics[0]?.partitions[0]?.errorCode === Errors.NONE
}

class GroupModel implements Network {
  readonly random: Random
  readonly calm: number
  private readonly timers = new Timers()
  private readonly members: ModelMember[]
  private readonly inner = groupCoordinator(DEFAULT_GROUP_CONFIG)
  private readonly callers = new Map<number, Caller>()
  /** Epoch and generation → who leads it. */
  private readonly leaders = new Map<string, string>()
  /** Member id → when it was last heard or answered, as far as this shard can know. */
  private readonly touched = new Map<string, number>()
  /** The newest generation, and since when. */
  private current = { key: '', since: 0 }
  private batches: Batch[] = []
  private highWatermark = 0
  private leaderEpoch = 0
  private shard: GroupShard
  private decided: Batch['commit'] = null
  private now = 0
  private steps = 0
  private tokens = 0
  private commits = 0

  constructor(
    seed: number,
    readonly history: History,
  ) {
    this.random = new Random(seed)
    this.calm = this.random.pick([88, 96, 99])
    this.shard = this.open()
    this.members = Array.from({ length: MEMBERS }, (_, index) => {
      return new ModelMember(`m${index}`, index < 2 ? `static-${index}` : null, this)
    })
  }

  get unrest(): boolean {
    return this.now < UNREST_MS
  }

  run(): ModelResult {
    for (const member of this.members) this.after(this.random.below(5_000), () => member.begin())
    this.after(this.random.below(20_000), () => this.reloadNowAndThen())
    for (
      let at = this.timers.nextAt();
      at !== null && at <= UNREST_MS + QUIET_MS;
      at = this.timers.nextAt()
    ) {
      this.now = Math.max(this.now, at)
      this.steps += 1
      this.history.begin(this.steps, this.now)
      this.timers.runDue(this.now)
      this.checkStep()
    }
    this.checkEnd()
    const { leaders, commits, leaderEpoch } = this
    return { digest: this.history.digest(), generations: leaders.size, commits, reloads: leaderEpoch }
  }

  after(ms: number, act: () => void): void {
    this.timers.set(this.now + ms, act)
  }

  note(text: string): void {
    this.history.note(text)
  }

  /** Delivers the request, in unrest late or twice, and its answer likewise, or never. */
  send(make: (to: number) => MemberRequest, answer: (reply: GroupReply) => void): void {
    const copies = this.unrest && this.random.chance(0.06) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const delay = copy === 0 ? this.delay() : this.random.below(40_000)
      this.after(delay, () => this.deliver(make, answer))
    }
  }

  private deliver(make: (to: number) => MemberRequest, answer: (reply: GroupReply) => void): void {
    const to = ++this.tokens
    const request = make(to)
    this.note(`> ${to} ${request.kind}`)
    this.callers.set(to, { request, since: this.now, answer })
    if ('memberId' in request.body) this.touch(request.body.memberId)
    this.shard.submit(request, to)
  }

  private answer(to: number, reply: GroupReply): void {
    const caller = this.callers.get(to)
    if (caller === undefined) throw new Violation(`token ${to} was answered twice`)
    this.callers.delete(to)
    this.history.bytes(`answer ${to}`, Buffer.from(JSON.stringify(reply)))
    const written = this.batches.findIndex(({ commit }) => commit?.to === to)
    if (written >= this.highWatermark && committed(reply))
      throw new Violation(`commit ${to} was acked before it was safe`)
    if ('memberId' in reply) this.touch(reply.memberId)
    else if ('memberId' in caller.request.body) this.touch(caller.request.body.memberId)
    // Answers that nobody waits for any more are held to it too.
    if (caller.request.kind === 'sync-group') this.checkAssignment(caller.request, reply as SyncGroupResponse)
    if (this.unrest && this.random.chance(0.04)) this.note(`< ${to} is lost`)
    else this.after(this.delay(), () => caller.answer(reply))
  }

  /** The leader writes into each assignment the generation and for whom it is: so a stale one shows. */
  private checkAssignment({ body }: SyncRequest, { errorCode, assignment }: SyncGroupResponse): void {
    if (errorCode !== Errors.NONE) return
    const text = assignment.toString()
    // A generation that was not safe is given out again after a move: a late leader may not know who is in it now.
    if (text === '' && this.leaderEpoch > 0) return
    const own = `${body.generationId}:${body.groupInstanceId ?? body.memberId}`
    if (text !== own) throw new Violation(`"${text}" was assigned to ${own}`)
  }

  private touch(memberId: string): void {
    this.touched.set(memberId, this.now)
  }

  private delay(): number {
    return this.unrest && this.random.chance(0.05) ? this.random.below(15_000) : this.random.below(20)
  }

  private open(): GroupShard {
    const place = { name: 'groups', topicId: 't', partition: 0, leaderEpoch: this.leaderEpoch }
    const coordinator = {
      ...this.inner,
      decide: (state: GroupShardState, request: GroupRequest, now: Now) => this.decide(state, request, now),
    }
    const codec = { encode: encodeGroupRecord, decode: decodeGroupRecord }
    const shard: GroupShard = new Shard(place, coordinator, codec, {
      now: () => ({ monotonicMs: this.now, wallMs: START_WALL_MS + this.now }),
      append: (request) => this.append(request),
      load: (asked) => this.load(asked, shard),
      answer: (to, reply) => this.answer(to, reply),
      timers: this.timers,
      log: silent,
    })
    shard.start()
    return shard
  }

  /** Each decision as it is made: who may beat, sync and commit is judged against the state it was decided on. */
  private decide(state: GroupShardState, request: GroupRequest, now: Now): GroupDecision {
    const decision = this.inner.decide(state, request, now)
    const reply = decision.replies.find(({ to }) => 'to' in request && to === request.to)?.response
    if (reply === undefined) return decision
    if (request.kind === 'offset-commit') {
      if (!committed(reply)) return decision
      const { generationIdOrMemberEpoch, topics } = request.body
      this.checkCurrent(state, { ...request.body, generationId: generationIdOrMemberEpoch }, 'commit')
      const offset = topics[0]?.partitions[0]?.committedOffset ?? -1
      this.decided = { to: request.to, offset }
    } else if (request.kind === 'heartbeat' || request.kind === 'sync-group') {
      const { errorCode } = reply as HeartbeatResponse
      const { memberId, groupInstanceId } = request.body
      const newest = state.groups.get(GROUP)?.staticMembers.get(groupInstanceId ?? '') ?? memberId
      if (newest !== memberId && errorCode !== Errors.FENCED_INSTANCE_ID)
        throw new Violation(`${memberId} is told ${errorCode} though ${newest} has taken its place`)
      if (errorCode === Errors.NONE) this.checkCurrent(state, request.body, request.kind)
    }
    return decision
  }

  /** Only a member of the generation, and of several processes with one instance id only the newest, is told NONE. */
  private checkCurrent(state: GroupShardState, who: Claim, what: string): void {
    const group = state.groups.get(GROUP)
    const newest = who.groupInstanceId === null ? who.memberId : group?.staticMembers.get(who.groupInstanceId)
    const inside = group?.members.has(who.memberId) === true && newest === who.memberId
    if (group?.generationId !== who.generationId || !inside)
      throw new Violation(`a stale ${what} of ${who.memberId} was accepted`)
  }

  private append({ timestamp, leaderEpoch, records }: AppendRequest): AppendReply {
    const commit = this.decided
    this.decided = null
    const refused = (errorCode: number) => ({ errorCode, baseOffset: -1, endOffset: -1, highWatermark: -1 })
    if (leaderEpoch !== this.leaderEpoch) return refused(Errors.FENCED_LEADER_EPOCH)
    if (this.unrest && this.random.chance(0.02)) return refused(Errors.NOT_ENOUGH_REPLICAS)
    const baseOffset = this.endOffset(this.batches.length)
    const kept = records.map(({ key, value }) => ({ key: Buffer.from(key ?? ''), value: value ?? null }))
    this.batches.push({ timestamp, records: kept, commit })
    if (commit !== null) this.commits += 1
    const end = this.batches.length
    const advance = (): void => {
      if (leaderEpoch !== this.leaderEpoch || end <= this.highWatermark) return
      this.highWatermark = end
      this.shard.onCommitted(this.endOffset(end))
    }
    if (this.random.chance(0.5)) this.highWatermark = end
    else this.after(this.random.below(200), advance)
    return {
      errorCode: Errors.NONE,
      baseOffset,
      endOffset: this.endOffset(end),
      highWatermark: this.endOffset(this.highWatermark),
    }
  }

  /** The log end offset after so many batches. */
  private endOffset(batches: number): number {
    return this.batches.slice(0, batches).reduce((sum, { records }) => sum + records.length, 0)
  }

  private load({ leaderEpoch }: ShardPlace, shard: GroupShard): void {
    const records = this.batches.flatMap((batch) =>
      batch.records.map((record) => ({ ...record, timestamp: batch.timestamp })),
    )
    const fails = this.unrest && this.random.chance(0.1)
    const middle = this.random.below(records.length + 1)
    let wait = 0
    for (const [first, end] of [
      [0, middle],
      [middle, records.length],
    ] as const) {
      wait += this.random.below(400)
      const done = end === records.length && first === middle
      const chunk = {
        kind: 'loaded-chunk' as const,
        topicId: 't',
        partition: 0,
        leaderEpoch,
        nextOffset: end,
        done,
        errorCode: done && fails ? Errors.KAFKA_STORAGE_ERROR : Errors.NONE,
        records: records.slice(first, end).map((record, index) => ({ offset: first + index, ...record })),
      }
      this.after(wait, () => shard.onChunk(chunk))
    }
  }

  /** The coordinator moves: what was not safe may be gone, from any batch on. */
  private reloadNowAndThen(): void {
    if (!this.unrest) return
    this.after(this.random.between(2_000, 40_000), () => this.reloadNowAndThen())
    const end = this.random.between(this.highWatermark, this.batches.length)
    this.note(`reload at batch ${end} of ${this.batches.length}`)
    this.leaderEpoch += 1
    this.shard.close()
    this.touched.clear()
    this.batches = this.batches.slice(0, end)
    this.highWatermark = end
    this.shard = this.open()
  }

  private checkStep(): void {
    for (const [to, { since }] of this.callers) {
      if (this.now - since > PATIENCE_MS) throw new Violation(`token ${to} waits since ${since}`)
    }
    const state = this.shard.peek()
    if (state === null) return
    const expected = this.batches.findLast(({ commit }) => commit !== null)?.commit?.offset
    const stored = state.offsets.get(GROUP)?.get('t')?.get(0)?.offset
    if (stored !== expected) throw new Violation(`the offset is ${stored}, committed was ${expected}`)
    const group = state.groups.get(GROUP)
    if (group === undefined) return
    this.checkLeader(group)
    this.checkSilence(group)
  }

  /** Who is silent for longer than its session is out, and so is who does not sync within the rebalance timeout. */
  private checkSilence({ members, pendingSyncMembers, generationId }: Group): void {
    const key = `${this.leaderEpoch}:${generationId}`
    // A new generation gives everybody a new session, those as well that have not come to join it.
    if (key !== this.current.key) {
      this.current = { key, since: this.now }
      this.touched.clear()
    }
    for (const { memberId, awaitingJoin, awaitingSync } of members.values()) {
      const since = this.touched.get(memberId)
      if (since === undefined || awaitingJoin !== null || awaitingSync !== null) this.touch(memberId)
      else if (this.now - since > SESSION_MS + SLACK_MS)
        throw new Violation(`${memberId} is silent since ${since}`)
    }
    if (pendingSyncMembers.size > 0 && this.now - this.current.since > REBALANCE_MS + SLACK_MS)
      throw new Violation(`generation ${key} waits for syncs since ${this.current.since}`)
  }

  /** One leader for each generation; a static one keeps its place when it returns under another member id. */
  private checkLeader({ members, leaderId, generationId, state }: Group): void {
    if (members.size === 0) return
    const leader = members.get(leaderId ?? '')
    if (leader === undefined) throw new Violation('the leader is not a member')
    if (state === 'PreparingRebalance') return
    const key = `${this.leaderEpoch}:${generationId}`
    const who = leader.groupInstanceId ?? leader.memberId
    const first = this.leaders.get(key) ?? who
    if (first !== who) throw new Violation(`generation ${key} is led by ${first} and by ${who}`)
    this.leaders.set(key, who)
  }

  private checkEnd(): void {
    const group = this.shard.peek()?.groups.get(GROUP)
    if (group?.state !== 'Stable') throw new Violation(`the group is ${group?.state} in the end`)
    for (const member of this.members) {
      if (!member.isStableIn(group)) throw new Violation(`${member.name} is not in the last generation`)
    }
    if (group.members.size !== MEMBERS) throw new Violation(`there are ${group.members.size} members`)
  }
}
