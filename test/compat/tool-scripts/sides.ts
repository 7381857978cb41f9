// Apache Kafka and this broker with the same data, the tools run against both, and what they printed in words that do
// not depend on whose broker it was (spoken.ts).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Consumer, Kafka, logLevel } from 'kafkajs'
import { BrokerProcess, dataFolder } from '../../cluster/broker-process.js'
import { KafkaBroker } from '../kafka-broker.js'
import { type Tool, ToolRunner } from '../tools.js'
import { type Command, files, LONG_AGO } from './commands.js'
import { spoken } from './spoken.js'

/** What both brokers are started with; the first two are what tests start this broker with anyway. */
const settings = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '4',
  'auto.create.topics.enable': 'false',
}

const RECORDS = 10

/** One broker: its address and its log directory. */
interface Side {
  readonly server: string
  readonly data: string
}

/** The words of a line: between spaces, or in quotes. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}

/** Two partitions; in each, five records of the first seconds of 2024 and five of `now`. */
async function seed(kafka: Kafka, now: number): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 2 }], waitForLeaders: true })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  for (const partition of [0, 1]) {
    const messages = Array.from({ length: RECORDS }, (_, n) => ({
      partition,
      value: `v${n}`,
      timestamp: String(n < 5 ? LONG_AGO + n * 1_000 : now + n),
    }))
    await producer.send({ topic: 'orders', messages })
  }
  await producer.disconnect()
}

/** A member of group `live` that reads `orders` and has committed all of it. */
async function joined(kafka: Kafka): Promise<Consumer> {
  const member = kafka.consumer({ groupId: 'live' })
  await member.connect()
  await member.subscribe({ topic: 'orders', fromBeginning: true })
  const assigned = new Promise((resolve) => member.on(member.events.GROUP_JOIN, resolve))
  await member.run({ autoCommit: false, eachMessage: () => Promise.resolve() })
  await assigned
  const offset = String(RECORDS)
  await member.commitOffsets([
    { topic: 'orders', partition: 0, offset },
    { topic: 'orders', partition: 1, offset },
  ])
  return member
}

export class Sides {
  private readonly members: Consumer[] = []

  private constructor(
    private readonly runner: ToolRunner,
    private readonly kafkaBroker: KafkaBroker,
    private readonly millraceBroker: BrokerProcess,
    private readonly folder: { path: string; remove(): void },
    private readonly scratch: string,
  ) {}

  static async start(): Promise<Sides> {
    const folder = dataFolder()
    const scratch = mkdtempSync(join(tmpdir(), 'millrace-tools-'))
    for (const [name, text] of Object.entries(files)) writeFileSync(join(scratch, name), text)
    const runner = ToolRunner.start()
    const [kafka, millrace] = await Promise.all([
      // Kafka would set min.insync.replicas for the cluster, as a config, to have such replicas.
      KafkaBroker.start(settings, { 'eligible.leader.replicas.version': 0 }),
      BrokerProcess.start({ folder: folder.path, settings }),
    ])
    return new Sides(runner, kafka, millrace, folder, scratch)
  }

  get kafka(): Side {
    return { server: `127.0.0.1:${this.kafkaBroker.port}`, data: this.kafkaBroker.data }
  }

  get millrace(): Side {
    return { server: this.millraceBroker.bootstrap, data: this.folder.path }
  }

  private clients(): Kafka[] {
    const client = ({ server }: Side) =>
      new Kafka({ brokers: [server], clientId: 'reader', logLevel: logLevel.NOTHING })
    return [client(this.kafka), client(this.millrace)]
  }

  /** Gives both brokers topic `orders`, with the same times. */
  async seed(): Promise<void> {
    const now = Date.now()
    await Promise.all(this.clients().map((kafka) => seed(kafka, now)))
  }

  async joinGroup(): Promise<void> {
    this.members.push(...(await Promise.all(this.clients().map(joined))))
  }

  async leaveGroup(): Promise<void> {
    await Promise.all(this.members.splice(0).map((member) => member.disconnect()))
  }

  /** What the command printed on either side, as lines. */
  async run(command: Command): Promise<{ kafka: string[]; millrace: string[] }> {
    const kafka = await this.said(this.kafka, command)
    return { kafka, millrace: await this.said(this.millrace, command) }
  }

  private async said(side: Side, command: Command): Promise<string[]> {
    const { run, input } = typeof command === 'string' ? { run: command, input: '' } : command
    const [tool, ...args] = words(run.replaceAll('{dir}', this.scratch))
    const ran = await this.runner.run(tool as Tool, side.server, args, input)
    const text = `${ran.stdout}${ran.stderr === '' ? '' : `-- errors --\n${ran.stderr}`}-- left with ${ran.code}`
    const [host = '', port = ''] = side.server.split(':')
    return spoken(run, text, [
      [this.scratch, '{dir}'],
      [side.data, '{data}'],
      [side.server, '{server}'],
      [`${host} ${port}`, '{server}'],
    ])
  }

  async stop(): Promise<void> {
    await this.leaveGroup()
    await this.runner.stop()
    await this.kafkaBroker.stop()
    await this.millraceBroker.stop()
    this.folder.remove()
    rmSync(this.scratch, { recursive: true, force: true })
  }
}
