/**
 * FetchSnapshot (key 59): a piece of a metadata snapshot, for replicas that the log no longer reaches back for
 * (KIP-630).
 * Flexible from v0 · v1 the directory id of the asking replica, endpoints of the leader (KIP-853).
 */
import { array, int16, int32, int64, nested, records, string, uint16, uuid } from '../notation.js'
import { api } from '../table.js'

export const fetchSnapshot = api({
  key: 59,
  name: 'FetchSnapshot',
  versions: [0, 1],
  flexible: 0,
  request: {
    clusterId: string({ nullable: true, tag: 0, default: null }),
    replicaId: int32({ default: -1 }),
    maxBytes: int32({ default: 0x7fffffff }),
    topics: array({
      name: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32(),
        snapshotId: nested({ endOffset: int64(), epoch: int32() }),
        position: int64(),
        replicaDirectoryId: uuid({ since: 1, tag: 0 }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    topics: array({
      name: string(),
      partitions: array({
        index: int32(),
        errorCode: int16(),
        snapshotId: nested({ endOffset: int64(), epoch: int32() }),
        currentLeader: nested({ leaderId: int32(), leaderEpoch: int32() }, { tag: 0 }),
        size: int64(),
        position: int64(),
        unalignedRecords: records(),
      }),
    }),
    nodeEndpoints: array({ nodeId: int32(), host: string(), port: uint16() }, { since: 1, tag: 0 }),
  },
})
