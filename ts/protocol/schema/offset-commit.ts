/**
 * OffsetCommit (key 8): stores a group's offsets.
 * v0 no generation or member (Kafka kept v0 in ZooKeeper; here it is a commit from outside the group) · v1 a timestamp per
 * partition · v2–4 retention time · v6 leader epochs · v7 static members · v8 flexible · v9 member epochs of KIP-848 ·
 * v10 topic ids.
 */
import { array, int16, int32, int64, string, uuid } from '../notation.js'
import { api } from '../table.js'

export const offsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [0, 10],
  flexible: 8,
  request: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ since: 1, default: -1 }),
    memberId: string({ since: 1 }),
    groupInstanceId: string({ since: 7, nullable: true, default: null }),
    retentionTimeMs: int64({ since: 2, until: 4, default: -1 }),
    topics: array({
      name: string({ until: 9 }),
      topicId: uuid({ since: 10 }),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ since: 6, default: -1 }),
        commitTimestamp: int64({ since: 1, until: 1, default: -1 }),
        committedMetadata: string({ nullable: true }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ since: 3 }),
    topics: array({
      name: string({ until: 9 }),
      topicId: uuid({ since: 10 }),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
})
