/**
 * ListGroups (key 16): every group that the asked broker coordinates.
 * v1 throttle time · v3 flexible · v4 filter by state, states in the answer (KIP-518) · v5 filter by type, types in the
 * answer (KIP-848). An empty filter lets everything through.
 */
import { array, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const listGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexible: 3,
  request: {
    statesFilter: array(string(), { since: 4 }),
    typesFilter: array(string(), { since: 5 }),
  },
  response: {
    throttleTimeMs: int32({ since: 1 }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ since: 4 }),
      groupType: string({ since: 5 }),
    }),
  },
})
