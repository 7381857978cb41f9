// librdkafka's own load program, rdkafka_performance, as the outside client: built once from the sources inside the npm
// package node-rdkafka, run as a process, its summary read. It knows nothing of brokers beyond their address.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

const PACKAGE = 'node-rdkafka@3.6.1'
const INTEGRITY =
  'sha512-sfpTbrT35429cs0RE8Yb9avGX9BiRRvpV7aweQsghKTjtrVZP3jBrKOPItWXAqHb8doyh3SkuGuUVBLgig1SRg=='
const folder = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), '.build', 'bench')

/** Codecs, TLS and all else that would need more than a C compiler, or a download, is left out. */
const CONFIGURE = [
  '--no-download',
  ...['zlib', 'zstd', 'ssl', 'gssapi', 'curl', 'lz4-ext', 'regex-ext', 'c11threads', 'syslog'].map(
    (one) => `--disable-${one}`,
  ),
  '--disable-debug-symbols',
]

let built: Promise<string> | null = null

/** The program's path; fetched with npm and built with the system's C compiler where it is not there yet (a minute). */
export function rdkafkaPerformance(): Promise<string> {
  built ??= build()
  return built
}

async function build(): Promise<string> {
  const program = join(folder, `rdkafka_performance-${PACKAGE.replace('@', '-')}`)
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  const work = mkdtempSync(join(folder, 'rdkafka-'))
  try {
    const packed = await step('npm', ['pack', PACKAGE, '--ignore-scripts', '--silent'], work)
    const tarball = packed.trim().split('\n').at(-1) ?? ''
    const digest = createHash('sha512')
      .update(readFileSync(join(work, tarball)))
      .digest('base64')
    if (`sha512-${digest}` !== INTEGRITY) throw new Error(`${PACKAGE} is not the package that was expected`)
    await step('tar', ['-xzf', tarball], work)
    const sources = join(work, 'package', 'deps', 'librdkafka')
    await step('./configure', CONFIGURE, sources)
    await step('make', [`-j${availableParallelism()}`, '-C', 'src', 'librdkafka.a'], sources)
    await step('make', ['-C', 'examples', 'rdkafka_performance'], sources)
    cpSync(join(sources, 'examples', 'rdkafka_performance'), join(work, 'program'))
    renameSync(join(work, 'program'), program)
    return program
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function step(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    return (await run(command, args, { cwd, maxBuffer: 1 << 26 })).stdout
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    const last = (stderr ?? '').trim().split('\n').slice(-3).join(' ')
    throw new Error(`rdkafka_performance cannot be built: ${command} ${args.join(' ')}: ${last || message}`)
  }
}

export interface OutsideLoad {
  readonly bootstrap: string
  readonly topic: string
  readonly messages: number
  /** The CPU that the program is bound to. */
  readonly core: number
}

export interface Moved {
  readonly messages: number
  readonly seconds: number
}

/** Produces to partition 0 with acks=1 and batches of up to 1 MB; resolves when all are acked. */
export async function outsideProduce(load: OutsideLoad, messageBytes: number): Promise<Moved> {
  const args = ['-P', '-s', `${messageBytes}`, '-a', '1', ...property('linger.ms', 5)]
  args.push(...property('batch.size', 1_000_000), ...property('batch.num.messages', 1_000_000))
  args.push(...property('queue.buffering.max.messages', 500_000))
  const said = await summary(load, args)
  const found = /(\d+) delivered \(offset \d+, 0 failed\) in (\d+)ms/.exec(said)
  return moved(load, found, said)
}

/** Consumes partition 0 from its start. */
export async function outsideConsume(load: OutsideLoad): Promise<Moved> {
  const said = await summary(load, ['-C', '-o', 'beginning'])
  return moved(load, /(\d+) messages \(\d+ bytes\) consumed in (\d+)ms/.exec(said), said)
}

const property = (name: string, value: number): string[] => ['-X', `${name}=${value}`]

const LIMIT_MS = 600_000

async function summary(load: OutsideLoad, args: readonly string[]): Promise<string> {
  const program = await rdkafkaPerformance()
  const common = ['-b', load.bootstrap, '-t', load.topic, '-p', '0', '-c', `${load.messages}`, '-q']
  const pinned = ['-c', `${load.core}`, program, ...common, ...args]
  const { stdout, stderr } = await run('taskset', pinned, { timeout: LIMIT_MS, maxBuffer: 1 << 26 })
  return `${stdout}\n${stderr}`
}

function moved(load: OutsideLoad, found: RegExpExecArray | null, said: string): Moved {
  const [, messages, ms] = (found ?? []).map(Number)
  if (messages !== load.messages || ms === undefined || ms === 0) {
    throw new Error(
      `rdkafka_performance moved ${messages ?? 'no'} of ${load.messages} messages at ${load.bootstrap}:\n${said.slice(-2000)}`,
    )
  }
  return { messages, seconds: ms / 1000 }
}
