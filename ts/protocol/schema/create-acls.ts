/**
 * CreateAcls (key 30): adds ACLs, each answered on its own.
 * v1 pattern types, before which all were literal (KIP-290) · v2 flexible · v3 resources of type user.
 */
import { array, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const createAcls = api({
  key: 30,
  name: 'CreateAcls',
  versions: [0, 3],
  flexible: 2,
  request: {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8({ since: 1, default: 3 }),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({ errorCode: int16(), errorMessage: string({ nullable: true }) }),
  },
})
