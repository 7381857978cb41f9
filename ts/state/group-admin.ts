// What administrators ask of groups: ListGroups 0 to 5, DescribeGroups 0 to 6, DeleteGroups 0 to 3, OffsetDelete 0.
// Owns the decisions of one shard; members are never answered or moved here, as only an Empty group can be deleted.
import { Errors, errorMessage, OPERATIONS_OMITTED } from '../protocol/index.js'
import type { TimerChange } from './coordinator.js'
import { answer } from './coordinator.js'
import type { Group, GroupMember } from './group.js'
import { CONSUMER_PROTOCOL_TYPE, EMPTY_BYTES, metadataFor, subscribedTopics } from './group.js'
import type { Groups } from './group-classic.js'
import type {
  DeletedGroup,
  DeleteOffsetsRequest,
  DeleteRequest,
  DescribedGroup,
  DescribeRequest,
  GroupDecision,
  ListGroupsResponse,
  ListRequest,
  OffsetDeleteResponse,
} from './group-messages.js'
import type { GroupRecord } from './group-records.js'
import { groupTombstone, offsetTombstone } from './group-records.js'
import { heartbeatTimer } from './group-timers.js'
import type { Offsets } from './offsets.js'

/** How ListGroups and the tools call a group of the classic protocol (KIP-848). */
const GROUP_TYPE = 'classic'

/** Filters are sets of names in any case; an empty one lets everything through, an unknown name nothing. */
export function decideList(groups: Groups, { to, body }: ListRequest): GroupDecision {
  const states = new Set(body.statesFilter.map((state) => state.trim().toLowerCase()))
  const types = new Set(body.typesFilter.map((type) => type.toLowerCase()))
  const listed = types.size > 0 && !types.has(GROUP_TYPE) ? [] : [...groups.values()]
  return answer(to, {
    throttleTimeMs: 0,
    errorCode: Errors.NONE,
    groups: listed
      .filter(({ state }) => states.size === 0 || states.has(state.toLowerCase()))
      .map(({ groupId, protocolType, state }) => ({
        groupId,
        protocolType: protocolType ?? '',
        groupState: state,
        groupType: GROUP_TYPE,
      })),
  })
}

export function listFailed(errorCode: number): ListGroupsResponse {
  return { throttleTimeMs: 0, errorCode, groups: [] }
}

/** Metadata and assignments are told of a Stable group alone: between generations they mean nothing. */
export function decideDescribe(groups: Groups, { to, apiVersion, body }: DescribeRequest): GroupDecision {
  const { groupId } = body
  const group = groups.get(groupId)
  if (group === undefined) return answer(to, absent(groupId, apiVersion))
  const stable = group.state === 'Stable'
  return answer(to, {
    ...describeFailed(groupId, Errors.NONE),
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: stable ? (group.protocolName ?? '') : '',
    members: [...group.members.values()].map((member) => described(member, group, stable)),
  })
}

function described(member: GroupMember, group: Group, stable: boolean): DescribedGroup['members'][number] {
  const { memberId, groupInstanceId, clientId, clientHost } = member
  return {
    memberId,
    groupInstanceId,
    clientId,
    clientHost,
    memberMetadata: stable ? metadataFor(member, group.protocolName) : EMPTY_BYTES,
    memberAssignment: stable ? member.assignment : EMPTY_BYTES,
  }
}

/** A group that is not there is Dead; from version 6 on that is an error too (KIP-1043). */
function absent(groupId: string, apiVersion: number): DescribedGroup {
  const dead = { ...describeFailed(groupId, Errors.NONE), groupState: 'Dead' }
  if (apiVersion < 6) return dead
  return { ...dead, errorCode: Errors.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId} not found.` }
}

export function describeFailed(groupId: string, errorCode: number): DescribedGroup {
  return {
    errorCode,
    errorMessage: null,
    groupId,
    groupState: '',
    protocolType: '',
    protocolData: '',
    members: [],
    authorizedOperations: OPERATIONS_OMITTED,
  }
}

/** An Empty group goes with all its offsets, itself last; members that were only handed an id are forgotten. */
export function decideDelete(groups: Groups, offsets: Offsets, { to, body }: DeleteRequest): GroupDecision {
  const { groupId } = body
  const group = groups.get(groupId)
  if (group === undefined) return answer(to, deleted(groupId, Errors.GROUP_ID_NOT_FOUND))
  if (group.state !== 'Empty') return answer(to, deleted(groupId, Errors.NON_EMPTY_GROUP))
  const records: GroupRecord[] = []
  for (const [topic, partitions] of offsets.get(groupId) ?? []) {
    for (const partition of partitions.keys()) {
      records.push(offsetTombstone({ group: groupId, topic, partition }))
    }
  }
  records.push(groupTombstone(groupId))
  const timers = [...group.pendingMembers].map(
    (memberId): TimerChange => ({ key: heartbeatTimer(groupId, memberId), at: null }),
  )
  return { ...answer(to, deleted(groupId, Errors.NONE)), records, divisible: true, timers }
}

export function deleted(groupId: string, errorCode: number): DeletedGroup {
  return { groupId, errorCode, errorMessage: errorCode === Errors.NONE ? null : errorMessage(errorCode) }
}

/**
 * Forgets offsets of topics that the group does not subscribe to (KIP-496). A group with members must be one of
 * consumers, as nobody knows what the members of others read. An offset that is not there is as good as deleted.
 */
export function decideDeleteOffsets(
  groups: Groups,
  offsets: Offsets,
  { to, body }: DeleteOffsetsRequest,
): GroupDecision {
  const { groupId } = body
  const fail = (errorCode: number): GroupDecision => answer(to, offsetDeleteFailed(errorCode))
  if (groupId === '') return fail(Errors.INVALID_GROUP_ID)
  const group = groups.get(groupId)
  if (group === undefined) return fail(Errors.GROUP_ID_NOT_FOUND)
  const ofConsumers = group.protocolType === CONSUMER_PROTOCOL_TYPE
  if (group.state !== 'Empty' && !ofConsumers) return fail(Errors.NON_EMPTY_GROUP)

  const subscribed = subscribedTopics(group)
  const committed = offsets.get(groupId)
  const doomed = new Map<string, GroupRecord>()
  const topics = body.topics.map(({ name: topic, partitions }) => {
    const held = subscribed === null ? ofConsumers : subscribed.has(topic)
    if (!held) {
      for (const { partitionIndex: partition } of partitions) {
        if (committed?.get(topic)?.has(partition) !== true) continue
        doomed.set(`${partition}:${topic}`, offsetTombstone({ group: groupId, topic, partition }))
      }
    }
    const errorCode = held ? Errors.GROUP_SUBSCRIBED_TO_TOPIC : Errors.NONE
    return {
      name: topic,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    }
  })
  const response: OffsetDeleteResponse = { errorCode: Errors.NONE, throttleTimeMs: 0, topics }
  return { ...answer(to, response), records: [...doomed.values()], divisible: true }
}

/** An error of the whole answer has no topics beside it. */
export function offsetDeleteFailed(errorCode: number): OffsetDeleteResponse {
  return { errorCode, throttleTimeMs: 0, topics: [] }
}
