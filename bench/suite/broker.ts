// A broker process under measurement, Millrace or Apache Kafka alike: started, read, paused, ended. What differs
// between the two, their command lines and files, is in millrace-target.ts and kafka-target.ts.
import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { RawClient } from '../../test/cluster/raw-client.js'
import { deleteTopics, metadata } from '../../ts/protocol/index.js'
import type { Target, TargetName, Usage } from './contract.js'
import { residentMiBOf, usageOf } from './proc.js'
import { exitOf, runBinary } from './processes.js'

/** What starts a broker. */
export interface Launch {
  readonly name: TargetName
  /** An existing folder for data and files. */
  readonly folder: string
  /** Kafka's keys. */
  readonly config: Readonly<Record<string, string>>
  /** `0`, `0-1`. */
  readonly cores: string
  /** Environment variables beside the runner's. */
  readonly env: Readonly<Record<string, string>>
}

/** What both targets get: nothing is created on the way, and deleted data is gone soon. */
export const COMMON_CONFIG: Readonly<Record<string, string>> = {
  'auto.create.topics.enable': 'false',
  'log.segment.delete.delay.ms': '1000',
  'socket.send.buffer.bytes': '1048576',
  'socket.receive.buffer.bytes': '1048576',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
}

const END_MS = 120_000

export class BrokerProcess implements Target {
  /** Resolves with the exit code or the signal's name. */
  private readonly exit: Promise<number | string>
  /** Rejects once the process is gone. */
  private readonly gone: Promise<never>

  constructor(
    readonly name: TargetName,
    readonly port: number,
    private readonly child: ChildProcess,
  ) {
    this.exit = exitOf(child)
    this.gone = this.exit.then((exit) => {
      throw new Error(`${this.name} left with ${exit}`)
    })
    this.gone.catch(() => {})
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.port}`
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  usage(): Usage {
    return usageOf(this.pid)
  }

  residentMiB(): number {
    return residentMiBOf(this.pid)
  }

  /** Takes the CPU away from it, and everything it would do beside. */
  pause(): void {
    this.child.kill('SIGSTOP')
  }

  /** Lets it run again, and waits until it answers and has made up for what it missed. */
  async resume(): Promise<void> {
    this.child.kill('SIGCONT')
    await this.answers()
    await this.settled()
  }

  /** Resolves once it has answered a Metadata that names a broker: then it takes topics. */
  async answers(): Promise<void> {
    const client = await RawClient.open(this.port)
    const nobody = { topics: [], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }
    while ((await this.orGone(client.request(metadata, 12, nobody))).brokers.length === 0) await sleep(20)
    client.close()
  }

  /** Resolves once it took less than a tenth of a core over 200 ms, after 3 s at the latest. */
  async settled(): Promise<void> {
    const busy = () => this.usage().user + this.usage().system
    for (let rest = 15; rest > 0; rest -= 1) {
      const before = busy()
      await sleep(200)
      if (busy() - before <= 0.02) return
    }
  }

  /** Deletes those of the topics that exist. */
  async deleteTopics(names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    const client = await RawClient.open(this.port)
    await this.orGone(client.request(deleteTopics, 3, { topicNames: [...names], timeoutMs: 60_000 }))
    client.close()
  }

  /** Resolves with ms since `started` (performance.now) once it accepts a connection. */
  async accepts(started: number): Promise<number> {
    try {
      await this.orGone(runBinary('await-accept', { bootstrap: this.bootstrap }))
    } catch (error) {
      await this.kill()
      throw error
    }
    return performance.now() - started
  }

  async stop(): Promise<number> {
    const started = performance.now()
    this.child.kill('SIGTERM')
    this.child.kill('SIGCONT')
    const late = setTimeout(() => this.child.kill('SIGKILL'), END_MS)
    const exit = await this.exit
    clearTimeout(late)
    if (exit === 'SIGKILL') throw new Error(`${this.name} did not end within ${END_MS / 1000} s of SIGTERM`)
    return performance.now() - started
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.exit
  }

  /** What `work` gives, or an error as soon as the process is gone. */
  private orGone<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.gone])
  }
}
