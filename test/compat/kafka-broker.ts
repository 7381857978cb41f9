// Apache Kafka in a process of its own: one KRaft node on free ports of the loopback, little heap, data in a folder
// that goes away with it. It never shares a config with the broker under test but what the caller passes to both.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { metadata } from '../../ts/protocol/index.js'
import { freePorts, writeProperties } from '../cluster/broker-files.js'
import { dataFolder } from '../cluster/broker-process.js'
import { RawClient } from '../cluster/raw-client.js'
import { kafkaJars } from './toolchains.js'

const CLUSTER_ID = 'MillraceDifferential00'

function kafkaJava(mainClass: string, args: readonly string[]): string[] {
  return [
    '-Xmx320m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-cp',
    join(kafkaJars(), '*'),
    mainClass,
    ...args,
  ]
}

export class KafkaBroker {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: { path: string; remove(): void },
    readonly port: number,
  ) {}

  /** Formats a folder, with those levels of features, and starts a broker on it; resolves once it answers Metadata with itself. */
  static async start(
    settings: Readonly<Record<string, string>>,
    features: Readonly<Record<string, number>> = {},
  ): Promise<KafkaBroker> {
    const [port = 0, controller = 0] = await freePorts(2)
    const folder = dataFolder()
    const properties: Record<string, string> = {
      'process.roles': 'broker,controller',
      'node.id': '0',
      'controller.quorum.voters': `0@127.0.0.1:${controller}`,
      'controller.listener.names': 'CONTROLLER',
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
      'log.dirs': join(folder.path, 'data'),
      'offsets.topic.replication.factor': '1',
      'transaction.state.log.replication.factor': '1',
      'transaction.state.log.min.isr': '1',
      ...settings,
    }
    mkdirSync(join(folder.path, 'data'))
    const file = join(folder.path, 'server.properties')
    writeProperties(file, properties)
    const levels = Object.entries(features).flatMap(([name, level]) => ['--feature', `${name}=${level}`])
    const format = kafkaJava('kafka.tools.StorageTool', ['format', '-t', CLUSTER_ID, '-c', file, ...levels])
    execFileSync('java', format, { stdio: ['ignore', 'ignore', 'inherit'] })
    const child = spawn('java', kafkaJava('kafka.Kafka', [file]), { stdio: ['ignore', 'ignore', 'inherit'] })
    const exit = new Promise<never>((_, reject) => {
      child.on('error', reject)
      child.on('exit', (code, signal) => reject(new Error(`Apache Kafka left with ${code ?? signal}`)))
    })
    const broker = new KafkaBroker(child, folder, port)
    await Promise.race([exit, broker.ready()])
    exit.catch(() => {})
    return broker
  }

  private async ready(): Promise<void> {
    for (;;) {
      try {
        const client = await RawClient.open(this.port)
        const nobody = { topics: [], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }
        const { brokers } = await client.request(metadata, 12, nobody)
        client.close()
        if (brokers.length === 1) return
      } catch {}
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** The log directory. */
  get data(): string {
    return join(this.folder.path, 'data')
  }

  /** Ends it, cleanly or without ceremony; its files stay. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.kill(signal)
    await gone
  }

  /** Ends it without ceremony, if it has not ended, and removes its folder: nobody reads its files any more. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.end('SIGKILL')
    this.folder.remove()
  }
}
