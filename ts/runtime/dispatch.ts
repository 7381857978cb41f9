/**
 * One control request from frame to handler and back: header, version, body, reply bytes. What does not decode, and
 * what nobody serves, closes that connection with a line in the log; it never disturbs another.
 */

import { unknownApiVersionsReply } from '../api/api-versions.js'
import type { BrokerView } from '../api/broker-view.js'
import type { Call, Handler } from '../api/handler.js'
import type { EventNamed } from '../native/events.js'
import {
  apiKeys,
  decodeRequest,
  decodeRequestHeader,
  encodeResponseFrameBody,
  ProtocolError,
} from '../protocol/index.js'
import type { Logger } from './host.js'
import type { Outbox } from './outbox.js'

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
      const call = this.callOf(request, handler, header.correlationId, header.clientId)
      handler.handle(call, body, this.broker)
    } catch (error) {
      if (error instanceof ProtocolError) this.close(request, error.message)
      else this.failed(request, error)
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
  ): Call {
    const { conn, token, apiVersion, peer, listener, principal } = request
    return {
      apiName: api.name,
      version: apiVersion,
      clientId,
      peer,
      listener,
      principal,
      reply: (response) => {
        try {
          const bytes = encodeResponseFrameBody(api, apiVersion, correlationId, response)
          this.outbox.push({ kind: 'respond', conn, token, response: bytes })
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
