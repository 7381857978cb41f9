/**
 * When a snapshot of the metadata is due (KIP-630), and its way to the data plane: so many records at a time, the next
 * ones when these are written, so that neither the loop nor memory feels its size. What it holds is state/'s to say.
 */
import type { Command } from '../native/commands.js'
import type { EventNamed } from '../native/events.js'
import type { Now } from '../state/coordinator.js'
import type { Logger } from './host.js'
import type { Timer, Timers } from './timers.js'

/** The image with what its snapshot is called. */
export interface Snapshottable<Image> {
  readonly image: Image
  /** Exclusive. */
  readonly endOffset: number
  readonly epoch: number
  /** Of the last record that it stands for, ms. */
  readonly timestamp: number
}

export interface SnapshotLimits {
  /** metadata.log.max.record.bytes.between.snapshots */
  readonly maxRecordBytes: number
  /** metadata.log.max.snapshot.interval.ms; 0: never by time. */
  readonly maxIntervalMs: number
}

export interface SnapshotHost<Image> {
  now(): Now
  push(command: Command): void
  /** Null while there is nothing that could be a snapshot. */
  newest(): Snapshottable<Image> | null
  /** The records that make the image, encoded; asked for piece by piece. */
  records(image: Image): Iterable<Buffer>
  readonly timers: Timers
  readonly log: Logger
}

/** Of one chunk, whichever comes first. */
const CHUNK_RECORDS = 500
const CHUNK_BYTES = 256 * 1024
/** After one that could not be written. */
const RETRY_MS = 60_000

interface Underway {
  readonly endOffset: number
  readonly epoch: number
  readonly timestamp: number
  readonly values: Iterator<Buffer>
  /** Record bytes that were committed before it was begun, and count no more once it stands. */
  readonly covers: number
  /** Of the chunk that was sent last. */
  position: number
  done: boolean
}

export class MetadataSnapshots<Image> {
  /** Bytes of committed records that no snapshot holds. */
  private uncovered = 0
  private underway: Underway | null = null
  private timer: Timer | null = null

  constructor(
    private readonly limits: SnapshotLimits,
    private readonly host: SnapshotHost<Image>,
  ) {}

  /** Records of so many bytes were committed and are in the image. */
  onCommitted(bytes: number): void {
    if (this.uncovered === 0 && bytes > 0 && this.limits.maxIntervalMs > 0)
      this.wait(this.limits.maxIntervalMs)
    this.uncovered += bytes
    if (this.uncovered >= this.limits.maxRecordBytes) this.begin()
  }

  onWritten({ endOffset, position, message }: EventNamed<'snapshot-written'>): void {
    const { underway } = this
    if (underway?.endOffset !== endOffset || underway.position !== position) return
    if (message !== '') {
      this.host.log.warn({ endOffset, reason: message }, 'a snapshot of the metadata could not be written')
      this.underway = null
      this.wait(RETRY_MS)
    } else if (underway.done) {
      this.host.log.info({ endOffset }, 'a snapshot of the metadata stands')
      this.underway = null
      this.uncovered -= underway.covers
      if (this.uncovered > 0 && this.limits.maxIntervalMs > 0) this.wait(this.limits.maxIntervalMs)
    } else {
      underway.position += 1
      this.send(underway)
    }
  }

  private wait(ms: number): void {
    this.cancelTimer()
    this.timer = this.host.timers.set(this.host.now().monotonicMs + ms, () => this.begin())
  }

  private cancelTimer(): void {
    if (this.timer !== null) this.host.timers.cancel(this.timer)
    this.timer = null
  }

  private begin(): void {
    const newest = this.underway === null && this.uncovered > 0 ? this.host.newest() : null
    if (newest === null) return
    this.cancelTimer()
    const { image, endOffset, epoch, timestamp } = newest
    const values = this.host.records(image)[Symbol.iterator]()
    this.underway = { endOffset, epoch, timestamp, values, covers: this.uncovered, position: 0, done: false }
    this.send(this.underway)
  }

  private send(underway: Underway): void {
    const records: { value: Buffer }[] = []
    for (let bytes = 0; records.length < CHUNK_RECORDS && bytes < CHUNK_BYTES; ) {
      const { value, done } = underway.values.next()
      if (done === true) {
        underway.done = true
        break
      }
      records.push({ value })
      bytes += value.length
    }
    const { endOffset, epoch, timestamp, position, done } = underway
    this.host.push({ kind: 'write-snapshot', endOffset, epoch, timestamp, position, done, records })
  }
}
