/**
 * EndQuorumEpoch (key 54): a leader of the metadata log resigns and names its successors in order of preference.
 * v1 flexible, candidates with directory ids, the leader's endpoints (KIP-853).
 */
import { array, int16, int32, string, uint16, uuid } from '../notation.js'
import { api } from '../table.js'

export const endQuorumEpoch = api({
  key: 54,
  name: 'EndQuorumEpoch',
  versions: [0, 1],
  flexible: 1,
  request: {
    clusterId: string({ nullable: true, default: null }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        leaderId: int32(),
        leaderEpoch: int32(),
        preferredSuccessors: array(int32(), { until: 0 }),
        preferredCandidates: array({ candidateId: int32(), candidateDirectoryId: uuid() }, { since: 1 }),
      }),
    }),
    leaderEndpoints: array({ name: string(), host: string(), port: uint16() }, { since: 1 }),
  },
  response: {
    errorCode: int16(),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        leaderId: int32(),
        leaderEpoch: int32(),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32(), host: string(), port: uint16() }, { since: 1, tag: 0 }),
  },
})
