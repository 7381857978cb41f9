/**
 * Group coordinators on worker threads. It starts the workers once this node leads a partition of __consumer_offsets,
 * tells them every image, asks them what concerns several groups, and replaces one that ends. Requests about one group
 * reach their worker without passing here.
 */
import type { AskedOfGroup } from '../api/broker-view.js'
import { Errors } from '../protocol/index.js'
import { partitionFor } from '../state/group-coordinator.js'
import type { GroupReply, ListGroupsRequest, ListGroupsResponse } from '../state/group-messages.js'
import { type MetadataImage, topicByName } from '../state/image.js'
import { imageRecords } from '../state/image-records.js'
import { encodeMetadata, type MetadataRecord } from '../state/metadata-records.js'
import { GROUP_METADATA_TOPIC } from '../state/topic-name.js'
import type { Answered, FromWorker, ToWorker } from './coordinator-messages.js'
import type { Coordinators, ImageStep } from './coordinators.js'
import { groupRefusal, oneList } from './group-shards.js'
import type { Logger } from './host.js'

/** A worker's isolate, as this side has it. */
export interface WorkerHandle {
  post(message: ToWorker): void
  /** Ends it, whatever it does. Resolves when it has ended. */
  end(): Promise<void>
}

export interface WorkerCoordinatorsSetup {
  readonly nodeId: number
  readonly workers: number
  readonly log: Logger
  /** Starts the isolate of this number. `onEnd` comes once, whether it failed or was closed. */
  start(
    worker: number,
    onMessage: (message: FromWorker) => void,
    onEnd: (reason: string) => void,
  ): WorkerHandle
  /** The requests that the worker had are lost: whoever sent them is to ask again. */
  lost(worker: number): void
  /** Calls back after so many ms. */
  later(ms: number, callback: () => void): void
}

/** Who waits for a worker's answer, and what he is told when the worker ends instead. */
interface Asking {
  readonly answer: (reply: Answered) => void
  readonly failed: () => void
}

interface Seat {
  handle: WorkerHandle | null
  readonly asking: Map<number, Asking>
  closed: boolean
  /** Ends in a row without an answer in between: what fails at once is not restarted at once for ever. */
  failures: number
}

const RESTART_MS = 100
const RESTART_MS_MAX = 5_000

export class WorkerCoordinators implements Coordinators {
  private readonly seats: Seat[]
  private image: MetadataImage | null = null
  private tokens = 0
  private closing: (() => void) | null = null

  constructor(private readonly setup: WorkerCoordinatorsSetup) {
    this.seats = Array.from({ length: setup.workers }, () => ({
      handle: null,
      asking: new Map(),
      closed: false,
      failures: 0,
    }))
  }

  submit(asked: AskedOfGroup, answer: (reply: GroupReply) => void): void {
    const refuse = () => answer(this.refusal(asked, Errors.NOT_COORDINATOR))
    this.ask(this.seatOf(asked.body.groupId), (token) => ({ kind: 'submit', token, asked }), {
      answer: (reply) => answer(reply as GroupReply),
      failed: refuse,
    })
  }

  refusal(asked: AskedOfGroup, errorCode: number): GroupReply {
    return groupRefusal(asked, errorCode)
  }

  list(body: ListGroupsRequest, apiVersion: number, answer: (reply: ListGroupsResponse) => void): void {
    const seats = this.seats.filter(({ handle }) => handle !== null)
    const lists: ListGroupsResponse[] = []
    const told = (reply: ListGroupsResponse) => {
      lists.push(reply)
      if (lists.length === seats.length) answer(oneList(lists))
    }
    const loading = { throttleTimeMs: 0, errorCode: Errors.COORDINATOR_LOAD_IN_PROGRESS, groups: [] }
    for (const seat of seats) {
      this.ask(seat, (token) => ({ kind: 'list', token, body, apiVersion }), {
        answer: (reply) => told(reply as ListGroupsResponse),
        failed: () => told(loading),
      })
    }
    if (seats.length === 0) answer(oneList([]))
  }

  whenSettled(groupId: string, callback: () => void): void {
    this.ask(this.seatOf(groupId), (token) => ({ kind: 'when-settled', token, groupId }), {
      answer: callback,
      failed: callback,
    })
  }

  onImage({ image, records }: ImageStep): void {
    this.image = image
    if (!this.leadsGroups(image) || this.closing !== null) return
    for (const [worker, seat] of this.seats.entries()) {
      if (seat.handle === null) {
        if (seat.failures === 0) this.start(worker, seat, image)
      } else seat.handle.post(imageMessage(image, records))
    }
  }

  /** Loads and watermarks go to the workers themselves. */
  onChunk(): void {}

  onCommitted(): void {}

  close(closed: () => void): void {
    this.closing = closed
    for (const seat of this.seats) {
      if (seat.handle === null) seat.closed = true
      else seat.handle.post({ kind: 'close' })
    }
    this.closeWhenDone()
  }

  /** Ends what still runs; resolves when nothing does. */
  async end(): Promise<void> {
    this.closing ??= () => {}
    await Promise.all(this.seats.map(({ handle }) => handle?.end()))
  }

  private ask(seat: Seat | null, message: (token: number) => ToWorker, asking: Asking): void {
    if (seat === null || seat.handle === null || seat.closed) {
      asking.failed()
      return
    }
    const token = ++this.tokens
    seat.asking.set(token, asking)
    seat.handle.post(message(token))
  }

  /** Null where no group can be: there is no __consumer_offsets. */
  private seatOf(groupId: string): Seat | null {
    const topic = this.image === null ? undefined : topicByName(this.image, GROUP_METADATA_TOPIC)
    if (topic === undefined) return null
    return this.seats[partitionFor(groupId, topic.partitions.size) % this.seats.length] ?? null
  }

  private leadsGroups(image: MetadataImage): boolean {
    const partitions = topicByName(image, GROUP_METADATA_TOPIC)?.partitions.values() ?? []
    return [...partitions].some(({ leader }) => leader === this.setup.nodeId)
  }

  private start(worker: number, seat: Seat, image: MetadataImage): void {
    seat.handle = this.setup.start(
      worker,
      (message) => this.onMessage(seat, message),
      (reason) => this.onEnd(worker, seat, reason),
    )
    seat.handle.post(imageMessage(image, null))
  }

  private onMessage(seat: Seat, message: FromWorker): void {
    switch (message.kind) {
      case 'answer': {
        seat.failures = 0
        const asking = seat.asking.get(message.token)
        seat.asking.delete(message.token)
        asking?.answer(message.reply)
        break
      }
      case 'log':
        this.setup.log[message.level](message.fields, message.message)
        break
      case 'closed':
        seat.closed = true
        this.closeWhenDone()
        break
    }
  }

  private onEnd(worker: number, seat: Seat, reason: string): void {
    seat.handle = null
    const asking = [...seat.asking.values()]
    seat.asking.clear()
    for (const { failed } of asking) failed()
    if (this.closing !== null) {
      seat.closed = true
      this.closeWhenDone()
      return
    }
    this.setup.log.error({ worker, reason }, 'a coordinator worker ended and is replaced')
    this.setup.lost(worker)
    const pauseMs = seat.failures === 0 ? 0 : Math.min(RESTART_MS * 2 ** seat.failures, RESTART_MS_MAX)
    seat.failures += 1
    this.setup.later(pauseMs, () => {
      if (this.closing === null && seat.handle === null && this.image !== null) {
        this.start(worker, seat, this.image)
      }
    })
  }

  private closeWhenDone(): void {
    if (this.closing === null || !this.seats.every(({ closed }) => closed)) return
    const closed = this.closing
    this.closing = () => {}
    closed()
  }
}

/** `records` null: all of the image. */
function imageMessage(image: MetadataImage, records: readonly MetadataRecord[] | null): ToWorker {
  const { offset, epoch } = image
  const encoded = [...(records ?? imageRecords(image))].map(encodeMetadata)
  return { kind: 'image', whole: records === null, offset, epoch, records: encoded }
}
