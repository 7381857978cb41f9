// A client of a simulated broker: one connection at a time, requests out as bytes, replies matched in order. What to
// ask is decided by the kinds of client; when bytes move is decided by the world.
import {
  type Api,
  apiVersions,
  decodeResponse,
  decodeResponseHeader,
  type EncodableRequest,
  encodeRequestFrame,
  type ResponseOf,
} from '../../ts/protocol/index.js'
import type { Commits } from './commits.js'
import { Violation } from './history.js'
import type { Random } from './random.js'
import type { Truth } from './truth.js'

/** An error code that only a broken or full disk excuses. */
export class Refusal extends Violation {}

/** A connection as the network sees it. */
export class Wire {
  /** Written by the client, not yet at the broker. */
  unsent: Buffer = Buffer.alloc(0)

  constructor(
    readonly conn: number,
    readonly client: Client,
  ) {}
}

/** What a client knows of its world. */
export interface Stage {
  readonly random: Random
  readonly truth: Truth
  readonly commits: Commits
  /** What a client's own clock shows, ms. */
  readonly wallMs: number
  /** How often the broker was started: retries across starts meet what only a file remembers. */
  readonly starts: number
  /** Clients finish what they began and begin nothing. */
  readonly draining: boolean
  /** Null: nobody accepts. */
  connect(client: Client): Wire | null
  note(text: string): void
}

interface Pending {
  readonly correlationId: number
  readonly api: Api
  readonly version: number
  readonly onReply: (body: Buffer, offset: number) => void
  /** Whether a broker with nothing left to do may still hold the reply back. */
  readonly mayWait: () => boolean
}

export abstract class Client {
  protected wire: Wire | null = null
  private unparsed: Buffer = Buffer.alloc(0)
  private correlationId = 0
  private readonly pending: Pending[] = []

  constructor(
    readonly name: string,
    protected readonly stage: Stage,
  ) {}

  /** Requests without a reply so far. */
  get inFlight(): number {
    return this.pending.length
  }

  get waitsFor(): string {
    return this.pending.map(({ api, version }) => `${api.name} v${version}`).join(', ')
  }

  /** Whether everything that was begun is finished. */
  get isDone(): boolean {
    return this.pending.length === 0
  }

  /** The broker has nothing left to do: it owes no reply but those that wait for time or for others. */
  checkAnswered(): void {
    const [first] = this.pending
    if (first === undefined || first.mayWait()) return
    throw new Violation(
      `${this.name}: nothing is left to be done, but ${first.api.name} v${first.version} has no reply`,
    )
  }

  /** Does one thing, if there is one to do. Connected. */
  protected abstract act(): void

  /** The connection is gone, with whatever was in flight. */
  protected abstract onLost(): void

  takeTurn(): void {
    const { random } = this.stage
    if (this.wire === null) {
      if (this.stage.draining && this.isDone) return
      this.wire = this.stage.connect(this)
      if (this.wire === null) return
      this.stage.note(`${this.name} connects`)
      if (random.chance(0.5)) this.askVersions()
      return
    }
    this.act()
  }

  /** Bytes from the broker. */
  receive(bytes: Buffer): void {
    this.unparsed = this.unparsed.length === 0 ? bytes : Buffer.concat([this.unparsed, bytes])
    while (this.unparsed.length >= 4) {
      const size = this.unparsed.readInt32BE(0)
      if (size < 4) throw new Violation(`${this.name}: a reply of size ${size}`)
      if (this.unparsed.length < 4 + size) return
      const frame = this.unparsed.subarray(4, 4 + size)
      this.unparsed = this.unparsed.subarray(4 + size)
      this.onFrame(frame)
    }
  }

  private onFrame(frame: Buffer): void {
    const pending = this.pending.shift()
    if (pending === undefined)
      throw new Violation(`${this.name}: a reply (${frame.readInt32BE(0)}) that nobody waits for`)
    const { api, version, correlationId } = pending
    const header = decodeResponseHeader(api, version, frame)
    if (header.correlationId !== correlationId) {
      throw new Violation(
        `${this.name}: the reply to ${header.correlationId} came where that to ${correlationId} was due`,
      )
    }
    pending.onReply(frame, header.bodyOffset)
  }

  hangUp(): void {
    this.wire = null
    this.unparsed = Buffer.alloc(0)
    this.pending.length = 0
    this.onLost()
  }

  /** A served version of the API, up to `limit`. */
  protected versionOf(api: Api, limit = api.maxVersion): number {
    return this.stage.random.between(api.minVersion, Math.min(limit, api.maxVersion))
  }

  protected ask<A extends Api>(
    api: A,
    version: number,
    message: EncodableRequest<A>,
    onReply: (reply: ResponseOf<A>) => void,
    mayWait: () => boolean = () => false,
  ): void {
    const correlationId = this.tell(api, version, message)
    this.pending.push({
      correlationId,
      api,
      version,
      mayWait,
      onReply: (body, offset) => onReply(decodeResponse(api, version, body, offset)),
    })
  }

  /** Sends a request that has no reply. */
  protected tell<A extends Api>(api: A, version: number, message: EncodableRequest<A>): number {
    const { wire } = this
    if (wire === null) throw new Error(`${this.name} is not connected`)
    const correlationId = ++this.correlationId
    const frame = encodeRequestFrame(api, version, correlationId, this.name, message)
    wire.unsent = Buffer.concat([wire.unsent, frame])
    return correlationId
  }

  private askVersions(): void {
    const request = { clientSoftwareName: 'simulated', clientSoftwareVersion: '1.0' }
    this.ask(apiVersions, this.versionOf(apiVersions), request, ({ errorCode, apiKeys }) => {
      if (errorCode !== 0 || apiKeys.length === 0)
        throw new Violation(`${this.name}: ApiVersions told error ${errorCode}, ${apiKeys.length} APIs`)
    })
  }

  protected unexpected(what: string, errorCode: number): Refusal {
    return new Refusal(`${this.name}: ${what} was answered with error ${errorCode}`)
  }
}
