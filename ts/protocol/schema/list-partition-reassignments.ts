/**
 * ListPartitionReassignments (key 46): the partitions that are being moved; null topics mean all (KIP-455).
 * Flexible from v0.
 */
import { array, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const listPartitionReassignments = api({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexible: 0,
  request: {
    timeoutMs: int32({ default: 60000 }),
    topics: array({ name: string(), partitionIndexes: array(int32()) }, { nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        replicas: array(int32()),
        addingReplicas: array(int32()),
        removingReplicas: array(int32()),
      }),
    }),
  },
})
