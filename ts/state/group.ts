// A classic group as an immutable value, and every question that can be asked of it.
// Owns no decisions: those are in group-join, group-sync, group-leave and group-rebalance.

/** Kafka's names, as DescribeGroups and ListGroups spell them. A group that does not exist is Dead. */
export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

/** A request that waits in the state for its answer: its reply token and the version it must be answered in. */
export interface Parked {
  readonly to: number
  readonly apiVersion: number
}

/** One protocol (assignor) that a member supports, with its opaque metadata. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface GroupMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  /** As Kafka stores it: `/127.0.0.1`. */
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly protocolType: string
  /** In the member's order of preference. */
  readonly protocols: readonly MemberProtocol[]
  readonly assignment: Buffer
  /** It has never been told its member id by a completed join: its JoinGroup may time out while parked. */
  readonly isNew: boolean
  readonly awaitingJoin: Parked | null
  readonly awaitingSync: Parked | null
}

export interface Group {
  readonly groupId: string
  readonly state: Exclude<GroupState, 'Dead'>
  readonly previousState: Exclude<GroupState, 'Dead'>
  readonly generationId: number
  /** null for a simple group that only stores offsets. */
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leaderId: string | null
  /** In the order of joining. */
  readonly members: ReadonlyMap<string, GroupMember>
  /** group.instance.id → member id. */
  readonly staticMembers: ReadonlyMap<string, string>
  /** Member ids handed out with MEMBER_ID_REQUIRED whose second JoinGroup has not come yet. */
  readonly pendingMembers: ReadonlySet<string>
  /** Members of this generation that have not sent SyncGroup yet. */
  readonly pendingSyncMembers: ReadonlySet<string>
  /** A member joined during the initial delay, which may therefore be extended. */
  readonly newMemberAdded: boolean
  /** Set while the join timer is that of the initial rebalance delay. */
  readonly initialDelay: { readonly delayMs: number; readonly remainingMs: number } | null
  /** Wall ms of the last state change; null when loaded from a record that did not carry it. */
  readonly currentStateTimestamp: number | null
}

export const NO_MEMBER_ID = ''
export const NO_LEADER = ''
export const EMPTY_BYTES = Buffer.alloc(0)
export const CONSUMER_PROTOCOL_TYPE = 'consumer'

/** A group that has never had a member. */
export function emptyGroup(groupId: string, currentStateTimestamp: number | null): Group {
  return {
    groupId,
    state: 'Empty',
    previousState: 'Empty',
    generationId: 0,
    protocolType: null,
    protocolName: null,
    leaderId: null,
    members: new Map(),
    staticMembers: new Map(),
    pendingMembers: new Set(),
    pendingSyncMembers: new Set(),
    newMemberAdded: false,
    initialDelay: null,
    currentStateTimestamp,
  }
}

/** The members whose JoinGroup is parked. */
export function numAwaitingJoin(group: Pick<Group, 'members'>): number {
  let count = 0
  for (const member of group.members.values()) if (member.awaitingJoin !== null) count += 1
  return count
}

/** Whether nobody has to be waited for any more. */
export function hasAllMembersJoined(group: Pick<Group, 'members' | 'pendingMembers'>): boolean {
  return group.pendingMembers.size === 0 && numAwaitingJoin(group) === group.members.size
}

/** The longest rebalance timeout of all members, 0 without members. */
export function rebalanceTimeoutMs(group: Pick<Group, 'members'>): number {
  let max = 0
  for (const member of group.members.values()) max = Math.max(max, member.rebalanceTimeoutMs)
  return max
}

/** Whether a member with these protocols could be in the group: same type, one protocol that everybody supports. */
export function supportsProtocols(
  group: Pick<Group, 'state' | 'members' | 'protocolType'>,
  protocolType: string,
  protocols: readonly { readonly name: string }[],
): boolean {
  if (group.state === 'Empty') return protocolType !== '' && protocols.length > 0
  if (group.protocolType !== protocolType) return false
  const common = commonProtocols(group)
  return group.members.size === 0 ? protocols.length > 0 : protocols.some(({ name }) => common.has(name))
}

/** The protocols that every member supports. */
function commonProtocols(group: Pick<Group, 'members'>): Set<string> {
  const counts = new Map<string, number>()
  for (const member of group.members.values()) {
    for (const name of new Set(member.protocols.map((protocol) => protocol.name))) {
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  const common = new Set<string>()
  for (const [name, count] of counts) if (count === group.members.size) common.add(name)
  return common
}

/**
 * Each member votes for the first of its protocols that all support; the one with most votes is chosen, on a tie
 * the one that was voted for first. null without members.
 */
export function selectProtocol(group: Pick<Group, 'members'>): string | null {
  const candidates = commonProtocols(group)
  const votes = new Map<string, number>()
  for (const member of group.members.values()) {
    const vote = member.protocols.find(({ name }) => candidates.has(name))
    if (vote !== undefined) votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
  }
  let chosen: string | null = null
  let most = 0
  for (const [name, count] of votes) {
    if (count > most) {
      chosen = name
      most = count
    }
  }
  return chosen
}

/** The metadata that a member sent for this protocol; empty when it did not name it. */
export function metadataFor(member: GroupMember, protocolName: string | null): Buffer {
  return member.protocols.find(({ name }) => name === protocolName)?.metadata ?? EMPTY_BYTES
}

/** Same protocols, same order, same metadata. */
export function sameProtocols(a: readonly MemberProtocol[], b: readonly MemberProtocol[]): boolean {
  return (
    a.length === b.length &&
    a.every((protocol, index) => {
      const other = b[index]
      return other !== undefined && protocol.name === other.name && protocol.metadata.equals(other.metadata)
    })
  )
}

/** The topics that the members of a `consumer` group subscribe to; null when that is not known. */
export function subscribedTopics(group: Group): ReadonlySet<string> | null {
  if (group.protocolType !== CONSUMER_PROTOCOL_TYPE) return null
  if (group.members.size === 0) return new Set()
  if (group.protocolName === null) return null
  const topics = new Set<string>()
  for (const member of group.members.values()) {
    const names = subscriptionTopics(metadataFor(member, group.protocolName))
    if (names === null) return null
    for (const name of names) topics.add(name)
  }
  return topics
}

/** Topics of a ConsumerProtocolSubscription: int16 version, then int32 count of int16-prefixed names in every version. */
function subscriptionTopics(metadata: Buffer): string[] | null {
  if (metadata.length < 6) return null
  const count = metadata.readInt32BE(2)
  if (count < 0 || count > metadata.length) return null
  const topics: string[] = []
  let position = 6
  for (let index = 0; index < count; index += 1) {
    if (position + 2 > metadata.length) return null
    const length = metadata.readInt16BE(position)
    position += 2
    if (length < 0 || position + length > metadata.length) return null
    topics.push(metadata.toString('utf8', position, position + length))
    position += length
  }
  return topics
}
