/**
 * Metadata (key 3): brokers, topics and partition leaders, optionally creating topics.
 * v0 an empty topic list means all, from v1 null does · v4 auto-creation is a choice · v7 leader epochs · v8–10 cluster
 * operations · v9 flexible · v10 topic ids · v12 topics by id · v13 top-level error (rebootstrap, KIP-1102).
 */
import { array, bool, int16, int32, reusableArray, string, uuid } from '../notation.js'
import { api } from '../table.js'

/** "Not asked for" in the authorised-operations fields. */
export const OPERATIONS_OMITTED = -2147483648

export const metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexible: 9,
  request: {
    topics: array({ topicId: uuid({ since: 10 }), name: string({ nullable: 10 }) }, { nullable: 1 }),
    allowAutoTopicCreation: bool({ since: 4, default: true }),
    includeClusterAuthorizedOperations: bool({ since: 8, until: 10 }),
    includeTopicAuthorizedOperations: bool({ since: 8 }),
  },
  response: {
    throttleTimeMs: int32({ since: 3 }),
    brokers: array({
      nodeId: int32(),
      host: string(),
      port: int32(),
      rack: string({ since: 1, nullable: true, default: null }),
    }),
    clusterId: string({ since: 2, nullable: true, default: null }),
    controllerId: int32({ since: 1, default: -1 }),
    topics: reusableArray({
      errorCode: int16(),
      name: string({ nullable: 12 }),
      topicId: uuid({ since: 10 }),
      isInternal: bool({ since: 1, default: false }),
      partitions: array({
        errorCode: int16(),
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32({ since: 7, default: -1 }),
        replicaNodes: array(int32()),
        isrNodes: array(int32()),
        offlineReplicas: array(int32(), { since: 5 }),
      }),
      topicAuthorizedOperations: int32({ since: 8, default: OPERATIONS_OMITTED }),
    }),
    clusterAuthorizedOperations: int32({ since: 8, until: 10, default: OPERATIONS_OMITTED }),
    errorCode: int16({ since: 13 }),
  },
})
