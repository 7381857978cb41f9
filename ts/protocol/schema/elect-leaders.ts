/**
 * ElectLeaders (key 43): elects the preferred replicas, or any replica at all, as leaders; null partitions mean every
 * partition.
 * v0 preferred replicas alone · v1 election type, top-level error (KIP-460) · v2 flexible.
 */
import { array, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const electLeaders = api({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexible: 2,
  request: {
    electionType: int8({ since: 1 }),
    topicPartitions: array({ topic: string(), partitions: array(int32()) }, { nullable: true }),
    timeoutMs: int32({ default: 60000 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ since: 1 }),
    replicaElectionResults: array({
      topic: string(),
      partitionResult: array({
        partitionId: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true }),
      }),
    }),
  },
})
