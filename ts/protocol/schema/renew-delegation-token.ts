/**
 * RenewDelegationToken (key 39): puts off the expiry of a delegation token, within its lifetime.
 * v2 flexible.
 */
import { bigint64, bytes, int16, int32, int64 } from '../notation.js'
import { api } from '../table.js'

export const renewDelegationToken = api({
  key: 39,
  name: 'RenewDelegationToken',
  versions: [0, 2],
  flexible: 2,
  request: {
    hmac: bytes(),
    renewPeriodMs: bigint64(),
  },
  response: {
    errorCode: int16(),
    expiryTimestampMs: int64(),
    throttleTimeMs: int32({ default: 0 }),
  },
})
