/**
 * What every API handler is: a table of the protocol and a synchronous function over one decoded request. The reply
 * may come later, from a coordinator or the controller; nothing here knows sockets, frames or the runtime.
 */
import type { Api, EncodableResponse, RequestOf } from '../protocol/index.js'
import type { BrokerView } from './broker-view.js'

/** One request that waits for its answer: who asked, and the three ways to finish. Exactly one of them is used. */
export interface Call<A extends Api = Api> {
  /** Kafka's name of the API. */
  readonly apiName: string
  readonly version: number
  readonly clientId: string | null
  /** `127.0.0.1:55012` */
  readonly peer: string
  /** The listener that the connection came by. */
  readonly listener: string
  /** `User:ANONYMOUS` */
  readonly principal: string
  reply(response: EncodableResponse<A>): void
  /** Closes the connection; the reason goes to the log. */
  close(reason: string): void
}

/** `View`: what the handler needs of its broker. */
export interface Handler<in View = BrokerView> {
  readonly api: Api
  handle(call: Call, request: unknown, broker: View): void
}

/** Ties a table to its function; the types of both are checked here and erased behind `Handler`. */
export function serve<A extends Api, View = BrokerView>(
  api: A,
  handle: (call: Call<A>, request: RequestOf<A>, broker: View) => void,
): Handler<View> {
  return {
    api,
    handle: (call, request, broker) => handle(call as Call<A>, request as RequestOf<A>, broker),
  }
}
