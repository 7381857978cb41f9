/**
 * JoinGroup (key 11): a member asks into a classic group and waits for the rebalance.
 * v1 rebalance timeout · v4 MEMBER_ID_REQUIRED round trip (KIP-394) · v5 static members · v6 flexible · v7 protocol type
 * in the answer, protocol name nullable · v8 reason · v9 the leader may be told to skip the assignment (KIP-814).
 */
import { array, bool, bytes, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const joinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexible: 6,
  request: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32({ since: 1, default: -1 }),
    memberId: string(),
    groupInstanceId: string({ since: 5, nullable: true, default: null }),
    protocolType: string(),
    protocols: array({ name: string(), metadata: bytes() }),
    reason: string({ since: 8, nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32({ since: 2 }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: string({ since: 7, nullable: true, default: null }),
    protocolName: string({ nullable: 7 }),
    leader: string(),
    skipAssignment: bool({ since: 9, default: false }),
    memberId: string(),
    members: array({
      memberId: string(),
      groupInstanceId: string({ since: 5, nullable: true, default: null }),
      metadata: bytes(),
    }),
  },
})
