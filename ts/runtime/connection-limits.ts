/**
 * The caps on connections as a config says them, for the data plane: told at the start and whenever they change. Host
 * names among them are looked up here; it enforces nothing.
 */
import { isIP } from 'node:net'
import type { BrokerConfig } from '../config/broker-config.js'
import type { Command } from '../native/commands.js'
import type { Lookup } from './host.js'

type Limits = Extract<Command, { kind: 'set-connection-limits' }>

export class ConnectionLimits {
  private config: BrokerConfig | null = null
  private told = ''

  /** `push` may be called later, too: names are looked up meanwhile. */
  constructor(
    private readonly push: (command: Command) => void,
    private readonly lookup: Lookup,
  ) {}

  /** From now on this config is in force. */
  follow(config: BrokerConfig): void {
    if (config === this.config) return
    this.config = config
    const overrides = [...config.get('max.connections.per.ip.overrides')]
    this.tell(config, overrides)
    for (const [name, maxConnections] of overrides) {
      if (isIP(name) !== 0) continue
      this.lookup(name, (addresses) => {
        if (config !== this.config) return
        overrides.push(...addresses.map((address): [string, number] => [address, maxConnections]))
        this.tell(config, overrides)
      })
    }
  }

  private tell(config: BrokerConfig, overrides: readonly (readonly [string, number])[]): void {
    const maxConnectionCreationRate = config.get('max.connection.creation.rate')
    const limits: Limits = {
      kind: 'set-connection-limits',
      maxConnections: config.get('max.connections'),
      maxConnectionsPerIp: config.get('max.connections.per.ip'),
      maxConnectionCreationRate,
      overrides: overrides
        .filter(([address]) => isIP(address) !== 0)
        .map(([address, maxConnections]) => ({ address, maxConnections })),
      listeners: config.listeners.map(({ name }) => ({
        name,
        maxConnections: config.listenerValue(name, 'max.connections') ?? NO_CAP,
        maxConnectionCreationRate: config.listenerValue(name, 'max.connection.creation.rate') ?? NO_CAP,
      })),
    }
    const text = JSON.stringify(limits)
    if (text === this.told) return
    this.told = text
    this.push(limits)
  }
}

const NO_CAP = 2 ** 31 - 1
