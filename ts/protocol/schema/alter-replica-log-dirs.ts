/**
 * AlterReplicaLogDirs (key 34): moves replicas between the log directories of the asked broker (KIP-113).
 * v2 flexible.
 */
import { array, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const alterReplicaLogDirs = api({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: [0, 2],
  flexible: 2,
  request: {
    dirs: array({ path: string(), topics: array({ name: string(), partitions: array(int32()) }) }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    results: array({
      topicName: string(),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
})
