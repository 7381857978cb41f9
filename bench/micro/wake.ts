// How long the control plane takes to hear of a request: from the write to a socket, through an I/O thread, to the
// callback in JavaScript. A real node with its threads, and nothing behind it.
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BrokerConfig } from '../../ts/config/broker-config.js'
import { encodeCommand } from '../../ts/native/commands.js'
import { decodeEvents, type EventNamed, type NativeEvent } from '../../ts/native/events.js'
import { openNode, type ThreadedNode } from '../../ts/native/node.js'
import { encodeRequestFrame, encodeResponseFrameBody, findCoordinator } from '../../ts/protocol/index.js'

const REQUESTS = 1500
const WARM = 500

/** Median ns from writing a request until `onReady`. */
export async function wake(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-micro-'))
  const node = new Waker(folder)
  try {
    node.submit({
      kind: 'set-listener',
      name: 'PLAINTEXT',
      host: '127.0.0.1',
      port: 0,
      securityProtocol: 'PLAINTEXT',
    })
    const { port } = await node.next('listener-up')
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    socket.resume()
    const frame = encodeRequestFrame(findCoordinator, 3, 1, 'micro', { key: 'g' })
    const response = encodeResponseFrameBody(findCoordinator, 3, 1, {
      errorCode: 0,
      errorMessage: null,
      nodeId: 1,
      host: 'h',
      port: 1,
    })
    const times: number[] = []
    for (let number = 0; number < REQUESTS; number++) {
      const started = performance.now()
      socket.write(frame)
      const { conn, token } = await node.next('control-request')
      times.push(node.wokenAt - started)
      const answered = new Promise((resolve) => socket.once('data', resolve))
      node.submit({ kind: 'respond', conn, token, response })
      await answered
    }
    socket.destroy()
    const sorted = times.slice(WARM).sort((a, b) => a - b)
    return (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN) * 1e6
  } finally {
    node.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A node whose events are taken one kind at a time. */
class Waker {
  wokenAt = 0
  private readonly node: ThreadedNode
  private readonly events: NativeEvent[] = []
  private onEvents = () => {}

  constructor(folder: string) {
    const config = new BrokerConfig()
    this.node = openNode(
      {
        nodeId: 1,
        clusterId: 'microClusterAAAAAAAAAA',
        directoryId: 'microFolderAAAAAAAAAAA',
        logDirs: [folder],
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
        logScrubBytesPerSecond: 0,
        defaults: config.dataPlaneDefaults(),
        bootId: '',
      },
      () => {
        this.wokenAt = performance.now()
        this.events.push(...decodeEvents(this.node.drain()))
        this.onEvents()
      },
    )
  }

  submit(command: Parameters<typeof encodeCommand>[0]): void {
    this.node.submit(encodeCommand(command))
  }

  /** The next event of this kind; those of others are dropped. */
  async next<N extends NativeEvent['kind']>(kind: N): Promise<EventNamed<N>> {
    for (;;) {
      for (let event = this.events.shift(); event !== undefined; event = this.events.shift()) {
        if (event.kind === kind) return event as EventNamed<N>
      }
      await new Promise<void>((resolve) => {
        this.onEvents = resolve
      })
    }
  }

  close(): void {
    this.node.close()
  }
}
