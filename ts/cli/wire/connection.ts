/**
 * One connection to a broker: requests out in the highest version that both sides speak, replies back in order.
 * It knows nothing of clusters and never tries anything twice.
 */
import { connect, type Socket } from 'node:net'
import { hostAndPort } from '../../config/listeners.js'
import {
  type Api,
  apiVersions,
  decodeResponse,
  decodeResponseHeader,
  type EncodableRequest,
  Errors,
  encodeRequestFrame,
  type ResponseOf,
} from '../../protocol/index.js'
import { CommandError } from '../failure.js'

export interface Address {
  readonly host: string
  readonly port: number
}

interface Waiting {
  readonly correlationId: number
  take(frame: Buffer): void
  fail(error: Error): void
}

const CLIENT_ID = 'millrace-cli'

export class BrokerConnection {
  private correlationId = 0
  private readonly waiting: Waiting[] = []
  private chunks: Buffer[] = []
  private received = 0
  private readonly served = new Map<number, { min: number; max: number }>()

  private constructor(
    private readonly socket: Socket,
    private readonly name: string,
    private readonly timeoutMs: number,
  ) {
    socket.on('data', (chunk: Buffer) => this.take(chunk))
    socket.on('error', (error: Error) => this.fail(error.message))
    socket.on('close', () => this.fail('it closed the connection'))
  }

  /** Connects and asks which versions the broker serves. Rejects with a sentence that names the address. */
  static async open(address: Address, timeoutMs: number): Promise<BrokerConnection> {
    const name = hostAndPort(address)
    const socket = connect({ ...address, noDelay: true })
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
      socket.once('connect', () => {
        clearTimeout(timer)
        resolve()
      })
      socket.once('error', (error: Error) => {
        clearTimeout(timer)
        reject(
          new CommandError(
            `No broker can be reached at ${name}: ${error.message}. Start one with \`millrace start\`, or name another with --bootstrap-server.`,
          ),
        )
      })
    })
    const connection = new BrokerConnection(socket, name, timeoutMs)
    try {
      await connection.handshake()
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }

  /** ApiVersions 3, or 0 where the broker is too old for it (KIP-511). */
  private async handshake(): Promise<void> {
    const request = { clientSoftwareName: CLIENT_ID, clientSoftwareVersion: '1' }
    let answer = await this.send(apiVersions, 3, request, (frame) =>
      // A broker that does not know version 3 answers in version 0, whose error code comes first.
      frame.readInt16BE(4) === Errors.UNSUPPORTED_VERSION ? null : decoded(apiVersions, 3, frame),
    )
    answer ??= await this.send(apiVersions, 0, request, (frame) => decoded(apiVersions, 0, frame))
    for (const { apiKey, minVersion, maxVersion } of answer.apiKeys) {
      this.served.set(apiKey, { min: minVersion, max: maxVersion })
    }
  }

  /** What the broker serves, by API key. */
  get versions(): ReadonlyMap<number, { min: number; max: number }> {
    return this.served
  }

  /** The version that a request would go out in. Throws CommandError when there is none in common. */
  versionOf(api: Api, atMost = api.maxVersion): number {
    const served = this.served.get(api.key)
    if (served === undefined) {
      throw new CommandError(`The broker at ${this.name} does not serve ${api.name}.`)
    }
    const version = Math.min(atMost, served.max)
    if (version < Math.max(api.minVersion, served.min)) {
      throw new CommandError(
        `The broker at ${this.name} serves ${api.name} in versions ${served.min} to ${served.max}, this command needs ${api.minVersion} to ${atMost}.`,
      )
    }
    return version
  }

  /** One request and its reply. `atMost` holds the version down to one whose fields the caller fills. */
  async request<A extends Api>(
    api: A,
    body: EncodableRequest<A>,
    atMost = api.maxVersion,
  ): Promise<ResponseOf<A>> {
    const version = this.versionOf(api, atMost)
    return this.send(api, version, body, (frame) => decoded(api, version, frame))
  }

  close(): void {
    this.socket.destroy()
  }

  private send<A extends Api, T>(
    api: A,
    version: number,
    body: EncodableRequest<A>,
    read: (frame: Buffer) => T,
  ): Promise<T> {
    this.correlationId += 1
    const { correlationId } = this
    const frame = encodeRequestFrame(api, version, correlationId, CLIENT_ID, body)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.fail(`it did not answer ${api.name} within ${this.timeoutMs} ms`),
        this.timeoutMs,
      )
      this.waiting.push({
        correlationId,
        take(reply) {
          clearTimeout(timer)
          try {
            resolve(read(reply))
          } catch (error) {
            reject(error)
          }
        },
        fail(error) {
          clearTimeout(timer)
          reject(error)
        },
      })
      this.socket.write(frame)
    })
  }

  private take(chunk: Buffer): void {
    this.chunks.push(chunk)
    this.received += chunk.length
    while (this.received >= 4) {
      const all = this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks)
      const size = all.readInt32BE(0)
      this.chunks = [all]
      if (this.received < 4 + size) return
      this.chunks = [all.subarray(4 + size)]
      this.received -= 4 + size
      const frame = all.subarray(4, 4 + size)
      const first = this.waiting.shift()
      if (first === undefined || frame.length < 4 || frame.readInt32BE(0) !== first.correlationId) {
        this.fail('it answered what nobody asked')
        first?.fail(this.error('it answered what nobody asked'))
        return
      }
      first.take(frame)
    }
  }

  private fail(reason: string): void {
    this.socket.destroy()
    for (const waiting of this.waiting.splice(0)) waiting.fail(this.error(reason))
  }

  private error(reason: string): CommandError {
    return new CommandError(`The broker at ${this.name} failed: ${reason}.`)
  }
}

function decoded<A extends Api>(api: A, version: number, frame: Buffer): ResponseOf<A> {
  return decodeResponse(api, version, frame, decodeResponseHeader(api, version, frame).bodyOffset)
}
