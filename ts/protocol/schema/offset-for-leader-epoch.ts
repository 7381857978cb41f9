/**
 * OffsetForLeaderEpoch (key 23): where a leader epoch ended, for the truncation of followers and the checks of
 * consumers (KIP-101, KIP-320).
 * v1 the epoch in the answer · v2 the asker's own leader epoch, throttle time · v3 replica id (−2 is a debugging
 * consumer) · v4 flexible.
 */
import { array, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

export const offsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [0, 4],
  flexible: 4,
  request: {
    replicaId: int32({ since: 3, default: -2 }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ since: 2, default: -1 }),
        leaderEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ since: 2 }),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32({ since: 1, default: -1 }),
        endOffset: int64({ default: -1 }),
      }),
    }),
  },
})
