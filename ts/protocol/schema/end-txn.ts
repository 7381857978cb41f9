/**
 * EndTxn (key 26): commits or aborts a transaction.
 * v2 PRODUCER_FENCED · v3 flexible · v4 TRANSACTION_ABORTABLE · v5 the epoch is bumped with every transaction, so the
 * answer carries the producer id and epoch to go on with (KIP-890, part 2).
 */
import { bool, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

export const endTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string(),
    producerId: int64(),
    producerEpoch: int16(),
    committed: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    producerId: int64({ since: 5, default: -1 }),
    producerEpoch: int16({ since: 5, default: -1 }),
  },
})
