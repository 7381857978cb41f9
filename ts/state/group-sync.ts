// SyncGroup 0 to 5: members wait for the leader's assignment; the leader's sync records the generation.
// Owns the decision only. From version 5 the protocol is named and must match (KIP-559).

import { Errors } from '../protocol/index.js'
import type { Now } from './coordinator.js'
import { answer } from './coordinator.js'
import type { Group } from './group.js'
import { checkMember } from './group-draft.js'
import type { GroupConfig, GroupDecision, SyncGroupRequest, SyncRequest } from './group-messages.js'
import { propagateAssignment } from './group-rebalance.js'
import { groupMetadataRecord } from './group-records.js'
import { GroupTurn, syncFailed } from './group-turn.js'

export function decideSync(
  group: Group | undefined,
  request: SyncRequest,
  config: GroupConfig,
  now: Now,
): GroupDecision {
  const { body } = request
  const errorCode = checkSync(group, request)
  if (group === undefined || errorCode !== Errors.NONE) return answer(request.to, syncFailed(errorCode))
  const member = group.members.get(body.memberId)
  if (member === undefined) return answer(request.to, syncFailed(Errors.UNKNOWN_MEMBER_ID))

  const turn = new GroupTurn(group, config, now)
  turn.group.pendingSyncMembers.delete(member.memberId)
  if (turn.group.pendingSyncMembers.size === 0) turn.cancelSync()
  if (group.state === 'Stable') {
    turn.reply(request.to, {
      throttleTimeMs: 0,
      errorCode: Errors.NONE,
      protocolType: group.protocolType,
      protocolName: group.protocolName,
      assignment: member.assignment,
    })
    return turn.finish()
  }

  // A sync that this one replaces is told to join again: its sender has stopped waiting.
  const free = turn.completeSync(member, syncFailed(Errors.REBALANCE_IN_PROGRESS))
  turn.group.put({ ...free, awaitingSync: { to: request.to, apiVersion: request.apiVersion } })
  if (turn.group.isLeader(member.memberId)) {
    propagateAssignment(turn, new Map(body.assignments.map((one) => [one.memberId, one.assignment])))
    turn.records.push(groupMetadataRecord(turn.group))
  }
  return turn.finish()
}

function checkSync(group: Group | undefined, { apiVersion, body }: SyncRequest): number {
  if (apiVersion >= 5 && (body.protocolType === null || body.protocolName === null)) {
    return Errors.INCONSISTENT_GROUP_PROTOCOL
  }
  if (body.groupId === '') return Errors.INVALID_GROUP_ID
  if (group === undefined || group.state === 'Empty') return Errors.UNKNOWN_MEMBER_ID
  const check = checkMember(group, body.memberId, body.groupInstanceId)
  if (check === 'unknown') return Errors.UNKNOWN_MEMBER_ID
  if (check === 'fenced') return Errors.FENCED_INSTANCE_ID
  if (body.generationId !== group.generationId) return Errors.ILLEGAL_GENERATION
  if (isOtherProtocol(group, body)) return Errors.INCONSISTENT_GROUP_PROTOCOL
  if (group.state === 'PreparingRebalance') return Errors.REBALANCE_IN_PROGRESS
  return Errors.NONE
}

function isOtherProtocol(group: Group, body: SyncGroupRequest): boolean {
  const differs = (asked: string | null, actual: string | null): boolean =>
    asked !== null && actual !== null && asked !== actual
  return differs(body.protocolType, group.protocolType) || differs(body.protocolName, group.protocolName)
}
