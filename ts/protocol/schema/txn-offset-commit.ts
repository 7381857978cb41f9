/**
 * TxnOffsetCommit (key 28): stores a group's offsets as part of a transaction.
 * v2 leader epochs · v3 flexible, member id, generation and static members (KIP-447) · v4 TRANSACTION_ABORTABLE · v5
 * also adds the offsets partition to the transaction (KIP-890, part 2) · v6 topic ids instead of names (KIP-1319).
 */
import { array, int16, int32, int64, string, uuid } from '../notation.js'
import { api } from '../table.js'

export const txnOffsetCommit = api({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 6],
  flexible: 3,
  request: {
    transactionalId: string(),
    groupId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    generationIdOrMemberEpoch: int32({ since: 3, default: -1 }),
    memberId: string({ since: 3 }),
    groupInstanceId: string({ since: 3, nullable: true, default: null }),
    topics: array({
      name: string({ until: 5 }),
      topicId: uuid({ since: 6 }),
      partitions: array({
        partitionIndex: int32(),
        committedOffset: int64(),
        committedLeaderEpoch: int32({ since: 2, default: -1 }),
        committedMetadata: string({ nullable: true }),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    topics: array({
      name: string({ until: 5 }),
      topicId: uuid({ since: 6 }),
      partitions: array({ partitionIndex: int32(), errorCode: int16() }),
    }),
  },
})
