/**
 * DeleteRecords (key 21): moves the log start offset of partitions up; an offset of −1 means the high watermark.
 * v2 flexible.
 */
import { array, bigint64, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

export const deleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexible: 2,
  request: {
    topics: array({ name: string(), partitions: array({ partitionIndex: int32(), offset: bigint64() }) }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string(),
      partitions: array({ partitionIndex: int32(), lowWatermark: int64(), errorCode: int16() }),
    }),
  },
})
