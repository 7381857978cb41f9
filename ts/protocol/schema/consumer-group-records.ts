/**
 * Records of __consumer_offsets that consumer groups (KIP-848) write, in Kafka's layout. All values are flexible; a
 * record with a null value is a tombstone for its key.
 */
import { array, bigint64, bytes, int8, int32, int64, nested, string, uuid } from '../notation.js'
import { record } from '../table.js'

/** The group's epoch, and a hash of the topics that it subscribes to, which tells when they changed (KIP-1101). */
export const consumerGroupMetadataRecord = record({
  name: 'ConsumerGroupMetadata',
  types: [3],
  key: { groupId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: { epoch: int32(), metadataHash: bigint64({ tag: 0, default: 0n }) },
})

/** The subscribed topics, before a hash of them took this place in 4.1. */
export const consumerGroupPartitionMetadataRecord = record({
  name: 'ConsumerGroupPartitionMetadata',
  types: [4],
  key: { groupId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    topics: array({
      topicId: uuid(),
      topicName: string(),
      numPartitions: int32(),
      partitionMetadata: array({ partition: int32(), racks: array(string()) }),
    }),
  },
})

/** A member and its subscription; `classicMemberMetadata` is null, and written so, unless it speaks the classic protocol. */
export const consumerGroupMemberMetadataRecord = record({
  name: 'ConsumerGroupMemberMetadata',
  types: [5],
  key: { groupId: string(), memberId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    instanceId: string({ nullable: true }),
    rackId: string({ nullable: true }),
    clientId: string(),
    clientHost: string(),
    subscribedTopicNames: array(string()),
    subscribedTopicRegex: string({ nullable: true }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    serverAssignor: string({ nullable: true }),
    classicMemberMetadata: nested(
      { sessionTimeoutMs: int32(), supportedProtocols: array({ name: string(), metadata: bytes() }) },
      { tag: 0, nullable: true },
    ),
  },
})

/** The group epoch that the target assignment was computed for, and when (KIP-1263). */
export const consumerGroupTargetAssignmentMetadataRecord = record({
  name: 'ConsumerGroupTargetAssignmentMetadata',
  types: [6],
  key: { groupId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: { assignmentEpoch: int32(), assignmentTimestamp: int64({ tag: 0 }) },
})

/** What a member is to have once everybody has let go of the rest. */
export const consumerGroupTargetAssignmentMemberRecord = record({
  name: 'ConsumerGroupTargetAssignmentMember',
  types: [7],
  key: { groupId: string(), memberId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: { topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) },
})

/**
 * One epoch per partition, in the same order: commits of an older one are refused. Where none are told, Kafka's classes
 * read an empty list, though the schema means null.
 */
const owned = {
  topicId: uuid(),
  partitions: array(int32()),
  assignmentEpochs: array(int32(), { tag: 0, nullable: true }),
}

/** What a member has, and what it must give up first. */
export const consumerGroupCurrentMemberAssignmentRecord = record({
  name: 'ConsumerGroupCurrentMemberAssignment',
  types: [8],
  key: { groupId: string(), memberId: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    memberEpoch: int32(),
    previousMemberEpoch: int32(),
    state: int8(),
    assignedPartitions: array(owned),
    partitionsPendingRevocation: array(owned),
  },
})

/** The topics that a subscribed regular expression matched, as of a version of the metadata. */
export const consumerGroupRegularExpressionRecord = record({
  name: 'ConsumerGroupRegularExpression',
  types: [16],
  key: { groupId: string(), regularExpression: string() },
  valueVersions: [0, 0],
  flexible: 0,
  value: { topics: array(string()), version: int64(), timestamp: int64() },
})

/** Everything that a consumer group writes besides its committed offsets. */
export const consumerGroupRecords = [
  consumerGroupMetadataRecord,
  consumerGroupPartitionMetadataRecord,
  consumerGroupMemberMetadataRecord,
  consumerGroupTargetAssignmentMetadataRecord,
  consumerGroupTargetAssignmentMemberRecord,
  consumerGroupCurrentMemberAssignmentRecord,
  consumerGroupRegularExpressionRecord,
] as const
