/**
 * One control request from frame to handler and back: header, version, body, reply bytes. What does not decode, and
 * what nobody serves, closes that connection with a line in the log; it never disturbs another.
 */

import { unknownApiVersionsReply } from '../api/api-versions.js'
import type { BrokerView } from '../api/broker-view.js'
import type { Call, Handler } from '../api/handler.js'
import type { EventNamed } from '../native/events.js'
import { apiKeys, decodeRequest, decodeRequestHeader, ProtocolError } from '../protocol/index.js'
import type { Host, Logger } from './host.js'
import type { Outbox } from './outbox.js'

/** The clocks that requests are timed by. */
export interface RequestWatch {
  /** Milliseconds with fractions, of a steady clock. */
  stopwatch(): number
  wallMs(): number
}

export function watchOf({ clock, stopwatch }: Pick<Host, 'clock' | 'stopwatch'>): RequestWatch {
  return {
    stopwatch: stopwatch ?? (() => clock.now().monotonicMs),
    wallMs: () => clock.now().wallMs,
  }
}

type ControlRequest = EventNamed<'control-request'>

const API_VERSIONS = 18

/** `View`: what its handlers need of their broker. */
export class Dispatcher<View = BrokerView> {
  constructor(
    private readonly handlers: ReadonlyMap<number, Handler<View>>,
    private readonly broker: View,
    private readonly outbox: Outbox,
    private readonly log: Logger,
    /** About the bytes that a request may take once it is decoded. */
    private readonly memoryLimit: () => number,
    private readonly watch: RequestWatch,
  ) {}

  onRequest(request: ControlRequest): void {
    const handler = this.handlers.get(request.apiKey)
    if (handler === undefined) {
      this.close(request, 'the API is not served')
      return
    }
    const { api } = handler
    if (request.apiVersion < api.minVersion || request.apiVersion > api.maxVersion) {
      this.unknownVersion(request)
      return
    }
    try {
      const header = decodeRequestHeader(request.frame)
      const { apiVersion, frame } = request
      const body = decodeRequest(api, apiVersion, frame, header.bodyOffset, this.memoryLimit())
      const timed = this.timed(request)
      const call = this.callOf(request, handler, header.correlationId, header.clientId, timed.replied)
      handler.handle(call, body, this.broker)
      timed.handled()
    } catch (error) {
      if (error instanceof ProtocolError) this.close(request, error.message)
      else this.failed(request, error)
    }
  }

  /** The stations of one request: its handler has returned, its reply is there; whichever comes last counts it. */
  private timed({ apiKey, arrivalWallMs }: ControlRequest): { handled(): void; replied(): void } {
    const { stopwatch, wallMs } = this.watch
    const queueMs = wallMs() - arrivalWallMs
    const started = stopwatch()
    let handledAt: number | null = null
    let repliedAt: number | null = null
    const count = (): void => {
      if (handledAt === null || repliedAt === null) return
      this.outbox.push({
        kind: 'request-timed',
        apiKey,
        queueMicros: micros(queueMs),
        localMicros: micros(handledAt - started),
        remoteMicros: micros(repliedAt - handledAt),
      })
    }
    return {
      handled() {
        handledAt = stopwatch()
        count()
      },
      replied() {
        if (repliedAt !== null) return
        repliedAt = stopwatch()
        count()
      },
    }
  }

  private unknownVersion(request: ControlRequest): void {
    // The correlation id is all that is read: the header of a version from the future may end in anything.
    if (request.apiKey === API_VERSIONS && request.frame.length >= 8) {
      const response = unknownApiVersionsReply(request.frame.readInt32BE(4))
      this.outbox.push({ kind: 'respond', conn: request.conn, token: request.token, response })
      return
    }
    this.close(request, 'the version is not served')
  }

  private callOf(
    request: ControlRequest,
    { api }: Handler<View>,
    correlationId: number,
    clientId: string | null,
    replied: () => void,
  ): Call {
    const { apiVersion, peer, listener, principal } = request
    return {
      apiName: api.name,
      version: apiVersion,
      clientId,
      peer,
      listener,
      principal,
      reply: (response) => {
        try {
          this.outbox.respond(request, api, correlationId, response)
          replied()
        } catch (error) {
          this.failed(request, error)
        }
      },
      close: (reason) => this.close(request, reason),
    }
  }

  private close(request: ControlRequest, reason: string): void {
    const { conn, peer, apiKey, apiVersion } = request
    const api = apiKeys.get(apiKey)?.name ?? `API key ${apiKey}`
    this.log.warn(
      { peer, api, version: apiVersion, reason },
      'a request was refused and its connection closed',
    )
    this.outbox.push({
      kind: 'close-connection',
      conn,
      reason: `${api} v${apiVersion}: ${reason}`.slice(0, 1000),
    })
  }

  /** A handler that throws is a fault of ours: that connection pays for it, nobody else. */
  private failed(request: ControlRequest, error: unknown): void {
    const { conn, peer, apiKey, apiVersion } = request
    const api = apiKeys.get(apiKey)?.name ?? `API key ${apiKey}`
    this.log.error({ peer, api, version: apiVersion, err: error }, 'a request could not be handled')
    this.outbox.push({ kind: 'close-connection', conn, reason: `${api} v${apiVersion}: internal error` })
  }
}

/** Never negative: a wall clock may be set back. */
function micros(ms: number): number {
  return Math.min(Math.max(0, Math.round(ms * 1000)), 2 ** 31 - 1)
}
