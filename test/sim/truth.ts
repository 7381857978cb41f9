// What the clients of a world may rely on: which record stands at which offset, which topics exist, which producer ids
// are taken. It judges what brokers tell against what they told before, and sends nothing itself.
import { Violation } from './history.js'

/** Records that were sent together to one partition. */
export interface SentBatch {
  readonly producer: string
  readonly values: readonly string[]
  readonly partition: PartitionTruth
  /** `unknown`: the reply never came, or told nothing. */
  state: 'sent' | 'acked' | 'unknown'
  /** The producer sends it until it is acked. */
  retried: boolean
  /** It was sent more than once. */
  resent: boolean
}

export class PartitionTruth {
  /** By offset; undefined where nobody has seen the record yet. */
  private readonly records: (string | undefined)[] = []
  private readonly offsets = new Map<string, number>()
  private readonly batches = new Map<string, SentBatch>()
  /** What a request sent from now on must find readable (exclusive). */
  knownEnd = 0
  /** What was acked and what was read: both must stay. */
  promises = 0
  /** Batches that were acked after they were sent again. */
  resentAcks = 0

  constructor(
    readonly topic: TopicTruth,
    readonly index: number,
  ) {}

  get name(): string {
    return `${this.topic.name}-${this.index}`
  }

  sent(batch: SentBatch): void {
    for (const value of batch.values) this.batches.set(value, batch)
  }

  acked(batch: SentBatch, baseOffset: number): void {
    this.promises++
    if (batch.resent) this.resentAcks++
    for (const [index, value] of batch.values.entries()) this.stands(baseOffset + index, value, 'acked')
    batch.state = 'acked'
    this.knownEnd = Math.max(this.knownEnd, baseOffset + batch.values.length)
  }

  /** Told with acks=1: there now, and promised to nobody. */
  stored(batch: SentBatch, baseOffset: number): void {
    batch.state = 'unknown'
    if (baseOffset < 0) throw new Violation(`${this.name}: ${batch.producer} was told offset ${baseOffset}`)
  }

  /** A reader was given this record. */
  read(offset: number, value: string | null): void {
    if (value === null) throw new Violation(`${this.name}@${offset}: the record lost its value`)
    this.promises++
    this.stands(offset, value, 'read')
    this.knownEnd = Math.max(this.knownEnd, offset + 1)
  }

  /** A reply told a high watermark; `knownBefore` is the known end when its request was sent. */
  highWatermark(highWatermark: number, knownBefore: number): void {
    if (highWatermark < knownBefore) {
      throw new Violation(
        `${this.name}: the high watermark is ${highWatermark}, but ${knownBefore} was readable or acked before`,
      )
    }
    this.knownEnd = Math.max(this.knownEnd, highWatermark)
  }

  private stands(offset: number, value: string, how: string): void {
    const before = this.records[offset]
    if (before !== undefined && before !== value) {
      throw new Violation(
        `${this.name}@${offset} changed its meaning: it was ${short(before)}, now ${short(value)} is ${how}`,
      )
    }
    const elsewhere = this.offsets.get(value)
    if (elsewhere !== undefined && elsewhere !== offset) {
      throw new Violation(
        `${this.name}: ${short(value)} stands at ${elsewhere} and is ${how} at ${offset} as well`,
      )
    }
    if (!this.batches.has(value)) {
      throw new Violation(`${this.name}@${offset}: nobody sent ${short(value)} to this partition`)
    }
    this.records[offset] = value
    this.offsets.set(value, offset)
  }

  /** After everything from 0 to `end` was read. */
  validate(end: number): void {
    if (end < this.knownEnd) {
      throw new Violation(`${this.name} ends at ${end}, but ${this.knownEnd} was readable or acked`)
    }
    const last = new Map<string, number>()
    for (let offset = 0; offset < end; offset++) {
      const value = this.records[offset]
      if (value === undefined) throw new Violation(`${this.name}@${offset}: there is a hole in the log`)
      const { producer, number } = partsOf(value)
      const before = last.get(producer) ?? -1
      if (number <= before) {
        throw new Violation(
          `${this.name}@${offset}: ${producer}'s record ${number} stands behind its record ${before}`,
        )
      }
      last.set(producer, number)
    }
    for (const batch of new Set(this.batches.values())) this.validateBatch(batch, end)
  }

  private validateBatch(batch: SentBatch, end: number): void {
    const offsets = batch.values.map((value) => this.offsets.get(value))
    const present = offsets.filter((offset) => offset !== undefined && offset < end).length
    const what = `${this.name}: the batch of ${short(batch.values[0] ?? '')} (${batch.state})`
    if (batch.state === 'acked' && present < offsets.length)
      throw new Violation(`${what} was lost: ${present} of its ${offsets.length} records are there`)
    if (batch.retried && batch.state !== 'acked') throw new Violation(`${what} was never acked`)
    if (present !== 0 && present !== offsets.length)
      throw new Violation(`${what} is torn: ${present} of its ${offsets.length} records are there`)
  }

  get count(): number {
    return this.offsets.size
  }
}

/** `producer:number:padding` */
export function recordValue(producer: string, number: number, padding: string): string {
  return `${producer}:${number}:${padding}`
}

function partsOf(value: string): { producer: string; number: number } {
  const [producer = '', number = ''] = value.split(':', 2)
  return { producer, number: Number(number) }
}

const short = (value: string) => value.split(':', 2).join(':')

export class TopicTruth {
  readonly partitions: readonly PartitionTruth[]

  constructor(
    readonly name: string,
    readonly topicId: string,
    partitionCount: number,
  ) {
    this.partitions = Array.from({ length: partitionCount }, (_, index) => new PartitionTruth(this, index))
  }
}

export class Truth {
  private readonly byName = new Map<string, TopicTruth>()
  private readonly producerIds = new Set<number>()

  get topics(): readonly TopicTruth[] {
    return [...this.byName.values()]
  }

  get partitions(): readonly PartitionTruth[] {
    return this.topics.flatMap((topic) => topic.partitions)
  }

  /** The sum over all partitions. */
  count(what: 'promises' | 'resentAcks'): number {
    return this.partitions.reduce((sum, partition) => sum + partition[what], 0)
  }

  topic(name: string): TopicTruth | undefined {
    return this.byName.get(name)
  }

  /** A broker told that this topic exists: from now on it must. */
  topicExists(name: string, topicId: string, partitionCount: number): TopicTruth {
    const known = this.byName.get(name)
    if (known === undefined) {
      const topic = new TopicTruth(name, topicId, partitionCount)
      this.byName.set(name, topic)
      return topic
    }
    if (known.topicId !== topicId || known.partitions.length !== partitionCount) {
      throw new Violation(
        `topic ${name} was ${known.topicId} with ${known.partitions.length} partitions, ` +
          `now it is ${topicId} with ${partitionCount}`,
      )
    }
    return known
  }

  producerIdGiven(producerId: number): void {
    if (this.producerIds.has(producerId)) throw new Violation(`producer id ${producerId} was given twice`)
    this.producerIds.add(producerId)
  }

  validate(end: (partition: PartitionTruth) => number): void {
    for (const partition of this.partitions) partition.validate(end(partition))
  }
}
