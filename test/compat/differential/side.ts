// One of the two brokers as a script sees it: a connection, and the names that the broker itself chose (topic ids, fetch
// session ids, its address), which a comparison must not see.
import {
  type Api,
  decodeResponse,
  decodeResponseHeader,
  type EncodableRequest,
  encodeRequestFrame,
  type ResponseOf,
  ZERO_UUID,
} from '../../../ts/protocol/index.js'
import { RawClient } from '../../cluster/raw-client.js'

/** A broker that says nothing for so long is taken for one that closed the connection: the other one will have answered. */
const ANSWER_WITHIN_MS = 20_000

/** What came back: a decoded reply, or the end of the connection. */
export type Answer<A extends Api> = { readonly reply: ResponseOf<A> } | { readonly closed: true }

export class Side {
  readonly topicIds = new Map<string, string>()
  /** The fetch session that the script follows; 0 = none. */
  sessionId = 0
  private correlation = 0
  private client: RawClient | undefined

  constructor(
    readonly name: 'kafka' | 'millrace',
    readonly port: number,
    /** Its log directory. */
    readonly data: string,
  ) {}

  topicId(topic: string): string {
    return this.topicIds.get(topic) ?? ZERO_UUID
  }

  nameOf(topicId: string): string | undefined {
    for (const [name, id] of this.topicIds) if (id === topicId) return name
    return undefined
  }

  private async open(): Promise<RawClient> {
    this.client ??= await RawClient.open(this.port)
    return this.client
  }

  /** Sends a request, with `change` made to its frame first, and takes what comes back, if anything is to come. */
  async ask<A extends Api>(
    api: A,
    version: number,
    request: EncodableRequest<A>,
    change: (frame: Buffer) => Buffer = (frame) => frame,
  ): Promise<Answer<A>> {
    const client = await this.open()
    this.correlation += 1
    client.send(change(encodeRequestFrame(api, version, this.correlation, 'script', request)))
    const unanswered = setTimeout(() => client.close(), ANSWER_WITHIN_MS)
    try {
      const frame = await client.reply()
      const { bodyOffset } = decodeResponseHeader(api, version, frame)
      return { reply: decodeResponse(api, version, frame, bodyOffset) }
    } catch (error) {
      if (!String(error).includes('closed the connection')) throw error
      this.close()
      return { closed: true }
    } finally {
      clearTimeout(unanswered)
    }
  }

  /** Sends a request that gets no reply. */
  async tell<A extends Api>(api: A, version: number, request: EncodableRequest<A>): Promise<void> {
    const client = await this.open()
    this.correlation += 1
    client.send(encodeRequestFrame(api, version, this.correlation, 'script', request))
  }

  close(): void {
    this.client?.close()
    this.client = undefined
    this.sessionId = 0
  }
}
