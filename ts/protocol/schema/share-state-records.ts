/**
 * Records of __share_group_state (KIP-932), in Kafka's layout: what is in flight in each share-partition. A snapshot
 * stands for all that came before it, updates add to it. All values are flexible; null values are tombstones.
 */
import { array, int8, int16, int32, int64, string, uuid } from '../notation.js'
import { record } from '../table.js'

const sharePartition = { groupId: string(), topicId: uuid(), partition: int32() }

/** Both offsets are inclusive. Delivery states: 0 available, 2 acknowledged, 4 archived. */
const stateBatch = {
  firstOffset: int64(),
  lastOffset: int64(),
  deliveryState: int8(),
  deliveryCount: int16(),
}

export const shareSnapshotRecord = record({
  name: 'ShareSnapshot',
  types: [0],
  key: sharePartition,
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    snapshotEpoch: int32(),
    stateEpoch: int32(),
    leaderEpoch: int32(),
    startOffset: int64(),
    deliveryCompleteCount: int32({ tag: 0, default: -1 }),
    createTimestamp: int64(),
    writeTimestamp: int64(),
    stateBatches: array(stateBatch),
  },
})

/** What changed since the snapshot of that epoch; −1 leaves an epoch or offset as it was. */
export const shareUpdateRecord = record({
  name: 'ShareUpdate',
  types: [1],
  key: sharePartition,
  valueVersions: [0, 0],
  flexible: 0,
  value: {
    snapshotEpoch: int32(),
    leaderEpoch: int32(),
    startOffset: int64(),
    deliveryCompleteCount: int32({ tag: 0, default: -1 }),
    stateBatches: array(stateBatch),
  },
})

/** Everything that a reader of __share_group_state understands. */
export const shareStateRecords = [shareSnapshotRecord, shareUpdateRecord] as const
