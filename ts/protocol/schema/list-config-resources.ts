/**
 * ListConfigResources (key 74): the names of everything that has configs of its own. Flexible from v0.
 * v0 lists client metrics resources alone (KIP-714) · v1 any resource types, none of them meaning all (KIP-1142).
 */
import { array, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const listConfigResources = api({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexible: 0,
  request: {
    resourceTypes: array(int8(), { since: 1 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    configResources: array({ resourceName: string(), resourceType: int8({ since: 1, default: 16 }) }),
  },
})
