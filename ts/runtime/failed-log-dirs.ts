/**
 * The log directories of this broker that have failed. Tells the controller which they are and what was there; takes no
 * partition offline itself, which the data plane has done by the time it says that a directory failed.
 */
import type { DescribedLogDir } from '../api/broker-view.js'
import type { MetadataImage } from '../state/image.js'
import { isReplicaOnline, type LogDirsOfflineRequest } from '../state/log-dirs.js'

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

  /** Tells the controller what of them `image`, the newest, still takes for online. */
  follow(image: MetadataImage): void {
    const { nodeId, logDirs, directoryIds } = this.setup
    const brokerEpoch = this.setup.brokerEpoch()
    const registered = image.brokers.get(nodeId)
    if (this.failed.size === 0 || registered?.epoch !== brokerEpoch) return
    const described = new Map(this.setup.describe().map(({ path, partitions }) => [path, partitions]))
    const offline = logDirs.flatMap((path, index) => {
      const directoryId = directoryIds[index]
      if (directoryId === undefined || !this.failed.has(path)) return []
      const partitions = (described.get(path) ?? []).filter(({ topicId, partition: index, isFuture }) => {
        if (isFuture) return false
        const partition = image.topicsById.get(topicId)?.partitions.get(index)
        return partition !== undefined && isReplicaOnline(image, partition, nodeId)
      })
      const isNews = partitions.length > 0 || registered.logDirs.includes(directoryId)
      return isNews ? [{ directoryId, partitions }] : []
    })
    if (offline.length > 0) this.setup.tell({ brokerId: nodeId, brokerEpoch, offline })
  }
}
