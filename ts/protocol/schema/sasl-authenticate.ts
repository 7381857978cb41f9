/**
 * SaslAuthenticate (key 36): carries one step of the SASL exchange, after SaslHandshake v1.
 * v1 session lifetime, after which the client must authenticate again (KIP-368) · v2 flexible.
 */
import { bytes, int16, int64, string } from '../notation.js'
import { api } from '../table.js'

export const saslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexible: 2,
  request: {
    authBytes: bytes(),
  },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ since: 1 }),
  },
})
