/**
 * DeleteShareGroupState (key 86): the group coordinator has the state of share-partitions forgotten (KIP-932).
 * Flexible from v0.
 */
import { array, int16, int32, string, uuid } from '../notation.js'
import { api } from '../table.js'

export const deleteShareGroupState = api({
  key: 86,
  name: 'DeleteShareGroupState',
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string(),
    topics: array({ topicId: uuid(), partitions: array({ partition: int32() }) }),
  },
  response: {
    results: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true, default: null }),
      }),
    }),
  },
})
