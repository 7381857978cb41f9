// One decision in the making for one group: a working copy, and the records, answers and timers gathered so far.
// Owns how members are answered and timed; which moves are made is decided in group-join, -sync, -leave, -rebalance.

import { Errors } from '../protocol/index.js'
import type { Now, TimerChange } from './coordinator.js'
import type { Group, GroupMember, Parked } from './group.js'
import { EMPTY_BYTES, NO_LEADER, NO_MEMBER_ID } from './group.js'
import { GroupDraft } from './group-draft.js'
import type {
  GroupConfig,
  GroupDecision,
  GroupReply,
  JoinGroupResponse,
  SyncGroupResponse,
} from './group-messages.js'
import type { GroupRecord } from './group-records.js'
import { heartbeatTimer, joinTimer, syncTimer } from './group-timers.js'

export class GroupTurn {
  readonly group: GroupDraft
  readonly records: GroupRecord[] = []
  readonly #replies: { to: number; response: GroupReply }[] = []
  readonly #timers = new Map<string, number | null>()

  constructor(
    group: Group,
    readonly config: GroupConfig,
    readonly now: Now,
  ) {
    this.group = new GroupDraft(group)
  }

  /** Ends the turn: the decision that swaps the new value in. */
  finish(): GroupDecision {
    const timers: TimerChange[] = [...this.#timers].map(([key, at]) => ({ key, at }))
    return { records: this.records, soft: [{ group: this.group.freeze() }], replies: this.#replies, timers }
  }

  reply(to: number, response: GroupReply): void {
    this.#replies.push({ to, response })
  }

  /** The member's session (or another span) starts anew. */
  scheduleHeartbeat(memberId: string, timeoutMs: number): void {
    this.#timers.set(heartbeatTimer(this.group.groupId, memberId), this.now.monotonicMs + timeoutMs)
  }

  cancelHeartbeat(memberId: string): void {
    this.#timers.set(heartbeatTimer(this.group.groupId, memberId), null)
  }

  scheduleJoin(timeoutMs: number): void {
    this.#timers.set(joinTimer(this.group.groupId), this.now.monotonicMs + timeoutMs)
  }

  cancelJoin(): void {
    this.#timers.set(joinTimer(this.group.groupId), null)
  }

  scheduleSync(timeoutMs: number): void {
    this.#timers.set(syncTimer(this.group.groupId), this.now.monotonicMs + timeoutMs)
  }

  cancelSync(): void {
    this.#timers.set(syncTimer(this.group.groupId), null)
  }

  /**
   * Answers the member's parked JoinGroup, if there is one. Kafka forgets a parked request that a newer one of the
   * same member replaces; here it is answered too, so that no connection waits for ever.
   */
  completeJoin(member: GroupMember, answer: (parked: Parked) => JoinGroupResponse): GroupMember {
    if (member.awaitingJoin === null) return member
    this.reply(member.awaitingJoin.to, answer(member.awaitingJoin))
    const answered = { ...member, awaitingJoin: null }
    if (this.group.members.has(member.memberId)) this.group.put(answered)
    return answered
  }

  /** Answers the member's parked SyncGroup, if there is one. */
  completeSync(member: GroupMember, response: SyncGroupResponse): GroupMember {
    if (member.awaitingSync === null) return member
    this.reply(member.awaitingSync.to, response)
    const answered = { ...member, awaitingSync: null }
    if (this.group.members.has(member.memberId)) this.group.put(answered)
    return answered
  }

  /** Takes a member out, answers what it had parked and stops its timer. */
  removeMember(memberId: string): void {
    const member = this.group.members.get(memberId)
    if (member !== undefined) {
      // UNKNOWN_MEMBER_ID makes a client that is still there join again as a new member.
      const code = Errors.UNKNOWN_MEMBER_ID
      const unjoined = this.completeJoin(member, (parked) => joinFailed(parked, code, NO_MEMBER_ID))
      this.completeSync(unjoined, syncFailed(code))
    }
    this.group.remove(memberId)
    this.cancelHeartbeat(memberId)
  }
}

/** A JoinGroup answer with an error. */
export function joinFailed(
  request: { readonly apiVersion: number },
  errorCode: number,
  memberId: string,
): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    // The protocol name is nullable from version 7 only.
    protocolName: request.apiVersion >= 7 ? null : '',
    leader: NO_LEADER,
    skipAssignment: false,
    memberId,
    members: [],
  }
}

/** A SyncGroup answer with an error. */
export function syncFailed(errorCode: number): SyncGroupResponse {
  return { throttleTimeMs: 0, errorCode, protocolType: null, protocolName: null, assignment: EMPTY_BYTES }
}
