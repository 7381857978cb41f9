/**
 * The broker's own listeners: opens those that a config names, knows where each is bound and what it advertises, and
 * closes those that a later config does not name any more. What the config may be is not decided here.
 */
import type { Listener } from '../config/listeners.js'
import { hostAndPort } from '../config/listeners.js'
import type { Command } from '../native/commands.js'
import type { EventNamed } from '../native/events.js'

export interface Address {
  readonly host: string
  readonly port: number
}

/** Told when a listener is open (null) or why it is not. */
type Opened = (problem: string | null) => void

const wildcards = ['', '0.0.0.0', '::']

export class Listeners {
  /** Open, by name. */
  private readonly bound = new Map<string, Address>()
  private readonly opening = new Map<string, Opened>()
  private configured: readonly Listener[] = []

  /** `hostname` is advertised for a listener that is bound to every address. */
  constructor(
    private readonly hostname: string,
    private readonly push: (command: Command) => void,
  ) {}

  /** By listener name, in the order of the config. */
  get addresses(): ReadonlyMap<string, Address> {
    return new Map(this.configured.map(({ name }) => [name, this.advertised(name) ?? { host: '', port: -1 }]))
  }

  /** The listeners of the config in force. */
  follow(listeners: readonly Listener[]): void {
    this.configured = listeners
  }

  /**
   * Opens those that are not open yet; calls back once, when all of them are, or with a sentence and none of them when
   * one cannot be.
   */
  open(listeners: readonly Listener[], done: Opened): void {
    const missing = listeners.filter(({ name }) => !this.bound.has(name))
    const underWay = missing.find(({ name }) => this.opening.has(name))
    if (underWay !== undefined || missing.length === 0) {
      done(underWay === undefined ? null : `The listener ${underWay.name} is being opened already`)
      return
    }
    let left = missing.length
    let problem: string | null = null
    for (const listener of missing) {
      const { name, host, port, securityProtocol } = listener
      this.opening.set(name, (failure) => {
        if (failure !== null) {
          problem ??= `The listener ${name}://${hostAndPort(listener)} cannot be opened: ${failure}`
        }
        if (--left > 0) return
        if (problem !== null) for (const one of missing) this.close(one.name)
        done(problem)
      })
      this.push({ kind: 'set-listener', name, host, port, securityProtocol })
    }
  }

  /** Closes those that the config in force does not name, and their connections. */
  closeOthers(): void {
    for (const name of [...this.bound.keys()]) {
      if (!this.configured.some((listener) => listener.name === name)) this.close(name)
    }
  }

  private close(name: string): void {
    if (this.bound.delete(name)) this.push({ kind: 'remove-listener', name })
  }

  onUp({ name, host, port }: EventNamed<'listener-up'>): void {
    this.bound.set(name, { host, port })
    this.opened(name, null)
  }

  onFailed({ name, message }: EventNamed<'listener-failed'>): void {
    this.opened(name, message)
  }

  private opened(name: string, problem: string | null): void {
    const opened = this.opening.get(name)
    this.opening.delete(name)
    opened?.(problem)
  }

  /** What clients of this listener are told; port 0 in the config means the port that was free. */
  advertised(name: string): Address | null {
    const listener = this.configured.find((candidate) => candidate.name === name)
    if (listener === undefined) return null
    const port = listener.port === 0 ? (this.bound.get(name)?.port ?? 0) : listener.port
    const { advertised } = listener
    if (advertised !== null)
      return { host: advertised.host, port: advertised.port === 0 ? port : advertised.port }
    const host = wildcards.includes(listener.host) ? this.hostname : listener.host
    return { host, port }
  }
}
