// One member of the seeded model of the group coordinator, as a client library would behave: it joins, syncs, beats and
// commits, waits for one answer at a time and gives up on lost ones; in times of unrest it hangs, restarts or leaves.
import { Errors } from '../../ts/protocol/index.js'
import type { Group } from '../../ts/state/group.js'
import type {
  GroupReply,
  GroupRequest,
  HeartbeatResponse,
  JoinGroupResponse,
  LeaveGroupResponse,
  OffsetCommitResponse,
  SyncGroupResponse,
} from '../../ts/state/group-messages.js'
import { Violation } from './history.js'
import type { Random } from './random.js'

export const GROUP = 'g'
export const SESSION_MS = 10_000
export const REBALANCE_MS = 20_000
const HEARTBEAT_MS = 3_000
/** A request without an answer for so long is given up. */
const REQUEST_TIMEOUT_MS = REBALANCE_MS + 5_000
const ZERO_ID = 'AAAAAAAAAAAAAAAAAAAAAA'

export interface Network {
  readonly random: Random
  /** Whether members misbehave now. */
  readonly unrest: boolean
  /** How many of a hundred turns go without trouble even then. */
  readonly calm: number
  after(ms: number, act: () => void): void
  send(make: (to: number) => MemberRequest, answer: (reply: GroupReply) => void): void
  note(text: string): void
}

/** What members send. */
export type MemberRequest = Extract<GroupRequest, { readonly to: number }>
type Phase = 'join' | 'sync' | 'stable'

export class ModelMember {
  private memberId = ''
  private generation = -1
  private phase: Phase = 'join'
  /** Counts up with every request: an answer to an older one comes too late. */
  private turn = 0
  private dawdle = 0
  private leads: { memberId: string; who: string }[] = []

  constructor(
    readonly name: string,
    private readonly instanceId: string | null,
    private readonly network: Network,
  ) {}

  isStableIn(group: Group): boolean {
    const inside = group.members.get(this.memberId)
    return this.phase === 'stable' && inside !== undefined && this.generation === group.generationId
  }

  /** The next thing that it does of its own accord. */
  begin(): void {
    const { random, unrest, calm } = this.network
    const trouble = (100 - calm) / 3
    const mood = unrest
      ? random.weighted({ work: calm, hang: trouble, restart: trouble, leave: trouble })
      : ('work' as const)
    if (mood === 'hang') this.pause(random.between(SESSION_MS / 2, 4 * SESSION_MS))
    else if (mood === 'restart') this.restart()
    else if (mood === 'leave') this.leave()
    else if (this.phase === 'join') this.join()
    else if (this.phase === 'sync') this.syncOrDawdle()
    else if (random.chance(0.5)) this.commit()
    else this.beat()
  }

  private pause(ms: number): void {
    const turn = ++this.turn
    this.network.after(ms, () => {
      if (turn === this.turn) this.begin()
    })
  }

  /** The process is a new one: a static member keeps its instance id, and nothing else is remembered. */
  private restart(): void {
    this.network.note(`${this.name} restarts`)
    this.forget()
    this.pause(this.network.random.below(SESSION_MS))
  }

  private forget(): void {
    this.memberId = ''
    this.generation = -1
    this.phase = 'join'
  }

  /** Sends and takes the one answer that comes in time. */
  private ask(make: (to: number) => MemberRequest, answer: (reply: GroupReply) => void): void {
    const turn = ++this.turn
    this.network.send(make, (reply) => {
      if (turn !== this.turn) return
      this.turn += 1
      answer(reply)
    })
    this.network.after(REQUEST_TIMEOUT_MS, () => {
      if (turn === this.turn) this.begin()
    })
  }

  private get who(): { memberId: string; groupInstanceId: string | null } {
    return { memberId: this.memberId, groupInstanceId: this.instanceId }
  }

  private join(): void {
    const { random } = this.network
    const apiVersion = this.instanceId === null ? random.pick([3, 5, 9]) : random.pick([5, 9])
    const freshUuids = [random.uuid(), random.uuid()]
    const body = {
      groupId: GROUP,
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      ...this.who,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.from(this.name) }],
      reason: null,
    }
    this.ask(
      (to) => ({
        kind: 'join-group',
        to,
        apiVersion,
        clientId: this.name,
        clientHost: '/127.0.0.1',
        freshUuid: freshUuids.pop() ?? `${to}`,
        body,
      }),
      (reply) => this.joined(reply as JoinGroupResponse),
    )
  }

  private joined({ errorCode, memberId, generationId, members }: JoinGroupResponse): void {
    if (errorCode === Errors.MEMBER_ID_REQUIRED) this.memberId = memberId
    if (errorCode !== Errors.NONE) {
      this.recover(errorCode)
      return
    }
    this.memberId = memberId
    this.generation = generationId
    this.phase = 'sync'
    this.leads = members.map((member) => ({
      memberId: member.memberId,
      who: member.groupInstanceId ?? member.memberId,
    }))
    this.begin()
  }

  /** Now and then a member only beats where the others wait for its SyncGroup. */
  private syncOrDawdle(): void {
    if (this.network.unrest && this.network.random.chance(0.05)) this.dawdle = 10
    if (this.dawdle > 0) {
      this.dawdle -= 1
      this.beat()
    } else this.sync()
  }

  private sync(): void {
    const { generation, leads, who } = this
    const assignments = leads.map((led) => ({
      memberId: led.memberId,
      assignment: Buffer.from(`${generation}:${led.who}`),
    }))
    const body = {
      groupId: GROUP,
      generationId: generation,
      ...who,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments,
    }
    this.ask(
      (to) => ({ kind: 'sync-group', to, apiVersion: 5, body }),
      (reply) => {
        const { errorCode } = reply as SyncGroupResponse
        if (errorCode !== Errors.NONE) {
          this.recover(errorCode)
          return
        }
        this.phase = 'stable'
        this.pause(HEARTBEAT_MS)
      },
    )
  }

  private beat(): void {
    const body = { groupId: GROUP, generationId: this.generation, ...this.who }
    this.ask(
      (to) => ({ kind: 'heartbeat', to, apiVersion: 4, body }),
      (reply) => this.settled((reply as HeartbeatResponse).errorCode),
    )
  }

  private commit(): void {
    const { random } = this.network
    const partition = {
      partitionIndex: 0,
      committedOffset: random.below(1_000_000),
      committedLeaderEpoch: -1,
      commitTimestamp: -1,
      committedMetadata: this.name,
    }
    const body = {
      groupId: GROUP,
      generationIdOrMemberEpoch: this.generation,
      ...this.who,
      retentionTimeMs: -1,
      topics: [{ name: 't', topicId: ZERO_ID, partitions: [partition] }],
    }
    this.ask(
      (to) => ({ kind: 'offset-commit', to, apiVersion: 8, body }),
      (reply) => {
        const code = (reply as OffsetCommitResponse).topics[0]?.partitions[0]?.errorCode
        this.settled(code ?? Errors.UNKNOWN_SERVER_ERROR)
      },
    )
  }

  private leave(): void {
    const { random } = this.network
    const body = { groupId: GROUP, memberId: this.memberId, members: [{ ...this.who, reason: null }] }
    this.forget()
    this.ask(
      (to) => ({ kind: 'leave-group', to, apiVersion: 5, body }),
      (reply) => {
        this.network.note(`${this.name} left with ${(reply as LeaveGroupResponse).errorCode}`)
        this.pause(random.below(SESSION_MS))
      },
    )
  }

  private settled(errorCode: number): void {
    if (errorCode === Errors.NONE) this.pause(HEARTBEAT_MS)
    else this.recover(errorCode)
  }

  private recover(errorCode: number): void {
    switch (errorCode) {
      case Errors.UNKNOWN_MEMBER_ID:
      case Errors.FENCED_INSTANCE_ID:
        this.forget()
        break
      case Errors.ILLEGAL_GENERATION:
      case Errors.REBALANCE_IN_PROGRESS:
      case Errors.MEMBER_ID_REQUIRED:
        this.phase = 'join'
        break
      case Errors.NOT_COORDINATOR:
      case Errors.COORDINATOR_LOAD_IN_PROGRESS:
      case Errors.COORDINATOR_NOT_AVAILABLE:
      case Errors.REQUEST_TIMED_OUT:
        break
      default:
        throw new Violation(`${this.name} was told ${errorCode} in phase ${this.phase}`)
    }
    this.pause(this.network.random.between(50, 300))
  }
}
