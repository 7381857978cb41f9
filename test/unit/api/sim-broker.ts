// One broker for API tests: production's control plane over the threadless data plane, asked one request at a time.
// Disk work is run in order and time stands still unless a test moves it, so every answer is the same on every run.
import { BrokerConfig } from '../../../ts/config/broker-config.js'
import { settingsFromObject } from '../../../ts/config/sources.js'
import {
  type Api,
  decodeResponse,
  decodeResponseHeader,
  type EncodableRequest,
  encodeRequestFrame,
  type ResponseOf,
} from '../../../ts/protocol/index.js'
import { ControlPlane } from '../../../ts/runtime/control-plane.js'
import { newDisk, openSimNode, type SimDisk, type SimNode } from '../../sim/sim-node.js'

const WALL_MS = 1_700_000_000_000

/** The figures of the data plane that tests look at. */
interface Stats {
  readonly parkedRequests: number
  readonly memory: { readonly inputBytes: number; readonly requestBytes: number }
}

type Settings = Readonly<Record<string, string | number | boolean>>

function configured(settings: Settings): BrokerConfig {
  return new BrokerConfig(
    settingsFromObject({
      'log.dirs': '/data',
      'group.initial.rebalance.delay.ms': 0,
      'offsets.topic.num.partitions': 2,
      'num.network.threads': 1,
      ...settings,
    }),
  )
}

export class SimBroker {
  /** `level: message reason`, for what the broker logged. */
  readonly lines: string[] = []
  private config: BrokerConfig
  private plane: ControlPlane
  private node: SimNode
  private monotonicMs = 0
  private ids = 0
  private onAlarm = () => {}
  private wakeAt: number | null = null
  private readonly received = new Map<number, Buffer>()

  /** On a disk of its own, or on one as another broker left it. */
  constructor(
    settings: Settings = {},
    readonly disk: SimDisk = newDisk(),
  ) {
    this.config = configured(settings)
    const [plane, node] = this.open()
    this.plane = plane
    this.node = node
    this.settle()
  }

  /** Ends the process on the spot and starts again on the same disk, with other settings if there are any. */
  restart(settings?: Settings): void {
    if (settings !== undefined) this.config = configured(settings)
    this.node.kill()
    const [plane, node] = this.open()
    this.plane = plane
    this.node = node
    this.settle()
  }

  connect(): number {
    const conn = this.node.connect('PLAINTEXT', this.monotonicMs, WALL_MS)
    this.settle()
    return conn
  }

  disconnect(conn: number): void {
    this.node.disconnect(conn)
    this.received.delete(conn)
    this.settle()
  }

  isOpen(conn: number): boolean {
    return this.node.isOpen(conn)
  }

  /** Writes bytes; gives the whole reply frames that have come back since, without their sizes. */
  send(conn: number, bytes: Buffer): Buffer[] {
    this.feed(conn, bytes)
    return this.replies(conn)
  }

  /** Writes bytes and leaves it at that. */
  feed(conn: number, bytes: Buffer): void {
    this.node.feed(conn, bytes, this.monotonicMs, WALL_MS)
  }

  /** The bytes that have come back since. */
  output(conn: number): Buffer {
    return this.node.output(conn)
  }

  replies(conn: number): Buffer[] {
    this.settle()
    let pending = Buffer.concat([this.received.get(conn) ?? Buffer.alloc(0), this.node.output(conn)])
    const frames: Buffer[] = []
    while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
      frames.push(pending.subarray(4, 4 + pending.readInt32BE(0)))
      pending = pending.subarray(4 + pending.readInt32BE(0))
    }
    this.received.set(conn, pending)
    return frames
  }

  /** What the data plane counts and holds. */
  stats(): Stats {
    return JSON.parse(this.node.stats())
  }

  /** One request on this connection, and its reply. */
  ask<A extends Api>(conn: number, api: A, version: number, message: EncodableRequest<A>): ResponseOf<A> {
    const [reply] = this.send(conn, encodeRequestFrame(api, version, 7, 'test', message))
    if (reply === undefined) throw new Error(`no reply to ${api.name} v${version}: ${this.lines.at(-1)}`)
    const header = decodeResponseHeader(api, version, reply)
    if (header.correlationId !== 7) throw new Error(`correlation id ${header.correlationId}`)
    return decodeResponse(api, version, reply, header.bodyOffset)
  }

  /** Lets time pass on the monotonic clock. */
  advance(ms: number): void {
    this.monotonicMs += ms
    this.node.advance(this.monotonicMs, WALL_MS)
    if (this.wakeAt !== null && this.wakeAt <= this.monotonicMs) {
      this.wakeAt = null
      this.onAlarm()
    }
    this.settle()
  }

  /** Lets both planes go on until neither has anything to do. */
  settle(): void {
    for (let quiet = 0; quiet < 2; ) {
      this.plane.turn()
      quiet = this.node.pendingEffects() === 0 ? quiet + 1 : 0
      while (this.node.pendingEffects() > 0) this.node.runEffect(0)
    }
  }

  private open(): [ControlPlane, SimNode] {
    const { config } = this
    const line = (level: string) => (fields: object, message: string) => {
      this.lines.push(`${level}: ${message} ${JSON.stringify(fields)}`)
    }
    const clusterId = 'simulatedClusterAAAAAA'
    const directoryId = 'simulatedFolderAAAAAAA'
    const node = openSimNode(
      {
        nodeId: config.nodeId,
        clusterId,
        directoryId,
        logDirs: config.logDirs,
        networkThreads: 1,
        ioThreads: 1,
        coordinatorThreads: 0,
        socketRequestMaxBytes: config.get('socket.request.max.bytes'),
        saslServerMaxReceiveSize: 524_288,
        queuedMaxRequestBytes: config.get('queued.max.request.bytes'),
        maxConnections: config.get('max.connections'),
        maxConnectionsPerIp: config.get('max.connections.per.ip'),
        connectionsMaxIdleMs: config.get('connections.max.idle.ms'),
        logRetentionCheckIntervalMs: config.get('log.retention.check.interval.ms'),
        logScrubBytesPerSecond: config.get('millrace.log.scrub.bytes.per.second'),
        defaults: config.dataPlaneDefaults(),
        bootId: 'boot',
      },
      this.disk,
      1,
    )
    const plane = new ControlPlane({
      config,
      clusterId,
      directoryIds: [directoryId],
      hostname: 'simulated',
      host: {
        clock: { now: () => ({ monotonicMs: this.monotonicMs, wallMs: WALL_MS }) },
        random: {
          uuid: () => `00000000-0000-4000-8000-${String(this.ids++).padStart(12, '0')}`,
          kafkaUuid: () => Buffer.from(`uuid-${String(this.ids++).padStart(11, '0')}`).toString('base64url'),
        },
        log: {
          debug: line('debug'),
          info: line('info'),
          warn: line('warn'),
          error: line('error'),
          fatal: line('fatal'),
        },
        alarm: (onAlarm) => {
          this.onAlarm = onAlarm
          return {
            wakeAt: (at) => {
              this.wakeAt = at
            },
          }
        },
      },
      onReady() {},
      onStopped() {},
      onFault(reason) {
        throw new Error(reason)
      },
    })
    plane.attach(node)
    return [plane, node]
  }
}
