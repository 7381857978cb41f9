/**
 * DescribeUserScramCredentials (key 50): the SCRAM mechanisms and iterations of users, never their secrets; null users
 * mean all (KIP-554).
 * Flexible from v0.
 */
import { array, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const describeUserScramCredentials = api({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexible: 0,
  request: {
    users: array({ name: string() }, { nullable: true }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: true }),
      credentialInfos: array({ mechanism: int8(), iterations: int32() }),
    }),
  },
})
