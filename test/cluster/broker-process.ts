// A real broker in a process of its own, as a user would run it: started, stopped with SIGTERM, killed with SIGKILL.
// It never reaches into the broker; what it knows, it reads from the start line and from the exit code.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cleanEnvironment } from './broker-files.js'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const cli = join(root, 'dist', 'ts', 'cli', 'main.js')

/** A data folder of its own under the system's temporary folder, and the way to remove it. */
export function dataFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'millrace-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export interface BrokerOptions {
  readonly folder: string
  /** 0 lets the system choose; pass the port of an earlier start to come back on the same address. */
  readonly port?: number
  /** Broker configs by Kafka's names. */
  readonly settings?: Readonly<Record<string, string>>
  /** The most files and sockets that the process may have open. */
  readonly descriptors?: number
  /** The whole of `--listeners`, where `port` does not say enough. */
  readonly listeners?: string
  /** More of the command line. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A program that runs the broker, with its arguments: `nsenter …`, `strace …`. */
  readonly within?: readonly string[]
}

export interface Outcome {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

/** Runs a Node program to its end, without the environment's own KAFKA_* variables. */
export function runNode(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: cleanEnvironment(env),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 'gone', stdout, stderr }))
  })
}

/** Settings that keep tests quick without changing what they prove. */
const QUICK: Readonly<Record<string, string>> = {
  'group.initial.rebalance.delay.ms': '0',
  'offsets.topic.num.partitions': '4',
}

export class BrokerProcess {
  private constructor(
    private readonly child: ChildProcess,
    private readonly exit: Promise<number | string>,
    readonly host: string,
    readonly port: number,
    private readonly printed: () => string,
  ) {}

  static start(options: BrokerOptions): Promise<BrokerProcess> {
    const settings = { ...QUICK, ...options.settings }
    const args = [cli, 'start', '--log-dirs', options.folder]
    args.push('--listeners', options.listeners ?? `PLAINTEXT://127.0.0.1:${options.port ?? 0}`)
    for (const [key, value] of Object.entries(settings)) args.push('--set', `${key}=${value}`)
    args.push(...(options.args ?? []))
    const env = cleanEnvironment(options.env ?? {})
    const limited = ['-c', `ulimit -n ${options.descriptors}; exec "$@"`, 'sh', process.execPath, ...args]
    const plain = options.descriptors ? ['sh', ...limited] : [process.execPath, ...args]
    const [command = '', ...argv] = [...(options.within ?? []), ...plain]
    const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'pipe'], env })
    let output = ''
    const exit = new Promise<number | string>((resolve) => {
      child.on('exit', (code, signal) => resolve(code ?? signal ?? 'gone'))
    })
    return new Promise((resolve, reject) => {
      const read = (chunk: Buffer) => {
        output += chunk
        const ready = /ready on \w+:\/\/(\S+):(\d+)/.exec(output)
        if (ready?.[1] && ready[2]) {
          resolve(new BrokerProcess(child, exit, ready[1], Number(ready[2]), () => output))
        }
      }
      child.stdout.on('data', read)
      child.stderr.on('data', read)
      child.on('error', reject)
      exit.then((code) => reject(new Error(`the broker left with ${code} before it was ready:\n${output}`)))
    })
  }

  get bootstrap(): string {
    return `${this.host}:${this.port}`
  }

  get pid(): number {
    return this.child.pid ?? -1
  }

  /** All that the broker printed so far, both streams. */
  get output(): string {
    return this.printed()
  }

  /** Resolves once the broker has printed this, on either stream. */
  async until(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      await new Promise<void>((resolve, reject) => {
        this.child.stderr?.once('data', () => resolve())
        this.child.stdout?.once('data', () => resolve())
        this.exit.then(() => reject(new Error(`the broker left before it printed ${text}:\n${this.output}`)))
      })
    }
  }

  /** The exit code, or the name of the signal that ended the process, once `output` is all that it ever printed. */
  async ended(): Promise<number | string> {
    const { stdout, stderr } = this.child
    const ends = [stdout, stderr].map((stream) =>
      stream === null || stream.closed ? null : new Promise((resolve) => stream.once('close', resolve)),
    )
    await Promise.all(ends)
    return this.exit
  }

  /** Sends a signal and gives the exit code, or the signal's name when that ended the process. */
  signal(name: NodeJS.Signals): Promise<number | string> {
    this.child.kill(name)
    return this.exit
  }

  /** A clean stop: SIGTERM, exit code 0. */
  async stop(): Promise<void> {
    const code = await this.signal('SIGTERM')
    if (code !== 0) throw new Error(`the broker stopped with ${code}:\n${this.output}`)
  }

  async kill(): Promise<void> {
    await this.signal('SIGKILL')
  }
}
