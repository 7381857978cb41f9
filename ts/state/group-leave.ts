// LeaveGroup 0 to 5: members go at once, with an error of their own each from version 3 on (KIP-345).
// Owns the decision only. A static member may be removed by its instance id alone.

import { Errors } from '../protocol/index.js'
import type { Now } from './coordinator.js'
import { answer } from './coordinator.js'
import type { Group } from './group.js'
import { NO_MEMBER_ID } from './group.js'
import { checkMember } from './group-draft.js'
import type { GroupConfig, GroupDecision, LeaveGroupResponse, LeaveRequest } from './group-messages.js'
import { completeJoinPhaseIfReady, prepareRebalance } from './group-rebalance.js'
import { GroupTurn } from './group-turn.js'

interface Leaver {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

export function decideLeave(
  group: Group | undefined,
  request: LeaveRequest,
  config: GroupConfig,
  now: Now,
): GroupDecision {
  const { body } = request
  if (body.groupId === '') return answer(request.to, left(request, [], Errors.INVALID_GROUP_ID))
  const leavers: readonly Leaver[] =
    request.apiVersion >= 3 ? body.members : [{ memberId: body.memberId, groupInstanceId: null }]
  if (group === undefined) {
    const unknown = leavers.map((leaver) => outcome(leaver, Errors.UNKNOWN_MEMBER_ID))
    return answer(request.to, left(request, unknown))
  }

  const turn = new GroupTurn(group, config, now)
  const outcomes = leavers.map((leaver) => outcome(leaver, leave(turn, leaver)))
  if (outcomes.some(({ errorCode }) => errorCode === Errors.NONE)) {
    const { state } = turn.group
    if (state === 'Stable' || state === 'CompletingRebalance') prepareRebalance(turn)
    else completeJoinPhaseIfReady(turn)
  }
  turn.reply(request.to, left(request, outcomes))
  return turn.finish()
}

/** Removes one member; its error code. */
function leave(turn: GroupTurn, { memberId, groupInstanceId }: Leaver): number {
  const { group } = turn
  if (memberId === NO_MEMBER_ID) {
    const current = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId)
    if (current === undefined) return Errors.UNKNOWN_MEMBER_ID
    turn.removeMember(current)
    return Errors.NONE
  }
  if (!group.pendingMembers.has(memberId)) {
    const check = checkMember(group, memberId, groupInstanceId)
    if (check === 'unknown') return Errors.UNKNOWN_MEMBER_ID
    if (check === 'fenced') return Errors.FENCED_INSTANCE_ID
  }
  turn.removeMember(memberId)
  return Errors.NONE
}

function outcome(leaver: Leaver, errorCode: number): LeaveGroupResponse['members'][number] {
  return { memberId: leaver.memberId, groupInstanceId: leaver.groupInstanceId, errorCode }
}

/** Before version 3 there is one member, and its error is that of the whole answer. */
export function left(
  request: { readonly apiVersion: number },
  members: LeaveGroupResponse['members'],
  errorCode: number = Errors.NONE,
): LeaveGroupResponse {
  if (request.apiVersion >= 3) return { throttleTimeMs: 0, errorCode, members }
  const only = members[0]?.errorCode ?? Errors.NONE
  return { throttleTimeMs: 0, errorCode: errorCode === Errors.NONE ? only : errorCode, members: [] }
}
