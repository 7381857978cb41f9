/**
 * DescribeDelegationToken (key 41): delegation tokens by owner; null owners mean all that the asker may see.
 * v2 flexible · v3 who requested a token (KIP-373).
 */
import { array, bytes, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

export const describeDelegationToken = api({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: [0, 3],
  flexible: 2,
  request: {
    owners: array({ principalType: string(), principalName: string() }, { nullable: true }),
  },
  response: {
    errorCode: int16(),
    tokens: array({
      principalType: string(),
      principalName: string(),
      tokenRequesterPrincipalType: string({ since: 3 }),
      tokenRequesterPrincipalName: string({ since: 3 }),
      issueTimestamp: int64(),
      expiryTimestamp: int64(),
      maxTimestamp: int64(),
      tokenId: string(),
      hmac: bytes(),
      renewers: array({ principalType: string(), principalName: string() }),
    }),
    throttleTimeMs: int32({ default: 0 }),
  },
})
