/**
 * AlterConfigs (key 33): replaces all dynamic configs of a resource; what is not named falls back to its default.
 * Superseded by IncrementalAlterConfigs.
 * v2 flexible.
 */
import { array, bool, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const alterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexible: 2,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({ name: string(), value: string({ nullable: true }) }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    responses: array({
      errorCode: int16(),
      errorMessage: string({ nullable: true }),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
})
