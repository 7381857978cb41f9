/**
 * InitProducerId (key 22): a producer id and epoch, for idempotence or a transactional id.
 * v2 flexible · v3 the producer may tell its current id and epoch to have it bumped (KIP-360) · v4 PRODUCER_FENCED ·
 * v5 TRANSACTION_ABORTABLE. v6 (two-phase commit) is unstable in Kafka and not served.
 */
import { bigint64, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

export const initProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 5],
  flexible: 2,
  request: {
    transactionalId: string({ nullable: true }),
    transactionTimeoutMs: int32(),
    producerId: bigint64({ since: 3, default: -1n }),
    producerEpoch: int16({ since: 3, default: -1 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    producerId: int64({ default: -1 }),
    producerEpoch: int16(),
  },
})
