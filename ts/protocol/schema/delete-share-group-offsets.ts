/**
 * DeleteShareGroupOffsets (key 92): forgets the start offsets of an empty share group, by topic (KIP-932).
 * Flexible from v0.
 */
import { array, int16, int32, string, uuid } from '../notation.js'
import { api } from '../table.js'

export const deleteShareGroupOffsets = api({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string(),
    topics: array({ topicName: string() }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    responses: array({
      topicName: string(),
      topicId: uuid(),
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
    }),
  },
})
