/**
 * What a handler may know of and ask from its broker. The runtime implements it; handlers see nothing else.
 * Answers come later or at once, always by callback, so that the same code runs in the simulator.
 */
import type { BrokerConfig } from '../config/broker-config.js'
import type { createTopics, RequestOf } from '../protocol/index.js'
import type { GroupReply, GroupRequest } from '../state/group-messages.js'
import type { Authorizer } from './authorize.js'

export interface PartitionView {
  readonly index: number
  /** −1 when there is none. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

export interface TopicView {
  readonly name: string
  readonly topicId: string
  readonly internal: boolean
  /** What was set on the topic itself. */
  readonly configs: ReadonlyMap<string, string>
  /** By partition index. */
  readonly partitions: readonly PartitionView[]
}

export interface BrokerAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

type WithoutToken<R> = R extends { readonly to: number } ? Omit<R, 'to'> : never
/** A group request that somebody waits for; the runtime adds the token. */
export type AskedOfGroup = WithoutToken<GroupRequest>

export interface GroupsView {
  /** Hands the request to the shard of its group. */
  submit(request: AskedOfGroup, answer: (reply: GroupReply) => void): void
  /** The reply that carries nothing but this error. */
  refusal(request: AskedOfGroup, errorCode: number): GroupReply
}

export type NewTopic = RequestOf<typeof createTopics>['topics'][number]

export interface CreatedTopic {
  readonly name: string
  readonly topicId: string
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly numPartitions: number
  readonly replicationFactor: number
}

export interface DeletedTopic {
  readonly name: string | null
  readonly topicId: string
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** Every answer means that the change is committed and that the logs agree with it. */
export interface ControllerView {
  createTopics(
    topics: readonly NewTopic[],
    validateOnly: boolean,
    answer: (topics: CreatedTopic[]) => void,
  ): void
  deleteTopics(
    topics: readonly { name: string | null; topicId: string }[],
    answer: (topics: DeletedTopic[]) => void,
  ): void
}

export interface BrokerView {
  readonly config: BrokerConfig
  readonly nodeId: number
  readonly clusterId: string
  readonly controllerId: number
  readonly authorizer: Authorizer
  readonly groups: GroupsView
  readonly controller: ControllerView
  /** Finalised feature levels and the offset of the metadata log that they are true of. */
  features(): { epoch: number; levels: ReadonlyMap<string, number> }
  topics(): Iterable<TopicView>
  topicByName(name: string): TopicView | undefined
  topicById(topicId: string): TopicView | undefined
  /** Every broker with the address that this listener advertises. */
  brokers(listener: string): readonly BrokerAddress[]
  /** The partition's coordinator of a group, created on first use: an address, or an error code. */
  groupCoordinator(groupId: string, listener: string, answer: (found: BrokerAddress | number) => void): void
  /** A producer id that nobody ever had. */
  nextProducerId(answer: (result: { errorCode: number; producerId: number }) => void): void
  /** A random uuid of 36 characters. */
  freshUuid(): string
}
