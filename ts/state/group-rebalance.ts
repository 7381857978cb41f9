// The rebalance of a classic group: PreparingRebalance, the end of the join phase, and what expires on the way.
// Owns these transitions alone; requests reach them through group-join, group-sync and group-leave.
import { Errors } from '../protocol/index.js'
import type { Parked } from './group.js'
import { EMPTY_BYTES, hasAllMembersJoined, metadataFor, rebalanceTimeoutMs } from './group.js'
import type { GroupDraft } from './group-draft.js'
import type { JoinGroupResponse } from './group-messages.js'
import { groupMetadataRecord } from './group-records.js'
import type { GroupTurn } from './group-turn.js'
import { syncFailed } from './group-turn.js'

/** Starts a rebalance where the state allows one, else ends the join phase if everybody is there. */
export function rebalanceOrCompleteJoin(turn: GroupTurn): void {
  if (turn.group.state === 'PreparingRebalance') completeJoinPhaseIfReady(turn)
  else prepareRebalance(turn)
}

/** Moves to PreparingRebalance: the first rebalance of an empty group waits for company, others for the members. */
export function prepareRebalance(turn: GroupTurn): void {
  const { group, config } = turn
  if (group.state === 'CompletingRebalance') failParkedSyncs(turn, Errors.REBALANCE_IN_PROGRESS)
  group.pendingSyncMembers.clear()
  turn.cancelSync()

  const initial = group.state === 'Empty'
  group.transitionTo('PreparingRebalance', turn.now.wallMs)
  if (initial) {
    const delayMs = config.groupInitialRebalanceDelayMs
    group.initialDelay = { delayMs, remainingMs: Math.max(rebalanceTimeoutMs(group) - delayMs, 0) }
    turn.scheduleJoin(delayMs)
  } else if (hasAllMembersJoined(group)) {
    completeJoinPhase(turn)
  } else {
    turn.scheduleJoin(rebalanceTimeoutMs(group))
  }
}

/** Ends the join phase if everybody has joined; never cuts the initial delay short. */
export function completeJoinPhaseIfReady(turn: GroupTurn): void {
  const { group } = turn
  if (group.state !== 'PreparingRebalance' || group.previousState === 'Empty') return
  if (hasAllMembersJoined(group)) completeJoinPhase(turn)
}

/** The join timer has fired: extends the initial delay while members keep coming, else ends the join phase. */
export function joinPhaseExpired(turn: GroupTurn): void {
  const { group, config } = turn
  if (group.state !== 'PreparingRebalance') return
  const delay = group.initialDelay
  if (delay !== null && group.newMemberAdded && delay.remainingMs !== 0) {
    group.newMemberAdded = false
    const delayMs = Math.min(config.groupInitialRebalanceDelayMs, delay.remainingMs)
    group.initialDelay = { delayMs, remainingMs: Math.max(delay.remainingMs - delay.delayMs, 0) }
    turn.scheduleJoin(delayMs)
    return
  }
  completeJoinPhase(turn)
}

/**
 * Drops dynamic members that have not rejoined, then starts the next generation: Empty (and recorded) without
 * members, else CompletingRebalance with every parked JoinGroup answered. Static members stay until their session
 * ends; if only such are left and none has rejoined, the phase is prolonged.
 */
function completeJoinPhase(turn: GroupTurn): void {
  const { group } = turn
  turn.cancelJoin()
  for (const member of [...group.members.values()]) {
    if (member.awaitingJoin === null && member.groupInstanceId === null) turn.removeMember(member.memberId)
  }
  if (!group.electJoinedLeader() && group.members.size > 0) {
    turn.scheduleJoin(rebalanceTimeoutMs(group))
    return
  }

  group.initialDelay = null
  group.newMemberAdded = false
  group.startGeneration(turn.now.wallMs)
  if (group.members.size === 0) {
    turn.records.push(groupMetadataRecord(group))
    return
  }
  for (const member of [...group.members.values()]) {
    const answered = turn.completeJoin(member, (parked) => joined(group, member.memberId, parked))
    group.put({ ...answered, isNew: false })
    turn.scheduleHeartbeat(member.memberId, member.sessionTimeoutMs)
    group.pendingSyncMembers.add(member.memberId)
  }
  turn.scheduleSync(rebalanceTimeoutMs(group))
}

/** The answer to a member of the current generation; the leader alone sees all members. */
export function joined(
  group: GroupDraft,
  memberId: string,
  request: Pick<Parked, 'apiVersion'>,
  skipAssignment = false,
): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: Errors.NONE,
    generationId: group.generationId,
    protocolType: group.protocolType,
    protocolName: group.protocolName ?? (request.apiVersion >= 7 ? null : ''),
    leader: group.leaderId ?? '',
    skipAssignment,
    memberId,
    members: group.isLeader(memberId) ? memberList(group) : [],
  }
}

function memberList(group: GroupDraft): JoinGroupResponse['members'] {
  return [...group.members.values()].map((member) => ({
    memberId: member.memberId,
    groupInstanceId: member.groupInstanceId,
    metadata: metadataFor(member, group.protocolName),
  }))
}

/** Voids the assignments of this generation and answers every parked SyncGroup with the error. */
function failParkedSyncs(turn: GroupTurn, errorCode: number): void {
  const { group } = turn
  for (const member of [...group.members.values()]) {
    group.put({ ...member, assignment: EMPTY_BYTES })
    answerSync(turn, member.memberId, errorCode)
  }
}

/** Gives every member its assignment and answers every parked SyncGroup with it: the group is Stable. */
export function propagateAssignment(turn: GroupTurn, assignments: ReadonlyMap<string, Buffer>): void {
  const { group } = turn
  for (const member of [...group.members.values()]) {
    group.put({ ...member, assignment: assignments.get(member.memberId) ?? EMPTY_BYTES })
    answerSync(turn, member.memberId, Errors.NONE)
  }
  group.transitionTo('Stable', turn.now.wallMs)
}

function answerSync(turn: GroupTurn, memberId: string, errorCode: number): void {
  const { group } = turn
  const member = group.members.get(memberId)
  if (member === undefined || member.awaitingSync === null) return
  const success = {
    throttleTimeMs: 0,
    errorCode,
    protocolType: group.protocolType,
    protocolName: group.protocolName,
    assignment: member.assignment,
  }
  turn.completeSync(member, errorCode === Errors.NONE ? success : syncFailed(errorCode))
  // While its sync was parked the session did not count; from here it does.
  turn.scheduleHeartbeat(memberId, member.sessionTimeoutMs)
}

/** The sync timer has fired: members that have not synced are removed and the others rebalance. */
export function syncPhaseExpired(turn: GroupTurn): void {
  const { group } = turn
  if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return
  if (group.pendingSyncMembers.size === 0) return
  for (const memberId of [...group.pendingSyncMembers]) turn.removeMember(memberId)
  prepareRebalance(turn)
}

/** A member's timer has fired: it is removed unless a parked request keeps it alive. */
export function heartbeatExpired(turn: GroupTurn, memberId: string): void {
  const { group } = turn
  if (group.pendingMembers.has(memberId)) {
    group.remove(memberId)
    completeJoinPhaseWithoutDelay(turn)
    return
  }
  const member = group.members.get(memberId)
  if (member === undefined) return
  const parked = member.awaitingJoin !== null || member.awaitingSync !== null
  // A new member cannot heartbeat: its parked first JoinGroup is what times out.
  if (parked && !member.isNew) return
  turn.removeMember(memberId)
  if (group.state === 'PreparingRebalance') completeJoinPhaseWithoutDelay(turn)
  else if (group.state !== 'Empty') prepareRebalance(turn)
}

/** After an expiry everybody who is left may have joined: then nothing is worth waiting for. */
function completeJoinPhaseWithoutDelay(turn: GroupTurn): void {
  if (turn.group.state === 'PreparingRebalance' && hasAllMembersJoined(turn.group)) completeJoinPhase(turn)
}
