// Apache Kafka and this broker side by side on equal configs, and scripts run against both.
import { initProducerId } from '../../../ts/protocol/index.js'
import { BrokerProcess, dataFolder } from '../../cluster/broker-process.js'
import { RawClient } from '../../cluster/raw-client.js'
import { KafkaBroker } from '../kafka-broker.js'
import { type Outcome, Script } from './script.js'
import { Side } from './side.js'

/** What both brokers are started with. */
const settings = { 'auto.create.topics.enable': 'false' }

/** Kafka fetches its first block of producer ids when it is first asked for one, and refuses until then. */
async function firstProducerId(port: number): Promise<void> {
  const client = await RawClient.open(port)
  const request = { transactionalId: null, transactionTimeoutMs: 0 }
  while ((await client.request(initProducerId, 0, request)).errorCode !== 0);
  client.close()
}

export class Brokers {
  private runs = 0

  private constructor(
    private readonly kafka: KafkaBroker,
    private readonly millrace: BrokerProcess,
    private readonly folder: { path: string; remove(): void },
  ) {}

  static async start(): Promise<Brokers> {
    const folder = dataFolder()
    const starting = [
      KafkaBroker.start(settings),
      BrokerProcess.start({ folder: folder.path, settings }),
    ] as const
    const [kafka, millrace] = await Promise.all(starting)
    await firstProducerId(kafka.port)
    return new Brokers(kafka, millrace, folder)
  }

  /** Runs the script of that seed; several may run at a time. */
  run(seed: number, steps: number): Promise<Outcome> {
    this.runs += 1
    const kafka = new Side('kafka', this.kafka.port, this.kafka.data)
    const millrace = new Side('millrace', this.millrace.port, this.folder.path)
    return new Script(seed, kafka, millrace, this.runs).run(steps)
  }

  async stop(): Promise<void> {
    await this.kafka.stop()
    await this.millrace.stop()
    this.folder.remove()
  }
}
