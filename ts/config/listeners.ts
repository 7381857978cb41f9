/**
 * The listeners of a broker: parses `listeners`, `advertised.listeners` and the security protocol of each name.
 * It opens no socket.
 */
import { ConfigError } from './sources.js'

export interface Listener {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly securityProtocol: string
  /** What clients are told; null means the bound address. */
  readonly advertised: { readonly host: string; readonly port: number } | null
}

interface Endpoint {
  name: string
  host: string
  port: number
}

const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']

export function parseListeners(
  items: readonly string[],
  protocolMap: readonly string[],
  origin: string,
): Listener[] {
  const protocols = parseProtocolMap(protocolMap)
  const listeners = items.map((item) => {
    const endpoint = parseEndpoint(item, 'listeners', origin)
    const securityProtocol = protocols.get(endpoint.name)
    if (securityProtocol === undefined) {
      throw new ConfigError(
        `listeners = ${item} (${origin}) is not valid: listener.security.protocol.map has no entry for ${endpoint.name}`,
      )
    }
    if (securityProtocol !== 'PLAINTEXT') {
      throw new ConfigError(
        `listeners = ${item} (${origin}) is not valid: security protocol ${securityProtocol} is not supported yet`,
      )
    }
    return { ...endpoint, securityProtocol, advertised: null }
  })
  refuseDuplicates(listeners, 'listeners', origin)
  return listeners
}

export function advertisedListeners(
  listeners: readonly Listener[],
  advertisedText: string | null,
  origin: string,
): Listener[] {
  if (advertisedText === null || advertisedText.trim() === '') return [...listeners]
  const endpoints = advertisedText
    .split(',')
    .map((item) => parseEndpoint(item.trim(), 'advertised.listeners', origin))
  refuseDuplicates(endpoints, 'advertised.listeners', origin)
  for (const { name, host } of endpoints) {
    if (!listeners.some((listener) => listener.name === name)) {
      throw new ConfigError(`advertised.listeners (${origin}) names ${name}, which listeners does not have`)
    }
    if (host === '0.0.0.0' || host === '::' || host === '') {
      throw new ConfigError(
        `advertised.listeners (${origin}) gives ${name} an address that clients cannot reach: ${host || 'none'}`,
      )
    }
  }
  return listeners.map((listener) => {
    const endpoint = endpoints.find((candidate) => candidate.name === listener.name)
    return endpoint ? { ...listener, advertised: { host: endpoint.host, port: endpoint.port } } : listener
  })
}

/** Null when a running broker can go from one set of listeners to the other, else the sentence for INVALID_REQUEST. */
export function invalidListenerChange(
  before: readonly Listener[],
  after: readonly Listener[],
): string | null {
  for (const listener of after) {
    const known = before.find(({ name }) => name === listener.name)
    if (known === undefined) continue
    if (known.securityProtocol !== listener.securityProtocol) {
      return `Security protocol cannot be updated for existing listener ${listener.name}`
    }
    if (known.host !== listener.host || known.port !== listener.port) {
      return `The address of existing listener ${listener.name} cannot be updated: remove the listener, then add it again`
    }
  }
  return null
}

/** `127.0.0.1:9092`, `[::1]:9092`: an IPv6 address needs its brackets before a port. */
export function hostAndPort({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function parseEndpoint(item: string, key: string, origin: string): Endpoint {
  const match = /^([A-Za-z0-9_]+):\/\/(?:\[([0-9a-fA-F:.%]+)\]|([^[\]:/]*)):(\d{1,5})$/.exec(item)
  const port = Number(match?.[4])
  if (!match || port > 65535) {
    throw new ConfigError(`${key} = ${item} (${origin}) is not valid: expected NAME://host:port`)
  }
  return { name: (match[1] ?? '').toUpperCase(), host: match[2] ?? match[3] ?? '', port }
}

function parseProtocolMap(items: readonly string[]): Map<string, string> {
  const protocols = new Map<string, string>()
  for (const item of items) {
    const [name = '', protocol = ''] = item.split(':').map((part) => part.trim().toUpperCase())
    if (name === '' || !securityProtocols.includes(protocol)) {
      throw new ConfigError(`listener.security.protocol.map = ${item} is not valid: expected NAME:PROTOCOL`)
    }
    protocols.set(name, protocol)
  }
  return protocols
}

function refuseDuplicates(endpoints: readonly Endpoint[], key: string, origin: string): void {
  for (const [index, { name, port }] of endpoints.entries()) {
    const earlier = endpoints.slice(0, index)
    if (earlier.some((other) => other.name === name)) {
      throw new ConfigError(`${key} (${origin}) is not valid: the name ${name} stands there twice`)
    }
    if (key === 'listeners' && port !== 0 && earlier.some((other) => other.port === port)) {
      throw new ConfigError(`${key} (${origin}) is not valid: port ${port} stands there twice`)
    }
  }
}
