// A broker process that is killed after a number of acks and comes back on the same port and folder, and the clients
// that outlive it: they reconnect until all is over.
import { BrokerProcess } from '../cluster/broker-process.js'
import { RawClient } from '../cluster/raw-client.js'

export class Victim {
  /** No more kills: clients finish what they have in flight. */
  over = false
  private up = true
  private acks = 0
  private waiting: (() => void)[] = []
  private watched: { readonly acks: number; readonly reached: () => void } | null = null

  private constructor(
    private readonly folder: string,
    private broker: BrokerProcess,
  ) {}

  static async start(folder: string): Promise<Victim> {
    return new Victim(folder, await BrokerProcess.start({ folder }))
  }

  get port(): number {
    return this.broker.port
  }

  /** To be called by the clients for each ack. */
  onAck(): void {
    this.acks += 1
    if (this.watched !== null && this.acks >= this.watched.acks) this.watched.reached()
  }

  /** Each time after `acks()` further acks. */
  async killTimes(times: number, acks: () => number): Promise<void> {
    for (let n = 0; n < times; n++) {
      await new Promise<void>((reached) => {
        this.watched = { acks: this.acks + acks(), reached }
      })
      this.up = false
      await this.broker.kill()
      this.broker = await BrokerProcess.start({ folder: this.folder, port: this.port })
      this.up = true
      for (const resolve of this.waiting.splice(0)) resolve()
    }
    this.over = true
  }

  /** Connects and works until the connection goes, waits for the broker to be back, and again until all is over. */
  async persistently(work: (client: RawClient) => Promise<void>): Promise<void> {
    for (let done = false; !done; ) {
      if (!this.up) await new Promise<void>((resolve) => this.waiting.push(resolve))
      const client = await RawClient.open(this.port).catch(() => null)
      if (client === null) continue
      try {
        await work(client)
        done = true
      } catch (error) {
        if (!(error instanceof Error && error.message === 'the broker closed the connection')) throw error
      } finally {
        client.close()
      }
    }
  }

  stop(): Promise<void> {
    return this.broker.stop()
  }

  kill(): Promise<void> {
    return this.broker.kill()
  }
}
