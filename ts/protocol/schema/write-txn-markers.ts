/**
 * WriteTxnMarkers (key 27): the transaction coordinator has commit or abort markers written by the partitions' leaders.
 * v1 flexible · v2 the transaction version of each marker (KIP-1228).
 */
import { array, bool, int8, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

export const writeTxnMarkers = api({
  key: 27,
  name: 'WriteTxnMarkers',
  versions: [0, 2],
  flexible: 1,
  request: {
    markers: array({
      producerId: int64(),
      producerEpoch: int16(),
      transactionResult: bool(),
      topics: array({ name: string(), partitionIndexes: array(int32()) }),
      coordinatorEpoch: int32(),
      transactionVersion: int8({ since: 2 }),
    }),
  },
  response: {
    markers: array({
      producerId: int64(),
      topics: array({ name: string(), partitions: array({ partitionIndex: int32(), errorCode: int16() }) }),
    }),
  },
})
