/**
 * The control plane of one node: takes events from the data plane, dispatches them and submits commands, one batch
 * each way per turn. Given the same events, clock and randomness it does the same: production and the simulator run
 * it alike.
 */
import { supportedFeatures } from '../api/api-versions.js'
import type { BrokerView } from '../api/broker-view.js'
import { handlers } from '../api/index.js'
import type { BrokerConfig } from '../config/broker-config.js'
import { append } from '../native/append.js'
import type { Command } from '../native/commands.js'
import { decodeEvents, type NativeEvent } from '../native/events.js'
import type { NativeNode } from '../native/node.js'
import { apiKeys, Errors } from '../protocol/index.js'
import type { RegisterBrokerResponse } from '../state/brokers.js'
import type { AlterConfigsResponse } from '../state/configs.js'
import {
  type ControllerReply,
  type ControllerRequest,
  type ControllerState,
  controller,
} from '../state/controller.js'
import { BOOTSTRAP_FEATURES, unreadableMetadata } from '../state/features.js'
import type { MetadataImage } from '../state/image.js'
import type { MetadataDelta } from '../state/image-delta.js'
import { imageRecords } from '../state/image-records.js'
import { decodeMetadata, encodeMetadata, type MetadataRecord } from '../state/metadata-records.js'
import { aclCommand } from './acl-feed.js'
import { BrokerServices } from './broker-services.js'
import { ConnectionLimits } from './connection-limits.js'
import { controllerPolicy } from './controller-policy.js'
import type { Coordinators, ImageStep } from './coordinators.js'
import { Dispatcher, watchOf } from './dispatch.js'
import { type ConfigOf, dynamicConfig } from './dynamic-config.js'
import { FailedLogDirs } from './failed-log-dirs.js'
import { GroupShards } from './group-shards.js'
import type { Alarm, Host } from './host.js'
import { imageModel } from './image-model.js'
import { ListenerChanges } from './listener-changes.js'
import { type Address, Listeners } from './listeners.js'
import { MetadataLog } from './metadata-log.js'
import { MetadataSnapshots } from './metadata-snapshots.js'
import { NodeFeed } from './node-feed.js'
import { Outbox } from './outbox.js'
import { RecordDeletions } from './record-deletions.js'
import { RequestMemory } from './request-memory.js'
import { Timers } from './timers.js'

export interface ControlPlaneSetup {
  readonly config: BrokerConfig
  readonly clusterId: string
  readonly directoryIds: readonly string[]
  /** Advertised for listeners that are bound to every address. */
  readonly hostname: string
  readonly host: Host
  /** Where groups are coordinated; left out: here. */
  readonly coordinators?: Coordinators
  /** The listeners are up and everything is served. */
  onReady(): void
  /** The clean shutdown that was asked for is complete. */
  onStopped(): void
  /** The node cannot go on; a sentence says why. */
  onFault(reason: string): void
}

type Phase = 'catching-up' | 'registering' | 'opening' | 'ready' | 'stopping' | 'stopped'

/** Kafka's number for PLAINTEXT, the only protocol so far. */
const PLAINTEXT = 0

export class ControlPlane {
  private phase: Phase = 'catching-up'
  private native: NativeNode | null = null
  private turning = false
  private brokerEpoch = -1
  private readonly incarnationId: string
  private readonly failedDirs: FailedLogDirs
  private readonly outbox = new Outbox()
  private readonly timers = new Timers()
  private readonly alarm: Alarm
  private readonly configOf: ConfigOf
  private readonly listeners: Listeners
  private readonly limits: ConnectionLimits
  private readonly changes: ListenerChanges
  /** The listeners that this broker has registered. */
  private registered: BrokerConfig['listeners'] = []
  private readonly groups: Coordinators
  private readonly requestMemory = new RequestMemory()
  private readonly nodes: NodeFeed
  private readonly deletions = new RecordDeletions((command) => this.push(command))
  private readonly metadata: MetadataLog<
    ControllerState,
    ControllerRequest,
    MetadataRecord,
    never,
    ControllerReply,
    MetadataImage,
    MetadataDelta
  >
  private readonly services: BrokerServices
  private readonly snapshots: MetadataSnapshots<MetadataImage>
  private readonly dispatcher: Dispatcher

  constructor(private readonly setup: ControlPlaneSetup) {
    const { config, clusterId, host } = setup
    const { log } = host
    const now = () => host.clock.now()
    const { nodeId } = config
    this.incarnationId = host.random.kafkaUuid()
    this.alarm = host.alarm(() => this.turn())
    this.listeners = new Listeners(setup.hostname, (command) => this.push(command))
    this.configOf = dynamicConfig(config)
    const { configOf } = this
    this.limits = new ConnectionLimits(
      (command) => {
        this.push(command)
        this.turn()
      },
      host.lookup ?? ((_, found) => found([])),
    )
    this.metadata = new MetadataLog(
      controller((image) => controllerPolicy(configOf(image))),
      imageModel(config, configOf),
      { encode: encodeMetadata, decode: decodeMetadata },
      {
        now,
        log,
        push: (command) => this.push(command),
        onImage: (image, delta, records) => this.onImage({ image, delta, records }),
        onCommitted: (bytes) => this.snapshots.onCommitted(bytes),
      },
    )
    this.snapshots = new MetadataSnapshots<MetadataImage>(
      {
        maxRecordBytes: config.get('metadata.log.max.record.bytes.between.snapshots'),
        maxIntervalMs: config.get('metadata.log.max.snapshot.interval.ms'),
      },
      {
        now,
        log,
        timers: this.timers,
        push: (command) => this.push(command),
        newest: () => {
          const { newest } = this.metadata
          return newest?.image.transaction === null ? newest : null
        },
        records: encodedRecords,
      },
    )
    this.groups =
      setup.coordinators ??
      new GroupShards(config, nodeId, {
        now,
        log,
        timers: this.timers,
        append: (request) => append(this.attached(), request),
        load: ({ topicId, partition, leaderEpoch }) =>
          this.push({ kind: 'load', topicId, partition, leaderEpoch }),
      })
    this.changes = new ListenerChanges({
      nodeId,
      configOf,
      listeners: this.listeners,
      image: () => this.metadata.image,
      submit: (body, answer) =>
        this.metadata.submit(
          (to) => ({ kind: 'alter-configs', to, body }),
          (reply) => answer(reply as AlterConfigsResponse),
        ),
      register: (done) => this.registerAgain(done),
    })
    this.services = new BrokerServices({
      configOf,
      nodeId,
      clusterId,
      metadata: this.metadata,
      groups: this.groups,
      listeners: this.listeners,
      listenerChanges: this.changes,
      deletions: this.deletions,
      random: host.random,
      log,
      describe: () => this.attached().describe(),
      movePartition: (topic, partition, logDir) =>
        this.push({ kind: 'move-partition', topic, partition, logDir }),
      volume: host.volume ?? (() => null),
      wallMs: () => now().wallMs,
      brokerEpoch: () => this.brokerEpoch,
    })
    this.failedDirs = new FailedLogDirs({
      nodeId,
      logDirs: config.logDirs,
      directoryIds: setup.directoryIds,
      describe: () => this.services.describeNode().logDirs,
      brokerEpoch: () => this.brokerEpoch,
      tell: (body) => this.metadata.tellController({ kind: 'log-dirs-offline', body }),
    })
    this.nodes = new NodeFeed(
      () => this.listeners.addresses.keys(),
      (listener) => this.services.brokers(listener),
    )
    this.dispatcher = new Dispatcher<BrokerView>(
      handlers,
      this.services,
      this.outbox,
      log,
      () => this.requestMemory.limit,
      watchOf(host),
    )
  }

  /** What clients are told, by listener name. */
  get addresses(): ReadonlyMap<string, Address> {
    return this.listeners.addresses
  }

  /** The data plane is open: events may be taken from now on. */
  attach(native: NativeNode): void {
    this.native = native
    this.turn()
  }

  /** Takes all events there are, fires what is due, submits what follows. Never throws: a fault is reported. */
  turn(): void {
    const { native } = this
    // A node that wakes us while we submit is served by its next wake-up.
    if (native === null || this.turning || this.phase === 'stopped') return
    this.turning = true
    try {
      for (const event of decodeEvents(native.drain())) this.onEvent(event)
      this.timers.runDue(this.setup.host.clock.now().monotonicMs)
      this.finishTurn(native)
    } catch (error) {
      this.fail(error instanceof Error ? (error.stack ?? error.message) : String(error))
    } finally {
      this.turning = false
    }
  }

  /** Answers whoever waits, then stops the data plane cleanly; `onStopped` tells when that is done. */
  shutdown(): void {
    if (this.phase === 'stopping' || this.phase === 'stopped' || this.native === null) return
    this.phase = 'stopping'
    this.groups.close(() => {
      this.metadata.deactivate()
      this.push({ kind: 'shutdown' })
      this.turn()
    })
  }

  private finishTurn(native: NativeNode): void {
    this.outbox.flush(native)
    this.alarm.wakeAt(this.timers.nextAt())
  }

  private onEvent(event: NativeEvent): void {
    const { log } = this.setup.host
    switch (event.kind) {
      case 'control-request':
        this.dispatcher.onRequest(event)
        break
      case 'committed':
        this.groups.onCommitted(event)
        break
      case 'loaded-chunk':
        this.groups.onChunk(event)
        break
      case 'metadata-committed':
        this.metadata.onCommitted(event)
        break
      case 'metadata-snapshot':
        this.metadata.onSnapshot(event)
        break
      case 'snapshot-written':
        this.snapshots.onWritten(event)
        break
      case 'snapshot-damaged':
        log.warn({ file: event.file, reason: event.message }, 'a snapshot of the metadata is damaged')
        break
      case 'proposal-dropped':
        this.metadata.onDropped(event)
        break
      case 'image-applied':
        this.metadata.onApplied(event)
        break
      case 'quorum-role':
        this.onRole(event.leaderId, event.caughtUp)
        break
      case 'records-deleted':
        this.deletions.onDeleted(event)
        break
      case 'listener-up':
        this.listeners.onUp(event)
        break
      case 'listener-failed':
        this.listeners.onFailed(event)
        break
      case 'connection-closed':
        // Its replies are dropped where they arrive; members leave by their session timeout, as in Kafka.
        log.debug({ conn: event.conn }, 'a connection closed with requests open')
        break
      case 'request-refused':
        log.warn(event, 'a request was refused and its connection closed')
        break
      case 'log-cut': {
        const { file, position, bytes, keptAs, message: reason } = event
        const what = bytes > 0 ? 'a torn tail was cut off a log' : 'files of no known log were set aside'
        log.warn({ file, position, bytes, keptAs, reason }, what)
        break
      }
      case 'logs-loading': {
        const { loaded, total, checkedBytes } = event
        log.info({ loaded, total, checkedBytes }, 'the logs are being opened')
        break
      }
      case 'log-dir-room':
        if (event.full) {
          const { path, message: reason } = event
          log.error(
            { path, reason },
            'a log directory is full: what needs room there is refused until there is some',
          )
        } else log.warn({ path: event.path }, 'a log directory has room again')
        break
      case 'damaged': {
        const { file, position, offset, message: reason } = event
        log.error({ file, position, offset, reason }, 'a file is damaged: what stood there is not served')
        break
      }
      case 'access-denied': {
        const { apiKey, operation, resourceType, resourceName, untold } = event
        const asker = { ...event, apiName: apiKeys.get(apiKey)?.name ?? `API key ${apiKey}` }
        this.services.authorizer.auditRefusal(asker, operation, resourceType, resourceName, untold)
        break
      }
      case 'log-dir-failed':
        this.onLogDirFailed(event.path, event.message)
        break
      case 'fault':
        this.fail(event.message)
        break
      case 'stopped':
        this.phase = 'stopped'
        this.alarm.wakeAt(null)
        this.setup.onStopped()
        break
    }
  }

  private onRole(leaderId: number, caughtUp: boolean): void {
    if (this.phase === 'stopping') return
    if (leaderId !== this.setup.config.nodeId || !caughtUp) {
      this.metadata.deactivate()
      return
    }
    this.metadata.activate()
    if (this.phase === 'catching-up') this.register()
  }

  private register(): void {
    this.phase = 'registering'
    const unreadable = this.metadata.newest === null ? null : unreadableMetadata(this.metadata.newest.image)
    if (unreadable !== null) {
      this.fail(unreadable)
      return
    }
    this.metadata.tellController({ kind: 'bootstrap', features: BOOTSTRAP_FEATURES })
    const image = this.metadata.newest?.image ?? this.metadata.image
    this.tellRegistration(this.configOf(image), (reply) => this.onRegistered(reply))
  }

  /** Where this broker listens has changed, perhaps: the cluster is told, and `done` called when it knows. */
  private registerAgain(done: () => void): void {
    const config = this.configOf(this.metadata.image)
    if (JSON.stringify(config.listeners) === JSON.stringify(this.registered)) done()
    else this.tellRegistration(config, done)
  }

  private tellRegistration(config: BrokerConfig, answer: (reply: RegisterBrokerResponse) => void): void {
    this.registered = config.listeners
    this.listeners.follow(config.listeners)
    const body = {
      brokerId: config.nodeId,
      incarnationId: this.incarnationId,
      endPoints: config.listeners.map(({ name, port }) => {
        const advertised = this.listeners.advertised(name)
        return {
          name,
          host: advertised?.host ?? '',
          port: advertised?.port ?? port,
          securityProtocol: PLAINTEXT,
        }
      }),
      features: supportedFeatures.map(({ name, minVersion, maxVersion }) => ({
        name,
        minSupportedVersion: minVersion,
        maxSupportedVersion: maxVersion,
      })),
      rack: config.get('broker.rack'),
      logDirs: this.failedDirs.onlineIds,
      fenced: false,
    }
    this.metadata.submit(
      (to) => ({ kind: 'register-broker', to, body }),
      (reply) => answer(reply as RegisterBrokerResponse),
    )
  }

  private onRegistered({ errorCode, brokerEpoch }: RegisterBrokerResponse): void {
    // Asked to stop before it was registered: then nothing is opened any more.
    if (this.phase !== 'registering') return
    if (errorCode === Errors.NOT_CONTROLLER) {
      // Leadership went before the record was committed: the next role event starts over.
      this.phase = 'catching-up'
      return
    }
    if (errorCode !== Errors.NONE) {
      this.fail(`The broker cannot register itself: error ${errorCode}`)
      return
    }
    this.brokerEpoch = brokerEpoch
    this.metadata.startTelling()
  }

  private onImage(step: ImageStep): void {
    const { image, delta } = step
    // In force in the data plane before any answer that comes later.
    const acls = this.services.authorizer.isConfigured ? aclCommand(image, delta) : null
    if (acls !== null) this.push(acls)
    this.requestMemory.onImage(image, delta)
    // It may be new, and have been placed there before the directory failed.
    if (delta === null || delta.topics.size > 0) this.followFailedDirs(delta === null)
    const config = this.configOf(image)
    this.limits.follow(config)
    this.changes.onImage(config)
    if (this.phase === 'registering') {
      this.phase = 'opening'
      this.listeners.open(config.listeners, (problem) => this.onOpened(problem))
    }
    if (this.phase !== 'ready') return
    this.tellNodes()
    this.groups.onImage(step)
  }

  private onOpened(problem: string | null): void {
    if (this.phase !== 'opening') return
    if (problem !== null) {
      this.fail(problem)
      return
    }
    this.phase = 'ready'
    this.tellNodes()
    this.groups.onImage({ image: this.metadata.image, delta: null, records: null })
    this.setup.onReady()
  }

  private tellNodes(): void {
    const command = this.nodes.command()
    if (command !== null) this.push(command)
  }

  private onLogDirFailed(path: string, message: string): void {
    this.setup.host.log.error({ path, reason: message }, 'a log directory is offline')
    this.failedDirs.add(path)
    if (this.failedDirs.areFatal) this.fail(`The log directory ${path} has failed: ${message}`)
    else this.followFailedDirs(false)
  }

  private followFailedDirs(isFirst: boolean): void {
    const { newest } = this.metadata
    if (newest !== null) this.failedDirs.follow(newest.image, isFirst)
  }

  private fail(reason: string): void {
    if (this.phase === 'stopped') return
    this.phase = 'stopped'
    this.alarm.wakeAt(null)
    this.setup.onFault(reason)
  }

  private push(command: Command): void {
    this.outbox.push(command)
  }

  private attached(): NativeNode {
    if (this.native === null) throw new Error('a call before the data plane was open')
    return this.native
  }
}

function* encodedRecords(image: MetadataImage): Generator<Buffer> {
  for (const record of imageRecords(image)) yield encodeMetadata(record)
}
