// The classic group protocol over one map of groups: every request and timer of it, and what loading means.
// Owns the dispatch and the heartbeat; offsets of the same shard are offsets.ts, both meet in group-coordinator.ts.

import { Errors } from '../protocol/index.js'
import type { Now, TimerChange } from './coordinator.js'
import { answer, nothing } from './coordinator.js'
import type { Group, GroupState } from './group.js'
import { checkMember } from './group-draft.js'
import { decideJoin } from './group-join.js'
import { decideLeave } from './group-leave.js'
import type {
  BeatRequest,
  GroupConfig,
  GroupDecision,
  GroupReply,
  GroupSoft,
  JoinRequest,
  LeaveRequest,
  SyncRequest,
} from './group-messages.js'
import { heartbeatExpired, joinPhaseExpired, prepareRebalance, syncPhaseExpired } from './group-rebalance.js'
import type { GroupRecord } from './group-records.js'
import { decideSync } from './group-sync.js'
import { heartbeatTimer, parseTimer } from './group-timers.js'
import { GroupTurn, joinFailed, syncFailed } from './group-turn.js'

/** Group id → group. Mutated by replay alone; the groups themselves are immutable. */
export type Groups = Map<string, Group>

export type MembershipRequest = JoinRequest | SyncRequest | BeatRequest | LeaveRequest

export function decideMembership(
  groups: Groups,
  request: MembershipRequest,
  config: GroupConfig,
  now: Now,
): GroupDecision {
  const group = groups.get(request.body.groupId)
  switch (request.kind) {
    case 'join-group':
      return decideJoin(group, request, config, now)
    case 'sync-group':
      return decideSync(group, request, config, now)
    case 'heartbeat':
      return decideHeartbeat(group, request, now)
    case 'leave-group':
      return decideLeave(group, request, config, now)
  }
}

/** Heartbeat 0 to 4: starts the session anew; during a rebalance it tells the member to join again. */
function decideHeartbeat(group: Group | undefined, { to, body }: BeatRequest, now: Now): GroupDecision {
  const beat = (errorCode: number): GroupDecision => answer(to, { throttleTimeMs: 0, errorCode })
  if (body.groupId === '') return beat(Errors.INVALID_GROUP_ID)
  if (group === undefined) return beat(Errors.UNKNOWN_MEMBER_ID)
  const check = checkMember(group, body.memberId, body.groupInstanceId)
  if (check === 'unknown') return beat(Errors.UNKNOWN_MEMBER_ID)
  if (check === 'fenced') return beat(Errors.FENCED_INSTANCE_ID)
  if (body.generationId !== group.generationId) return beat(Errors.ILLEGAL_GENERATION)
  const rebalancing = group.state === 'PreparingRebalance'
  return {
    ...beat(rebalancing ? Errors.REBALANCE_IN_PROGRESS : Errors.NONE),
    timers: sessionTimer(group, body.memberId, now),
  }
}

/** The timer that starts the member's session anew; none for who is not a member. */
export function sessionTimer(group: Group, memberId: string, now: Now): TimerChange[] {
  const member = group.members.get(memberId)
  if (member === undefined) return []
  return [{ key: heartbeatTimer(group.groupId, memberId), at: now.monotonicMs + member.sessionTimeoutMs }]
}

export function groupTimerExpired(groups: Groups, key: string, config: GroupConfig, now: Now): GroupDecision {
  const timer = parseTimer(key)
  if (timer.kind === 'expire-offsets') return nothing()
  const group = groups.get(timer.groupId)
  if (group === undefined) return nothing()
  const turn = new GroupTurn(group, config, now)
  if (timer.kind === 'join') joinPhaseExpired(turn)
  else if (timer.kind === 'sync') syncPhaseExpired(turn)
  else heartbeatExpired(turn, timer.memberId)
  return turn.finish()
}

/** Every member gets a new session; a group that is over group.max.size (which may have shrunk) rebalances. */
export function groupsLoaded(groups: Groups, config: GroupConfig, now: Now): GroupDecision {
  const decisions = [...groups.values()].map((group): GroupDecision => {
    if (group.members.size === 0) return nothing()
    const turn = new GroupTurn(group, config, now)
    for (const member of group.members.values())
      turn.scheduleHeartbeat(member.memberId, member.sessionTimeoutMs)
    if (group.members.size > config.groupMaxSize) prepareRebalance(turn)
    return turn.finish()
  })
  return merged(decisions)
}

/** Answers every parked JoinGroup and SyncGroup: the clients look for the new coordinator. */
export function groupsUnloaded(groups: Groups): GroupDecision {
  const replies: { to: number; response: GroupReply }[] = []
  const code = Errors.NOT_COORDINATOR
  for (const group of groups.values()) {
    for (const { memberId, awaitingJoin, awaitingSync } of group.members.values()) {
      if (awaitingJoin !== null)
        replies.push({ to: awaitingJoin.to, response: joinFailed(awaitingJoin, code, memberId) })
      if (awaitingSync !== null) replies.push({ to: awaitingSync.to, response: syncFailed(code) })
    }
  }
  return { ...nothing<GroupRecord, GroupSoft, GroupReply>(), replies }
}

/** What DescribeGroups calls the group's state: a group that is not there is Dead. */
export function groupState(groups: Groups, groupId: string): GroupState {
  return groups.get(groupId)?.state ?? 'Dead'
}

/** Several decisions about different groups as one. */
export function merged(decisions: readonly GroupDecision[]): GroupDecision {
  return {
    records: decisions.flatMap(({ records }) => records),
    soft: decisions.flatMap(({ soft }) => soft),
    replies: decisions.flatMap(({ replies }) => replies),
    timers: decisions.flatMap(({ timers }) => timers),
  }
}
