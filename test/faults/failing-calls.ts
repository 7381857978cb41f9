// Calls of a running process on chosen files that fail from now on with EIO: strace attaches itself and answers them in
// the kernel's place. Where strace is missing or may not trace, `whyNotTraced` of the crash tests says why.
import { type ChildProcess, spawn } from 'node:child_process'
import { realpathSync } from 'node:fs'

function injection(syscalls: string, paths: readonly string[]): string[] {
  const files = paths.flatMap((path) => ['-P', realpathSync(path)])
  return ['-f', '-o', '/dev/null', ...files, '-e', `trace=${syscalls}`, '-e', `inject=${syscalls}:error=EIO`]
}

/** What a process is to be run within for these calls to fail from its start. */
export function startFailing(syscalls: string, paths: readonly string[]): string[] {
  // -D: the process is our child, and strace its own grandchild's.
  return ['strace', '-D', ...injection(syscalls, paths)]
}

export class FailingCalls {
  private constructor(
    private readonly tracer: ChildProcess,
    private readonly gone: Promise<void>,
  ) {}

  /** Resolves once every thread of the process is traced. */
  static async begin(pid: number, syscalls: string, paths: readonly string[]): Promise<FailingCalls> {
    const args = ['-p', `${pid}`, ...injection(syscalls, paths)]
    const tracer = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const gone = new Promise<void>((resolve) => tracer.on('exit', () => resolve()))
    let said = ''
    await new Promise<void>((resolve, reject) => {
      tracer.stderr.on('data', (chunk) => {
        said += chunk
        if (/attached/.test(said)) resolve()
      })
      tracer.on('error', reject)
      gone.then(() => reject(new Error(`strace left: ${said}`)))
    })
    return new FailingCalls(tracer, gone)
  }

  /** From now on the calls are the kernel's again. */
  async end(): Promise<void> {
    this.tracer.kill('SIGTERM')
    await this.gone
  }
}
