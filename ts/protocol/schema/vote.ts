/**
 * Vote (key 52): a replica of the metadata log asks the voters for their vote. Flexible from v0.
 * v1 voter id and directory ids, the leader's endpoint in the answer (KIP-853) · v2 pre-vote, so the candidate is
 * called replica (KIP-996).
 */
import { array, bool, int16, int32, int64, string, uint16, uuid } from '../notation.js'
import { api } from '../table.js'

export const vote = api({
  key: 52,
  name: 'Vote',
  versions: [0, 2],
  flexible: 0,
  request: {
    clusterId: string({ nullable: true, default: null }),
    voterId: int32({ since: 1, default: -1 }),
    topics: array({
      topicName: string(),
      partitions: array({
        partitionIndex: int32(),
        replicaEpoch: int32(),
        replicaId: int32(),
        replicaDirectoryId: uuid({ since: 1 }),
        voterDirectoryId: uuid({ since: 1 }),
        lastOffsetEpoch: int32(),
        lastOffset: int64(),
        preVote: bool({ since: 2 }),
      }),
    }),
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
        voteGranted: bool(),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32(), host: string(), port: uint16() }, { since: 1, tag: 0 }),
  },
})
