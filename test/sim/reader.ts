// Clients that fetch: each keeps a position per partition, reads on from there, and holds every record against what
// anybody knew of that offset.
import { Errors, fetch, listOffsets, type ResponseOf } from '../../ts/protocol/index.js'
import { readRecords } from '../record-batch.js'
import { Client } from './client.js'
import { Violation } from './history.js'
import type { PartitionTruth } from './truth.js'

interface Asked {
  readonly partition: PartitionTruth
  readonly position: number
  /** What was known to be readable when the request was sent. */
  readonly knownEnd: number
}

type FetchedPartition = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]

const LATEST = -1
const EARLIEST = -2

export abstract class Reader extends Client {
  protected positions = new Map<PartitionTruth, number>()

  protected fetch(partitions: readonly PartitionTruth[]): void {
    const { random } = this.stage
    const version = this.versionOf(fetch)
    const asked: Asked[] = partitions.map((partition) => ({
      partition,
      position: this.positions.get(partition) ?? 0,
      knownEnd: partition.knownEnd,
    }))
    const small = () => (random.chance(0.3) ? random.between(1, 300) : 1 << 20)
    const request = {
      maxWaitMs: random.chance(0.3) ? 0 : random.between(1, 500),
      minBytes: random.chance(0.3) ? random.between(2, 2000) : 1,
      maxBytes: small(),
      topics: asked.map(({ partition, position }) => ({
        topic: partition.topic.name,
        topicId: partition.topic.topicId,
        partitions: [{ partition: partition.index, fetchOffset: position, partitionMaxBytes: small() }],
      })),
    }
    const mayWait = () =>
      request.minBytes > 1 || asked.every(({ partition, position }) => position >= partition.knownEnd)
    this.ask(fetch, version, request, (reply) => this.onFetched(asked, reply), mayWait)
  }

  private onFetched(asked: readonly Asked[], { errorCode, responses }: ResponseOf<typeof fetch>): void {
    if (errorCode !== Errors.NONE) throw this.unexpected('Fetch', errorCode)
    let records = 0
    let waiting: Asked | undefined
    for (const one of asked) {
      const { partition } = one
      const topics = responses.filter(
        ({ topic, topicId }) => topic === partition.topic.name || topicId === partition.topic.topicId,
      )
      const told = topics
        .flatMap(({ partitions }) => partitions)
        .find(({ partitionIndex }) => partitionIndex === partition.index)
      if (told === undefined) throw new Violation(`${this.name}: a Fetch reply leaves out ${partition.name}`)
      const count = this.onPartition(one, told)
      if (count === 0 && told.highWatermark > one.position) waiting = one
      records += count
    }
    if (records === 0 && waiting !== undefined) {
      const { partition, position } = waiting
      throw new Violation(
        `${this.name}: an empty Fetch reply, although ${partition.name} goes on at ${position}`,
      )
    }
  }

  private onPartition({ partition, position, knownEnd }: Asked, told: FetchedPartition): number {
    if (told.errorCode !== Errors.NONE) throw this.unexpected(`Fetch of ${partition.name}`, told.errorCode)
    partition.highWatermark(told.highWatermark, knownEnd)
    const records = readRecords(told.records ?? Buffer.alloc(0)).filter(({ offset }) => offset >= position)
    let next = position
    for (const { offset, value } of records) {
      if (offset !== next)
        throw new Violation(`${this.name}: ${partition.name} goes from ${next - 1} to ${offset}`)
      if (offset >= told.highWatermark) {
        throw new Violation(
          `${this.name}: ${partition.name}@${offset} was told above the high watermark ${told.highWatermark}`,
        )
      }
      partition.read(offset, value)
      next++
    }
    if (records.length > 0) {
      this.stage.note(`${this.name} reads ${partition.name}@${position}…${next - 1}`)
      // Another request may have moved on meanwhile.
      if (this.positions.get(partition) === position) this.positions.set(partition, next)
    }
    return records.length
  }

  /** Asks where the partition begins and ends. */
  protected askEnd(partition: PartitionTruth, onEnd: (end: number) => void): void {
    const { knownEnd } = partition
    const version = this.stage.random.between(1, listOffsets.maxVersion)
    const ask = (timestamp: number, onOffset: (offset: number) => void) => {
      const partitions = [{ partitionIndex: partition.index, timestamp }]
      const request = { replicaId: -1, timeoutMs: 1000, topics: [{ name: partition.topic.name, partitions }] }
      this.ask(listOffsets, version, request, ({ topics }) => {
        const told = topics[0]?.partitions[0]
        if (told === undefined || told.errorCode !== Errors.NONE)
          throw this.unexpected(`ListOffsets of ${partition.name}`, told?.errorCode ?? -1)
        onOffset(told.offset)
      })
    }
    ask(EARLIEST, (start) => {
      if (start !== 0) throw new Violation(`${partition.name} begins at ${start}`)
    })
    ask(LATEST, (end) => {
      partition.highWatermark(end, knownEnd)
      onEnd(end)
    })
  }
}

/** Reads every partition without a group, and goes back now and then to read again. */
export class Consumer extends Reader {
  protected act(): void {
    const { random, truth, draining } = this.stage
    if (draining || this.inFlight >= 3) return
    const partitions = random.some(truth.partitions, random.between(1, 4))
    const [first] = partitions
    if (first === undefined) return
    for (const partition of partitions)
      if (!this.positions.has(partition)) this.positions.set(partition, random.below(partition.knownEnd + 1))
    const what = random.weighted({ fetch: 8, end: 1, back: 1 })
    if (what === 'end') this.askEnd(first, () => {})
    else if (what === 'back') this.positions.set(first, random.below(first.knownEnd + 1))
    else this.fetch(partitions)
  }

  protected onLost(): void {}
}
