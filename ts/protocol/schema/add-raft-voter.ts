/**
 * AddRaftVoter (key 80): adds a controller to the voters of the metadata log (KIP-853). Flexible from v0.
 * v1 the answer may come before the change is committed.
 */
import { array, bool, int16, int32, string, uint16, uuid } from '../notation.js'
import { api } from '../table.js'

export const addRaftVoter = api({
  key: 80,
  name: 'AddRaftVoter',
  versions: [0, 1],
  flexible: 0,
  request: {
    clusterId: string({ nullable: true }),
    timeoutMs: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array({ name: string(), host: string(), port: uint16() }),
    ackWhenCommitted: bool({ since: 1, default: true }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
  },
})
