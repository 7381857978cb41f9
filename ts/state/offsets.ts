// Committed offsets: OffsetCommit 0 to 10, OffsetFetch 0 to 10, what expires and what goes with a deleted topic.
// Owns the table of offsets of one partition of __consumer_offsets; group membership is only read here.
import { Errors, ZERO_UUID } from '../protocol/index.js'
import type { Now } from './coordinator.js'
import { answer, nothing } from './coordinator.js'
import type { Group } from './group.js'
import { subscribedTopics } from './group.js'
import type { Groups } from './group-classic.js'
import { sessionTimer } from './group-classic.js'
import { checkMember } from './group-draft.js'
import type {
  CommitRequest,
  FetchRequest,
  GroupConfig,
  GroupDecision,
  OffsetCommitResponse,
  OffsetFetchGroupResponse,
} from './group-messages.js'
import type { GroupRecord, OffsetCommitKey, OffsetCommitValue } from './group-records.js'
import { groupTombstone, offsetCommitRecord, offsetTombstone } from './group-records.js'

/** Group → topic → partition → committed offset. Mutated by replay alone. */
export type Offsets = Map<string, Map<string, Map<number, OffsetCommitValue>>>

/** A round of expiry ends with the group that brings it above so many tombstones; the next goes on. */
const MAX_EXPIRED_PER_DECISION = 10_000

export function replayOffset(offsets: Offsets, key: OffsetCommitKey, value: OffsetCommitValue | null): void {
  if (value !== null) {
    under(under(offsets, key.group), key.topic).set(key.partition, value)
    return
  }
  const topics = offsets.get(key.group)
  const partitions = topics?.get(key.topic)
  if (topics === undefined || partitions === undefined) return
  partitions.delete(key.partition)
  if (partitions.size === 0) topics.delete(key.topic)
  if (topics.size === 0) offsets.delete(key.group)
}

/** The map below `key`, made where there is none. */
function under<K, L, V>(maps: Map<K, Map<L, V>>, key: K): Map<L, V> {
  const known = maps.get(key)
  if (known !== undefined) return known
  const made = new Map<L, V>()
  maps.set(key, made)
  return made
}

export function decideCommit(
  groups: Groups,
  request: CommitRequest,
  config: GroupConfig,
  now: Now,
): GroupDecision {
  const { body, to } = request
  const group = groups.get(body.groupId)
  const errorCode = checkCommit(group, request)
  if (errorCode !== Errors.NONE) return answer(to, commitFailed(request, errorCode))

  const records: GroupRecord[] = []
  // The group's own string where there is one: looked up again, it is known by its address.
  const groupId = group?.groupId ?? body.groupId
  const expireTimestamp = body.retentionTimeMs < 0 ? -1 : now.wallMs + body.retentionTimeMs
  const topics = body.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((partition) => {
      const { partitionIndex, committedMetadata } = partition
      const metadata = committedMetadata ?? ''
      if (metadata.length > config.offsetMetadataMaxBytes) {
        return { partitionIndex, errorCode: Errors.OFFSET_METADATA_TOO_LARGE }
      }
      records.push(
        offsetCommitRecord(
          { group: groupId, topic: name, partition: partitionIndex },
          {
            offset: partition.committedOffset,
            leaderEpoch: partition.committedLeaderEpoch,
            metadata,
            commitTimestamp: partition.commitTimestamp < 0 ? now.wallMs : partition.commitTimestamp,
            expireTimestamp,
            topicId,
          },
        ),
      )
      return { partitionIndex, errorCode: Errors.NONE }
    }),
  }))
  // A commit is a sign of life wherever a heartbeat would be one.
  const alive = group !== undefined && (group.state === 'Stable' || group.state === 'PreparingRebalance')
  return {
    records,
    soft: [],
    replies: [{ to, response: { throttleTimeMs: 0, topics } }],
    timers: alive ? sessionTimer(group, body.memberId, now) : [],
  }
}

/** Whether this member, or somebody outside any group, may commit now; the error that refuses it otherwise. */
function checkCommit(group: Group | undefined, { apiVersion, body }: CommitRequest): number {
  const { generationIdOrMemberEpoch: generation, memberId, groupInstanceId } = body
  if (group === undefined) {
    // Without a generation it is a consumer that assigns itself, or an admin tool: any group id will do, the empty
    // one of old clients too.
    if (generation < 0) return Errors.NONE
    return apiVersion >= 9 ? Errors.GROUP_ID_NOT_FOUND : Errors.ILLEGAL_GENERATION
  }
  if (generation < 0 && group.state === 'Empty') return Errors.NONE
  if (generation < 0 && memberId === '' && groupInstanceId === null) return Errors.UNKNOWN_MEMBER_ID
  const check = checkMember(group, memberId, groupInstanceId)
  if (check === 'unknown') return Errors.UNKNOWN_MEMBER_ID
  if (check === 'fenced') return Errors.FENCED_INSTANCE_ID
  if (generation !== group.generationId) return Errors.ILLEGAL_GENERATION
  // Its assignment is not settled yet: the member should sync first and commit again.
  if (group.state === 'CompletingRebalance') return Errors.REBALANCE_IN_PROGRESS
  return Errors.NONE
}

/** The same error for every partition of the request. */
export function commitFailed({ body }: CommitRequest, errorCode: number): OffsetCommitResponse {
  return {
    throttleTimeMs: 0,
    topics: body.topics.map(({ name, topicId, partitions }) => ({
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  }
}

type FetchedPartition = OffsetFetchGroupResponse['topics'][number]['partitions'][number]

/** A partition without a committed offset is −1 with empty metadata, in an unknown group too. */
export function decideFetch(offsets: Offsets, { to, body }: FetchRequest): GroupDecision {
  const committed = offsets.get(body.groupId)
  const topics =
    body.topics === null
      ? [...(committed ?? [])].map(([name, partitions]) => ({
          name,
          topicId: newestTopicId(partitions),
          partitions: [...partitions].map(([index, value]) => fetched(index, value, ZERO_UUID)),
        }))
      : body.topics.map(({ name, topicId, partitionIndexes }) => {
          const partitions = committed?.get(name)
          return {
            name,
            topicId,
            partitions: partitionIndexes.map((index) => fetched(index, partitions?.get(index), topicId)),
          }
        })
  return answer(to, { groupId: body.groupId, errorCode: Errors.NONE, topics })
}

/** An offset that was committed to another topic of the same name (deleted since) does not count. */
function fetched(
  partitionIndex: number,
  value: OffsetCommitValue | undefined,
  topicId: string,
): FetchedPartition {
  if (value === undefined || isOtherTopic(value.topicId, topicId)) {
    return {
      partitionIndex,
      committedOffset: -1,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode: Errors.NONE,
    }
  }
  return {
    partitionIndex,
    committedOffset: value.offset,
    committedLeaderEpoch: value.leaderEpoch,
    metadata: value.metadata,
    errorCode: Errors.NONE,
  }
}

function isOtherTopic(a: string, b: string): boolean {
  return a !== b && a !== ZERO_UUID && b !== ZERO_UUID
}

function newestTopicId(partitions: ReadonlyMap<number, OffsetCommitValue>): string {
  let topicId = ZERO_UUID
  let newest = Number.NEGATIVE_INFINITY
  for (const value of partitions.values()) {
    if (value.topicId !== ZERO_UUID && value.commitTimestamp > newest) {
      topicId = value.topicId
      newest = value.commitTimestamp
    }
  }
  return topicId
}

/** Tombstones for every offset of topics that are gone, whatever the state of the groups. */
export function decideTopicsDeleted(
  offsets: Offsets,
  topics: readonly { readonly name: string; readonly topicId: string }[],
): GroupDecision {
  const records: GroupRecord[] = []
  for (const [group, committed] of offsets) {
    for (const { name: topic, topicId } of topics) {
      for (const [partition, value] of committed.get(topic) ?? []) {
        if (!isOtherTopic(value.topicId, topicId)) records.push(offsetTombstone({ group, topic, partition }))
      }
    }
  }
  return { ...nothing(), records, divisible: true }
}

/**
 * Tombstones for offsets whose retention is over, and for empty groups that have none left (KIP-211): a simple group
 * counts from its last commit, an empty one from the moment it became empty, a Stable one only for topics that it
 * no longer subscribes to. `complete` is false when there was more than one round takes.
 */
export function decideExpiry(
  groups: Groups,
  offsets: Offsets,
  config: GroupConfig,
  now: Now,
): { records: GroupRecord[]; complete: boolean } {
  const records: GroupRecord[] = []
  for (const group of groups.values()) {
    if (records.length >= MAX_EXPIRED_PER_DECISION) return { records, complete: false }
    let remaining = 0
    const subscribed = subscribedTopics(group)
    for (const [topic, partitions] of offsets.get(group.groupId) ?? []) {
      for (const [partition, value] of partitions) {
        if (isExpired(group, subscribed, topic, value, config, now)) {
          records.push(offsetTombstone({ group: group.groupId, topic, partition }))
        } else remaining += 1
      }
    }
    // A pending member is about to join: its group is not abandoned.
    const abandoned = group.state === 'Empty' && remaining === 0 && group.pendingMembers.size === 0
    if (abandoned) records.push(groupTombstone(group.groupId))
  }
  return { records, complete: true }
}

function isExpired(
  group: Group,
  subscribed: ReadonlySet<string> | null,
  topic: string,
  value: OffsetCommitValue,
  config: GroupConfig,
  now: Now,
): boolean {
  const since = expiresSince(group, subscribed, topic, value)
  if (since === null) return false
  if (value.expireTimestamp >= 0) return now.wallMs >= value.expireTimestamp
  return now.wallMs - since >= config.offsetsRetentionMs
}

/** From when the retention of an offset counts; null while its group holds on to it. */
function expiresSince(
  group: Group,
  subscribed: ReadonlySet<string> | null,
  topic: string,
  value: OffsetCommitValue,
): number | null {
  if (group.protocolType === null) return value.commitTimestamp
  if (group.state === 'Empty') return group.currentStateTimestamp ?? value.commitTimestamp
  if (group.state === 'Stable' && subscribed !== null && !subscribed.has(topic)) return value.commitTimestamp
  return null
}
