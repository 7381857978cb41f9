/**
 * Records of __consumer_offsets that share groups (KIP-932) write, in Kafka's layout. All values are flexible; a record
 * with a null value is a tombstone for its key. What is in flight is kept elsewhere (share-state-records.ts).
 */
import { array, bigint64, int8, int32, int64, string, uuid } from '../notation.js'
import { record } from '../table.js'

export const shareGroupMemberMetadataRecord = record({
  name: 'ShareGroupMemberMetadata',
  types: [10],
  key: { groupId: string(), memberId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    rackId: string({ nullable: true }),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
  },
})

/** The group's epoch, and a hash of the topics that it subscribes to, which tells when they changed. */
export const shareGroupMetadataRecord = record({
  name: 'ShareGroupMetadata',
  types: [11],
  key: { groupId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: { epoch: int32(), metadataHash: bigint64() },
})

/** The group epoch that the target assignment was computed for, and when (KIP-1263). */
export const shareGroupTargetAssignmentMetadataRecord = record({
  name: 'ShareGroupTargetAssignmentMetadata',
  types: [12],
  key: { groupId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: { assignmentEpoch: int32(), assignmentTimestamp: int64({ tag: 0 }) },
})

export const shareGroupTargetAssignmentMemberRecord = record({
  name: 'ShareGroupTargetAssignmentMember',
  types: [13],
  key: { groupId: string(), memberId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: { topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) },
})

export const shareGroupCurrentMemberAssignmentRecord = record({
  name: 'ShareGroupCurrentMemberAssignment',
  types: [14],
  key: { groupId: string(), memberId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array({ topicId: uuid(), partitions: array(int32()) }),
  },
})

const topicPartitions = { topicId: uuid(), topicName: string(), partitions: array(int32()) }

/** Which share-partitions have state with the share coordinator, are getting it, or are losing it. */
export const shareGroupStatePartitionMetadataRecord = record({
  name: 'ShareGroupStatePartitionMetadata',
  types: [15],
  key: { groupId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    initializingTopics: array(topicPartitions),
    initializedTopics: array(topicPartitions),
    deletingTopics: array({ topicId: uuid(), topicName: string() }),
  },
})

/** Everything that a share group writes to __consumer_offsets. */
export const shareGroupRecords = [
  shareGroupMemberMetadataRecord,
  shareGroupMetadataRecord,
  shareGroupTargetAssignmentMetadataRecord,
  shareGroupTargetAssignmentMemberRecord,
  shareGroupCurrentMemberAssignmentRecord,
  shareGroupStatePartitionMetadataRecord,
] as const
