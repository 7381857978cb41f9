/**
 * Where `millrace group move` moves a group to: the offsets that its flags mean, bounded by what the log holds.
 * It reads; the commit is the caller's.
 */
import { InvalidArgumentError } from 'commander'
import { CommandError } from './failure.js'
import type { Cluster, TopicMetadata } from './wire/cluster.js'
import { committedOffsets } from './wire/groups.js'
import { ends, offsetsAll } from './wire/offsets.js'

export interface TopicPartitions {
  readonly topic: string
  /** Null means all. */
  readonly partitions: readonly number[] | null
}

/** The flags that say where to; exactly one of them is given. */
export interface Moves {
  readonly toEarliest?: boolean
  readonly toLatest?: boolean
  readonly toOffset?: number
  readonly shiftBy?: number
  readonly toDatetime?: string
}

export interface Moved {
  readonly topic: string
  readonly partition: number
  readonly from: number | null
  readonly to: number
}

/** `orders` or `orders:0,1,2`. */
export function parseTopicPartitions(text: string): TopicPartitions {
  const [topic = '', list] = text.split(':')
  if (list === undefined) return { topic, partitions: null }
  const partitions = list.split(',').map(Number)
  if (topic === '' || !/^\d+(,\d+)*$/.test(list)) {
    throw new InvalidArgumentError(`"${text}" is neither a topic nor topic:0,1,2.`)
  }
  return { topic, partitions }
}

export async function targetOffsets(
  cluster: Cluster,
  groupId: string,
  wanted: readonly TopicPartitions[],
  moves: Moves,
): Promise<Moved[]> {
  const given = [moves.toEarliest, moves.toLatest, moves.toOffset, moves.shiftBy, moves.toDatetime]
  if (given.filter((one) => one !== undefined).length !== 1) {
    throw new CommandError(
      'Say where to: one of --to-earliest, --to-latest, --to-offset, --shift-by, --to-datetime.',
    )
  }
  const committed = await committedOffsets(cluster, groupId)
  const topics = await cluster.topics(wanted.map((one) => one.topic))
  const moved: Moved[] = []
  for (const { topic, partitions } of wanted) {
    const metadata = topics.find((one) => one.name === topic)
    if (metadata === undefined) continue
    const known = metadata.partitions.map((one) => one.partitionIndex).sort((a, b) => a - b)
    const missing = partitions?.find((one) => !known.includes(one))
    if (missing !== undefined) throw new CommandError(`Topic ${topic} has no partition ${missing}.`)
    const to = await destination(cluster, metadata, moves)
    for (const partition of partitions ?? known) {
      const from = committed.find((one) => one.topic === topic && one.partition === partition)?.offset ?? null
      moved.push({ topic, partition, from, to: to(partition, from) })
    }
  }
  return moved
}

type Destination = (partition: number, from: number | null) => number

async function destination(cluster: Cluster, topic: TopicMetadata, moves: Moves): Promise<Destination> {
  const { starts, nexts } = await ends(cluster, topic)
  const start = (partition: number) => starts.get(partition) ?? 0
  const end = (partition: number) => nexts.get(partition) ?? 0
  const bounded = (partition: number, offset: number) =>
    Math.min(Math.max(offset, start(partition)), end(partition))
  const { toOffset, shiftBy, toDatetime } = moves
  if (moves.toEarliest) return start
  if (moves.toLatest) return end
  if (toOffset !== undefined) return (partition) => bounded(partition, toOffset)
  if (shiftBy !== undefined) {
    return (partition, from) => {
      if (from === null) {
        throw new CommandError(
          `The group has no offset on partition ${partition} of topic ${topic.name} to shift from.`,
        )
      }
      return bounded(partition, from + shiftBy)
    }
  }
  const time = Date.parse(toDatetime ?? '')
  if (Number.isNaN(time)) {
    throw new CommandError(`--to-datetime ${toDatetime} is no ISO 8601 time such as 2026-01-31T08:00:00Z.`)
  }
  const found = await offsetsAll(cluster, topic, time)
  // No record since then: past the last one.
  return (partition) => {
    const offset = found.get(partition) ?? -1
    return offset < 0 ? end(partition) : offset
  }
}
