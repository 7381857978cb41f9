/**
 * Broker keys that a listener can have for itself, as `listener.name.external.max.connections`: which there are, and
 * how their names are read. It knows no value.
 */
import { brokerKeys } from './broker-keys.js'
import type { ConfigKey } from './key.js'

export const listenerKeys = ['max.connections', 'max.connection.creation.rate'] as const
export type ListenerKey = (typeof listenerKeys)[number]

/** Kafka writes the listener in lower case. */
export function listenerKeyName(listener: string, key: ListenerKey): string {
  return `listener.name.${listener.toLowerCase()}.${key}`
}

/** The key's own type and range; null for any other name. */
export function listenerKeyOf(name: string): ConfigKey<number> | null {
  const key = /^listener\.name\.[^.]+\.(.+)$/.exec(name)?.[1]
  const known = listenerKeys.find((candidate) => candidate === key)
  return known === undefined ? null : brokerKeys[known]
}
