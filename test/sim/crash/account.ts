// What a script asked for and what it was told, each by how many calls on the disk had been made by then: so that what
// must, may and must not be found after a crash between any two calls can be said. It sends nothing.

/** Something asked for after `sent` calls and answered after `acked`; Infinity: not answered. */
export interface Act {
  readonly sent: number
  acked: number
}

export interface Stamp {
  readonly producerId: number
  readonly baseSequence: number
}

export interface BatchAct extends Act {
  readonly values: readonly string[]
  readonly timestamp: number
  readonly stamp: Stamp | null
  /** −1 while nobody was told. */
  baseOffset: number
}

/** The log start was, or may have been, moved to `offset`. */
export interface CutAct extends Act {
  readonly offset: number
}

export interface CommitAct extends Act {
  readonly offset: number
}

export interface ConfigAct extends Act {
  readonly value: string
}

/** `durable`: an ack means that it was synced. The others differ from it in one thing each. */
export type TopicKind = 'durable' | 'lazy' | 'retained'

export const RETENTION_MS = 3_000
/** Why any number: no segment that ends at or after it has all of its records expired. */
const EVERYTHING = Number.POSITIVE_INFINITY

export class PartitionAct {
  readonly batches: BatchAct[] = []
  readonly cuts: CutAct[] = []
  readonly commits: CommitAct[] = []

  constructor(
    readonly topic: TopicAct,
    readonly index: number,
  ) {}

  get name(): string {
    return `${this.topic.name}-${this.index}`
  }

  /** Exclusive, as far as anybody was told. */
  get end(): number {
    return this.batches.reduce((end, { baseOffset, values }) => Math.max(end, baseOffset + values.length), 0)
  }

  /** The log start after the crash is at least the first and at most the second. */
  startAfter(calls: number): readonly [number, number] {
    const least = this.cuts.filter(({ acked }) => acked <= calls).map(({ offset }) => offset)
    const most = this.cuts.filter(({ sent }) => sent < calls).map(({ offset }) => offset)
    if (this.topic.kind === 'retained') most.push(EVERYTHING)
    return [Math.max(0, ...least), Math.max(0, ...most)]
  }
}

export class TopicAct {
  id = ''
  created: Act
  deleted: Act | null = null
  readonly partitions: readonly PartitionAct[]
  readonly configs: ConfigAct[] = []

  constructor(
    readonly name: string,
    readonly kind: TopicKind,
    partitions: number,
    sent: number,
  ) {
    this.created = { sent, acked: Number.POSITIVE_INFINITY }
    this.partitions = Array.from({ length: partitions }, (_, index) => new PartitionAct(this, index))
  }

  get isAlive(): boolean {
    return this.created.acked !== Number.POSITIVE_INFINITY && this.deleted === null
  }

  fate(calls: number): 'there' | 'gone' | 'open' {
    const { created, deleted } = this
    if (created.sent >= calls || (deleted !== null && deleted.acked <= calls)) return 'gone'
    return created.acked <= calls && (deleted === null || deleted.sent >= calls) ? 'there' : 'open'
  }
}

export class Account {
  readonly topics: TopicAct[] = []
  /** Given, and to nobody else from then on. */
  readonly producerIds: { readonly acked: number; readonly id: number }[] = []
  /** World time by calls, rising: what clocks showed when an operation began. */
  readonly clock: { readonly calls: number; readonly at: number }[] = []

  get alive(): TopicAct[] {
    return this.topics.filter(({ isAlive }) => isAlive)
  }

  timeAt(calls: number): number {
    return this.clock.findLast((mark) => mark.calls <= calls)?.at ?? 0
  }
}
