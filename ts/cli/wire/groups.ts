/**
 * A classic group's members, assignments and committed offsets as a command shows them. It reads; it changes nothing.
 */
import {
  array,
  bytes,
  decodeStruct,
  describeGroups,
  Errors,
  int16,
  int32,
  offsetFetch,
  type ResponseOf,
  string,
  struct,
} from '../../protocol/index.js'
import { CommandError, refused } from '../failure.js'
import type { Cluster } from './cluster.js'

export type DescribedGroup = ResponseOf<typeof describeGroups>['groups'][number]

export interface Committed {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly metadata: string | null
}

/** ConsumerProtocolAssignment, the fields of every version. */
const assignment = struct('ConsumerProtocolAssignment', {
  version: int16(),
  assignedPartitions: array({ topic: string(), partitions: array(int32()) }),
  userData: bytes({ nullable: true }),
})

/** `topic:partition` of what a member of protocol type `consumer` was given; nothing for what does not read as that. */
export function assigned(memberAssignment: Buffer): string[] {
  if (memberAssignment.length === 0) return []
  try {
    const { assignedPartitions } = decodeStruct(assignment, memberAssignment)
    return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((one) => `${topic}:${one}`))
  } catch {
    return []
  }
}

/** Throws CommandError for a group that does not exist (Kafka describes such a one as Dead). */
export async function describedGroup(cluster: Cluster, groupId: string): Promise<DescribedGroup> {
  const coordinator = await cluster.coordinator(groupId)
  const { groups } = await cluster.settled(
    () => coordinator.request(describeGroups, { groups: [groupId] }),
    (answer) => answer.groups.map((group) => group.errorCode),
  )
  const [group] = groups
  if (group === undefined || group.errorCode === Errors.GROUP_ID_NOT_FOUND || group.groupState === 'Dead') {
    throw new CommandError(
      `Group ${groupId} does not exist. \`millrace group list\` shows the groups that do.`,
    )
  }
  if (group.errorCode !== Errors.NONE)
    throw refused(`describe group ${groupId}`, group.errorCode, group.errorMessage)
  return group
}

/** All offsets that the group has committed. */
export async function committedOffsets(cluster: Cluster, groupId: string): Promise<Committed[]> {
  const coordinator = await cluster.coordinator(groupId)
  const answer = await cluster.settled(
    () => coordinator.request(offsetFetch, { groupId, topics: null }, 7),
    (one) => [one.errorCode],
  )
  if (answer.errorCode !== Errors.NONE) throw refused(`read offsets of group ${groupId}`, answer.errorCode)
  return answer.topics
    .flatMap(({ name, partitions }) =>
      partitions.map((one) => ({
        topic: name,
        partition: one.partitionIndex,
        offset: one.committedOffset,
        metadata: one.metadata,
      })),
    )
    .filter((one) => one.offset >= 0)
    .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}
