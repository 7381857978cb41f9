/**
 * Records of __consumer_offsets that streams groups (KIP-1071) write, in Kafka's layout. All values are flexible; a
 * record with a null value is a tombstone for its key.
 */
import { array, bigint64, int8, int16, int32, int64, nested, string } from '../notation.js'
import { record } from '../table.js'
import { endpoint, keyValue, taskIds, topicInfo } from './streams-structs.js'

/** The group's epoch, a hash of its topics, and what its last assignment was computed with. */
export const streamsGroupMetadataRecord = record({
  name: 'StreamsGroupMetadata',
  types: [17],
  key: { groupId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    epoch: int32(),
    metadataHash: bigint64(),
    validatedTopologyEpoch: int32({ tag: 0, default: -1 }),
    lastAssignmentConfigs: array(keyValue, { tag: 1, nullable: true }),
    storedDescriptionTopologyEpoch: int32({ tag: 2, default: -1 }),
    failedDescriptionTopologyEpoch: int32({ tag: 3, default: -1 }),
  },
})

export const streamsGroupMemberMetadataRecord = record({
  name: 'StreamsGroupMemberMetadata',
  types: [19],
  key: { groupId: string(), memberId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    instanceId: string({ nullable: true }),
    rackId: string({ nullable: true }),
    clientId: string(),
    clientHost: string(),
    rebalanceTimeoutMs: int32({ default: -1 }),
    topologyEpoch: int32(),
    processId: string(),
    userEndpoint: nested(endpoint, { nullable: true, default: null }),
    clientTags: array(keyValue),
  },
})

/** The group epoch that the target assignment was computed for, and when (KIP-1263). */
export const streamsGroupTargetAssignmentMetadataRecord = record({
  name: 'StreamsGroupTargetAssignmentMetadata',
  types: [20],
  key: { groupId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: { assignmentEpoch: int32(), assignmentTimestamp: int64({ tag: 0 }) },
})

/** The tasks that a member is to have once everybody has let go of the rest. */
export const streamsGroupTargetAssignmentMemberRecord = record({
  name: 'StreamsGroupTargetAssignmentMember',
  types: [21],
  key: { groupId: string(), memberId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: { activeTasks: array(taskIds), standbyTasks: array(taskIds), warmupTasks: array(taskIds) },
})

/** One epoch per partition of an active task, in the same order: commits of an older one are refused. */
const owned = { ...taskIds, assignmentEpochs: array(int32(), { tag: 0, nullable: true }) }

/** The tasks that a member has, and those that it must give up first. */
export const streamsGroupCurrentMemberAssignmentRecord = record({
  name: 'StreamsGroupCurrentMemberAssignment',
  types: [22],
  key: { groupId: string(), memberId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    activeTasks: array(owned),
    standbyTasks: array(owned),
    warmupTasks: array(owned),
    activeTasksPendingRevocation: array(owned),
    standbyTasksPendingRevocation: array(owned),
    warmupTasksPendingRevocation: array(owned),
  },
})

/** The topology that the group runs. Copartition groups point into the subtopology's own lists. */
export const streamsGroupTopologyRecord = record({
  name: 'StreamsGroupTopology',
  types: [23],
  key: { groupId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    epoch: int32(),
    subtopologies: array({
      subtopologyId: string(),
      sourceTopics: array(string()),
      sourceTopicRegex: array(string()),
      stateChangelogTopics: array(topicInfo),
      repartitionSinkTopics: array(string()),
      repartitionSourceTopics: array(topicInfo),
      copartitionGroups: array({
        sourceTopics: array(int16()),
        sourceTopicRegex: array(int16()),
        repartitionSourceTopics: array(int16()),
      }),
    }),
  },
})

/** Everything that a streams group writes besides its committed offsets. */
export const streamsGroupRecords = [
  streamsGroupMetadataRecord,
  streamsGroupMemberMetadataRecord,
  streamsGroupTargetAssignmentMetadataRecord,
  streamsGroupTargetAssignmentMemberRecord,
  streamsGroupCurrentMemberAssignmentRecord,
  streamsGroupTopologyRecord,
] as const
