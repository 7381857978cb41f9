// Which brokers hold a new topic's replicas, as Kafka's StripedReplicaPlacer has it: racks take turns, brokers of a rack
// take turns, fenced ones come last and never lead. Owns the rule and Kafka's error texts; the seed is its only chance.
import type { BrokerImage } from './image.js'

export type Placement =
  | { readonly assignments: readonly (readonly number[])[] }
  /** Why it cannot be, to be said after "Unable to replicate the partition N time(s): ". */
  | { readonly error: string }

/**
 * Replicas of each partition, the preferred leader first. The same `seed` (the topic id) always gives the same replicas
 * on the same brokers, and more partitions begin with those of fewer.
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
  const live = all.filter(({ fenced }) => !fenced).length
  if (live === 0) {
    return { error: 'All brokers are currently fenced, or have all their log directories cordoned.' }
  }
  const random = randomFrom(seed)
  const racks = racksOf(all)
  const assignments: number[][] = []
  for (let partition = 0; partition < numPartitions; partition += 1) {
    // Every live broker has led once: another order, so that the same brokers do not always share partitions.
    if (partition % live === 0) {
      shuffle(racks, random)
      for (const rack of racks) rack.shuffle(random)
    }
    assignments.push(replicasOf(racks, partition, replicationFactor))
  }
  return { assignments }
}

/**
 * From the rack whose turn it is on; the leader's rack comes back into the round when all others had their turn. Where the
 * racks have had as many turns as they are, each leads with its next broker: so all of a rack lead alike.
 */
function replicasOf(racks: readonly Rack[], partition: number, count: number): number[] {
  const turns = Math.floor(partition / racks.length)
  const round = racks.map((_, index) => racks[(partition + index) % racks.length] as Rack)
  for (const [position, rack] of round.entries()) rack.begin(turns + position)
  const first = round.findIndex((rack) => rack.hasLive)
  const replicas = [round[first]?.take() ?? -1]
  for (let turn = 0; replicas.length < count; turn += 1) {
    if (turn === first) continue
    const next = round[turn % round.length]?.take() ?? null
    if (next !== null) replicas.push(next)
  }
  return replicas
}

/** The brokers of one rack. */
class Rack {
  private readonly live = new Cycle()
  private readonly fenced = new Cycle()

  add({ brokerId, fenced }: BrokerImage): void {
    const cycle = fenced ? this.fenced : this.live
    cycle.brokers.push(brokerId)
  }

  get hasLive(): boolean {
    return this.live.brokers.length > 0
  }

  shuffle(random: () => number): void {
    shuffle(this.live.brokers, random)
    shuffle(this.fenced.brokers, random)
  }

  /** For a new partition: nobody has been taken, and taking begins here. */
  begin(start: number): void {
    this.live.begin(start)
    this.fenced.begin(start)
  }

  /** The next broker that the partition has not taken; null when it has taken all. */
  take(): number | null {
    return this.live.take() ?? this.fenced.take()
  }
}

class Cycle {
  readonly brokers: number[] = []
  private start = 0
  private taken = 0

  begin(start: number): void {
    this.start = start
    this.taken = 0
  }

  take(): number | null {
    if (this.taken >= this.brokers.length) return null
    this.taken += 1
    return this.brokers[(this.start + this.taken - 1) % this.brokers.length] ?? null
  }
}

/** Racks by name, brokers by id: the seed alone decides the rest. */
function racksOf(brokers: readonly BrokerImage[]): Rack[] {
  const racks = new Map<string | null, Rack>()
  const order = [...brokers].sort((a, b) => compare(a.rack ?? '', b.rack ?? '') || a.brokerId - b.brokerId)
  for (const broker of order) {
    const rack = racks.get(broker.rack) ?? new Rack()
    rack.add(broker)
    racks.set(broker.rack, rack)
  }
  return [...racks.values()]
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function shuffle(items: unknown[], random: () => number): void {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1))
    ;[items[last], items[other]] = [items[other], items[last]]
  }
}

/** Numbers from 0 up to 1 that differ from seed to seed and are the same for the same one. */
function randomFrom(seed: string): () => number {
  let state = 0
  for (let index = 0; index < seed.length; index += 1)
    state = (Math.imul(31, state) + seed.charCodeAt(index)) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
}
