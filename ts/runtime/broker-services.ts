/**
 * What API handlers see of their broker: the image, the controller, the groups, addresses. It composes the parts that
 * decide and decides nothing itself.
 */
import { type Authorizer, authorizerOf } from '../api/authorize.js'
import type {
  BrokerAddress,
  BrokerView,
  ControllerView,
  NodeDescription,
  Volume,
} from '../api/broker-view.js'
import { offsetsTopic } from '../api/internal-topics.js'
import type { BrokerConfig } from '../config/broker-config.js'
import { Errors } from '../protocol/index.js'
import type { CreateAclsResponse, DeleteAclsResponse } from '../state/acl-admin.js'
import type { UnregisterBrokerResponse } from '../state/brokers.js'
import type { ControllerReply, ControllerRequest } from '../state/controller.js'
import type { UpdateFeaturesResponse } from '../state/features.js'
import { partitionFor } from '../state/group-coordinator.js'
import { type MetadataImage, NO_LEADER, topicByName } from '../state/image.js'
import { aliveBrokers } from '../state/image-view.js'
import type { CreatePartitionsResponse } from '../state/partitions.js'
import type { InitProducerIdRequest, InitProducerIdResponse } from '../state/producer-id-block.js'
import type { AllocateProducerIdsResponse } from '../state/producer-ids.js'
import type { ElectLeadersResponse, ReassignResponse } from '../state/reassignments.js'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from '../state/topic-deletion.js'
import { GROUP_METADATA_TOPIC } from '../state/topic-name.js'
import type { CreateTopicsRequest, CreateTopicsResponse } from '../state/topics.js'
import type { Coordinators } from './coordinators.js'
import type { ConfigOf } from './dynamic-config.js'
import type { Logger, Random } from './host.js'
import type { ListenerChanges } from './listener-changes.js'
import type { Listeners } from './listeners.js'
import { ProducerIds } from './producer-ids.js'
import type { RecordDeletions } from './record-deletions.js'

/** The controller as the runtime reaches it. */
export interface ControllerAccess {
  readonly image: MetadataImage
  submit(request: (to: number) => ControllerRequest, answer: (reply: ControllerReply) => void): void
}

export interface ServicesSetup {
  readonly configOf: ConfigOf
  readonly nodeId: number
  readonly clusterId: string
  readonly metadata: ControllerAccess
  readonly groups: Coordinators
  readonly listeners: Listeners
  readonly listenerChanges: ListenerChanges
  readonly deletions: RecordDeletions
  readonly random: Random
  readonly log: Logger
  /** The data plane's own words. */
  describe(): string
  movePartition: BrokerView['movePartition']
  volume(path: string): Volume | null
  wallMs(): number
  /** Of this node's registration; −1 before there is one. */
  brokerEpoch(): number
}

export class BrokerServices implements BrokerView {
  readonly nodeId: number
  readonly clusterId: string
  readonly authorizer: Authorizer
  readonly groups: Coordinators
  readonly controller: ControllerView
  readonly deleteRecords: BrokerView['deleteRecords']
  readonly movePartition: BrokerView['movePartition']
  private readonly producerIds: ProducerIds
  /** Who waits for __consumer_offsets; not empty while it is being created. */
  private waitingForOffsets: (() => void)[] = []

  constructor(private readonly setup: ServicesSetup) {
    this.nodeId = setup.nodeId
    this.clusterId = setup.clusterId
    this.groups = setup.groups
    this.authorizer = authorizerOf(setup.configOf(setup.metadata.image), this.image, setup.log)
    this.deleteRecords = (deletion, answer) => setup.deletions.delete(deletion, answer)
    this.movePartition = setup.movePartition
    const { metadata, random } = setup
    this.controller = {
      createTopics(body: CreateTopicsRequest, answer) {
        const freshTopicIds = body.topics.map(() => random.kafkaUuid())
        metadata.submit(
          (to) => ({ kind: 'create-topics', to, body, freshTopicIds }),
          (reply) => answer(reply as CreateTopicsResponse),
        )
      },
      deleteTopics(body: DeleteTopicsRequest, apiVersion, answer) {
        metadata.submit(
          (to) => ({ kind: 'delete-topics', to, apiVersion, body }),
          (reply) => answer(reply as DeleteTopicsResponse),
        )
      },
      createPartitions(body, answer) {
        metadata.submit(
          (to) => ({ kind: 'create-partitions', to, body }),
          (reply) => answer(reply as CreatePartitionsResponse),
        )
      },
      electLeaders(body, answer) {
        metadata.submit(
          (to) => ({ kind: 'elect-leaders', to, body }),
          (reply) => answer(reply as ElectLeadersResponse),
        )
      },
      reassign(body, answer) {
        metadata.submit(
          (to) => ({ kind: 'reassign', to, body }),
          (reply) => answer(reply as ReassignResponse),
        )
      },
      createAcls(body, answer) {
        const freshIds = body.creations.map(() => random.kafkaUuid())
        metadata.submit(
          (to) => ({ kind: 'create-acls', to, body, freshIds }),
          (reply) => answer(reply as CreateAclsResponse),
        )
      },
      deleteAcls(body, answer) {
        metadata.submit(
          (to) => ({ kind: 'delete-acls', to, body }),
          (reply) => answer(reply as DeleteAclsResponse),
        )
      },
      unregisterBroker(brokerId, answer) {
        metadata.submit(
          (to) => ({ kind: 'unregister-broker', to, brokerId }),
          (reply) => answer(reply as UnregisterBrokerResponse),
        )
      },
      updateFeatures(body, apiVersion, answer) {
        metadata.submit(
          (to) => ({ kind: 'update-features', to, nodeId: setup.nodeId, apiVersion, body }),
          (reply) => answer(reply as UpdateFeaturesResponse),
        )
      },
      alterConfigs: (body, answer) => setup.listenerChanges.alterConfigs(body, answer),
    }
    this.producerIds = new ProducerIds((answer) => {
      const body = { brokerId: this.nodeId, brokerEpoch: setup.brokerEpoch() }
      metadata.submit(
        (to) => ({ kind: 'allocate-producer-ids', to, body }),
        (reply) => answer(reply as AllocateProducerIdsResponse),
      )
    })
  }

  /** With what was set since the start. */
  get config(): BrokerConfig {
    return this.setup.configOf(this.image())
  }

  /** Any live broker can be told as the controller, as Kafka does: it passes requests on. */
  get controllerId(): number {
    return this.nodeId
  }

  readonly image = (): MetadataImage => this.setup.metadata.image

  brokers(listener: string): BrokerAddress[] {
    return aliveBrokers(this.image(), listener).map(({ brokerId, host, port, rack }) => {
      // The image knows this node's listeners as configured; where they are bound is known here.
      const own = brokerId === this.nodeId ? this.setup.listeners.advertised(listener) : null
      return { nodeId: brokerId, host: own?.host ?? host, port: own?.port ?? port, rack }
    })
  }

  groupCoordinator(groupId: string, listener: string, answer: (found: BrokerAddress | number) => void): void {
    this.withOffsetsTopic(() => {
      this.groups.whenSettled(groupId, () => answer(this.findCoordinator(groupId, listener)))
    })
  }

  initProducerId(request: InitProducerIdRequest, answer: (response: InitProducerIdResponse) => void): void {
    this.producerIds.init(request, answer)
  }

  describeNode(): NodeDescription {
    const { logDirs, quorum }: NodeDescription = JSON.parse(this.setup.describe())
    return {
      quorum,
      logDirs: logDirs.map((logDir) => ({ ...logDir, volume: this.setup.volume(logDir.path) })),
    }
  }

  wallMs(): number {
    return this.setup.wallMs()
  }

  freshUuid(): string {
    return this.setup.random.uuid()
  }

  private findCoordinator(groupId: string, listener: string): BrokerAddress | number {
    const topic = topicByName(this.image(), GROUP_METADATA_TOPIC)
    const partition = topic?.partitions.get(partitionFor(groupId, topic.partitions.size))
    const leader = partition?.leader ?? NO_LEADER
    return this.brokers(listener).find(({ nodeId }) => nodeId === leader) ?? Errors.COORDINATOR_NOT_AVAILABLE
  }

  private withOffsetsTopic(callback: () => void): void {
    if (topicByName(this.image(), GROUP_METADATA_TOPIC) !== undefined) {
      callback()
      return
    }
    this.waitingForOffsets.push(callback)
    if (this.waitingForOffsets.length > 1) return
    const topics = [offsetsTopic(this.config, this.image().brokers.size)]
    this.controller.createTopics({ topics, timeoutMs: 30_000, validateOnly: false }, () => {
      const waiting = this.waitingForOffsets
      this.waitingForOffsets = []
      for (const waiter of waiting) waiter()
    })
  }
}
