/**
 * CreateDelegationToken (key 38): issues a delegation token to the asking principal (KIP-48). A lifetime of −1 means
 * the broker's default.
 * v2 flexible · v3 a token for somebody else: owner in the request, requester in the answer (KIP-373).
 */
import { array, bigint64, bytes, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

export const createDelegationToken = api({
  key: 38,
  name: 'CreateDelegationToken',
  versions: [0, 3],
  flexible: 2,
  request: {
    ownerPrincipalType: string({ since: 3, nullable: true }),
    ownerPrincipalName: string({ since: 3, nullable: true }),
    renewers: array({ principalType: string(), principalName: string() }),
    maxLifetimeMs: bigint64(),
  },
  response: {
    errorCode: int16(),
    principalType: string(),
    principalName: string(),
    tokenRequesterPrincipalType: string({ since: 3 }),
    tokenRequesterPrincipalName: string({ since: 3 }),
    issueTimestampMs: int64(),
    expiryTimestampMs: int64(),
    maxTimestampMs: int64(),
    tokenId: string(),
    hmac: bytes(),
    throttleTimeMs: int32({ default: 0 }),
  },
})
