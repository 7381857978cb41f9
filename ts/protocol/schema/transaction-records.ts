/**
 * The record of __transaction_state, in Kafka's layout. A record with a null value is a tombstone: the transactional id
 * has expired.
 */
import { array, int8, int16, int32, int64, string } from '../notation.js'
import { record } from '../table.js'

/**
 * A transactional id with its producer and its current transaction; null partitions mean none. The status is Kafka's
 * TransactionState: 0 empty, 1 ongoing, 2 and 3 prepared to commit or abort, 4 and 5 completed, 6 dead, 7 fenced.
 * v1 flexible; tagged: the producer ids before and after, and the client's transaction version (KIP-890).
 */
export const transactionLogRecord = record({
  name: 'TransactionLog',
  types: [0],
  key: { transactionalId: string() },
  valueVersions: [0, 1],
  flexible: 1,
  value: {
    producerId: int64(),
    previousProducerId: int64({ since: 1, tag: 0, default: -1 }),
    nextProducerId: int64({ since: 1, tag: 1, default: -1 }),
    producerEpoch: int16(),
    nextProducerEpoch: int16({ since: 1, tag: 3, default: -1 }),
    transactionTimeoutMs: int32(),
    transactionStatus: int8(),
    transactionPartitions: array({ topic: string(), partitionIds: array(int32()) }, { nullable: true }),
    transactionLastUpdateTimestampMs: int64(),
    transactionStartTimestampMs: int64(),
    clientTransactionVersion: int16({ since: 1, tag: 2 }),
  },
})
