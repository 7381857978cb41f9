/**
 * What one coordinator worker does: takes its events, runs the shards of its partitions, submits what follows. It is to
 * its partitions what the control plane is to the node, and like that it knows neither threads nor a clock of its own.
 */
import { authorizerOf } from '../api/authorize.js'
import type { GroupBroker } from '../api/broker-view.js'
import { groupHandlers } from '../api/groups.js'
import { offsetHandlers } from '../api/offsets.js'
import type { BrokerConfig } from '../config/broker-config.js'
import { append } from '../native/append.js'
import type { Command } from '../native/commands.js'
import { decodeEvents, type NativeEvent } from '../native/events.js'
import type { EventPort } from '../native/node.js'
import { emptyImage, type MetadataImage } from '../state/image.js'
import { applyRecords } from '../state/image-delta.js'
import { decodeMetadata } from '../state/metadata-records.js'
import type { ImageMessage, ToWorker } from './coordinator-messages.js'
import { Dispatcher, watchOf } from './dispatch.js'
import { GroupShards } from './group-shards.js'
import type { Alarm, Host } from './host.js'
import { Outbox } from './outbox.js'
import { RequestMemory } from './request-memory.js'
import { Timers } from './timers.js'

export interface CoordinatorLoopSetup {
  readonly config: BrokerConfig
  readonly worker: number
  readonly workers: number
  readonly host: Host
  readonly port: EventPort
  /** Takes everything that the control plane has said and that was not looked at yet. */
  hear(): readonly ToWorker[]
  answer(token: number, reply: unknown): void
  onClosed(): void
}

const handlers = new Map([...groupHandlers, ...offsetHandlers].map((handler) => [handler.api.key, handler]))

export class CoordinatorLoop {
  private image: MetadataImage = emptyImage()
  private closed = false
  private turning = false
  private readonly outbox = new Outbox()
  private readonly timers = new Timers()
  private readonly requestMemory = new RequestMemory()
  private readonly alarm: Alarm
  private readonly groups: GroupShards
  private readonly dispatcher: Dispatcher<GroupBroker>

  constructor(private readonly setup: CoordinatorLoopSetup) {
    const { config, host, port, worker, workers } = setup
    this.alarm = host.alarm(() => this.turn())
    this.groups = new GroupShards(
      config,
      config.nodeId,
      {
        now: () => host.clock.now(),
        log: host.log,
        timers: this.timers,
        append: (request) => append(port, request),
        load: ({ topicId, partition, leaderEpoch }) =>
          this.push({ kind: 'load', topicId, partition, leaderEpoch }),
      },
      (partition) => partition % workers === worker,
    )
    const image = () => this.image
    const broker: GroupBroker = {
      authorizer: authorizerOf(config, image, host.log),
      groups: this.groups,
      image,
      freshUuid: () => host.random.uuid(),
    }
    this.dispatcher = new Dispatcher(
      handlers,
      broker,
      this.outbox,
      host.log,
      () => this.requestMemory.limit,
      watchOf(host),
    )
  }

  /**
   * Hears the control plane first: an answer of the control plane that a client has seen must hold here as well. Then
   * takes all events there are, fires what is due and submits what follows.
   */
  turn(): void {
    if (this.turning || this.closed) return
    this.turning = true
    try {
      for (const message of this.setup.hear()) this.onMessage(message)
      // Requests that came before there was an image wait where they are.
      if (this.image.offset >= 0) {
        for (const event of decodeEvents(this.setup.port.drain())) this.onEvent(event)
      }
      this.timers.runDue(this.setup.host.clock.now().monotonicMs)
      this.outbox.flush(this.setup.port)
    } finally {
      this.turning = false
    }
    this.alarm.wakeAt(this.closed ? null : this.timers.nextAt())
    if (this.closed) this.setup.onClosed()
  }

  private onMessage(message: ToWorker): void {
    switch (message.kind) {
      case 'image':
        this.onImage(message)
        break
      case 'submit':
        this.groups.submit(message.asked, (reply) => this.setup.answer(message.token, reply))
        break
      case 'list':
        this.groups.list(message.body, message.apiVersion, (reply) => this.setup.answer(message.token, reply))
        break
      case 'when-settled':
        this.groups.whenSettled(message.groupId, () => this.setup.answer(message.token, null))
        break
      case 'close':
        this.groups.close(() => {
          this.closed = true
        })
        break
    }
  }

  private onImage({ whole, offset, epoch, records }: ImageMessage): void {
    const decoded = records.map((bytes) =>
      decodeMetadata(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    )
    const { image, delta } = applyRecords(whole ? emptyImage() : this.image, offset, epoch, decoded)
    this.image = image
    const step = { image, delta: whole ? null : delta, records: decoded }
    this.requestMemory.onImage(image, step.delta)
    this.groups.onImage(step)
  }

  private onEvent(event: NativeEvent): void {
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
      default:
        this.setup.host.log.error({ event: event.kind }, 'an event came to a coordinator by mistake')
    }
  }

  private push(command: Command): void {
    this.outbox.push(command)
  }
}
