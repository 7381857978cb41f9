/**
 * InitializeShareGroupState (key 83): the group coordinator has the state of share-partitions begin at a start offset
 * (KIP-932).
 * Flexible from v0.
 */
import { array, int16, int32, int64, string, uuid } from '../notation.js'
import { api } from '../table.js'

export const initializeShareGroupState = api({
  key: 83,
  name: 'InitializeShareGroupState',
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string(),
    topics: array({
      topicId: uuid(),
      partitions: array({ partition: int32(), stateEpoch: int32(), startOffset: int64() }),
    }),
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
