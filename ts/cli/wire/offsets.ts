/**
 * Offsets of a topic's partitions by time (ListOffsets), each asked of its leader. It reads; it changes nothing.
 */
import { Errors, listOffsets } from '../../protocol/index.js'
import { refused } from '../failure.js'
import type { Cluster, TopicMetadata } from './cluster.js'

/** ListOffsets: the next offset that a consumer will see, and the first that is still there. */
export const LATEST = -1
export const EARLIEST = -2

/**
 * By partition, the offset for its timestamp: LATEST, EARLIEST, or milliseconds since 1970 for the first record at or
 * after then (−1 when there is none).
 */
export async function offsetsAt(
  cluster: Cluster,
  topic: TopicMetadata,
  timestampOf: ReadonlyMap<number, number>,
): Promise<Map<number, number>> {
  const found = new Map<number, number>()
  const leaders = new Set(topic.partitions.map((partition) => partition.leaderId))
  for (const leader of leaders) {
    const partitions = topic.partitions
      .filter((one) => one.leaderId === leader && timestampOf.has(one.partitionIndex))
      .map(({ partitionIndex }) => ({ partitionIndex, timestamp: timestampOf.get(partitionIndex) ?? LATEST }))
    if (partitions.length === 0) continue
    const request = {
      replicaId: -1,
      topics: [{ name: topic.name ?? '', partitions }],
      timeoutMs: cluster.timeoutMs,
    }
    const broker = await cluster.broker(leader)
    const answer = await cluster.settled(
      () => broker.request(listOffsets, request),
      (one) => one.topics.flatMap((each) => each.partitions.map((partition) => partition.errorCode)),
    )
    for (const { partitionIndex, errorCode, offset } of answer.topics.flatMap((one) => one.partitions)) {
      if (errorCode !== Errors.NONE) {
        throw refused(`read offsets of partition ${partitionIndex} of topic ${topic.name}`, errorCode)
      }
      found.set(partitionIndex, offset)
    }
  }
  return found
}

/** The same timestamp for every partition. */
export function offsetsAll(
  cluster: Cluster,
  topic: TopicMetadata,
  timestamp: number,
): Promise<Map<number, number>> {
  const all = topic.partitions.map(({ partitionIndex }) => [partitionIndex, timestamp] as const)
  return offsetsAt(cluster, topic, new Map(all))
}

/** Log start offsets and high watermarks by partition. */
export async function ends(
  cluster: Cluster,
  topic: TopicMetadata,
): Promise<{ starts: Map<number, number>; nexts: Map<number, number> }> {
  const starts = await offsetsAll(cluster, topic, EARLIEST)
  return { starts, nexts: await offsetsAll(cluster, topic, LATEST) }
}
