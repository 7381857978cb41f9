/**
 * The log directories of this broker that have failed. Tells the controller which they are and what was there; takes no
 * partition offline itself, which the data plane has done by the time it says that a directory failed.
 */
import type { DescribedLogDir } from '../api/broker-view.js'
import type { MetadataImage, PartitionImage } from '../state/image.js'
import {
  directoryOf,
  isDirectoryOnline,
  isReplicaOnline,
  type LogDirsOfflineRequest,
} from '../state/log-dirs.js'

export interface FailedLogDirsSetup {
  readonly nodeId: number
  readonly logDirs: readonly string[]
  /** One for each log directory. */
  readonly directoryIds: readonly string[]
  describe(): readonly DescribedLogDir[]
  /** −1 while the broker is not registered. */
  brokerEpoch(): number
  tell(request: LogDirsOfflineRequest): void
}

export class FailedLogDirs {
  private readonly failed = new Set<string>()

  constructor(private readonly setup: FailedLogDirsSetup) {}

  add(path: string): void {
    this.failed.add(path)
  }

  /** Whether the broker cannot go on: the directory of the metadata log is among them. */
  get areFatal(): boolean {
    const [metadataDir] = this.setup.logDirs
    return metadataDir !== undefined && this.failed.has(metadataDir)
  }

  /** The ids of the others. */
  get onlineIds(): string[] {
    const { logDirs, directoryIds } = this.setup
    return directoryIds.filter((_, index) => !this.failed.has(logDirs[index] ?? ''))
  }

  /**
   * Tells the controller what `image`, the newest, has wrong: directories and replicas that it takes for online and that
   * are not, and those that it takes for lost and that are here, in another directory. `isFirst`: since the start.
   */
  follow(image: MetadataImage, isFirst: boolean): void {
    const { nodeId, logDirs, directoryIds } = this.setup
    const brokerEpoch = this.setup.brokerEpoch()
    const registered = image.brokers.get(nodeId)
    if (registered?.epoch !== brokerEpoch) return
    if (this.failed.size === 0 && !(isFirst && hasLost(image, nodeId))) return
    const online = this.onlineIds
    const isWrong = (partition: PartitionImage, directoryId: string, size: number) => {
      if (!online.includes(directoryId)) return isReplicaOnline(image, partition, nodeId)
      // A log that was moved has something in it; one without may have been begun for want of the right one.
      return size > 0 && !isDirectoryOnline(directoryOf(partition, nodeId), online)
    }
    const idOf = new Map(logDirs.map((path, index) => [path, directoryIds[index] ?? '']))
    const placed = this.setup.describe().flatMap(({ path, partitions }) => {
      const directoryId = idOf.get(path) ?? ''
      return partitions.flatMap(({ topicId, partition, size, isFuture }) => {
        const known = image.topicsById.get(topicId)?.partitions.get(partition)
        if (isFuture || known === undefined || !isWrong(known, directoryId, size)) return []
        return [{ topicId, partition, directoryId }]
      })
    })
    const offline = registered.logDirs.filter((id) => !online.includes(id))
    if (offline.length + placed.length === 0) return
    this.setup.tell({ brokerId: nodeId, brokerEpoch, offline, placed })
  }
}

/** Whether the metadata has a replica of this broker in a directory that it does not serve. */
function hasLost(image: MetadataImage, nodeId: number): boolean {
  for (const { partitions } of image.topicsById.values()) {
    for (const partition of partitions.values()) {
      if (partition.replicas.includes(nodeId) && !isReplicaOnline(image, partition, nodeId)) return true
    }
  }
  return false
}
