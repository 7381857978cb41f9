/**
 * DescribeGroups (key 15): classic groups with their members, metadata and assignments.
 * v1 throttle time · v3 authorised operations on request · v4 static members · v5 flexible · v6 GROUP_ID_NOT_FOUND with
 * a message instead of a group in state Dead (KIP-1043).
 */
import { array, bool, bytes, int16, int32, string } from '../notation.js'
import { api } from '../table.js'
import { OPERATIONS_OMITTED } from './metadata.js'

export const describeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexible: 5,
  request: {
    groups: array(string()),
    includeAuthorizedOperations: bool({ since: 3 }),
  },
  response: {
    throttleTimeMs: int32({ since: 1 }),
    groups: array({
      errorCode: int16(),
      errorMessage: string({ since: 6, nullable: true, default: null }),
      groupId: string(),
      groupState: string(),
      protocolType: string(),
      protocolData: string(),
      members: array({
        memberId: string(),
        groupInstanceId: string({ since: 4, nullable: true, default: null }),
        clientId: string(),
        clientHost: string(),
        memberMetadata: bytes(),
        memberAssignment: bytes(),
      }),
      authorizedOperations: int32({ since: 3, default: OPERATIONS_OMITTED }),
    }),
  },
})
