// The change of one partition as the controller records it: what is not named stays as it is.
import { type MetadataMessage, type MetadataRecord, metadataRecord } from './metadata-records.js'

export const LEADER_UNCHANGED = -2

/** A PartitionChangeRecord in which only `fields` change; null and −2 mean no change. */
export function partitionChange(
  topicId: string,
  partitionId: number,
  fields: Partial<MetadataMessage<'PartitionChangeRecord'>>,
): MetadataRecord {
  return metadataRecord('PartitionChangeRecord', {
    partitionId,
    topicId,
    isr: null,
    leader: LEADER_UNCHANGED,
    replicas: null,
    removingReplicas: null,
    addingReplicas: null,
    leaderRecoveryState: -1,
    directories: null,
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
    ...fields,
  })
}
