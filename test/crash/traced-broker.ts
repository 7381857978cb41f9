// A broker process that the kernel kills at a chosen call on its disk: strace counts the calls of each thread and sends
// SIGKILL at the Nth. Where strace is missing or may not trace, `canTrace` says why.
import { spawnSync } from 'node:child_process'
import { BrokerProcess } from '../cluster/broker-process.js'

/** Calls of Linux that change a disk or make it durable. */
export type Syscall = 'pwrite64' | 'fdatasync' | 'fsync' | 'rename' | 'ftruncate' | 'unlink' | 'mkdir'

/** Null, or why no process can be killed at a call. */
export function whyNotTraced(): string | null {
  const tried = spawnSync('strace', ['-f', '-e', 'trace=none', 'true'], { encoding: 'utf8' })
  if (tried.error !== undefined) return `strace does not run: ${tried.error.message}`
  return tried.status === 0 ? null : `strace may not trace: ${tried.stderr.trim()}`
}

export interface Traced {
  readonly folder: string
  readonly syscall: Syscall
  /** Which of a thread's calls is the last thing that the process does. */
  readonly at: number
  readonly settings: Readonly<Record<string, string>>
}

/** Null: it died before it was ready. */
export function startTraced({ folder, syscall, at, settings }: Traced): Promise<BrokerProcess | null> {
  const inject = `inject=${syscall}:signal=SIGKILL:when=${at}`
  // -D: the broker is our child, and strace its own grandchild's.
  const within = ['strace', '-D', '-f', '-o', '/dev/null', '-e', `trace=${syscall}`, '-e', inject]
  return BrokerProcess.start({ folder, settings, within }).catch((error: unknown) => {
    if (error instanceof Error && error.message.includes('left with SIGKILL before it was ready')) return null
    throw error
  })
}
