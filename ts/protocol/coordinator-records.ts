/**
 * Every record that the coordinators keep in internal topics, by topic, for tests and tools. A coordinator imports no
 * more than its own kind: what it does not know in its partition it skips.
 */
import { consumerGroupRecords } from './schema/consumer-group-records.js'
import { groupRecords } from './schema/group-records.js'
import { shareGroupRecords } from './schema/share-group-records.js'
import { shareStateRecords } from './schema/share-state-records.js'
import { streamsGroupRecords } from './schema/streams-group-records.js'
import { transactionLogRecord } from './schema/transaction-records.js'
import type { CoordinatorRecord } from './table.js'

export const coordinatorRecords = {
  __consumer_offsets: [
    ...groupRecords,
    ...consumerGroupRecords,
    ...shareGroupRecords,
    ...streamsGroupRecords,
  ],
  __transaction_state: [transactionLogRecord],
  __share_group_state: [...shareStateRecords],
} as const satisfies Record<string, readonly CoordinatorRecord[]>
