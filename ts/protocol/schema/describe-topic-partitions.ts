/**
 * DescribeTopicPartitions (key 75): topics with their partitions and eligible leader replicas, page by page behind a
 * cursor (KIP-966).
 * Flexible from v0.
 */
import { array, bool, int16, int32, nested, string, uuid } from '../notation.js'
import { api } from '../table.js'
import { OPERATIONS_OMITTED } from './metadata.js'

export const describeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexible: 0,
  request: {
    topics: array({ name: string() }),
    responsePartitionLimit: int32({ default: 2000 }),
    cursor: nested({ topicName: string(), partitionIndex: int32() }, { nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      errorCode: int16(),
      name: string({ nullable: true }),
      topicId: uuid(),
      isInternal: bool({ default: false }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ default: -1 }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        eligibleLeaderReplicas: array(int32(), { nullable: true, default: null }),
        lastKnownElr: array(int32(), { nullable: true, default: null }),
        offlineReplicas: array(int32()),
      }),
      topicAuthorizedOperations: int32({ default: OPERATIONS_OMITTED }),
    }),
    nextCursor: nested({ topicName: string(), partitionIndex: int32() }, { nullable: true, default: null }),
  },
})
