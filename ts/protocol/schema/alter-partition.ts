/**
 * AlterPartition (key 56): a partition's leader asks the controller for another ISR (KIP-497). Flexible from v0.
 * v1 leader recovery state (KIP-704) · v2 topic ids instead of names (KIP-841) · v3 the epoch of each broker in the ISR
 * (KIP-903).
 */
import { array, int8, int16, int32, int64, string, uuid } from '../notation.js'
import { api } from '../table.js'

export const alterPartition = api({
  key: 56,
  name: 'AlterPartition',
  versions: [0, 3],
  flexible: 0,
  request: {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1 }),
    topics: array({
      topicName: string({ until: 1 }),
      topicId: uuid({ since: 2 }),
      partitions: array({
        partitionIndex: int32(),
        leaderEpoch: int32(),
        newIsr: array(int32(), { until: 2 }),
        newIsrWithEpochs: array({ brokerId: int32(), brokerEpoch: int64({ default: -1 }) }, { since: 3 }),
        leaderRecoveryState: int8({ since: 1 }),
        partitionEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    topics: array({
      topicName: string({ until: 1 }),
      topicId: uuid({ since: 2 }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        leaderId: int32(),
        leaderEpoch: int32(),
        isr: array(int32()),
        leaderRecoveryState: int8({ since: 1 }),
        partitionEpoch: int32(),
      }),
    }),
  },
})
