/**
 * Runs the controller over the metadata quorum: proposes what it decides, replays what is committed, folds it into
 * the image, sends the image's changes to the data plane, and holds every reply until the logs agree with it.
 *
 * One proposal is in flight at a time and requests wait for it: so the controller's state never holds what the quorum
 * may still drop, and a dropped proposal refuses one request and nothing else.
 */
import type { Command } from '../native/commands.js'
import type { EventNamed } from '../native/events.js'
import { Errors } from '../protocol/index.js'
import type { Decision, ImageCoordinator, Now } from '../state/coordinator.js'
import type { Logger } from './host.js'
import type { Snapshottable } from './metadata-snapshots.js'
import { Waiting } from './waiting.js'

export type ApplyImage = Extract<Command, { kind: 'apply-image' }>

/** The image: an immutable value folded from committed records alone. */
export interface ImageModel<Rec, Image, Delta> {
  empty(): Image
  /** The image after these records, whose last one has this offset and epoch, and what is different. */
  fold(image: Image, offset: number, epoch: number, records: readonly Rec[]): { image: Image; delta: Delta }
  /** What the logs must follow: the difference, or with null all there is. */
  toApply(image: Image, delta: Delta | null): Pick<ApplyImage, 'removedTopics' | 'topics'>
}

export interface MetadataHost<Rec, Image, Delta> {
  now(): Now
  push(command: Command): void
  /**
   * The logs agree with this image; called before any reply that depends on it. `delta` and `records`, those since
   * the image before, are null for the first one.
   */
  onImage(image: Image, delta: Delta | null, records: readonly Rec[] | null): void
  /** Records of so many bytes were committed and are in the committed image. */
  onCommitted(bytes: number): void
  readonly log: Logger
}

export interface MetadataCodec<Rec> {
  encode(record: Rec): Buffer
  decode(value: Buffer): Rec
}

interface Asked<Request> {
  readonly request: Request
  /** Null when nobody waits for an answer. */
  readonly to: number | null
}

interface Held<Reply> {
  /** An offset of the metadata log: the reply leaves once the logs agree with the image there. */
  readonly needs: number
  readonly to: number
  readonly response: Reply
}

interface Told<Rec, Image, Delta> {
  readonly offset: number
  readonly image: Image
  readonly delta: Delta | null
  readonly records: readonly Rec[] | null
}

interface InFlight<Request, Rec, Soft, Reply> {
  readonly proposalId: number
  readonly asked: Asked<Request>
  readonly decision: Decision<Rec, Soft, Reply>
}

export class MetadataLog<State, Request, Rec, Soft, Reply, Image, Delta> {
  private readonly state: State
  /** Everything that is committed. */
  private committed: Image
  /** What is committed and what the logs agree with: all that anybody else sees. */
  private applied: Image
  /** Images that the data plane was told of and has not confirmed; null before the first time. */
  private told: Told<Rec, Image, Delta>[] | null = null
  private active = false
  /** Of the last committed record; −1 before there is one. */
  private committedOffset = -1
  private committedEpoch = -1
  private committedTimestamp = -1
  private appliedOffset = -1
  private proposals = 0
  private inFlight: InFlight<Request, Rec, Soft, Reply> | null = null
  private queue: Asked<Request>[] = []
  private held: Held<Reply>[] = []
  private readonly waiting = new Waiting<Reply>()

  constructor(
    private readonly controller: ImageCoordinator<State, Request, Rec, Soft, Reply, Image, Delta>,
    private readonly model: ImageModel<Rec, Image, Delta>,
    private readonly codec: MetadataCodec<Rec>,
    private readonly host: MetadataHost<Rec, Image, Delta>,
  ) {
    this.state = controller.create()
    this.committed = model.empty()
    this.applied = this.committed
  }

  /** The image that the logs agree with. */
  get image(): Image {
    return this.applied
  }

  /** Everything that is committed, applied or not, and what a snapshot of it is called; null before there is anything. */
  get newest(): Snapshottable<Image> | null {
    if (this.committedOffset < 0) return null
    const { committed: image, committedEpoch: epoch, committedTimestamp: timestamp } = this
    return { image, endOffset: this.committedOffset + 1, epoch, timestamp }
  }

  /** This node leads the quorum and has seen all of its log: from now on it decides. */
  activate(): void {
    this.active = true
    this.next()
  }

  /** Another node leads, or none: whoever waits is refused with NOT_CONTROLLER. */
  deactivate(): void {
    if (!this.active) return
    this.active = false
    const refused = [...this.queue]
    this.queue = []
    for (const asked of refused) this.refuse(asked, Errors.NOT_CONTROLLER)
  }

  /** From now on the data plane is told of every image, this one first. */
  startTelling(): void {
    if (this.told !== null) return
    this.told = []
    this.tell(null, null)
  }

  /** `request` gets the token under which its answer will come. */
  submit(request: (to: number) => Request, answer: (reply: Reply) => void): void {
    const to = this.waiting.add(answer)
    this.enqueue({ request: request(to), to })
  }

  /** A request that has no answer. */
  tellController(request: Request): void {
    this.enqueue({ request, to: null })
  }

  private enqueue(asked: Asked<Request>): void {
    if (!this.active) {
      this.refuse(asked, Errors.NOT_CONTROLLER)
      return
    }
    this.queue.push(asked)
    this.next()
  }

  /** The snapshot that this start begins with; it comes before any committed record. */
  onSnapshot({ endOffset, epoch, timestamp, records }: EventNamed<'metadata-snapshot'>): void {
    this.replay(endOffset - 1, epoch, timestamp, records)
  }

  onCommitted(event: EventNamed<'metadata-committed'>): void {
    const { baseOffset, epoch, timestamp, records } = event
    const mine = this.inFlight?.proposalId === event.proposalId ? this.inFlight : null
    const last = Math.max(this.committedOffset, baseOffset + records.length - 1)
    const { delta, decoded } = this.replay(last, epoch, timestamp, records)
    for (const soft of mine?.decision.soft ?? []) this.controller.replay(this.state, { soft })
    if (this.told !== null) this.tell(delta, decoded)
    this.host.onCommitted(records.reduce((bytes, { value }) => bytes + value.length, 0))
    if (mine !== null) {
      this.inFlight = null
      this.hold(mine.decision)
      this.next()
    }
  }

  onDropped({ proposalId, errorCode }: EventNamed<'proposal-dropped'>): void {
    const dropped = this.inFlight
    if (dropped?.proposalId !== proposalId) return
    this.inFlight = null
    this.host.log.warn({ proposalId, errorCode }, 'the quorum dropped a change of the metadata')
    this.refuse(dropped.asked, errorCode)
    this.next()
  }

  onApplied({ offset, failures }: EventNamed<'image-applied'>): void {
    for (const failure of failures) this.host.log.error(failure, 'a log does not follow the metadata')
    this.appliedOffset = Math.max(this.appliedOffset, offset)
    for (let first = this.told?.[0]; first !== undefined && first.offset <= offset; first = this.told?.[0]) {
      this.told?.shift()
      this.applied = first.image
      this.host.onImage(first.image, first.delta, first.records)
    }
    this.release()
  }

  /** Records into the committed image and the controller's state; what is different there. */
  private replay(
    last: number,
    epoch: number,
    timestamp: number,
    values: readonly { readonly value: Buffer }[],
  ): { delta: Delta; decoded: readonly Rec[] } {
    const records = values.map(({ value }) => this.codec.decode(value))
    const { image, delta } = this.model.fold(this.committed, last, epoch, records)
    this.controller.follow(this.state, image, delta)
    this.committed = image
    this.committedOffset = last
    this.committedEpoch = epoch
    this.committedTimestamp = timestamp
    return { delta, decoded: records }
  }

  /** Decides request after request until one has to wait for the quorum. */
  private next(): void {
    while (this.active && this.inFlight === null) {
      const asked = this.queue.shift()
      if (asked === undefined) return
      const now = this.host.now()
      const decision = this.controller.decide(this.state, asked.request, now)
      if (decision.records.length === 0) {
        for (const soft of decision.soft) this.controller.replay(this.state, { soft })
        this.hold(decision)
        continue
      }
      const proposalId = ++this.proposals
      this.inFlight = { proposalId, asked, decision }
      const records = decision.records.map((record) => ({ value: this.codec.encode(record) }))
      this.host.push({ kind: 'propose', proposalId, timestamp: now.wallMs, records })
    }
  }

  private tell(delta: Delta | null, records: readonly Rec[] | null): void {
    const offset = this.committedOffset
    this.told?.push({ offset, image: this.committed, delta, records })
    this.host.push({ kind: 'apply-image', offset, ...this.model.toApply(this.committed, delta) })
  }

  private hold(decision: Decision<Rec, Soft, Reply>): void {
    // Before the data plane is told of anything there is nothing to wait for.
    const needs = this.told === null ? -1 : this.committedOffset
    for (const { to, response } of decision.replies) this.held.push({ needs, to, response })
    this.release()
  }

  private release(): void {
    for (
      let first = this.held[0];
      first !== undefined && first.needs <= this.appliedOffset;
      first = this.held[0]
    ) {
      this.held.shift()
      this.waiting.answer(first.to, first.response)
    }
  }

  private refuse({ request, to }: Asked<Request>, errorCode: number): void {
    const reply = this.controller.refused(this.state, request, errorCode)
    if (to !== null && reply !== null) this.waiting.answer(to, reply)
  }
}
