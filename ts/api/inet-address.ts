/** How Java prints the address of a peer: so Kafka stores and shows the host of a group member, and ACLs name hosts. */
import { isIPv6 } from 'node:net'

/** `127.0.0.1:55012` → `/127.0.0.1`; `[::1]:55012` → `/0:0:0:0:0:0:0:1`. */
export function inetAddress(peer: string): string {
  return `/${hostAddress(peer)}`
}

/** `127.0.0.1:55012` → `127.0.0.1`; `[::1]:55012` → `0:0:0:0:0:0:0:1`. */
export function hostAddress(peer: string): string {
  const host = peer.slice(0, Math.max(peer.lastIndexOf(':'), 0)).replace(/^\[|\]$/g, '')
  return isIPv6(host) ? expanded(host) : host
}

function expanded(address: string): string {
  const [zoneless = ''] = address.split('%')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(zoneless)
  if (mapped?.[1]) return mapped[1]
  const [left = '', right] = zoneless.split('::')
  const before = left === '' ? [] : left.split(':')
  const after = right === undefined || right === '' ? [] : right.split(':')
  const zeroes = right === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeroes, ...after].map((part) => Number.parseInt(part, 16).toString(16)).join(':')
}
