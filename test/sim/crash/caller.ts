// A client that asks and waits: everything that the broker has to do for an answer happens inside the call, with its
// disk work in a random order.
import {
  type Api,
  decodeResponse,
  decodeResponseHeader,
  type EncodableRequest,
  encodeRequestFrame,
  type ResponseOf,
} from '../../../ts/protocol/index.js'
import { Violation } from '../history.js'
import type { Machine } from '../machine.js'

/** Rounds without an answer after which there is none. */
const PATIENCE = 3_000
const STEP_MS = 5

interface Waiting {
  readonly correlationId: number
  readonly name: string
  readonly onFrame: (frame: Buffer) => void
}

export class Caller {
  private conn: number | null = null
  private unparsed: Buffer = Buffer.alloc(0)
  private correlationId = 0
  private readonly waiting: Waiting[] = []

  /** `stepwise`: disk work stands still between any two calls, and other work goes on meanwhile. */
  constructor(
    readonly machine: Machine,
    private readonly stepwise: boolean,
  ) {}

  /** Starts the broker and waits until it is ready. */
  start(): void {
    this.machine.start()
    this.until('the broker is ready', () => this.machine.state === 'ready')
  }

  /** A clean stop. */
  stop(): void {
    this.conn = null
    this.machine.shutdown()
    this.until('the broker stops', () => this.machine.state === 'off')
  }

  /** Asks and waits for the answer. */
  call<A extends Api>(api: A, version: number, request: EncodableRequest<A>): ResponseOf<A> {
    const answers: ResponseOf<A>[] = []
    this.send(api, version, request, (answer) => answers.push(answer))
    this.settle()
    const [answer] = answers
    if (answer === undefined) throw new Violation(`${api.name} was not answered`)
    return answer
  }

  /** Asks; the answer comes with a later call. */
  send<A extends Api>(
    api: A,
    version: number,
    request: EncodableRequest<A>,
    onAnswer: (answer: ResponseOf<A>) => void,
  ): void {
    const { machine } = this
    if (this.conn === null) this.conn = machine.connect()
    if (this.conn === null) throw new Violation('the broker takes no connection')
    const correlationId = ++this.correlationId
    const onFrame = (frame: Buffer) => {
      const header = decodeResponseHeader(api, version, frame)
      if (header.correlationId !== correlationId) throw new Violation(`${api.name}: an answer out of order`)
      onAnswer(decodeResponse(api, version, frame, header.bodyOffset))
    }
    this.waiting.push({ correlationId, name: api.name, onFrame })
    machine.feed(this.conn, encodeRequestFrame(api, version, correlationId, 'script', request))
  }

  /** Until every request has its answer. */
  settle(): void {
    const open = () => this.waiting.map(({ name }) => name).join(', ')
    this.until(
      () => `answers to ${open()}`,
      () => this.waiting.length === 0,
    )
  }

  /** Until the broker has nothing left to do. */
  rest(): void {
    for (let idle = 0; idle < 2; idle++) {
      if (this.machine.pendingEffects > 0) idle = 0
      this.round()
    }
  }

  /** Time passes, in steps, and what it makes due is done. */
  pass(ms: number, steps = 1): void {
    for (let step = 0; step < steps; step++) {
      this.machine.advanceTo(this.machine.time + ms / steps)
      this.rest()
    }
  }

  private until(what: string | (() => string), done: () => boolean): void {
    const { machine } = this
    for (let round = 0; !done(); round++) {
      if (round > PATIENCE) throw new Violation(`never happened: ${typeof what === 'string' ? what : what()}`)
      const isIdle = machine.pendingEffects === 0
      this.round()
      if (isIdle && machine.pendingEffects === 0 && !done()) machine.advanceTo(machine.time + STEP_MS)
    }
  }

  private round(): void {
    const { machine } = this
    if (this.stepwise) machine.workOnDisk()
    else machine.finishDiskWork()
    machine.turn()
    if (this.conn === null || machine.state === 'off') return
    this.receive(machine.output(this.conn))
    if (!machine.isOpen(this.conn)) {
      this.conn = null
      if (machine.state !== 'stopping') throw new Violation('the broker closed the connection')
    }
  }

  private receive(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.unparsed = this.unparsed.length === 0 ? bytes : Buffer.concat([this.unparsed, bytes])
    while (this.unparsed.length >= 4 && this.unparsed.length >= 4 + this.unparsed.readInt32BE(0)) {
      const size = this.unparsed.readInt32BE(0)
      const frame = this.unparsed.subarray(4, 4 + size)
      this.unparsed = this.unparsed.subarray(4 + size)
      const waiting = this.waiting.shift()
      if (waiting === undefined) throw new Violation('an answer that nobody waits for')
      waiting.onFrame(frame)
    }
  }
}
