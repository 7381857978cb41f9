/**
 * The group coordinator's shards: one for each partition of __consumer_offsets that this node leads. It routes
 * requests, loaded chunks and watermarks to them and follows the image; what a group does is decided in state/.
 */
import type { AskedOfGroup } from '../api/broker-view.js'
import type { BrokerConfig } from '../config/broker-config.js'
import type { EventNamed } from '../native/events.js'
import { Errors } from '../protocol/index.js'
import { listFailed } from '../state/group-admin.js'
import {
  failedRequest,
  type GroupCoordinator,
  type GroupShardState,
  groupCoordinator,
  partitionFor,
} from '../state/group-coordinator.js'
import type {
  GroupConfig,
  GroupReply,
  GroupRequest,
  GroupSoft,
  ListGroupsRequest,
  ListGroupsResponse,
} from '../state/group-messages.js'
import { decodeGroupRecord, encodeGroupRecord } from '../state/group-record-codec.js'
import type { GroupRecord } from '../state/group-records.js'
import { type TopicImage, topicByName } from '../state/image.js'
import { GROUP_METADATA_TOPIC } from '../state/topic-name.js'
import type { Coordinators, ImageStep } from './coordinators.js'
import { type RecordCodec, Shard, type ShardHost, type ShardPlace } from './shard.js'
import { Waiting } from './waiting.js'

type GroupShard = Shard<GroupShardState, GroupRequest, GroupRecord, GroupSoft, GroupReply>

const codec: RecordCodec<GroupRecord> = { encode: encodeGroupRecord, decode: decodeGroupRecord }

export class GroupShards implements Coordinators {
  private readonly coordinator: GroupCoordinator
  private readonly waiting = new Waiting<GroupReply>()
  private readonly shards = new Map<number, GroupShard>()
  private readonly host: ShardHost<GroupReply>
  private topic: TopicImage | null = null

  constructor(
    config: BrokerConfig,
    private readonly nodeId: number,
    host: Omit<ShardHost<GroupReply>, 'answer'>,
    /** Which partitions' groups are coordinated here, of those that this node leads. */
    private readonly owns: (partition: number) => boolean = () => true,
  ) {
    this.coordinator = groupCoordinator(groupConfig(config))
    this.host = { ...host, answer: (to, reply) => this.waiting.answer(to, reply) }
  }

  submit(asked: AskedOfGroup, answer: (reply: GroupReply) => void): void {
    const to = this.waiting.add(answer)
    const request = withToken(asked, to)
    const shard = this.shardOf(asked.body.groupId)
    if (shard !== undefined) shard.submit(request, to)
    else this.waiting.answer(to, this.refusal(asked, Errors.NOT_COORDINATOR))
  }

  refusal(asked: AskedOfGroup, errorCode: number): GroupReply {
    return groupRefusal(asked, errorCode)
  }

  list(body: ListGroupsRequest, apiVersion: number, answer: (reply: ListGroupsResponse) => void): void {
    const asked = [...this.shards.keys()].flatMap((partition) => this.shardAt(partition) ?? [])
    const lists: ListGroupsResponse[] = []
    const told = (reply: GroupReply) => {
      lists.push(reply as ListGroupsResponse)
      if (lists.length === asked.length) answer(oneList(lists))
    }
    for (const shard of asked) {
      const to = this.waiting.add(told)
      shard.submit({ kind: 'list-groups', apiVersion, body, to }, to)
    }
    if (asked.length === 0) answer(oneList([]))
  }

  onImage({ image, delta }: ImageStep): void {
    this.follow(topicByName(image, GROUP_METADATA_TOPIC) ?? null)
    this.forget(delta?.removedTopics ?? [])
  }

  /** Makes the shards agree with __consumer_offsets; null when the topic is not there. */
  private follow(topic: TopicImage | null): void {
    if (this.topic !== null && this.topic.topicId !== topic?.topicId) this.closeAll()
    this.topic = topic
    for (const { partition: index, leader, leaderEpoch } of topic?.partitions.values() ?? []) {
      const current = this.shards.get(index)
      if (current?.place.leaderEpoch === leaderEpoch && leader === this.nodeId) continue
      current?.close()
      this.shards.delete(index)
      if (leader !== this.nodeId || topic === null || !this.owns(index)) continue
      this.open({ name: `${topic.name}-${index}`, topicId: topic.topicId, partition: index, leaderEpoch })
    }
  }

  private open(place: ShardPlace): GroupShard {
    const shard: GroupShard = new Shard(place, this.coordinator, codec, this.host)
    this.shards.set(place.partition, shard)
    shard.start()
    return shard
  }

  /** The image has lost these topics: their offsets go from every group. */
  private forget(topics: readonly { name: string; topicId: string }[]): void {
    if (topics.length === 0) return
    for (const shard of this.shards.values()) {
      shard.whenSettled(() => shard.submit({ kind: 'topics-deleted', topics }, null))
    }
  }

  /** Calls back when the group's shard, if it is here, is done loading. */
  whenSettled(groupId: string, callback: () => void): void {
    const shard = this.shardOf(groupId)
    if (shard === undefined) callback()
    else shard.whenSettled(callback)
  }

  onChunk(chunk: EventNamed<'loaded-chunk'>): void {
    if (chunk.topicId === this.topic?.topicId) this.shards.get(chunk.partition)?.onChunk(chunk)
  }

  onCommitted({ topicId, partition, highWatermark }: EventNamed<'committed'>): void {
    if (topicId === this.topic?.topicId) this.shards.get(partition)?.onCommitted(highWatermark)
  }

  close(closed: () => void): void {
    this.closeAll()
    closed()
  }

  private closeAll(): void {
    for (const shard of this.shards.values()) shard.close()
    this.shards.clear()
  }

  private shardOf(groupId: string): GroupShard | undefined {
    if (this.topic === null) return undefined
    return this.shardAt(partitionFor(groupId, this.topic.partitions.size))
  }

  private shardAt(partition: number): GroupShard | undefined {
    const shard = this.shards.get(partition)
    // A shard that failed while the image still puts it here is loaded again.
    return shard?.isClosed ? this.open(shard.place) : shard
  }
}

/** Written out for all but joins: what comes in several shapes V8 copies property by property, and slowly. */
function withToken(asked: AskedOfGroup, to: number): GroupRequest {
  if (asked.kind === 'join-group') return { ...asked, to }
  const { kind, apiVersion, body } = asked
  return { kind, apiVersion, body, to } as GroupRequest
}

/** The reply that carries nothing but this error. */
export function groupRefusal(asked: AskedOfGroup, errorCode: number): GroupReply {
  const reply = failedRequest(withToken(asked, 0), errorCode)
  if (reply === null) throw new Error(`a ${asked.kind} request has no reply`)
  return reply
}

/** A shard that was closed while it was asked coordinates nothing here any more; any other error fails the listing. */
export function oneList(lists: readonly ListGroupsResponse[]): ListGroupsResponse {
  const counted = lists.filter(({ errorCode }) => errorCode !== Errors.NOT_COORDINATOR)
  const failed = counted.find(({ errorCode }) => errorCode !== Errors.NONE)
  if (failed !== undefined) return listFailed(failed.errorCode)
  return { throttleTimeMs: 0, errorCode: Errors.NONE, groups: counted.flatMap(({ groups }) => groups) }
}

function groupConfig(config: BrokerConfig): GroupConfig {
  return {
    groupInitialRebalanceDelayMs: config.get('group.initial.rebalance.delay.ms'),
    groupMinSessionTimeoutMs: config.get('group.min.session.timeout.ms'),
    groupMaxSessionTimeoutMs: config.get('group.max.session.timeout.ms'),
    groupMaxSize: config.get('group.max.size'),
    offsetMetadataMaxBytes: config.get('offset.metadata.max.bytes'),
    offsetsRetentionMs: config.get('offsets.retention.minutes') * 60_000,
    offsetsRetentionCheckIntervalMs: config.get('offsets.retention.check.interval.ms'),
  }
}
