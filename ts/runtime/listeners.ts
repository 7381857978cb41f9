/**
 * The broker's own listeners: opens them once the logs are there, knows where each is bound and what it advertises.
 */
import type { BrokerConfig } from '../config/broker-config.js'
import type { Listener } from '../config/listeners.js'
import { hostAndPort } from '../config/listeners.js'
import type { Command } from '../native/commands.js'
import type { EventNamed } from '../native/events.js'

export interface Address {
  readonly host: string
  readonly port: number
}

const wildcards = ['', '0.0.0.0', '::']

export class Listeners {
  private readonly bound = new Map<string, Address>()
  private readonly configured: readonly Listener[]

  /** `hostname` is advertised for a listener that is bound to every address. */
  constructor(
    config: BrokerConfig,
    private readonly hostname: string,
  ) {
    this.configured = config.listeners
  }

  get allUp(): boolean {
    return this.configured.every(({ name }) => this.bound.has(name))
  }

  /** By listener name, in the order of the config. */
  get addresses(): ReadonlyMap<string, Address> {
    return new Map(this.configured.map(({ name }) => [name, this.advertised(name) ?? { host: '', port: -1 }]))
  }

  /** As the config says it, `PLAINTEXT://127.0.0.1:9092`. */
  configuredUrl(name: string): string {
    const listener = this.configured.find((candidate) => candidate.name === name)
    return listener === undefined ? name : `${name}://${hostAndPort(listener)}`
  }

  open(push: (command: Command) => void): void {
    for (const { name, host, port, securityProtocol } of this.configured) {
      push({ kind: 'set-listener', name, host: host === '' ? '0.0.0.0' : host, port, securityProtocol })
    }
  }

  close(push: (command: Command) => void): void {
    for (const name of this.bound.keys()) push({ kind: 'remove-listener', name })
  }

  onUp({ name, host, port }: EventNamed<'listener-up'>): void {
    this.bound.set(name, { host, port })
  }

  /** What clients of this listener are told; port 0 in the config means the port that was free. */
  advertised(name: string): Address | null {
    const listener = this.configured.find((candidate) => candidate.name === name)
    if (listener === undefined) return null
    const bound = this.bound.get(name)
    const port = bound?.port ?? listener.port
    const { advertised } = listener
    if (advertised !== null)
      return { host: advertised.host, port: advertised.port === 0 ? port : advertised.port }
    const host = wildcards.includes(listener.host) ? this.hostname : listener.host
    return { host, port }
  }
}
