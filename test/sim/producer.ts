// Clients that produce: plain ones send every record once and accept not to know; idempotent ones pipeline, and send
// again with the same sequence until each batch is acked.
import { Errors, initProducerId, produce, type ResponseOf } from '../../ts/protocol/index.js'
import { recordBatch } from '../record-batch.js'
import { Client, type Stage } from './client.js'
import { Violation } from './history.js'
import { type PartitionTruth, recordValue, type SentBatch } from './truth.js'

const MAX_IN_FLIGHT = 5
const TIMEOUT_MS = 30_000
/** What a broker may answer although it may have appended. */
const UNDECIDED: readonly number[] = [Errors.REQUEST_TIMED_OUT]

export type ProducerKind = 'idempotent' | 'all' | 'leader' | 'none'
const ACKS: Readonly<Record<ProducerKind, number>> = { idempotent: -1, all: -1, leader: 1, none: 0 }

interface OwnBatch extends SentBatch {
  readonly bytes: Buffer
  /** Starts of the broker before it was first sent. */
  readonly firstStart: number
}

/** What an idempotent producer has going on with one partition. */
interface Stream {
  nextSequence: number
  /** Not acked, in order of their sequences. */
  unacked: OwnBatch[]
  inFlight: number
  resend: boolean
}

export class Producer extends Client {
  private numbers = 0
  private producerId = -1
  private asking = false
  private exhausted = false
  private streams = new Map<PartitionTruth, Stream>()

  constructor(
    name: string,
    stage: Stage,
    private readonly kind: ProducerKind,
  ) {
    super(name, stage)
  }

  override get isDone(): boolean {
    return super.isDone && [...this.streams.values()].every(({ unacked }) => unacked.length === 0)
  }

  protected act(): void {
    const { stage } = this
    if (this.inFlight >= MAX_IN_FLIGHT) return
    if (this.kind === 'idempotent') {
      if (this.producerId < 0) {
        if (!this.asking && !stage.draining) this.askProducerId()
        return
      }
      for (const [partition, stream] of this.streams) {
        if (stream.resend && stream.inFlight === 0) {
          this.resend(partition, stream)
          return
        }
      }
      if (this.exhausted) {
        // The broker forgot part of what it was sent: a new identity, once nothing of the old one is open.
        if (this.isDone) this.producerId = -1
        return
      }
    }
    if (!stage.draining) this.sendNew()
  }

  protected onLost(): void {
    this.asking = false
    for (const stream of this.streams.values()) {
      stream.inFlight = 0
      stream.resend = stream.unacked.length > 0
    }
  }

  private askProducerId(): void {
    this.asking = true
    const request = { transactionalId: null, transactionTimeoutMs: 60_000 }
    this.ask(initProducerId, this.versionOf(initProducerId), request, (reply) => {
      this.asking = false
      if (reply.errorCode === Errors.COORDINATOR_LOAD_IN_PROGRESS) return
      if (reply.errorCode !== Errors.NONE) throw this.unexpected('InitProducerId', reply.errorCode)
      this.stage.truth.producerIdGiven(reply.producerId)
      this.stage.note(`${this.name} is producer ${reply.producerId}`)
      this.producerId = reply.producerId
      this.exhausted = false
      this.streams = new Map()
    })
  }

  private sendNew(): void {
    const { random, truth } = this.stage
    const free = truth.partitions.filter((partition) => !this.streams.get(partition)?.resend)
    const partitions = random.some(free, random.between(1, 2))
    if (partitions.length === 0) return
    this.send(partitions.map((partition) => this.newBatch(partition)))
  }

  private newBatch(partition: PartitionTruth): OwnBatch {
    const { random, starts, wallMs } = this.stage
    const padding = () => 'x'.repeat(random.chance(0.1) ? random.below(3000) : random.below(40))
    const values = Array.from({ length: random.between(1, 5) }, () =>
      recordValue(this.name, this.numbers++, padding()),
    )
    const records = values.map((value) => ({ key: this.name, value, timestamp: wallMs }))
    const shared = { producer: this.name, values, partition, firstStart: starts, resent: false }
    let batch: OwnBatch
    if (this.kind === 'idempotent') {
      const stream = this.streamOf(partition)
      const bytes = recordBatch(records, {
        producerId: this.producerId,
        producerEpoch: 0,
        baseSequence: stream.nextSequence,
      })
      batch = { ...shared, bytes, state: 'sent', retried: true }
      stream.nextSequence += values.length
      stream.unacked.push(batch)
    } else {
      batch = { ...shared, bytes: recordBatch(records), state: 'sent', retried: false }
    }
    partition.sent(batch)
    return batch
  }

  private streamOf(partition: PartitionTruth): Stream {
    const known = this.streams.get(partition)
    if (known !== undefined) return known
    const stream: Stream = { nextSequence: 0, unacked: [], inFlight: 0, resend: false }
    this.streams.set(partition, stream)
    return stream
  }

  private resend(partition: PartitionTruth, stream: Stream): void {
    stream.resend = false
    const room = MAX_IN_FLIGHT - this.inFlight
    // All of them or the order is lost: a stream has no more than fit into an idle connection.
    if (stream.unacked.length > room) {
      stream.resend = true
      return
    }
    this.stage.note(`${this.name} sends ${stream.unacked.length} batches to ${partition.name} again`)
    for (const batch of stream.unacked) {
      batch.resent = true
      this.send([batch])
    }
  }

  private send(batches: readonly OwnBatch[]): void {
    const version = this.versionOf(produce)
    const message = {
      transactionalId: null,
      acks: ACKS[this.kind],
      timeoutMs: TIMEOUT_MS,
      topicData: batches.map(({ partition, bytes }) => ({
        name: partition.topic.name,
        topicId: partition.topic.topicId,
        partitionData: [{ index: partition.index, records: bytes }],
      })),
    }
    if (this.kind === 'none') {
      this.tell(produce, version, message)
      for (const batch of batches) batch.state = 'unknown'
      return
    }
    for (const { partition } of batches) {
      const stream = this.streams.get(partition)
      if (stream !== undefined) stream.inFlight++
    }
    this.ask(produce, version, message, (reply) => this.onReply(batches, reply))
  }

  private onReply(batches: readonly OwnBatch[], { responses }: ResponseOf<typeof produce>): void {
    for (const [index, batch] of batches.entries()) {
      const topic = responses[index]
      const answer = topic?.partitionResponses[0]
      const { partition } = batch
      if (
        answer === undefined ||
        answer.index !== partition.index ||
        (topic?.name !== partition.topic.name && topic?.topicId !== partition.topic.topicId)
      ) {
        throw new Violation(`${this.name}: a Produce reply leaves out ${partition.name}`)
      }
      this.onAnswer(batch, answer.errorCode, answer.baseOffset)
    }
  }

  private onAnswer(batch: OwnBatch, errorCode: number, baseOffset: number): void {
    const { partition } = batch
    const stream = this.streams.get(partition)
    if (stream !== undefined) stream.inFlight--
    if (errorCode === Errors.NONE) {
      this.stage.note(`${this.name} ${batch.values.length} records acked at ${partition.name}@${baseOffset}`)
      if (this.kind === 'leader') partition.stored(batch, baseOffset)
      else partition.acked(batch, baseOffset)
      if (stream !== undefined) stream.unacked = stream.unacked.filter((other) => other !== batch)
      return
    }
    this.stage.note(`${this.name} ${partition.name}: error ${errorCode}`)
    if (UNDECIDED.includes(errorCode)) {
      if (stream !== undefined) stream.resend = true
      else batch.state = 'unknown'
      return
    }
    const forgotten = errorCode === Errors.OUT_OF_ORDER_SEQUENCE_NUMBER && stream !== undefined
    if (!forgotten || !this.mayBeForgotten(batch, stream)) throw this.unexpected('Produce', errorCode)
    // A file remembers the last batch of each producer only: whether the older ones are there cannot be known.
    batch.state = 'unknown'
    batch.retried = false
    stream.unacked = stream.unacked.filter((other) => other !== batch)
    this.exhausted = true
  }

  /** Only when the broker has started anew since, and the batch was not the last that it may have appended. */
  private mayBeForgotten(batch: OwnBatch, { unacked }: Stream): boolean {
    return batch.firstStart < this.stage.starts && unacked.at(-1) !== batch
  }
}
