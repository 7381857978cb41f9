// Every process that the suite starts: each on given CPUs through `millrace-bench exec`, and none outlives the suite.
// It knows nothing of brokers.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Figures } from './contract.js'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const binary = join(root, '.build', 'millrace-bench')

const alive = new Set<ChildProcess>()

/** Ends at once, and without waiting, whatever still runs: for signals and errors. */
export function endAll(): void {
  for (const child of alive) child.kill('SIGKILL')
}

function started(child: ChildProcess): ChildProcess {
  alive.add(child)
  child.on('exit', () => alive.delete(child))
  child.on('error', () => alive.delete(child))
  return child
}

/** Starts a program on `cores` (`0`, `0-1`); its standard output goes nowhere. The pid is the program's own. */
export function launch(
  cores: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  return started(
    spawn(binary, ['exec', JSON.stringify({ cores, command })], {
      stdio: ['ignore', 'ignore', 'inherit'],
      cwd: root,
      env,
    }),
  )
}

/** Resolves with the exit code, or with the signal's name. */
export function exitOf(child: ChildProcess): Promise<number | string> {
  if (child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve(child.exitCode ?? child.signalCode ?? 0)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 0))
  })
}

/** Runs `millrace-bench COMMAND JSON` to its end. Rejects with what it said when it fails. */
export async function runBinary(
  command: string,
  options: Readonly<Record<string, unknown>>,
): Promise<Figures> {
  if (!existsSync(binary)) throw new Error(`${binary} is not built: run node scripts/prepare.mjs`)
  const child = started(
    spawn(binary, [command, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  let [out, err] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (child.exitCode !== 0)
    throw new Error(err.trim() || `millrace-bench ${command} left with ${child.exitCode ?? child.signalCode}`)
  return resultOf(out, command)
}

/** The figures of the last line, `{"result":{…}}`. */
export function resultOf(output: string, command: string): Figures {
  const last: unknown = JSON.parse(output.trim().split('\n').at(-1) || 'null')
  const result = last !== null && typeof last === 'object' && 'result' in last ? last.result : undefined
  if (result === null || typeof result !== 'object')
    throw new Error(`millrace-bench ${command} printed no result`)
  for (const [name, value] of Object.entries(result))
    if (typeof value !== 'number') throw new Error(`millrace-bench ${command}: ${name} is not a number`)
  return result as Figures
}
