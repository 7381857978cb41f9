/**
 * One broker in this process: prepares its folders, opens the data plane and runs the control plane on Node's event
 * loop. Everything that can be asked of a running broker from outside is here; what it decides is elsewhere.
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { resolve as absolute } from 'node:path'
import type { BrokerConfig } from '../config/broker-config.js'
import { type NodeOptions, openNode, type ThreadedNode } from '../native/node.js'
import { ControlPlane } from './control-plane.js'
import type { WorkerStart } from './coordinator-messages.js'
import { type Folders, prepareFolders } from './folders.js'
import {
  type Host,
  type Logger,
  systemAlarm,
  systemClock,
  systemLookup,
  systemRandom,
  systemStopwatch,
  systemVolume,
} from './host.js'
import type { Address } from './listeners.js'
import { WorkerCoordinators } from './worker-coordinators.js'
import { type StartWorker, startWorker } from './worker-thread.js'

export interface BrokerHooks {
  readonly log: Logger
  /** The broker cannot go on and has let go of its folders; a sentence says why. Not called while starting. */
  onFault(reason: string): void
}

export class RunningBroker {
  private readonly plane: ControlPlane
  private native: ThreadedNode | null = null
  private readonly coordinators: WorkerCoordinators
  private faulted = false
  private closing: Promise<void> | null = null
  private readonly ready: Promise<void>
  private readonly stopped: Promise<void>

  private constructor(
    private readonly config: BrokerConfig,
    private readonly folders: Folders,
    hooks: BrokerHooks,
    start: StartWorker,
  ) {
    const ready = settlement()
    const stopped = settlement()
    this.ready = ready.promise
    this.stopped = stopped.promise
    let starting = true
    const host: Host = {
      clock: systemClock,
      random: systemRandom,
      log: hooks.log,
      volume: systemVolume,
      lookup: systemLookup,
      stopwatch: systemStopwatch,
      alarm: (onAlarm) => systemAlarm(systemClock, onAlarm),
    }
    this.coordinators = new WorkerCoordinators({
      nodeId: config.nodeId,
      workers: config.get('coordinator.threads'),
      log: hooks.log,
      // What a worker brings about leaves in a turn of its own.
      start: (worker, onMessage, onEnd) =>
        start(
          this.workerStart(worker),
          (message) => {
            onMessage(message)
            this.plane.turn()
          },
          (reason) => {
            onEnd(reason)
            this.plane.turn()
          },
        ),
      lost: (worker) => this.native?.workerLost(worker),
      later: (ms, callback) => setTimeout(callback, ms).unref(),
    })
    this.plane = new ControlPlane({
      coordinators: this.coordinators,
      config,
      clusterId: folders.clusterId,
      directoryIds: folders.directoryIds,
      hostname: hostname(),
      host,
      onReady() {
        starting = false
        ready.resolve()
      },
      onStopped: () => this.letGo(() => stopped.resolve()),
      onFault: (reason) => {
        this.faulted = true
        // The data plane may be what calls us: it is let go of with nothing on the stack.
        setImmediate(() =>
          this.letGo(() => {
            stopped.resolve()
            ready.reject(new Error(reason))
            if (!starting) hooks.onFault(reason)
          }),
        )
      },
    })
  }

  /** Resolves when every listener accepts; rejects with a sentence. */
  static async start(
    config: BrokerConfig,
    hooks: BrokerHooks,
    start: StartWorker = startWorker,
  ): Promise<RunningBroker> {
    for (const warning of config.warnings) hooks.log.warn({}, warning)
    const folders = prepareFolders(config.logDirs, config.nodeId, systemRandom)
    if (folders.kafkas) {
      const { clusterId } = folders
      const fields = { clusterId, nodeId: config.nodeId, logDirs: config.logDirs }
      hooks.log.warn(
        fields,
        'the log directories were written by Apache Kafka: they are taken over as they are',
      )
    }
    const broker = new RunningBroker(config, folders, hooks, start)
    broker.native = openNode(nodeOptions(config, folders), () => broker.plane.turn())
    broker.plane.attach(broker.native)
    await broker.ready
    return broker
  }

  get clusterId(): string {
    return this.folders.clusterId
  }

  get nodeId(): number {
    return this.config.nodeId
  }

  /** Absolute paths of the log directories. */
  get logDirs(): string[] {
    return this.config.logDirs.map((dir) => absolute(dir))
  }

  /** What clients are told, by listener name. */
  get addresses(): ReadonlyMap<string, Address> {
    return this.plane.addresses
  }

  /** Counters and sizes of the data plane; times of requests, by API key, of both planes. */
  stats(): unknown {
    return this.native === null ? null : JSON.parse(this.native.stats())
  }

  /** Stops cleanly: answers whoever waits, flushes and closes the logs. Further calls wait for the same end. */
  close(): Promise<void> {
    this.closing ??= this.stop()
    return this.closing
  }

  /** The threads of both planes end, and the folders are free. */
  private letGo(done: () => void): void {
    this.native?.close()
    void this.coordinators.end().then(done)
  }

  private workerStart(worker: number): WorkerStart {
    if (this.native === null) throw new Error('a worker before the data plane was open')
    const workers = this.config.get('coordinator.threads')
    return { node: this.native.id, worker, workers, settings: this.config.sources }
  }

  private stop(): Promise<void> {
    if (!this.faulted) this.plane.shutdown()
    return this.stopped
  }
}

/** A promise that is settled from outside. */
function settlement(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: () => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

function nodeOptions(config: BrokerConfig, folders: Folders): NodeOptions {
  return {
    nodeId: config.nodeId,
    clusterId: folders.clusterId,
    directoryId: folders.directoryIds[0] ?? '',
    logDirs: config.logDirs,
    networkThreads: Math.min(config.get('num.network.threads'), MAX_NETWORK_THREADS),
    ioThreads: config.get('num.io.threads'),
    coordinatorThreads: config.get('coordinator.threads'),
    socketRequestMaxBytes: config.get('socket.request.max.bytes'),
    saslServerMaxReceiveSize: config.get('sasl.server.max.receive.size'),
    queuedMaxRequestBytes: config.get('queued.max.request.bytes'),
    maxConnections: config.get('max.connections'),
    maxConnectionsPerIp: config.get('max.connections.per.ip'),
    connectionsMaxIdleMs: config.get('connections.max.idle.ms'),
    logRetentionCheckIntervalMs: config.get('log.retention.check.interval.ms'),
    logScrubBytesPerSecond: config.get('millrace.log.scrub.bytes.per.second'),
    defaults: config.dataPlaneDefaults(),
    bootId: bootId(),
  }
}

/** Connection ids have five bits for the thread. */
const MAX_NETWORK_THREADS = 32

/** Linux gives every start of the machine an id; elsewhere a crash is taken for one of the machine. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
