// The group coordinator of one partition of __consumer_offsets: classic groups and their offsets behind one shape.
// Owns the composition, loading and unloading; memberships are decided in group-classic.ts, offsets in
// offsets.ts, what administrators ask in group-admin.ts.
import { Errors } from '../protocol/index.js'
import type { Change, Coordinator, Now } from './coordinator.js'
import { nothing } from './coordinator.js'
import { emptyGroup } from './group.js'
import {
  decideDelete,
  decideDeleteOffsets,
  decideDescribe,
  decideList,
  deleted,
  describeFailed,
  listFailed,
  offsetDeleteFailed,
} from './group-admin.js'
import type { Groups } from './group-classic.js'
import { decideMembership, groupsLoaded, groupsUnloaded, groupTimerExpired, merged } from './group-classic.js'
import { left } from './group-leave.js'
import type { GroupConfig, GroupDecision, GroupReply, GroupRequest, GroupSoft } from './group-messages.js'
import type { GroupRecord } from './group-records.js'
import { groupFromRecord } from './group-records.js'
import { EXPIRE_OFFSETS_TIMER } from './group-timers.js'
import { joinFailed, syncFailed } from './group-turn.js'
import type { Offsets } from './offsets.js'
import {
  commitFailed,
  decideCommit,
  decideExpiry,
  decideFetch,
  decideTopicsDeleted,
  replayOffset,
} from './offsets.js'

/** The whole of one shard. Read by anybody, mutated by `replay` alone. */
export interface GroupShardState {
  readonly groups: Groups
  readonly offsets: Offsets
}

export type GroupCoordinator = Coordinator<GroupShardState, GroupRequest, GroupRecord, GroupSoft, GroupReply>

/** A coordinator with this configuration; it holds no state of its own. */
export function groupCoordinator(config: GroupConfig): GroupCoordinator {
  return {
    create: () => ({ groups: new Map(), offsets: new Map() }),
    decide: (state, request, now) => decide(state, request, config, now),
    replay,
    expired: (state, timer, now) =>
      timer === EXPIRE_OFFSETS_TIMER
        ? expireOffsets(state, config, now)
        : groupTimerExpired(state.groups, timer, config, now),
    loaded: (state, now) => {
      const at = now.monotonicMs + config.offsetsRetentionCheckIntervalMs
      const expiry: GroupDecision = { ...nothing(), timers: [{ key: EXPIRE_OFFSETS_TIMER, at }] }
      return merged([groupsLoaded(state.groups, config, now), expiry])
    },
    unloaded: (state) => groupsUnloaded(state.groups),
    refused: (_state, request, errorCode) => failedRequest(request, appendError(errorCode)),
  }
}

function decide(state: GroupShardState, request: GroupRequest, config: GroupConfig, now: Now): GroupDecision {
  switch (request.kind) {
    case 'offset-commit':
      return decideCommit(state.groups, request, config, now)
    case 'offset-fetch':
      return decideFetch(state.offsets, request)
    case 'list-groups':
      return decideList(state.groups, request)
    case 'describe-group':
      return decideDescribe(state.groups, request)
    case 'delete-group':
      return decideDelete(state.groups, state.offsets, request)
    case 'offset-delete':
      return decideDeleteOffsets(state.groups, state.offsets, request)
    case 'topics-deleted':
      return decideTopicsDeleted(state.offsets, request.topics)
    default:
      return decideMembership(state.groups, request, config, now)
  }
}

function replay({ groups, offsets }: GroupShardState, change: Change<GroupRecord, GroupSoft>): void {
  if ('soft' in change) {
    groups.set(change.soft.group.groupId, change.soft.group)
    return
  }
  const { record } = change
  if (record.type === 'group-metadata') {
    const groupId = record.key.group
    if (record.value === null) groups.delete(groupId)
    else groups.set(groupId, groupFromRecord(groupId, record.value))
    return
  }
  const groupId = record.key.group
  // Who commits without ever joining has a simple group: Empty, without a protocol type.
  if (record.value !== null && !groups.has(groupId)) groups.set(groupId, emptyGroup(groupId, null))
  replayOffset(offsets, record.key, record.value)
}

function expireOffsets(state: GroupShardState, config: GroupConfig, now: Now): GroupDecision {
  const { records, complete } = decideExpiry(state.groups, state.offsets, config, now)
  const wait = complete ? config.offsetsRetentionCheckIntervalMs : 0
  return {
    ...nothing(),
    records,
    divisible: true,
    timers: [{ key: EXPIRE_OFFSETS_TIMER, at: now.monotonicMs + wait }],
  }
}

/**
 * The answer to any request with one error, as when its shard is not here (NOT_COORDINATOR) or still loading
 * (COORDINATOR_LOAD_IN_PROGRESS). While loading, Kafka lets heartbeats pass: so the member is not thrown out.
 */
export function failedRequest(request: GroupRequest, errorCode: number): GroupReply | null {
  switch (request.kind) {
    case 'join-group':
      return joinFailed(request, errorCode, request.body.memberId)
    case 'sync-group':
      return syncFailed(errorCode)
    case 'heartbeat':
      return {
        throttleTimeMs: 0,
        errorCode: errorCode === Errors.COORDINATOR_LOAD_IN_PROGRESS ? Errors.NONE : errorCode,
      }
    case 'leave-group':
      return left(request, [], errorCode)
    case 'offset-commit':
      return commitFailed(request, errorCode)
    case 'offset-fetch':
      return { groupId: request.body.groupId, errorCode, topics: [] }
    case 'list-groups':
      return listFailed(errorCode)
    case 'describe-group':
      return describeFailed(request.body.groupId, errorCode)
    case 'delete-group':
      return deleted(request.body.groupId, errorCode)
    case 'offset-delete':
      return offsetDeleteFailed(errorCode)
    case 'topics-deleted':
      return null
  }
}

/** What a client is told when the log has refused an append. */
export function appendError(errorCode: number): number {
  switch (errorCode) {
    case Errors.UNKNOWN_TOPIC_OR_PARTITION:
    case Errors.NOT_ENOUGH_REPLICAS:
    case Errors.REQUEST_TIMED_OUT:
      return Errors.COORDINATOR_NOT_AVAILABLE
    case Errors.NOT_LEADER_OR_FOLLOWER:
    case Errors.KAFKA_STORAGE_ERROR:
    case Errors.FENCED_LEADER_EPOCH:
      return Errors.NOT_COORDINATOR
    case Errors.MESSAGE_TOO_LARGE:
    case Errors.RECORD_LIST_TOO_LARGE:
    case Errors.INVALID_FETCH_SIZE:
      return Errors.UNKNOWN_SERVER_ERROR
    default:
      return errorCode
  }
}

/** The partition of __consumer_offsets that holds a group: the absolute value of Java's hash of the id, modulo. */
export function partitionFor(groupId: string, numPartitions: number): number {
  let hash = 0
  for (let index = 0; index < groupId.length; index += 1) {
    hash = (Math.imul(31, hash) + groupId.charCodeAt(index)) | 0
  }
  // The smallest int has no absolute value among ints: Kafka takes 0.
  return hash === -(2 ** 31) ? 0 : Math.abs(hash) % numPartitions
}
