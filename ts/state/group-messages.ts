// What goes into the group coordinator and what comes out: decoded requests with their context, answers, soft changes.
// Owns shapes only. Field names and meanings are those of Kafka's schemas for the keys 8, 9, 11 to 16, 42 and 47.

import type {
  deleteGroups,
  describeGroups,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  offsetCommit,
  offsetDelete,
  RequestOf,
  ResponseOf,
  syncGroup,
} from '../protocol/index.js'
import type { Decision } from './coordinator.js'
import type { Group } from './group.js'
import type { GroupRecord } from './group-records.js'

export type JoinGroupRequest = RequestOf<typeof joinGroup>
export type JoinGroupResponse = ResponseOf<typeof joinGroup>
export type SyncGroupRequest = RequestOf<typeof syncGroup>
export type SyncGroupResponse = ResponseOf<typeof syncGroup>
export type HeartbeatRequest = RequestOf<typeof heartbeat>
export type HeartbeatResponse = ResponseOf<typeof heartbeat>
export type LeaveGroupRequest = RequestOf<typeof leaveGroup>
export type LeaveGroupResponse = ResponseOf<typeof leaveGroup>
/** Topic names are always set here: who serves version 10 fills them in, and the ids of older versions where known. */
export type OffsetCommitRequest = RequestOf<typeof offsetCommit>
export type OffsetCommitResponse = ResponseOf<typeof offsetCommit>
export type ListGroupsRequest = RequestOf<typeof listGroups>
export type ListGroupsResponse = ResponseOf<typeof listGroups>
export type DescribedGroup = ResponseOf<typeof describeGroups>['groups'][number]
export type DeletedGroup = ResponseOf<typeof deleteGroups>['results'][number]
export type OffsetDeleteRequest = RequestOf<typeof offsetDelete>
export type OffsetDeleteResponse = ResponseOf<typeof offsetDelete>

/**
 * One group of an OffsetFetch: a request of version 8 or newer may name several, on several shards. Topic names are
 * always set; the id is the zero uuid where the request has none.
 */
export interface OffsetFetchGroupRequest {
  readonly groupId: string
  /** null asks for every committed offset of the group. */
  readonly topics:
    | readonly {
        readonly name: string
        readonly topicId: string
        readonly partitionIndexes: readonly number[]
      }[]
    | null
}

export interface OffsetFetchGroupResponse {
  groupId: string
  errorCode: number
  topics: {
    name: string
    topicId: string
    partitions: {
      partitionIndex: number
      committedOffset: number
      committedLeaderEpoch: number
      metadata: string
      errorCode: number
    }[]
  }[]
}

/** Where a request came from and how it is answered. */
export interface RequestContext {
  /** Opaque reply token. */
  readonly to: number
  readonly apiVersion: number
}

/** One request to a group coordinator shard. */
export type GroupRequest =
  | (RequestContext & {
      readonly kind: 'join-group'
      readonly clientId: string | null
      /** As Kafka stores it: `/127.0.0.1`. */
      readonly clientHost: string
      /** A fresh random uuid (36 characters): becomes part of a new member id. */
      readonly freshUuid: string
      readonly body: JoinGroupRequest
    })
  | (RequestContext & { readonly kind: 'sync-group'; readonly body: SyncGroupRequest })
  | (RequestContext & { readonly kind: 'heartbeat'; readonly body: HeartbeatRequest })
  | (RequestContext & { readonly kind: 'leave-group'; readonly body: LeaveGroupRequest })
  | (RequestContext & { readonly kind: 'offset-commit'; readonly body: OffsetCommitRequest })
  | (RequestContext & { readonly kind: 'offset-fetch'; readonly body: OffsetFetchGroupRequest })
  /** The groups of this shard; ListGroups asks every shard. */
  | (RequestContext & { readonly kind: 'list-groups'; readonly body: ListGroupsRequest })
  /** One group of a DescribeGroups or DeleteGroups, whose groups may be on several shards. */
  | (RequestContext & { readonly kind: 'describe-group'; readonly body: { readonly groupId: string } })
  | (RequestContext & { readonly kind: 'delete-group'; readonly body: { readonly groupId: string } })
  | (RequestContext & { readonly kind: 'offset-delete'; readonly body: OffsetDeleteRequest })
  /** Topics that the image has removed: their offsets go. Answers nobody. */
  | {
      readonly kind: 'topics-deleted'
      readonly topics: readonly { readonly name: string; readonly topicId: string }[]
    }

export type GroupReply =
  | JoinGroupResponse
  | SyncGroupResponse
  | HeartbeatResponse
  | LeaveGroupResponse
  | OffsetCommitResponse
  | OffsetFetchGroupResponse
  | ListGroupsResponse
  | DescribedGroup
  | DeletedGroup
  | OffsetDeleteResponse

/** The soft change: the group's new value, parked requests included. */
export interface GroupSoft {
  readonly group: Group
}

export type GroupDecision = Decision<GroupRecord, GroupSoft, GroupReply>

export type JoinRequest = Extract<GroupRequest, { kind: 'join-group' }>
export type SyncRequest = Extract<GroupRequest, { kind: 'sync-group' }>
export type BeatRequest = Extract<GroupRequest, { kind: 'heartbeat' }>
export type LeaveRequest = Extract<GroupRequest, { kind: 'leave-group' }>
export type CommitRequest = Extract<GroupRequest, { kind: 'offset-commit' }>
export type FetchRequest = Extract<GroupRequest, { kind: 'offset-fetch' }>
export type ListRequest = Extract<GroupRequest, { kind: 'list-groups' }>
export type DescribeRequest = Extract<GroupRequest, { kind: 'describe-group' }>
export type DeleteRequest = Extract<GroupRequest, { kind: 'delete-group' }>
export type DeleteOffsetsRequest = Extract<GroupRequest, { kind: 'offset-delete' }>

/** Kafka's configuration of the coordinator; names after the config keys, times in ms. */
export interface GroupConfig {
  /** group.initial.rebalance.delay.ms */
  readonly groupInitialRebalanceDelayMs: number
  /** group.min.session.timeout.ms */
  readonly groupMinSessionTimeoutMs: number
  /** group.max.session.timeout.ms */
  readonly groupMaxSessionTimeoutMs: number
  /** group.max.size */
  readonly groupMaxSize: number
  /** offset.metadata.max.bytes */
  readonly offsetMetadataMaxBytes: number
  /** offsets.retention.minutes */
  readonly offsetsRetentionMs: number
  /** offsets.retention.check.interval.ms */
  readonly offsetsRetentionCheckIntervalMs: number
}

export const DEFAULT_GROUP_CONFIG: GroupConfig = {
  groupInitialRebalanceDelayMs: 3_000,
  groupMinSessionTimeoutMs: 6_000,
  groupMaxSessionTimeoutMs: 1_800_000,
  groupMaxSize: 2_147_483_647,
  offsetMetadataMaxBytes: 4_096,
  offsetsRetentionMs: 7 * 24 * 60 * 60 * 1_000,
  offsetsRetentionCheckIntervalMs: 600_000,
}
