// The last client of a world: reads every partition from its start to its end, and the offsets of every group.
import { Errors } from '../../ts/protocol/index.js'
import type { Stage } from './client.js'
import { OffsetReader } from './offset-reader.js'
import type { PartitionTruth } from './truth.js'

/** The shard is still being loaded. */
const TRY_AGAIN: readonly number[] = [Errors.COORDINATOR_LOAD_IN_PROGRESS, Errors.NOT_COORDINATOR]

export class Auditor extends OffsetReader {
  private readonly ends = new Map<PartitionTruth, number>()
  private readonly groups: Set<string>

  constructor(name: string, stage: Stage) {
    super(name, stage)
    this.groups = new Set(stage.commits.groups)
  }

  override get isDone(): boolean {
    const isRead = this.stage.truth.partitions.every((partition) => this.isRead(partition))
    return super.isDone && this.groups.size === 0 && isRead
  }

  endOf(partition: PartitionTruth): number {
    return this.ends.get(partition) ?? 0
  }

  private isRead(partition: PartitionTruth): boolean {
    const end = this.ends.get(partition)
    return end !== undefined && (this.positions.get(partition) ?? 0) >= end
  }

  protected act(): void {
    if (this.inFlight > 0) return
    const { partitions } = this.stage.truth
    const [group] = this.groups
    const left = partitions.find((partition) => !this.isRead(partition))
    if (group !== undefined) {
      this.askOffsets(group, partitions, (errorCode) => {
        if (errorCode === Errors.NONE) this.groups.delete(group)
        else if (!TRY_AGAIN.includes(errorCode)) throw this.unexpected('OffsetFetch', errorCode)
      })
    } else if (left !== undefined && !this.ends.has(left)) {
      this.positions.set(left, 0)
      this.askEnd(left, (end) => this.ends.set(left, end))
    } else if (left !== undefined) {
      this.fetch([left])
    }
  }

  protected onLost(): void {}
}
