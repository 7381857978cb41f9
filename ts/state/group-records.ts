// The records of __consumer_offsets as objects, and how a classic group becomes one and comes back from one.
// Owns the choice of Kafka's record versions; bytes are group-record-codec's business.

import type { Group, GroupMember } from './group.js'
import { EMPTY_BYTES, emptyGroup, metadataFor } from './group.js'
import type { GroupDraft } from './group-draft.js'

export interface OffsetCommitKey {
  readonly group: string
  readonly topic: string
  readonly partition: number
}

export interface OffsetCommitValue {
  readonly offset: number
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestamp: number
  readonly expireTimestamp: number
  readonly topicId: string
}

export interface GroupMetadataValue {
  readonly protocolType: string
  readonly generation: number
  readonly protocol: string | null
  readonly leader: string | null
  readonly currentStateTimestamp: number
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly clientId: string
    readonly clientHost: string
    readonly rebalanceTimeout: number
    readonly sessionTimeout: number
    readonly subscription: Buffer
    readonly assignment: Buffer
  }[]
}

/** One record; a null value is a tombstone. `version` is that of the value. */
export type GroupRecord =
  | {
      readonly type: 'offset-commit'
      readonly version: number
      readonly key: OffsetCommitKey
      readonly value: OffsetCommitValue | null
    }
  | {
      readonly type: 'group-metadata'
      readonly version: number
      readonly key: { readonly group: string }
      readonly value: GroupMetadataValue | null
    }

/** Kafka 4.3 writes GroupMetadataValue in its newest non-flexible version. */
const GROUP_METADATA_VERSION = 3
const OFFSET_COMMIT_VERSION = 4
/** The only version that has expireTimestamp. */
const OFFSET_COMMIT_EXPIRING_VERSION = 1

/** The group as it is now; only the chosen protocol's metadata of each member is kept. */
export function groupMetadataRecord(group: Group | GroupDraft): GroupRecord {
  return {
    type: 'group-metadata',
    version: GROUP_METADATA_VERSION,
    key: { group: group.groupId },
    value: {
      protocolType: group.protocolType ?? '',
      generation: group.generationId,
      protocol: group.protocolName,
      leader: group.leaderId,
      currentStateTimestamp: group.currentStateTimestamp ?? -1,
      members: [...group.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        rebalanceTimeout: member.rebalanceTimeoutMs,
        sessionTimeout: member.sessionTimeoutMs,
        subscription: metadataFor(member, group.protocolName),
        assignment: member.assignment,
      })),
    },
  }
}

export function groupTombstone(groupId: string): GroupRecord {
  return { type: 'group-metadata', version: GROUP_METADATA_VERSION, key: { group: groupId }, value: null }
}

export function offsetCommitRecord(key: OffsetCommitKey, value: OffsetCommitValue): GroupRecord {
  const version = value.expireTimestamp >= 0 ? OFFSET_COMMIT_EXPIRING_VERSION : OFFSET_COMMIT_VERSION
  return { type: 'offset-commit', version, key, value }
}

export function offsetTombstone(key: OffsetCommitKey): GroupRecord {
  return { type: 'offset-commit', version: OFFSET_COMMIT_VERSION, key, value: null }
}

/** The group that a record describes: Stable with its members, or Empty. */
export function groupFromRecord(groupId: string, value: GroupMetadataValue): Group {
  const members = new Map<string, GroupMember>()
  const staticMembers = new Map<string, string>()
  for (const member of value.members) {
    members.set(member.memberId, {
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeoutMs: member.rebalanceTimeout === -1 ? member.sessionTimeout : member.rebalanceTimeout,
      sessionTimeoutMs: member.sessionTimeout,
      protocolType: value.protocolType,
      protocols: value.protocol === null ? [] : [{ name: value.protocol, metadata: member.subscription }],
      assignment: member.assignment.length === 0 ? EMPTY_BYTES : member.assignment,
      isNew: false,
      awaitingJoin: null,
      awaitingSync: null,
    })
    if (member.groupInstanceId !== null) staticMembers.set(member.groupInstanceId, member.memberId)
  }
  const state = members.size > 0 ? 'Stable' : 'Empty'
  return {
    ...emptyGroup(groupId, value.currentStateTimestamp === -1 ? null : value.currentStateTimestamp),
    state,
    previousState: state,
    generationId: value.generation,
    protocolType: value.protocolType === '' ? null : value.protocolType,
    protocolName: value.protocol,
    leaderId: value.leader,
    members,
    staticMembers,
  }
}
