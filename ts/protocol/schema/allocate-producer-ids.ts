/**
 * AllocateProducerIds (key 67): the controller gives a broker a block of producer ids to hand out (KIP-730).
 * Flexible from v0.
 */
import { int16, int32, int64 } from '../notation.js'
import { api } from '../table.js'

export const allocateProducerIds = api({
  key: 67,
  name: 'AllocateProducerIds',
  versions: [0, 0],
  flexible: 0,
  request: {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    producerIdStart: int64(),
    producerIdLen: int32(),
  },
})
