// What this machine and its software are, for the head of a report, and whether the suite can run here.
import { execFileSync } from 'node:child_process'
import { readFileSync, statfsSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { kafkaVersion } from './kafka-target.js'
import { allowedCpus } from './proc.js'
import { root } from './processes.js'

/** Two CPUs of those that we may use. Throws a sentence where there are none. */
export function coresToUse(): { brokerCore: number; clientCore: number } {
  if (process.platform !== 'linux') throw new Error('The benchmarks read /proc: they need Linux')
  const [brokerCore, clientCore] = allowedCpus(readFileSync('/proc/self/status', 'latin1'))
  if (brokerCore === undefined || clientCore === undefined)
    throw new Error('The benchmarks need two CPUs, one for the broker and one for the clients')
  return { brokerCore, clientCore }
}

const MEMORY_FILE_SYSTEMS = new Set([0x01021994, 0x858458f6])

/** Throws a sentence when `folder` is not on a disk. */
export function refuseMemory(folder: string): void {
  if (MEMORY_FILE_SYSTEMS.has(statfsSync(folder).type))
    throw new Error(`${folder} lies in memory: give a folder on a disk with --folder`)
}

/** The commit that runs; `+` after it where files were changed since, results aside; null outside of a repository. */
export function commitOf(): string | null {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: root, stdio: 'pipe' }).toString().trim()
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', '.', ':!bench/results') !== ''
    return `${git('rev-parse', '--short=10', 'HEAD')}${changed ? '+' : ''}`
  } catch {
    return null
  }
}

function fileSystemOf(folder: string): string {
  try {
    return execFileSync('stat', ['-f', '-c', '%T', folder], { stdio: 'pipe' }).toString().trim()
  } catch {
    return 'unknown'
  }
}

function javaVersion(): string {
  try {
    const said = execFileSync('sh', ['-c', 'java -version 2>&1'], { stdio: 'pipe' }).toString()
    return /"(.+?)"/.exec(said)?.[1] ?? 'unknown'
  } catch {
    return 'none'
  }
}

/** What the brokers' sockets get; BBR, say, paces what a connection sends after a pause. */
function congestionControl(): string {
  return readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
}

export function describeMachine(folder: string, jars: string | undefined): Record<string, string> {
  const models = new Set(cpus().map(({ model }) => model.trim()))
  return {
    CPU: `${[...models].join(', ')}, ${cpus().length} cores`,
    memory: `${(totalmem() / 2 ** 30).toFixed(1)} GiB`,
    kernel: `Linux ${release()}`,
    'file system': fileSystemOf(folder),
    'TCP congestion control': congestionControl(),
    Node: process.version,
    ...(jars === undefined ? {} : { 'Apache Kafka': kafkaVersion(jars) ?? 'unknown', Java: javaVersion() }),
  }
}
