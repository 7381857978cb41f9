/**
 * ReadShareGroupStateSummary (key 87): start offset and epochs of share-partitions, without what is in flight
 * (KIP-932).
 * Flexible from v0 · v1 how many deliveries are complete, for the lag (KIP-1226).
 */
import { array, int16, int32, int64, string, uuid } from '../notation.js'
import { api } from '../table.js'

export const readShareGroupStateSummary = api({
  key: 87,
  name: 'ReadShareGroupStateSummary',
  versions: [0, 1],
  flexible: 0,
  request: {
    groupId: string(),
    topics: array({ topicId: uuid(), partitions: array({ partition: int32(), leaderEpoch: int32() }) }),
  },
  response: {
    results: array({
      topicId: uuid(),
      partitions: array({
        partition: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true, default: null }),
        stateEpoch: int32(),
        leaderEpoch: int32(),
        startOffset: int64(),
        deliveryCompleteCount: int32({ since: 1, default: -1 }),
      }),
    }),
  },
})
