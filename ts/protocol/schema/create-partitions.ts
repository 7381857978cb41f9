/**
 * CreatePartitions (key 37): raises the partition count of topics, optionally with the new partitions' replicas.
 * v2 flexible · v3 THROTTLING_QUOTA_EXCEEDED (KIP-599).
 */
import { array, bool, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const createPartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexible: 2,
  request: {
    topics: array({
      name: string(),
      count: int32(),
      assignments: array({ brokerIds: array(int32()) }, { nullable: true }),
    }),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      name: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
    }),
  },
})
