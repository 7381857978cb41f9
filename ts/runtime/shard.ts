/**
 * Runs one coordinator over one partition: asks it to decide, appends what it decided, replays it, and holds every
 * reply until the high watermark has passed what was appended. It knows no coordinator in particular.
 */
import type { AppendReply, AppendRequest } from '../native/append.js'
import type { EventNamed } from '../native/events.js'
import { Errors } from '../protocol/index.js'
import {
  type Answer,
  type Coordinator,
  type Decision,
  type Now,
  replayRecords,
} from '../state/coordinator.js'
import type { Logger } from './host.js'
import type { Timer, Timers } from './timers.js'

/** How the coordinator's records become keys and values of the log. `decode` yields null for what it skips. */
export interface RecordCodec<Rec> {
  encode(record: Rec): { key: Buffer | null; value: Buffer | null }
  decode(key: Buffer, value: Buffer | null): Rec | null
}

export interface ShardPlace {
  /** For timers and log lines, such as `__consumer_offsets-7`. */
  readonly name: string
  readonly topicId: string
  readonly partition: number
  readonly leaderEpoch: number
}

export interface ShardHost<Reply> {
  now(): Now
  append(request: AppendRequest): AppendReply
  /** Asks for the whole partition as loaded-chunk events. */
  load(place: ShardPlace): void
  answer(to: number, reply: Reply): void
  readonly timers: Timers
  readonly log: Logger
}

interface Held<Reply> extends Answer<Reply> {
  /** The reply may leave once the high watermark is here. */
  readonly needs: number
  readonly expiresAt: number
}

/** `crashed`: what comes of the load under way is of no use; the next one begins when it has ended. */
type Status = 'loading' | 'crashed' | 'active' | 'closed'

/** Kafka's offsets.commit.timeout.ms: how long a reply is held for the high watermark. */
const HOLD_TIMEOUT_MS = 5_000
/** How long after a refusal a timer's decision, or a failed load, is tried again. */
const RETRY_MS = 500

/** What is divisible goes in batches of so many records at most. */
const MOST_RECORDS_OF_A_PIECE = 10_000
const tooLarge: readonly number[] = [Errors.MESSAGE_TOO_LARGE, Errors.RECORD_LIST_TOO_LARGE]

/** What an append answers with when this node no longer owns the partition at this epoch. */
const lostLeadership: readonly number[] = [
  Errors.UNKNOWN_TOPIC_OR_PARTITION,
  Errors.NOT_LEADER_OR_FOLLOWER,
  Errors.FENCED_LEADER_EPOCH,
  Errors.KAFKA_STORAGE_ERROR,
]

export class Shard<State, Request, Rec, Soft, Reply> {
  private state: State
  private status: Status = 'loading'
  /** The end of what has been loaded and appended (exclusive). */
  private appendedEnd = 0
  private highWatermark = 0
  private held: Held<Reply>[] = []
  /** Requests not answered yet, parked ones included, so that each can be refused. */
  private readonly open = new Map<number, Request>()
  private readonly timers = new Map<string, Timer>()
  /** Who waits for the load to end, well or badly. */
  private settling: (() => void)[] = []

  constructor(
    readonly place: ShardPlace,
    private readonly coordinator: Coordinator<State, Request, Rec, Soft, Reply>,
    private readonly codec: RecordCodec<Rec>,
    private readonly host: ShardHost<Reply>,
  ) {
    this.state = coordinator.create()
  }

  /** True once leadership was lost: the shard is of no more use. */
  get isClosed(): boolean {
    return this.status === 'closed'
  }

  /** For reads that need no decision, such as listings; null until loaded. */
  peek(): State | null {
    return this.status === 'active' ? this.state : null
  }

  /** Begins to load; requests are refused with COORDINATOR_LOAD_IN_PROGRESS until that is done. */
  start(): void {
    this.status = 'loading'
    this.state = this.coordinator.create()
    this.host.load(this.place)
  }

  /** `to` null: nobody waits for an answer. */
  submit(request: Request, to: number | null): void {
    if (this.status !== 'active') {
      const code = this.status === 'closed' ? Errors.NOT_COORDINATOR : Errors.COORDINATOR_LOAD_IN_PROGRESS
      this.refuse(request, to, code)
      return
    }
    if (to !== null) this.open.set(to, request)
    let refusal: number | null
    try {
      refusal = this.carryOut(this.coordinator.decide(this.state, request, this.host.now()))
    } catch (error) {
      if (to !== null) this.refuseOpen(to, Errors.UNKNOWN_SERVER_ERROR)
      this.crashed(error)
      this.reload()
      return
    }
    if (refusal === null) return
    if (to !== null) this.open.delete(to)
    this.refuse(request, to, refusal)
    if (lostLeadership.includes(refusal)) this.close()
  }

  /** Calls back when the shard is loaded, or has failed to load or been closed; at once when it is not loading. */
  whenSettled(callback: () => void): void {
    if (this.status === 'loading') this.settling.push(callback)
    else callback()
  }

  onChunk(chunk: EventNamed<'loaded-chunk'>): void {
    if (chunk.leaderEpoch !== this.place.leaderEpoch) return
    if (this.status === 'crashed' && (chunk.done || chunk.errorCode !== Errors.NONE)) this.reload()
    if (this.status !== 'loading') return
    if (chunk.errorCode !== Errors.NONE) {
      this.host.log.warn(
        { shard: this.place.name, errorCode: chunk.errorCode },
        'a coordinator could not be loaded',
      )
      this.settle()
      this.reload()
      return
    }
    try {
      for (const { offset, timestamp, key, value } of chunk.records) {
        const record = key === null ? null : this.codec.decode(key, value)
        if (record !== null) this.coordinator.replay(this.state, { record, offset, timestamp })
      }
    } catch (error) {
      this.crashed(error)
      if (chunk.done) this.reload()
      else this.status = 'crashed'
      return
    }
    if (!chunk.done) return
    this.status = 'active'
    this.appendedEnd = chunk.nextOffset
    // A load ends at the high watermark.
    this.highWatermark = Math.max(this.highWatermark, chunk.nextOffset)
    this.carryOutOwn(() => this.coordinator.loaded(this.state, this.host.now()), '#loaded')
    this.settle()
  }

  onCommitted(highWatermark: number): void {
    if (highWatermark <= this.highWatermark) return
    this.highWatermark = highWatermark
    this.release()
  }

  /** Leadership is lost or the broker stops: everyone who waits is answered, and the state is dropped. */
  close(): void {
    if (this.status === 'closed') return
    const wasActive = this.status === 'active'
    this.status = 'closed'
    this.cancelTimers()
    const decided = this.held
    this.held = []
    // What was decided but never became durable must not be told.
    for (const { to } of decided) this.refuseOpen(to, Errors.NOT_COORDINATOR)
    if (wasActive) {
      for (const { to, response } of this.coordinator.unloaded(this.state).replies) this.answer(to, response)
    }
    for (const to of [...this.open.keys()]) this.refuseOpen(to, Errors.NOT_COORDINATOR)
    this.state = this.coordinator.create()
    this.settle()
  }

  /**
   * An exception of the coordinator: what it has made of the state is worth nothing any more. Whoever waits is told to
   * ask again, and the state is folded anew from the log. Other shards do not notice.
   */
  private crashed(error: unknown): void {
    this.host.log.error({ shard: this.place.name, err: error }, 'a coordinator failed and is loaded again')
    this.status = 'loading'
    this.cancelTimers()
    this.held = []
    this.state = this.coordinator.create()
    for (const to of [...this.open.keys()]) this.refuseOpen(to, Errors.NOT_COORDINATOR)
    this.settle()
  }

  private reload(): void {
    this.setTimer('#reload', this.host.now().monotonicMs + RETRY_MS, () => this.start())
  }

  private cancelTimers(): void {
    for (const timer of this.timers.values()) this.host.timers.cancel(timer)
    this.timers.clear()
  }

  private settle(): void {
    const settling = this.settling
    this.settling = []
    for (const callback of settling) callback()
  }

  /** Appends, replays, sets timers and holds the replies. The error of a refused append, else null. */
  private carryOut(decision: Decision<Rec, Soft, Reply>): number | null {
    const now = this.host.now()
    const { records, soft, divisible = false } = decision
    for (let from = 0; from < records.length; from += divisible ? MOST_RECORDS_OF_A_PIECE : records.length) {
      const piece = divisible ? records.slice(from, from + MOST_RECORDS_OF_A_PIECE) : records
      const refusal = this.append(piece, divisible, now.wallMs)
      if (refusal !== null) return refusal
    }
    for (const change of soft) this.coordinator.replay(this.state, { soft: change })
    for (const { key, at } of decision.timers) this.applyTimer(key, at)
    for (const { to, response } of decision.replies) {
      this.held.push({ to, response, needs: this.appendedEnd, expiresAt: now.monotonicMs + HOLD_TIMEOUT_MS })
    }
    this.release()
    return null
  }

  /** Appends and replays one batch, or halves of it where that may be and it is too large; the error, else null. */
  private append(records: readonly Rec[], divisible: boolean, timestamp: number): number | null {
    const { topicId, partition, leaderEpoch } = this.place
    const encoded = records.map((record) => this.codec.encode(record))
    const reply = this.host.append({ topicId, partition, leaderEpoch, timestamp, records: encoded })
    if (divisible && records.length > 1 && tooLarge.includes(reply.errorCode)) {
      const half = Math.ceil(records.length / 2)
      const refusal = this.append(records.slice(0, half), divisible, timestamp)
      return refusal ?? this.append(records.slice(half), divisible, timestamp)
    }
    if (reply.errorCode !== Errors.NONE) return reply.errorCode
    if (reply.baseOffset !== this.appendedEnd) {
      // Somebody else has written to the partition: this state is not the fold of its log.
      this.host.log.error(
        { shard: this.place.name, ...reply, expected: this.appendedEnd },
        'a coordinator lost its place',
      )
      return Errors.NOT_LEADER_OR_FOLLOWER
    }
    this.appendedEnd = reply.endOffset
    this.highWatermark = Math.max(this.highWatermark, reply.highWatermark)
    replayRecords(this.coordinator, this.state, records, reply.baseOffset, timestamp)
    return null
  }

  /** A decision of the shard's own, which nobody asked for: when its append is refused it is tried again. */
  private carryOutOwn(decide: () => Decision<Rec, Soft, Reply>, timer: string): void {
    let refusal: number | null
    try {
      refusal = this.carryOut(decide())
    } catch (error) {
      this.crashed(error)
      this.reload()
      return
    }
    if (refusal === null) return
    if (lostLeadership.includes(refusal)) {
      this.close()
      return
    }
    this.host.log.warn(
      { shard: this.place.name, timer, errorCode: refusal },
      'an append of a coordinator was refused',
    )
    this.setTimer(timer, this.host.now().monotonicMs + RETRY_MS, () => this.carryOutOwn(decide, timer))
  }

  private applyTimer(key: string, at: number | null): void {
    if (at === null) {
      this.cancelTimer(key)
      return
    }
    const expire = () => this.coordinator.expired(this.state, key, this.host.now())
    this.setTimer(key, at, () => this.carryOutOwn(expire, key))
  }

  private setTimer(key: string, at: number, fire: () => void): void {
    const fired = () => {
      this.timers.delete(key)
      fire()
    }
    const timer = this.timers.get(key)
    if (timer === undefined) this.timers.set(key, this.host.timers.set(at, fired))
    else this.host.timers.move(timer, at, fired)
  }

  private cancelTimer(key: string): void {
    const timer = this.timers.get(key)
    if (timer === undefined) return
    this.timers.delete(key)
    this.host.timers.cancel(timer)
  }

  /** Sends the replies whose records are committed, in the order of their decisions. */
  private release(): void {
    for (let first = this.held[0]; first !== undefined; first = this.held[0]) {
      if (first.needs > this.highWatermark) {
        this.setTimer('#held', first.expiresAt, () => this.expireHeld())
        return
      }
      this.held.shift()
      this.answer(first.to, first.response)
    }
    this.cancelTimer('#held')
  }

  private expireHeld(): void {
    const { monotonicMs } = this.host.now()
    while (this.held[0] !== undefined && this.held[0].expiresAt <= monotonicMs) {
      const expired = this.held.shift()
      if (expired !== undefined) this.refuseOpen(expired.to, Errors.REQUEST_TIMED_OUT)
    }
    this.release()
  }

  private answer(to: number, response: Reply): void {
    this.open.delete(to)
    this.host.answer(to, response)
  }

  private refuseOpen(to: number, errorCode: number): void {
    const request = this.open.get(to)
    if (request === undefined) return
    this.open.delete(to)
    this.refuse(request, to, errorCode)
  }

  private refuse(request: Request, to: number | null, errorCode: number): void {
    const reply = this.coordinator.refused(this.state, request, errorCode)
    if (to !== null && reply !== null) this.host.answer(to, reply)
  }
}
