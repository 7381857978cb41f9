/**
 * ListTransactions (key 66): the transactions that the asked broker coordinates, by state and producer id (KIP-664).
 * Flexible from v0 · v1 only those that run longer than a duration (KIP-994) · v2 only those whose id matches a pattern
 * (KIP-1152).
 */
import { array, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

export const listTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 2],
  flexible: 0,
  request: {
    stateFilters: array(string()),
    producerIdFilters: array(int64()),
    durationFilter: int64({ since: 1, default: -1 }),
    transactionalIdPattern: string({ since: 2, nullable: true, default: null }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    unknownStateFilters: array(string()),
    transactionStates: array({ transactionalId: string(), producerId: int64(), transactionState: string() }),
  },
})
