// One machine: a disk that stays, and on it a broker that is started, stopped, killed and robbed of its power. The
// broker is production's control plane over production's data plane; only clock, randomness and disk are simulated.
import { BrokerConfig } from '../../ts/config/broker-config.js'
import { decodeCommands } from '../../ts/native/commands.js'
import { decodeEvents } from '../../ts/native/events.js'
import type { NativeNode, NodeOptions } from '../../ts/native/node.js'
import { ControlPlane } from '../../ts/runtime/control-plane.js'
import type { Logger } from '../../ts/runtime/host.js'
import type { Now } from '../../ts/state/coordinator.js'
import { type History, Violation } from './history.js'
import type { Random } from './random.js'
import { newDisk, openSimNode, type SimDisk, type SimNode } from './sim-node.js'

export const LISTENER = 'PLAINTEXT'
const LOG_DIR = '/data'
/** As many pieces of disk work are under way at most. */
const DISK_THREADS = 3
/** What clocks show when a world begins. */
export const WALL_START_MS = 1_700_000_000_000

export type Settings = Readonly<Record<string, string>>
export type MachineState = 'off' | 'starting' | 'ready' | 'stopping'

interface Running {
  readonly node: SimNode
  readonly plane: ControlPlane
}

export class Machine {
  state: MachineState = 'off'
  starts = 0
  /** Its disk fails, or did: what the broker reports of that is no mistake of its own. */
  isDiskBad = false
  readonly disk: SimDisk
  private running: Running | null = null
  private at = 0
  private startedAt = 0
  private wakeAt: number | null = null
  private onAlarm: () => void = () => {}
  private bootId: string
  private readonly config: BrokerConfig
  private readonly clusterId: string
  private readonly directoryId: string

  /** `settings`: broker config keys. With `twin` it is that machine once more, later, with another disk. */
  constructor(
    private readonly settings: Settings,
    private readonly random: Random,
    private readonly history: History,
    twin?: { readonly of: Machine; readonly disk: SimDisk; readonly at: number; readonly rebooted: boolean },
  ) {
    this.config = new BrokerConfig(
      Object.entries({ ...settings, 'log.dirs': LOG_DIR }).map(([key, text]) => ({
        key,
        text,
        origin: 'simulation',
        lenient: false,
      })),
    )
    this.disk = twin?.disk ?? newDisk()
    this.at = twin?.at ?? 0
    this.clusterId = twin?.of.clusterId ?? random.kafkaUuid()
    this.directoryId = twin?.of.directoryId ?? random.kafkaUuid()
    this.bootId = twin === undefined || twin.rebooted ? random.uuid() : twin.of.bootId
  }

  /** This machine as it was or will be at `at`, with another disk. */
  twin(disk: SimDisk, at: number, rebooted: boolean, random: Random, history: History): Machine {
    return new Machine(this.settings, random, history, { of: this, disk, at, rebooted })
  }

  /** World time, ms. */
  get time(): number {
    return this.at
  }

  /** What its clock shows. */
  get wallMs(): number {
    return WALL_START_MS + this.at
  }

  private get now(): Now {
    return { monotonicMs: this.at - this.startedAt, wallMs: WALL_START_MS + this.at }
  }

  start(): void {
    this.starts++
    this.history.note(`the broker starts (${this.starts})`)
    this.startedAt = this.at
    this.wakeAt = null
    this.state = 'starting'
    const log = this.logger()
    const plane = new ControlPlane({
      config: this.config,
      clusterId: this.clusterId,
      directoryIds: [this.directoryId],
      hostname: 'simulated',
      host: {
        clock: { now: () => this.now },
        random: this.random,
        log,
        alarm: (onAlarm) => {
          this.onAlarm = onAlarm
          return {
            wakeAt: (monotonicMs) => {
              this.wakeAt = monotonicMs
            },
          }
        },
      },
      onReady: () => {
        this.state = 'ready'
        this.history.note('the broker is ready')
      },
      onStopped: () => {
        this.history.note('the broker has stopped')
        this.state = 'off'
      },
      onFault: (reason) => {
        this.complain(`the broker cannot go on: ${reason}`)
      },
    })
    const node = openSimNode(this.options(), this.disk, this.random.next())
    this.running = { node, plane }
    plane.attach(this.recorded(node))
  }

  private options(): NodeOptions {
    const { config } = this
    return {
      nodeId: config.nodeId,
      clusterId: this.clusterId,
      directoryId: this.directoryId,
      logDirs: config.logDirs,
      networkThreads: config.get('num.network.threads'),
      ioThreads: config.get('num.io.threads'),
      coordinatorThreads: 0,
      socketRequestMaxBytes: config.get('socket.request.max.bytes'),
      saslServerMaxReceiveSize: 524_288,
      queuedMaxRequestBytes: config.get('queued.max.request.bytes'),
      maxConnections: config.get('max.connections'),
      maxConnectionsPerIp: config.get('max.connections.per.ip'),
      connectionsMaxIdleMs: config.get('connections.max.idle.ms'),
      logRetentionCheckIntervalMs: config.get('log.retention.check.interval.ms'),
      logScrubBytesPerSecond: config.get('millrace.log.scrub.bytes.per.second'),
      defaults: config.topicDefaults(),
      bootId: this.bootId,
    }
  }

  /** Whatever crosses the boundary goes into the history. */
  private recorded(node: SimNode): NativeNode {
    const { history } = this
    const complain = (what: string) => this.complain(what)
    return {
      drain() {
        const events = node.drain()
        if (events.length > 0) history.bytes('events', events)
        for (const event of decodeEvents(events)) {
          if (event.kind === 'fault' || event.kind === 'log-dir-failed' || event.kind === 'request-refused')
            complain(`the data plane reports ${event.kind}: ${event.message}`)
        }
        return events
      },
      submit(batch) {
        history.bytes('commands', batch)
        for (const command of decodeCommands(Buffer.from(batch))) {
          if (command.kind === 'close-connection')
            complain(`the control plane closes a connection: ${command.reason}`)
        }
        node.submit(batch)
      },
      append(request, reply) {
        history.bytes('append', request)
        node.append(request, reply)
        history.bytes('appended', reply)
      },
      stats: () => node.stats(),
      describe: () => node.describe(),
      close: () => node.close(),
    }
  }

  private complain(what: string): void {
    if (!this.isDiskBad) throw new Violation(what)
    this.history.note(what)
  }

  private logger(): Logger {
    const note = (level: string) => (fields: object, message: string) =>
      this.history.note(`[${level}] ${message} ${JSON.stringify(fields)}`)
    const alarmed = (fields: object, message: string) => {
      const reason =
        'err' in fields && fields.err instanceof Error ? fields.err.stack : JSON.stringify(fields)
      this.complain(`the control plane reports: ${message} ${reason}`)
    }
    return { debug: note('debug'), info: note('info'), warn: note('warn'), error: alarmed, fatal: alarmed }
  }

  /** Null while nobody is accepting. */
  connect(): number | null {
    if (this.running === null || this.state !== 'ready') return null
    const { monotonicMs, wallMs } = this.now
    return this.running.node.connect(LISTENER, monotonicMs, wallMs)
  }

  feed(conn: number, bytes: Buffer): void {
    this.history.bytes(`to ${conn}`, bytes)
    const { monotonicMs, wallMs } = this.now
    this.running?.node.feed(conn, bytes, monotonicMs, wallMs)
  }

  output(conn: number): Buffer {
    const bytes = this.sentOn(conn)
    if (bytes.length > 0) this.history.bytes(`from ${conn}`, bytes)
    return bytes
  }

  private sentOn(conn: number): Buffer {
    try {
      return this.running?.node.output(conn) ?? Buffer.alloc(0)
    } catch (error) {
      if (!this.isDiskBad) throw error
      // A range that cannot be read ends its connection, as a short sendfile does.
      this.disconnect(conn)
      return Buffer.alloc(0)
    }
  }

  disconnect(conn: number): void {
    this.running?.node.disconnect(conn)
  }

  isOpen(conn: number): boolean {
    return this.running?.node.isOpen(conn) ?? false
  }

  /** The control plane takes the events that have gathered. */
  turn(): void {
    this.running?.plane.turn()
    if (this.state === 'off') this.letGo()
  }

  /** Disk work that waits or stands half done. */
  get pendingEffects(): number {
    const node = this.running?.node
    return node === undefined ? 0 : node.pendingEffects() + node.effectsUnderWay()
  }

  /** A disk thread does something: it takes work, makes one change of the disk, or does all that is left. */
  workOnDisk(): void {
    const node = this.running?.node
    if (node === undefined) return
    const { random } = this
    const [waiting, underWay] = [node.pendingEffects(), node.effectsUnderWay()]
    if (underWay > 0 && (waiting === 0 || underWay === DISK_THREADS || random.chance(0.6)))
      node.stepEffect(random.below(underWay), random.chance(0.2))
    else if (waiting > 0 && random.chance(0.5)) node.beginEffect(random.below(waiting))
    else if (waiting > 0) node.runEffect(random.below(waiting))
  }

  /** Does all the work that waits or stands half done, in any order. */
  finishDiskWork(): void {
    const node = this.running?.node
    if (node === undefined) return
    while (this.pendingEffects > 0) {
      const chosen = this.random.below(this.pendingEffects)
      const waiting = node.pendingEffects()
      if (chosen < waiting) node.runEffect(chosen)
      else node.stepEffect(chosen - waiting, true)
    }
  }

  /** World time in ms; whatever was due by then fires. */
  advanceTo(at: number): void {
    this.at = at
    if (this.running === null) return
    const { monotonicMs, wallMs } = this.now
    this.running.node.advance(monotonicMs, wallMs)
    if (this.wakeAt === null || this.wakeAt > monotonicMs) return
    this.wakeAt = null
    this.onAlarm()
    if (this.state === 'off') this.letGo()
  }

  /** Begins a clean stop. */
  shutdown(): void {
    this.history.note('the broker is asked to stop')
    this.state = 'stopping'
    this.running?.plane.shutdown()
    if (this.isOff) this.letGo()
  }

  private get isOff(): boolean {
    return this.state === 'off'
  }

  /** The process ends on the spot; with `powerLost` the disk loses what was not synced. */
  kill(powerLost: boolean): void {
    this.history.note(powerLost ? 'the power fails' : 'the broker is killed')
    this.state = 'off'
    this.running?.node.kill()
    this.running = null
    if (!powerLost) return
    this.bootId = this.random.uuid()
    this.disk.crash(this.random.next())
  }

  private letGo(): void {
    this.running?.node.close()
    this.running = null
  }

  diskDigest(): string {
    return this.disk.digest()
  }
}
