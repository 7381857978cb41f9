/**
 * RemoveRaftVoter (key 81): removes a controller from the voters of the metadata log (KIP-853). Flexible from v0.
 */
import { int16, int32, string, uuid } from '../notation.js'
import { api } from '../table.js'

export const removeRaftVoter = api({
  key: 81,
  name: 'RemoveRaftVoter',
  versions: [0, 0],
  flexible: 0,
  request: {
    clusterId: string({ nullable: true }),
    voterId: int32(),
    voterDirectoryId: uuid(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
  },
})
