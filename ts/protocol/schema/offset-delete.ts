/**
 * OffsetDelete (key 47): forgets a group's offsets of partitions that it is not subscribed to (KIP-496).
 * Never flexible.
 */
import { array, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const offsetDelete = api({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  request: {
    groupId: string(),
    topics: array({ name: string(), partitions: array({ partitionIndex: int32() }) }),
  },
  response: {
    errorCode: int16(),
    throttleTimeMs: int32({ default: 0 }),
    topics: array({ name: string(), partitions: array({ partitionIndex: int32(), errorCode: int16() }) }),
  },
})
