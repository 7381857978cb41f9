/**
 * AlterUserScramCredentials (key 51): sets and removes users' SCRAM credentials; the password arrives salted and hashed
 * (KIP-554).
 * Flexible from v0.
 */
import { array, bytes, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const alterUserScramCredentials = api({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: [0, 0],
  flexible: 0,
  request: {
    deletions: array({ name: string(), mechanism: int8() }),
    upsertions: array({
      name: string(),
      mechanism: int8(),
      iterations: int32(),
      salt: bytes(),
      saltedPassword: bytes(),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({ user: string(), errorCode: int16(), errorMessage: string({ nullable: true }) }),
  },
})
