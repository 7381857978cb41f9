/** What the data plane is told of the brokers, so that its replies can say where a leader is (KIP-951). */
import type { BrokerAddress } from '../api/broker-view.js'
import type { Command } from '../native/commands.js'

export class NodeFeed {
  private told = ''

  /** `brokers`: the live ones as clients of a listener reach them. */
  constructor(
    private readonly listeners: () => Iterable<string>,
    private readonly brokers: (listener: string) => readonly BrokerAddress[],
  ) {}

  /** All of them, by listener; null while that is what was told last. */
  command(): Command | null {
    const nodes = [...this.listeners()].flatMap((listener) =>
      this.brokers(listener).map(({ nodeId, host, port, rack }) => ({ listener, nodeId, host, port, rack })),
    )
    const text = JSON.stringify(nodes)
    if (text === this.told) return null
    this.told = text
    return { kind: 'set-nodes', nodes }
  }
}
