/**
 * ListOffsets (key 2): offsets by timestamp or by special position. The broker's Rust side serves it; this table is for
 * clients and tests. v0 answered a list of segment offsets · v1 one offset with its timestamp · v2 isolation level ·
 * v4 leader epochs · v6 flexible · v7 max timestamp (−3) · v8 local log start (−4) · v9 last tiered (−5) ·
 * v10 timeout · v11 earliest pending upload (−6).
 */
import { array, int8, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

export const listOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [0, 11],
  flexible: 6,
  request: {
    replicaId: int32(),
    isolationLevel: int8({ since: 2 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        currentLeaderEpoch: int32({ since: 4, default: -1 }),
        timestamp: int64(),
        maxNumOffsets: int32({ until: 0, default: 1 }),
      }),
    }),
    timeoutMs: int32({ since: 10 }),
  },
  response: {
    throttleTimeMs: int32({ since: 2 }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        oldStyleOffsets: array(int64(), { until: 0 }),
        timestamp: int64({ since: 1, default: -1 }),
        offset: int64({ since: 1, default: -1 }),
        leaderEpoch: int32({ since: 4, default: -1 }),
      }),
    }),
  },
})
