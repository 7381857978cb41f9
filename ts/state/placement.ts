// Which brokers hold a new topic's replicas: spread over racks and brokers, live ones first.
// Owns the rule and Kafka's error texts; the same topic id is always placed alike on the same brokers.
import type { BrokerImage } from './image.js'

export type Placement =
  | { readonly assignments: readonly (readonly number[])[] }
  /** Why it cannot be, to be said after "Unable to replicate the partition N time(s): ". */
  | { readonly error: string }

/**
 * Replicas of each partition, the preferred leader first. Consecutive partitions start at consecutive brokers of a
 * ring in which racks alternate; the ring starts where `seed` (the topic id) says, so that topics do not all start
 * on one broker. A partition takes distinct racks as long as there are some.
 */
export function placeReplicas(
  brokers: Iterable<BrokerImage>,
  numPartitions: number,
  replicationFactor: number,
  seed: string,
): Placement {
  const all = [...brokers]
  if (replicationFactor > all.length) {
    return {
      error:
        `The target replication factor of ${replicationFactor} cannot be reached because only ${all.length} ` +
        'broker(s) are registered or some brokers have all their log directories cordoned.',
    }
  }
  const live = ring(all.filter(({ fenced }) => !fenced))
  if (live.length === 0) {
    return { error: 'All brokers are currently fenced, or have all their log directories cordoned.' }
  }
  const fenced = ring(all.filter((broker) => broker.fenced))
  const start = spread(seed)
  const assignments = Array.from({ length: numPartitions }, (_, partition) =>
    replicasFrom(rotated(live, start + partition), rotated(fenced, start + partition), replicationFactor),
  )
  return { assignments }
}

function replicasFrom(live: readonly BrokerImage[], fenced: readonly BrokerImage[], count: number): number[] {
  const chosen: BrokerImage[] = []
  const racks = new Set<string | null>()
  for (const broker of live) {
    if (chosen.length < count && !racks.has(broker.rack)) {
      chosen.push(broker)
      racks.add(broker.rack)
    }
  }
  for (const broker of [...live, ...fenced]) {
    if (chosen.length < count && !chosen.includes(broker)) chosen.push(broker)
  }
  return chosen.map(({ brokerId }) => brokerId)
}

/** Brokers by id, racks taking turns. */
function ring(brokers: readonly BrokerImage[]): BrokerImage[] {
  const racks = new Map<string | null, BrokerImage[]>()
  for (const broker of [...brokers].sort((a, b) => a.brokerId - b.brokerId)) {
    racks.set(broker.rack, [...(racks.get(broker.rack) ?? []), broker])
  }
  const longest = Math.max(0, ...[...racks.values()].map(({ length }) => length))
  const order: BrokerImage[] = []
  for (let turn = 0; turn < longest; turn += 1) {
    for (const rack of racks.values()) {
      const broker = rack[turn]
      if (broker !== undefined) order.push(broker)
    }
  }
  return order
}

function rotated<T>(items: readonly T[], by: number): T[] {
  if (items.length === 0) return []
  const start = by % items.length
  return [...items.slice(start), ...items.slice(0, start)]
}

/** A number that differs from seed to seed. */
function spread(seed: string): number {
  let hash = 0
  for (let index = 0; index < seed.length; index += 1)
    hash = (Math.imul(31, hash) + seed.charCodeAt(index)) >>> 0
  return hash & 0xffff
}
