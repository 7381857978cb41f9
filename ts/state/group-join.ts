// JoinGroup 0 to 9: who may join, under which member id, and whether that means a rebalance.
// Owns the decision only. From version 4 a dynamic member first gets its id with MEMBER_ID_REQUIRED (KIP-394),
// from 5 on members may be static (KIP-345), from 9 a returning static leader may skip the assignment (KIP-814).

import { Errors } from '../protocol/index.js'
import type { Now } from './coordinator.js'
import { answer } from './coordinator.js'
import type { Group, GroupMember } from './group.js'
import {
  EMPTY_BYTES,
  emptyGroup,
  NO_MEMBER_ID,
  numAwaitingJoin,
  sameProtocols,
  selectProtocol,
  supportsProtocols,
} from './group.js'
import { checkMember, rejoined } from './group-draft.js'
import type { GroupConfig, GroupDecision, JoinRequest } from './group-messages.js'
import {
  completeJoinPhaseIfReady,
  joined,
  prepareRebalance,
  rebalanceOrCompleteJoin,
} from './group-rebalance.js'
import { groupMetadataRecord } from './group-records.js'
import { GroupTurn, joinFailed } from './group-turn.js'

/** How long the parked first JoinGroup of a member that cannot heartbeat yet is kept (Kafka's constant). */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1_000

export function decideJoin(
  existing: Group | undefined,
  request: JoinRequest,
  config: GroupConfig,
  now: Now,
): GroupDecision {
  const { body } = request
  const refuse = (errorCode: number, memberId = body.memberId): GroupDecision =>
    answer(request.to, joinFailed(request, errorCode, memberId))

  if (body.groupId === '') return refuse(Errors.INVALID_GROUP_ID)
  const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = config
  if (body.sessionTimeoutMs < groupMinSessionTimeoutMs || body.sessionTimeoutMs > groupMaxSessionTimeoutMs) {
    return refuse(Errors.INVALID_SESSION_TIMEOUT)
  }
  const isUnknownMember = body.memberId === NO_MEMBER_ID
  // A member id promises a group; without one there is nothing that it could belong to.
  if (existing === undefined && !isUnknownMember) return refuse(Errors.UNKNOWN_MEMBER_ID)

  const group = existing ?? emptyGroup(body.groupId, now.wallMs)
  if (!acceptsJoin(group, body.memberId, config.groupMaxSize)) {
    const turn = new GroupTurn(group, config, now)
    turn.removeMember(body.memberId)
    turn.reply(request.to, joinFailed(request, Errors.GROUP_MAX_SIZE_REACHED, NO_MEMBER_ID))
    return turn.finish()
  }
  if (!supportsProtocols(group, body.protocolType, body.protocols)) {
    return refuse(Errors.INCONSISTENT_GROUP_PROTOCOL)
  }
  // A pending id is a dynamic member's: with an instance id it is nobody's.
  const isPending = group.pendingMembers.has(body.memberId) && body.groupInstanceId === null
  if (!isUnknownMember && !isPending) {
    const check = checkMember(group, body.memberId, body.groupInstanceId)
    if (check === 'unknown') return refuse(Errors.UNKNOWN_MEMBER_ID)
    if (check === 'fenced') return refuse(Errors.FENCED_INSTANCE_ID)
  }

  const turn = new GroupTurn(group, config, now)
  if (isUnknownMember) joinNewMember(turn, request)
  else if (isPending) addMember(turn, request, body.memberId)
  else joinExistingMember(turn, request)
  // A new group is recorded at once, so that it is there after a restart even before its first generation.
  if (existing === undefined && turn.records.length === 0) {
    turn.records.push(groupMetadataRecord(emptyGroup(body.groupId, now.wallMs)))
  }
  return turn.finish()
}

/** group.max.size: counts members that are waiting while the group gathers, all members otherwise. */
function acceptsJoin(group: Group, memberId: string, maxSize: number): boolean {
  if (group.state === 'Empty') return true
  const member = group.members.get(memberId)
  if (group.state === 'PreparingRebalance') {
    return (member !== undefined && member.awaitingJoin !== null) || numAwaitingJoin(group) < maxSize
  }
  return member !== undefined || group.members.size < maxSize
}

function joinNewMember(turn: GroupTurn, request: JoinRequest): void {
  const { body } = request
  const { group } = turn
  const memberId = `${body.groupInstanceId ?? request.clientId ?? ''}-${request.freshUuid}`
  if (body.groupInstanceId !== null) {
    const previous = group.members.get(group.staticMembers.get(body.groupInstanceId) ?? NO_MEMBER_ID)
    if (previous === undefined) addMember(turn, request, memberId)
    else replaceStaticMember(turn, request, previous, memberId)
  } else if (request.apiVersion >= 4) {
    group.pendingMembers.add(memberId)
    turn.scheduleHeartbeat(memberId, body.sessionTimeoutMs)
    turn.reply(request.to, joinFailed(request, Errors.MEMBER_ID_REQUIRED, memberId))
  } else {
    addMember(turn, request, memberId)
  }
}

function addMember(turn: GroupTurn, request: JoinRequest, memberId: string): void {
  const { body } = request
  const { group } = turn
  if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') group.newMemberAdded = true
  group.add({
    memberId,
    groupInstanceId: body.groupInstanceId,
    clientId: request.clientId ?? '',
    clientHost: request.clientHost,
    ...timeouts(request),
    protocolType: body.protocolType,
    protocols: body.protocols,
    assignment: EMPTY_BYTES,
    isNew: true,
    awaitingJoin: parkedJoin(request),
    awaitingSync: null,
  })
  turn.scheduleHeartbeat(memberId, NEW_MEMBER_JOIN_TIMEOUT_MS)
  rebalanceOrCompleteJoin(turn)
}

function joinExistingMember(turn: GroupTurn, request: JoinRequest): void {
  const { body } = request
  const { group } = turn
  const member = group.members.get(body.memberId)
  if (member === undefined || group.state === 'Empty') {
    turn.reply(request.to, joinFailed(request, Errors.UNKNOWN_MEMBER_ID, body.memberId))
    return
  }
  const unchanged = sameProtocols(member.protocols, body.protocols)
  // The same JoinGroup again: most likely its answer was lost. It gets the generation that there is. Only the
  // leader of a Stable group may ask for a rebalance this way: it has seen a change that no metadata shows.
  const answersAtOnce =
    unchanged &&
    (group.state === 'CompletingRebalance' || (group.state === 'Stable' && !group.isLeader(member.memberId)))
  if (answersAtOnce) {
    turn.reply(request.to, joined(group, member.memberId, request))
    return
  }
  parkJoin(turn, member, request)
  rebalanceOrCompleteJoin(turn)
}

/** A static member comes back without its member id: it takes the place of its former self, which is fenced. */
function replaceStaticMember(
  turn: GroupTurn,
  request: JoinRequest,
  previous: GroupMember,
  memberId: string,
): void {
  const { group } = turn
  const formerLeader = group.leaderId ?? ''
  const fenced = Errors.FENCED_INSTANCE_ID
  const unjoined = turn.completeJoin(previous, (parked) => joinFailed(parked, fenced, previous.memberId))
  const free = turn.completeSync(unjoined, {
    throttleTimeMs: 0,
    errorCode: fenced,
    protocolType: null,
    protocolName: null,
    assignment: EMPTY_BYTES,
  })
  turn.cancelHeartbeat(previous.memberId)
  if (group.pendingSyncMembers.delete(previous.memberId)) group.pendingSyncMembers.add(memberId)
  const member = rejoined(
    group.replaceStatic(free, memberId),
    { ...request.body, ...timeouts(request) },
    null,
  )
  group.put(member)
  turn.scheduleHeartbeat(memberId, member.sessionTimeoutMs)

  if (group.state === 'Stable' && selectProtocol(group) === group.protocolName) {
    // Nothing that an assignment depends on has changed: the group keeps its generation.
    turn.records.push(groupMetadataRecord(group))
    const skipAssignment = request.apiVersion >= 9 && group.isLeader(memberId)
    const response = joined(group, memberId, request, skipAssignment)
    // Before version 9 a leader cannot be told to skip the assignment: it is told of its former self as the leader,
    // so that it syncs like a follower and gets what it had.
    const asFollower = { ...response, leader: formerLeader, members: [] }
    turn.reply(request.to, request.apiVersion >= 9 ? response : asFollower)
    return
  }
  group.put({ ...member, awaitingJoin: parkedJoin(request) })
  // In CompletingRebalance the leader may already assign to the former member id.
  if (group.state === 'PreparingRebalance') completeJoinPhaseIfReady(turn)
  else prepareRebalance(turn)
}

/** Parks a JoinGroup of a member of the group; one that it had parked before is told to try again. */
function parkJoin(turn: GroupTurn, member: GroupMember, request: JoinRequest): void {
  turn.completeJoin(member, (parked) => joinFailed(parked, Errors.REBALANCE_IN_PROGRESS, member.memberId))
  turn.group.put(rejoined(member, { ...request.body, ...timeouts(request) }, parkedJoin(request)))
}

function parkedJoin(request: JoinRequest): { to: number; apiVersion: number } {
  return { to: request.to, apiVersion: request.apiVersion }
}

function timeouts({ body }: JoinRequest): { rebalanceTimeoutMs: number; sessionTimeoutMs: number } {
  const { sessionTimeoutMs } = body
  return {
    sessionTimeoutMs,
    rebalanceTimeoutMs: body.rebalanceTimeoutMs < 0 ? sessionTimeoutMs : body.rebalanceTimeoutMs,
  }
}
