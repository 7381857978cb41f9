/**
 * How much memory a control request may take once it is decoded: a few bytes of a frame can become a large object.
 * Requests name topics, partitions and groups, so that the limit grows with what there is on the cluster. It refuses
 * nothing itself. See docs/decisions/0003-memory-of-a-request.md.
 */
import type { MetadataImage } from '../state/image.js'
import type { MetadataDelta } from '../state/image-delta.js'

/** What a request may take on a cluster without topics. */
export const BASE_BYTES = 1 << 20
/** More for each partition there is: a commit names all that its group reads. */
export const BYTES_PER_PARTITION = 512

export class RequestMemory {
  private readonly partitionsOf = new Map<string, number>()
  private partitions = 0

  /** Bytes. */
  get limit(): number {
    return BASE_BYTES + this.partitions * BYTES_PER_PARTITION
  }

  /** `delta`: what changed since the image before; null for the first one. */
  onImage(image: MetadataImage, delta: MetadataDelta | null): void {
    if (delta === null) {
      for (const topic of image.topicsById.values()) this.count(topic.topicId, topic.partitions.size)
      return
    }
    for (const { topicId } of delta.removedTopics) this.count(topicId, 0)
    for (const { topic } of delta.topics.values()) this.count(topic.topicId, topic.partitions.size)
  }

  private count(topicId: string, partitions: number): void {
    this.partitions += partitions - (this.partitionsOf.get(topicId) ?? 0)
    if (partitions === 0) this.partitionsOf.delete(topicId)
    else this.partitionsOf.set(topicId, partitions)
  }
}
