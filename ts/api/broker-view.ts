/**
 * What a handler may know of and ask from its broker. The runtime implements it; handlers see nothing else.
 * Answers come later or at once, always by callback, so that the same code runs in the simulator.
 */
import type { BrokerConfig } from '../config/broker-config.js'
import type { createTopics, deleteTopics, initProducerId, RequestOf, ResponseOf } from '../protocol/index.js'
import type {
  CreateAclsRequest,
  CreateAclsResponse,
  DeleteAclsRequest,
  DeleteAclsResponse,
} from '../state/acl-admin.js'
import type { UnregisterBrokerResponse } from '../state/brokers.js'
import type { AlterConfigsRequest, AlterConfigsResponse } from '../state/configs.js'
import type { UpdateFeaturesRequest, UpdateFeaturesResponse } from '../state/features.js'
import type {
  GroupReply,
  GroupRequest,
  ListGroupsRequest,
  ListGroupsResponse,
} from '../state/group-messages.js'
import type { MetadataImage } from '../state/image.js'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from '../state/partitions.js'
import type {
  ElectLeadersRequest,
  ElectLeadersResponse,
  ReassignRequest,
  ReassignResponse,
} from '../state/reassignments.js'
import type { Authorizer } from './authorize.js'

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

type WithoutToken<R> = R extends { readonly to: number } ? Omit<R, 'to'> : never
/** A request to one group that somebody waits for; the runtime adds the token. */
export type AskedOfGroup = Exclude<WithoutToken<GroupRequest>, { readonly kind: 'list-groups' }>

export interface GroupsView {
  /** Hands the request to the shard of its group. */
  submit(request: AskedOfGroup, answer: (reply: GroupReply) => void): void
  /** The reply that carries nothing but this error. */
  refusal(request: AskedOfGroup, errorCode: number): GroupReply
  /** The groups of every shard that is here; the error of one that cannot tell, as while it loads, is that of all. */
  list(body: ListGroupsRequest, apiVersion: number, answer: (reply: ListGroupsResponse) => void): void
}

/** Every answer means that the change is committed and that the logs agree with it. */
export interface ControllerView {
  createTopics(
    request: RequestOf<typeof createTopics>,
    answer: (response: ResponseOf<typeof createTopics>) => void,
  ): void
  deleteTopics(
    request: RequestOf<typeof deleteTopics>,
    apiVersion: number,
    answer: (response: ResponseOf<typeof deleteTopics>) => void,
  ): void
  createPartitions(
    request: CreatePartitionsRequest,
    answer: (response: CreatePartitionsResponse) => void,
  ): void
  electLeaders(request: ElectLeadersRequest, answer: (response: ElectLeadersResponse) => void): void
  reassign(request: ReassignRequest, answer: (response: ReassignResponse) => void): void
  createAcls(request: CreateAclsRequest, answer: (response: CreateAclsResponse) => void): void
  deleteAcls(request: DeleteAclsRequest, answer: (response: DeleteAclsResponse) => void): void
  unregisterBroker(brokerId: number, answer: (response: UnregisterBrokerResponse) => void): void
  updateFeatures(
    request: UpdateFeaturesRequest,
    apiVersion: number,
    answer: (response: UpdateFeaturesResponse) => void,
  ): void
  alterConfigs(request: AlterConfigsRequest, answer: (response: AlterConfigsResponse) => void): void
}

/** Bytes of the volume that a folder lies on. */
export interface Volume {
  readonly totalBytes: number
  readonly usableBytes: number
}

export interface DescribedLogDir {
  readonly path: string
  readonly online: boolean
  /** Sizes in bytes. */
  readonly partitions: readonly {
    readonly topic: string
    readonly topicId: string
    readonly partition: number
    readonly size: number
    /** How far a copy that is to take the place of the log is behind it; 0 for the log itself. */
    readonly offsetLag: number
    readonly isFuture: boolean
  }[]
  /** Null where nobody can tell. */
  readonly volume: Volume | null
}

export interface DescribedReplica {
  readonly nodeId: number
  /** Exclusive; −1 unknown. */
  readonly logEndOffset: number
}

/** This node's folders and the metadata quorum at one moment. */
export interface NodeDescription {
  readonly logDirs: readonly DescribedLogDir[]
  readonly quorum: {
    /** −1 for none. */
    readonly leaderId: number
    readonly epoch: number
    readonly highWatermark: number
    readonly voters: readonly DescribedReplica[]
    readonly observers: readonly DescribedReplica[]
  }
}

export interface BrokerView {
  /** With the dynamic configs of this moment: not to be kept. */
  readonly config: BrokerConfig
  readonly nodeId: number
  readonly clusterId: string
  readonly controllerId: number
  readonly authorizer: Authorizer
  readonly groups: GroupsView
  readonly controller: ControllerView
  /** The newest metadata that the logs agree with. */
  image(): MetadataImage
  /** Every broker with the address that this listener advertises. */
  brokers(listener: string): readonly BrokerAddress[]
  /** The partition's coordinator of a group, created on first use: an address, or an error code. */
  groupCoordinator(groupId: string, listener: string, answer: (found: BrokerAddress | number) => void): void
  /** A producer id that nobody ever had; for requests without a transactional id. */
  initProducerId(
    request: RequestOf<typeof initProducerId>,
    answer: (response: ResponseOf<typeof initProducerId>) => void,
  ): void
  /** Deletes records of a partition that this broker leads. The answer means that it will survive a crash. */
  deleteRecords(
    deletion: {
      readonly topicId: string
      readonly partition: number
      readonly leaderEpoch: number
      /** Exclusive; −1: the high watermark. */
      readonly offset: number
    },
    answer: (deleted: { readonly lowWatermark: number; readonly errorCode: number }) => void,
  ): void
  /** Begins to move a partition to another log directory of this node, or remembers it for one to come. */
  movePartition(topic: string, partition: number, logDir: string): void
  describeNode(): NodeDescription
  /** The wall clock, in ms. */
  wallMs(): number
  /** A random uuid of 36 characters. */
  freshUuid(): string
}

/** What requests about one group need: all that a coordinator worker has. */
export type GroupBroker = Pick<BrokerView, 'authorizer' | 'freshUuid' | 'groups' | 'image'>
