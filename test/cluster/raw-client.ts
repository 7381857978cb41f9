// A socket that says exactly what a test wants it to say: whole requests by our own tables, or any bytes at all.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  type Api,
  createTopics,
  decodeResponse,
  decodeResponseHeader,
  type EncodableRequest,
  encodeRequestFrame,
  fetch,
  metadata,
  produce,
  type ResponseOf,
} from '../../ts/protocol/index.js'

export class RawClient {
  private received = Buffer.alloc(0)
  private waiting: (() => void)[] = []
  private correlation = 0
  private ended = false

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => {
      this.received = Buffer.concat([this.received, chunk])
      this.wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.ended = true
      this.wake()
    })
  }

  /** `from`: the address to come from, one of the loopback's. */
  static async open(port: number, host = '127.0.0.1', from?: string): Promise<RawClient> {
    const socket = connect({ host, port, noDelay: true, ...(from ? { localAddress: from } : {}) })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }

  private async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  /** Resolves once the broker has closed the connection; with the bytes that came and were not taken. */
  async closed(): Promise<Buffer> {
    await this.until(() => this.ended)
    return this.received
  }

  /** The next reply frame, without its size. Rejects when the connection closes first. */
  async reply(): Promise<Buffer> {
    const whole = () => this.received.length >= 4 && this.received.length >= 4 + this.received.readInt32BE(0)
    await this.until(() => whole() || this.ended)
    if (!whole()) throw new Error('the broker closed the connection')
    const size = this.received.readInt32BE(0)
    const frame = this.received.subarray(4, 4 + size)
    this.received = this.received.subarray(4 + size)
    return frame
  }

  /** A request frame with the next correlation id. */
  frame<A extends Api>(api: A, version: number, request: EncodableRequest<A>): Buffer {
    this.correlation += 1
    return encodeRequestFrame(api, version, this.correlation, 'raw', request)
  }

  async request<A extends Api>(
    api: A,
    version: number,
    request: EncodableRequest<A>,
  ): Promise<ResponseOf<A>> {
    this.send(this.frame(api, version, request))
    const frame = await this.reply()
    const header = decodeResponseHeader(api, version, frame)
    if (header.correlationId !== this.correlation)
      throw new Error(`reply ${header.correlationId} out of order`)
    return decodeResponse(api, version, frame, header.bodyOffset)
  }

  async createTopic(name: string, partitions = 1): Promise<void> {
    const topics = [{ name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }]
    const response = await this.request(createTopics, 5, { topics, timeoutMs: 30_000, validateOnly: false })
    const code = response.topics[0]?.errorCode
    if (code !== 0) throw new Error(`CreateTopics ${name}: error ${code}`)
  }

  async topicId(name: string): Promise<string> {
    const response = await this.request(metadata, 12, {
      topics: [{ name }],
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: false,
    })
    return response.topics[0]?.topicId ?? ''
  }

  /** The error code and base offset that a Produce v8 of one partition's bytes gets. */
  async produce(
    topic: string,
    records: Buffer,
    partition = 0,
  ): Promise<{ errorCode: number; baseOffset: number }> {
    const request = produceRequest(topic, records, partition)
    const response = await this.request(produce, 8, request)
    const answer = response.responses[0]?.partitionResponses[0]
    if (!answer) throw new Error('a Produce response without a partition')
    return { errorCode: answer.errorCode, baseOffset: answer.baseOffset }
  }

  /** One partition's answer to a Fetch v11. */
  async fetch(topic: string, offset: number, options: { maxWaitMs?: number; minBytes?: number } = {}) {
    const response = await this.request(fetch, 11, fetchRequest(topic, offset, options))
    const answer = response.responses[0]?.partitions[0]
    if (!answer) throw new Error('a Fetch response without a partition')
    return answer
  }

  close(): void {
    this.socket.destroy()
  }
}

export function produceRequest(
  topic: string,
  records: Buffer,
  partition = 0,
): EncodableRequest<typeof produce> {
  return {
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  }
}

export function fetchRequest(
  topic: string,
  fetchOffset: number,
  options: { maxWaitMs?: number; minBytes?: number } = {},
): EncodableRequest<typeof fetch> {
  return {
    maxWaitMs: options.maxWaitMs ?? 0,
    minBytes: options.minBytes ?? 1,
    maxBytes: 50_000_000,
    topics: [{ topic, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 50_000_000 }] }],
    forgottenTopicsData: [],
  }
}
