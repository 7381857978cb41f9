/**
 * UnregisterController (key 94): forgets a controller that is gone for good. Flexible from v0.
 */
import { int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const unregisterController = api({
  key: 94,
  name: 'UnregisterController',
  versions: [0, 0],
  flexible: 0,
  request: {
    controllerId: int32(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
  },
})
