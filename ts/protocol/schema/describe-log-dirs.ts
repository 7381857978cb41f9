/**
 * DescribeLogDirs (key 35): the log directories of the asked broker and the size and lag of their replicas; null topics
 * mean all.
 * v2 flexible · v3 top-level error · v4 total and usable bytes of the volume (KIP-827) · v5 whether a directory is
 * cordoned (KIP-1066).
 */
import { array, bool, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

export const describeLogDirs = api({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [0, 5],
  flexible: 2,
  request: {
    topics: array({ topic: string(), partitions: array(int32()) }, { nullable: true }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ since: 3 }),
    results: array({
      errorCode: int16(),
      logDir: string(),
      topics: array({
        name: string(),
        partitions: array({
          partitionIndex: int32(),
          partitionSize: int64(),
          offsetLag: int64(),
          isFutureKey: bool(),
        }),
      }),
      totalBytes: int64({ since: 4, default: -1 }),
      usableBytes: int64({ since: 4, default: -1 }),
      isCordoned: bool({ since: 5 }),
    }),
  },
})
