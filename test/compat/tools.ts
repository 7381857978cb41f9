// Kafka's command-line tools by the names of their scripts, all in one JVM that java/ToolRunner.java keeps: a process
// for each would cost a second. It knows how a tool is told of the broker, and nothing of what tools print.
import { type ChildProcess, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { kafkaJars } from './toolchains.js'

const source = join(dirname(fileURLToPath(import.meta.url)), 'java', 'ToolRunner.java')

const TOOLS = 'org.apache.kafka.tools'
const mainClasses = {
  'kafka-acls': `${TOOLS}.AclCommand`,
  'kafka-broker-api-versions': `${TOOLS}.BrokerApiVersionsCommand`,
  'kafka-cluster': `${TOOLS}.ClusterTool`,
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-console-consumer': `${TOOLS}.consumer.ConsoleConsumer`,
  'kafka-console-producer': `${TOOLS}.ConsoleProducer`,
  'kafka-consumer-groups': `${TOOLS}.consumer.group.ConsumerGroupCommand`,
  'kafka-consumer-perf-test': `${TOOLS}.ConsumerPerformance`,
  'kafka-delete-records': `${TOOLS}.DeleteRecordsCommand`,
  'kafka-features': `${TOOLS}.FeatureCommand`,
  'kafka-get-offsets': `${TOOLS}.GetOffsetShell`,
  'kafka-groups': `${TOOLS}.GroupsCommand`,
  'kafka-leader-election': `${TOOLS}.LeaderElectionCommand`,
  'kafka-log-dirs': `${TOOLS}.LogDirsCommand`,
  'kafka-metadata-quorum': `${TOOLS}.MetadataQuorumCommand`,
  'kafka-producer-perf-test': `${TOOLS}.ProducerPerformance`,
  'kafka-reassign-partitions': `${TOOLS}.reassign.ReassignPartitionsCommand`,
  'kafka-topics': `${TOOLS}.TopicCommand`,
  'kafka-transactions': `${TOOLS}.TransactionsCommand`,
} as const

export type Tool = keyof typeof mainClasses

/** What a tool left behind. */
export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Where the tool wants the broker's address. */
function withServer(tool: Tool, server: string, args: readonly string[]): string[] {
  const address = ['--bootstrap-server', server]
  return tool === 'kafka-cluster' ? [...args, ...address] : [...address, ...args]
}

const encoded = (text: string) => Buffer.from(text).toString('base64')
const decoded = (text: string) => Buffer.from(text, 'base64').toString()

export class ToolRunner {
  private last: Promise<unknown> = Promise.resolve()
  private readonly answers: AsyncIterator<string>

  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: Interface,
  ) {
    this.answers = lines[Symbol.asyncIterator]()
  }

  static start(): ToolRunner {
    const java = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Duser.timezone=UTC']
    const args = [...java, '-cp', join(kafkaJars(), '*'), source]
    const child = spawn('java', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    return new ToolRunner(child, createInterface(child.stdout))
  }

  /** Runs a tool after all that were asked for before: a JVM has one standard output. */
  run(tool: Tool, server: string, args: readonly string[], input = ''): Promise<Ran> {
    const line = [mainClasses[tool], input, ...withServer(tool, server, args)].map(encoded).join(' ')
    const running = this.last.then(() => this.ask(line))
    this.last = running.catch(() => {})
    return running
  }

  private async ask(line: string): Promise<Ran> {
    this.child.stdin?.write(`${line}\n`)
    const { value, done } = await this.answers.next()
    if (done === true) throw new Error('the JVM of the tools is gone')
    const [code, stdout = '', stderr = ''] = value.split(' ')
    return { code: Number(code), stdout: decoded(stdout), stderr: decoded(stderr) }
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.stdin?.end()
    await gone
    this.lines.close()
  }
}

/** The standard output of a tool that must not fail. */
export function succeeded({ code, stdout, stderr }: Ran): string {
  if (code !== 0) throw new Error(`the tool left with ${code}:\n${stdout}${stderr}`)
  return stdout
}

/** All that a tool said that must fail. */
export function failed({ code, stdout, stderr }: Ran): string {
  if (code === 0) throw new Error(`the tool did not fail:\n${stdout}${stderr}`)
  return stdout + stderr
}
