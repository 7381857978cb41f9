/**
 * DeleteGroups (key 42): deletes empty groups with their offsets.
 * v2 flexible · v3 an error message per group.
 */
import { array, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const deleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 3],
  flexible: 2,
  request: {
    groupsNames: array(string()),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      groupId: string(),
      errorCode: int16(),
      errorMessage: string({ since: 3, nullable: true, default: null }),
    }),
  },
})
