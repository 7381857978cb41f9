/**
 * Heartbeat (key 12): a member of a classic group is alive, and learns whether a rebalance is on.
 * v3 static members · v4 flexible.
 */
import { int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexible: 4,
  request: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ since: 3, nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32({ since: 1 }),
    errorCode: int16(),
  },
})
