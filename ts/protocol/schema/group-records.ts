/**
 * Records of __consumer_offsets that the classic groups write: committed offsets and group metadata, in Kafka's layout.
 * A record with a null value is a tombstone for its key.
 */
import { array, bytes, int32, int64, string, uuid } from '../notation.js'
import { record } from '../table.js'

/** One committed offset. Key versions 0 and 1 mean the same; 1 is written. */
export const offsetCommitRecord = record({
  name: 'OffsetCommit',
  types: [0, 1],
  key: { group: string(), topic: string(), partition: int32() },
  valueVersions: [0, 4],
  flexible: 4,
  value: {
    offset: int64(),
    leaderEpoch: int32({ since: 3, default: -1 }),
    metadata: string(),
    commitTimestamp: int64(),
    expireTimestamp: int64({ since: 1, until: 1, default: -1 }),
    topicId: uuid({ since: 4, tag: 0 }),
  },
})

/** A classic group as of its last completed rebalance. */
export const groupMetadataRecord = record({
  name: 'GroupMetadata',
  types: [2],
  key: { group: string() },
  valueVersions: [0, 4],
  flexible: 4,
  value: {
    protocolType: string(),
    generation: int32(),
    protocol: string({ nullable: true }),
    leader: string({ nullable: true }),
    currentStateTimestamp: int64({ since: 2, default: -1 }),
    members: array({
      memberId: string(),
      groupInstanceId: string({ since: 3, nullable: true, default: null }),
      clientId: string(),
      clientHost: string(),
      rebalanceTimeout: int32({ since: 1, default: -1 }),
      sessionTimeout: int32(),
      subscription: bytes(),
      assignment: bytes(),
    }),
  },
})

/** Everything that a classic group writes. The other kinds of groups have their records in files of their own. */
export const groupRecords = [offsetCommitRecord, groupMetadataRecord] as const
