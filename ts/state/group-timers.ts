// The names of the timers that groups set. One timer of each kind per group, one heartbeat per member.

export type GroupTimer =
  | { readonly kind: 'join'; readonly groupId: string }
  | { readonly kind: 'sync'; readonly groupId: string }
  | { readonly kind: 'heartbeat'; readonly groupId: string; readonly memberId: string }
  | { readonly kind: 'expire-offsets' }

export const EXPIRE_OFFSETS_TIMER = 'expire-offsets'

/** The phase in which JoinGroups are collected ends: the initial delay or the rebalance timeout has passed. */
export function joinTimer(groupId: string): string {
  return `join:${groupId}`
}

/** Members that have not sent SyncGroup by now are removed. */
export function syncTimer(groupId: string): string {
  return `sync:${groupId}`
}

/** The session (or the first join) of a member is over. The length keeps any two pairs of ids apart. */
export function heartbeatTimer(groupId: string, memberId: string): string {
  return `heartbeat:${groupId.length}:${groupId}${memberId}`
}

/** Reads a timer's name back. Throws on a name that none of the above has made. */
export function parseTimer(key: string): GroupTimer {
  if (key === EXPIRE_OFFSETS_TIMER) return { kind: 'expire-offsets' }
  const colon = key.indexOf(':')
  const kind = key.slice(0, colon)
  const rest = key.slice(colon + 1)
  if (kind === 'join' || kind === 'sync') return { kind, groupId: rest }
  const end = rest.indexOf(':')
  const length = Number(rest.slice(0, end))
  if (kind !== 'heartbeat' || end < 0 || !Number.isInteger(length))
    throw new Error(`not a group timer: ${key}`)
  const ids = rest.slice(end + 1)
  return { kind, groupId: ids.slice(0, length), memberId: ids.slice(length) }
}
