// The log directories of brokers as the metadata knows them: which replicas are online, and what changes when a directory
// fails. Owns these rules alone; which directory has failed, a broker finds out itself.
import { ZERO_UUID } from '../protocol/index.js'
import type { BrokerImage, MetadataImage, PartitionImage } from './image.js'
import { NO_LEADER } from './image.js'
import type { MetadataRecord } from './metadata-records.js'
import { metadataRecord } from './metadata-records.js'
import { partitionChange } from './partition-change.js'

/** Kafka's DirectoryId: in no directory yet. */
const UNASSIGNED = ZERO_UUID
/** Kafka's DirectoryId: in one that nobody has named. */
const MIGRATING = 'AAAAAAAAAAAAAAAAAAAAAg'

export interface LogDirsOfflineRequest {
  readonly brokerId: number
  readonly brokerEpoch: number
  /** Ids of the directories that are lost. */
  readonly offline: readonly string[]
  /** Where the broker has replicas of which the metadata says otherwise, or nothing. */
  readonly placed: readonly {
    readonly topicId: string
    readonly partition: number
    readonly directoryId: string
  }[]
}

/** Whether a replica in `directory` is online where these are the directories that its broker serves. */
export function isDirectoryOnline(directory: string, logDirs: readonly string[]): boolean {
  // A registration of the days before KIP-858 names none.
  if (logDirs.length === 0) return true
  return directory === UNASSIGNED || directory === MIGRATING || logDirs.includes(directory)
}

export function directoryOf({ replicas, directories }: PartitionImage, brokerId: number): string {
  return directories[replicas.indexOf(brokerId)] ?? UNASSIGNED
}

/** Whether the broker serves at all, and serves the directory of this replica. */
export function isReplicaOnline(image: MetadataImage, partition: PartitionImage, brokerId: number): boolean {
  const broker = image.brokers.get(brokerId)
  return (
    broker !== undefined &&
    !broker.fenced &&
    isDirectoryOnline(directoryOf(partition, brokerId), broker.logDirs)
  )
}

/** Whether this replica can lead. */
export function mayLead(image: MetadataImage, partition: PartitionImage, brokerId: number): boolean {
  const isLeaving = image.brokers.get(brokerId)?.inControlledShutdown === true
  return !isLeaving && isReplicaOnline(image, partition, brokerId)
}

/** Who leads once `brokerId` does not: the first other in-sync replica that can, or nobody. */
export function heirOf(
  image: MetadataImage,
  partition: PartitionImage,
  brokerId: number,
): number | undefined {
  const { replicas, isr } = partition
  return replicas.find((id) => id !== brokerId && isr.includes(id) && mayLead(image, partition, id))
}

/**
 * Directories that a broker has lost, as Kafka's heartbeat tells of them: the broker is registered without them, and
 * what it led there is led by another in-sync replica or, where it was the last, by nobody. What it has elsewhere by now,
 * it leads there. Says nothing twice.
 */
export function decideLogDirsOffline(image: MetadataImage, request: LogDirsOfflineRequest): MetadataRecord[] {
  const { brokerId, brokerEpoch } = request
  const broker = image.brokers.get(brokerId)
  if (broker === undefined || broker.epoch !== brokerEpoch) return []
  const lost = new Set(request.offline)
  const records: MetadataRecord[] = []
  const logDirs = broker.logDirs.filter((directoryId) => !lost.has(directoryId))
  if (logDirs.length < broker.logDirs.length) {
    const change = {
      brokerId,
      brokerEpoch,
      fenced: 0,
      inControlledShutdown: 0,
      cordonedLogDirs: null,
      logDirs,
    }
    records.push(metadataRecord('BrokerRegistrationChangeRecord', change))
  }
  const placed = new Map(
    request.placed.map(({ topicId, partition, directoryId }) => [`${topicId} ${partition}`, directoryId]),
  )
  for (const { topicId, partitions } of image.topicsById.values()) {
    for (const partition of partitions.values()) {
      if (!partition.replicas.includes(brokerId)) continue
      const recorded = directoryOf(partition, brokerId)
      const told = placed.get(`${topicId} ${partition.partition}`)
      if (told === undefined && !lost.has(recorded)) continue
      const directoryId = told ?? recorded
      const directories =
        directoryId === recorded
          ? null
          : partition.replicas.map((id) => (id === brokerId ? directoryId : directoryOf(partition, id)))
      const change = isDirectoryOnline(directoryId, logDirs)
        ? withReplica(partition, broker)
        : withoutReplica(image, partition, brokerId)
      if (directories === null && change === null) continue
      records.push(partitionChange(topicId, partition.partition, { ...change, directories }))
    }
  }
  return records
}

/** Whoever is in sync leads what nobody leads. */
function withReplica(
  { isr, leader }: PartitionImage,
  { brokerId, fenced, inControlledShutdown }: BrokerImage,
) {
  const leads = leader === NO_LEADER && isr.includes(brokerId) && !fenced && !inControlledShutdown
  return leads ? { leader: brokerId } : null
}

/** The last in-sync replica stays in the ISR, as only it has everything; null where nothing changes. */
function withoutReplica(image: MetadataImage, partition: PartitionImage, brokerId: number) {
  const { isr, leader } = partition
  if (!isr.includes(brokerId)) return null
  const others = isr.filter((id) => id !== brokerId)
  if (leader !== brokerId) return others.length === 0 ? null : { isr: others }
  const heir = heirOf(image, partition, brokerId)
  return heir === undefined ? { leader: NO_LEADER } : { isr: others, leader: heir }
}
