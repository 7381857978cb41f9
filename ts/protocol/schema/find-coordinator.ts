/**
 * FindCoordinator (key 10): the broker that coordinates a group (type 0), a transaction (1) or a share group (2).
 * v1 key types · v3 flexible · v4 batched: `coordinatorKeys` and `coordinators` replace the single answer (KIP-699) ·
 * v5 TRANSACTION_ABORTABLE allowed · v6 share groups (KIP-932).
 */
import { array, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const findCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexible: 3,
  request: {
    key: string({ until: 3 }),
    keyType: int8({ since: 1, default: 0 }),
    coordinatorKeys: array(string(), { since: 4 }),
  },
  response: {
    throttleTimeMs: int32({ since: 1 }),
    errorCode: int16({ until: 3 }),
    errorMessage: string({ since: 1, until: 3, nullable: true }),
    nodeId: int32({ until: 3 }),
    host: string({ until: 3 }),
    port: int32({ until: 3 }),
    coordinators: array(
      {
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        errorCode: int16(),
        errorMessage: string({ nullable: true, default: '' }),
      },
      { since: 4 },
    ),
  },
})
