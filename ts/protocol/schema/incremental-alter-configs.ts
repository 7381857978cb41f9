/**
 * IncrementalAlterConfigs (key 44): sets (0), deletes (1), appends to (2) or subtracts from (3) single configs of a
 * resource (KIP-339).
 * v1 flexible.
 */
import { array, bool, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const incrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexible: 1,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({ name: string(), configOperation: int8(), value: string({ nullable: true }) }),
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
