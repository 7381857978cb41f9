/**
 * ExpireDelegationToken (key 40): brings forward the expiry of a delegation token; a negative period ends it at once.
 * v2 flexible.
 */
import { bigint64, bytes, int16, int32, int64 } from '../notation.js'
import { api } from '../table.js'

export const expireDelegationToken = api({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: [0, 2],
  flexible: 2,
  request: {
    hmac: bytes(),
    expiryTimePeriodMs: bigint64(),
  },
  response: {
    errorCode: int16(),
    expiryTimestampMs: int64(),
    throttleTimeMs: int32({ default: 0 }),
  },
})
