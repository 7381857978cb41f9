/**
 * UnregisterBroker (key 64): forgets a broker that is gone for good (KIP-631). Flexible from v0.
 */
import { int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const unregisterBroker = api({
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexible: 0,
  request: {
    brokerId: int32(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
  },
})
