/**
 * The public API: run brokers inside a Node program.
 *
 * ```ts
 * const broker = await Broker.start({ listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': '/tmp/data' })
 * // … connect clients to broker.bootstrapServers
 * await broker.close()
 * ```
 */
import { BrokerConfig } from './config/broker-config.js'
import { hostAndPort } from './config/listeners.js'
import { settingsFromObject } from './config/sources.js'
import { RunningBroker } from './runtime/broker.js'

/**
 * Kafka's config keys and their values, e.g. `{ 'num.partitions': 3, 'log.dirs': ['/a', '/b'] }`. Without log.dirs and
 * log.dir the data goes to `./data` below the working directory; brokers of one process need a folder each.
 */
export type BrokerSettings = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined>
>

type LogLine = (fields: object, message: string) => void

/** Where log lines go; a pino logger fits. */
export interface BrokerLog {
  readonly debug: LogLine
  readonly info: LogLine
  readonly warn: LogLine
  readonly error: LogLine
  readonly fatal: LogLine
}

export interface BrokerOptions {
  /** Without one, log lines go nowhere. */
  readonly log?: BrokerLog
  /** Called when a running broker cannot go on, with a sentence that says why. */
  readonly onFault?: (reason: string) => void
}

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

const nothing = () => {}
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing }

export class Broker {
  private constructor(private readonly running: RunningBroker) {}

  /** Resolves when every listener accepts connections; rejects with one sentence. Port 0 takes a free port. */
  static async start(config: BrokerSettings | BrokerConfig, options: BrokerOptions = {}): Promise<Broker> {
    const checked = config instanceof BrokerConfig ? config : new BrokerConfig(settingsFromObject(config))
    const log = options.log ?? silent
    const onFault = options.onFault ?? ((reason: string) => log.fatal({ reason }, 'the broker cannot go on'))
    return new Broker(await RunningBroker.start(checked, { log, onFault }))
  }

  /** What clients are told, by listener name, in the order of `listeners`. */
  get addresses(): ReadonlyMap<string, BrokerAddress> {
    return this.running.addresses
  }

  /** `host:port` of the first listener, for a client's bootstrap.servers. */
  get bootstrapServers(): string {
    const [first] = this.addresses.values()
    return first === undefined ? '' : hostAndPort(first)
  }

  get nodeId(): number {
    return this.running.nodeId
  }

  get clusterId(): string {
    return this.running.clusterId
  }

  /** Absolute paths of the log directories. */
  get logDirs(): string[] {
    return this.running.logDirs
  }

  /** Counters and sizes of the data plane, for people to read: its members may change. */
  stats(): unknown {
    return this.running.stats()
  }

  /** Stops cleanly: nothing acked is lost, the next start need not scan. May be called more than once. */
  close(): Promise<void> {
    return this.running.close()
  }
}
