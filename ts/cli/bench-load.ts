/**
 * One slice of `millrace bench`: runs the native load program `millrace-bench` to its end, passes its progress on, and
 * makes sentences of its errors. What is measured is up to the caller.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { errorMessage, errorName } from '../protocol/index.js'
import { CommandError } from './failure.js'

/** Numbers by name, the unit in the name. */
export type Figures = Readonly<Record<string, number>>

export interface Load {
  readonly command: 'user-produce' | 'user-consume' | 'load-latency'
  /** `bootstrap`, `topic` and what else the command takes. */
  readonly options: Readonly<Record<string, unknown>> & { readonly bootstrap: string; readonly topic: string }
  /** What an error begins with: `produce to topic t at host:port`. */
  readonly what: string
  /** Ends the program when nothing was answered for so long. */
  readonly timeoutMs: number
  readonly stop: AbortSignal
  readonly onProgress: (figures: Figures) => void
}

/** Rejects with CommandError. */
export async function runLoad(load: Load): Promise<Figures> {
  // A process group of its own: a terminal's Ctrl-C is ours alone, and we tell it.
  const child = spawn(loadProgram(), [load.command, JSON.stringify(load.options)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  let silent = false
  const end = () => child.kill('SIGKILL')
  const late = setTimeout(() => {
    silent = true
    end()
  }, load.timeoutMs)
  load.stop.addEventListener('abort', end)
  let result: Figures | null = null
  let said = ''
  let answered: number | undefined
  createInterface({ input: child.stdout }).on('line', (line) => {
    const told = JSON.parse(line) as { progress?: Figures; result?: Figures }
    if (told.progress !== undefined) {
      // An open loop goes on to tell of the time while nothing comes back.
      if (told.progress.records !== answered) late.refresh()
      answered = told.progress.records
      load.onProgress(told.progress)
    }
    result = told.result ?? result
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', () => resolve())
    })
  } finally {
    clearTimeout(late)
    load.stop.removeEventListener('abort', end)
  }
  if (result !== null) return result
  if (load.stop.aborted) throw new CommandError('Stopped before the end.')
  const reason = silent ? `it did not answer within ${load.timeoutMs} ms` : reasonOf(said)
  throw new CommandError(`Cannot ${load.what}: ${reason}.`)
}

/** What the program said, in words: error codes by name, and a closed connection as one. */
function reasonOf(said: string): string {
  const text = said
    .trim()
    .replace(/^millrace-bench [\w-]+: /, '')
    .replace(/ \(os error \d+\)/, '')
    .replace(/\.$/, '')
  const [, code] = /error code (-?\d+)/.exec(text) ?? []
  if (code !== undefined)
    return `${errorMessage(Number(code)).replace(/\.$/, '')} (${errorName(Number(code))})`
  if (/end of file|fill whole buffer|closed a connection|reset by peer|Broken pipe/i.test(text))
    return 'it closed the connection'
  if (/expected|was due/.test(text)) return `somebody else writes to the topic (${text})`
  return text === '' ? 'the load program left without a word' : text
}

/** `.build/millrace-bench` on the way up from here, as for the native library. */
export function loadProgram(from = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, '.build', 'millrace-bench')
    if (existsSync(candidate)) return candidate
    if (folder === dirname(folder)) {
      throw new CommandError(
        'The load program .build/millrace-bench is missing: `npm run build` in the folder of Millrace builds it.',
      )
    }
  }
}
