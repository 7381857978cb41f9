// A private working copy of one group: the moves that a decision composes, until the copy is frozen into a new value.
// Owns the group's bookkeeping (members, leader, statics, pending sets); decides nothing and answers nobody.

import type { Group, GroupMember, MemberProtocol, Parked } from './group.js'
import { NO_MEMBER_ID, selectProtocol } from './group.js'

type LiveState = Group['state']

export class GroupDraft {
  readonly groupId: string
  state: LiveState
  previousState: LiveState
  generationId: number
  protocolType: string | null
  protocolName: string | null
  leaderId: string | null
  newMemberAdded: boolean
  initialDelay: Group['initialDelay']
  currentStateTimestamp: number | null
  readonly members: Map<string, GroupMember>
  readonly staticMembers: Map<string, string>
  readonly pendingMembers: Set<string>
  readonly pendingSyncMembers: Set<string>

  constructor(group: Group) {
    this.groupId = group.groupId
    this.state = group.state
    this.previousState = group.previousState
    this.generationId = group.generationId
    this.protocolType = group.protocolType
    this.protocolName = group.protocolName
    this.leaderId = group.leaderId
    this.newMemberAdded = group.newMemberAdded
    this.initialDelay = group.initialDelay
    this.currentStateTimestamp = group.currentStateTimestamp
    this.members = new Map(group.members)
    this.staticMembers = new Map(group.staticMembers)
    this.pendingMembers = new Set(group.pendingMembers)
    this.pendingSyncMembers = new Set(group.pendingSyncMembers)
  }

  /** The new value. The draft must not be used afterwards. */
  freeze(): Group {
    return { ...this }
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId
  }

  transitionTo(state: LiveState, wallMs: number): void {
    this.previousState = this.state
    this.state = state
    this.currentStateTimestamp = wallMs
  }

  add(member: GroupMember): void {
    if (this.members.size === 0) this.protocolType = member.protocolType
    if (member.groupInstanceId !== null) this.staticMembers.set(member.groupInstanceId, member.memberId)
    this.leaderId ??= member.memberId
    this.members.set(member.memberId, member)
    this.pendingMembers.delete(member.memberId)
  }

  /** Replaces the value of a member that is in the group. */
  put(member: GroupMember): void {
    this.members.set(member.memberId, member)
  }

  remove(memberId: string): void {
    const member = this.members.get(memberId)
    this.members.delete(memberId)
    if (member !== undefined && member.groupInstanceId !== null)
      this.staticMembers.delete(member.groupInstanceId)
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null
    this.pendingMembers.delete(memberId)
    this.pendingSyncMembers.delete(memberId)
  }

  /** A static member comes back under a new member id and keeps everything else, its leadership too. */
  replaceStatic(old: GroupMember, newMemberId: string): GroupMember {
    const renewed = { ...old, memberId: newMemberId, isNew: false, awaitingJoin: null, awaitingSync: null }
    this.members.delete(old.memberId)
    this.members.set(newMemberId, renewed)
    if (this.leaderId === old.memberId) this.leaderId = newMemberId
    if (old.groupInstanceId !== null) this.staticMembers.set(old.groupInstanceId, newMemberId)
    return renewed
  }

  /** Keeps the leader if it has rejoined, else elects the first member that has. False when nobody has. */
  electJoinedLeader(): boolean {
    if (this.leaderId !== null && this.members.get(this.leaderId)?.awaitingJoin) return true
    for (const member of this.members.values()) {
      if (member.awaitingJoin !== null) {
        this.leaderId = member.memberId
        return true
      }
    }
    return false
  }

  startGeneration(wallMs: number): void {
    // Java's int wraps where a number would not; nobody gets there, but the field is an int32 on the wire.
    this.generationId = (this.generationId + 1) | 0
    this.protocolName = selectProtocol(this)
    this.transitionTo(this.members.size > 0 ? 'CompletingRebalance' : 'Empty', wallMs)
    this.pendingSyncMembers.clear()
  }
}

/** What a JoinGroup changes of a member that is already in the group. */
export function rejoined(
  member: GroupMember,
  request: { protocols: readonly MemberProtocol[]; rebalanceTimeoutMs: number; sessionTimeoutMs: number },
  parked: Parked | null,
): GroupMember {
  return {
    ...member,
    protocols: request.protocols,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    sessionTimeoutMs: request.sessionTimeoutMs,
    awaitingJoin: parked,
  }
}

export type MemberCheck = 'ok' | 'unknown' | 'fenced'

/** Whether a request that names this member (and instance) may speak for it. */
export function checkMember(
  group: Pick<Group, 'members' | 'staticMembers'>,
  memberId: string,
  groupInstanceId: string | null,
): MemberCheck {
  if (groupInstanceId !== null) {
    const current = group.staticMembers.get(groupInstanceId)
    if (current === undefined) return 'unknown'
    if (current !== memberId) return 'fenced'
  }
  return memberId !== NO_MEMBER_ID && group.members.has(memberId) ? 'ok' : 'unknown'
}
