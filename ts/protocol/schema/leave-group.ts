/**
 * LeaveGroup (key 13): members leave a group.
 * v0–2 one member by `memberId` · v3 several, static ones by instance id (KIP-345) · v4 flexible · v5 reason.
 */
import { array, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const leaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string(),
    memberId: string({ until: 2 }),
    members: array(
      {
        memberId: string(),
        groupInstanceId: string({ nullable: true, default: null }),
        reason: string({ since: 5, nullable: true, default: null }),
      },
      { since: 3 },
    ),
  },
  response: {
    throttleTimeMs: int32({ since: 1 }),
    errorCode: int16(),
    members: array(
      { memberId: string(), groupInstanceId: string({ nullable: true }), errorCode: int16() },
      { since: 3 },
    ),
  },
})
