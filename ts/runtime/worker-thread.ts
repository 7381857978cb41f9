/**
 * Starts the isolate of a coordinator worker on Node's worker threads. It always runs compiled code, also when its
 * broker was started from TypeScript.
 */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { FromWorker, WorkerStart } from './coordinator-messages.js'
import type { WorkerHandle } from './worker-coordinators.js'

export type StartWorker = typeof startWorker

export function startWorker(
  start: WorkerStart,
  onMessage: (message: FromWorker) => void,
  onEnd: (reason: string) => void,
): WorkerHandle {
  const worker = new Worker(entry(), { name: `coordinator-${start.worker}`, workerData: start, execArgv: [] })
  let reason = 'it left'
  let ended = false
  worker.on('message', (message: FromWorker) => {
    if (!ended) onMessage(message)
  })
  worker.on('error', (error: unknown) => {
    reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  })
  const exit = new Promise<void>((resolve) => {
    worker.on('exit', () => {
      ended = true
      onEnd(reason)
      resolve()
    })
  })
  return {
    post: (message) => worker.postMessage(message),
    async end() {
      await worker.terminate()
      await exit
    },
  }
}

/** Beside this file once compiled, else below dist of the package. */
function entry(from = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const beside = join(folder, 'coordinator-worker.js')
    if (existsSync(beside)) return beside
    const compiled = join(folder, 'dist', 'ts', 'runtime', 'coordinator-worker.js')
    if (existsSync(compiled)) return compiled
    if (folder === dirname(folder)) {
      throw new Error(
        'dist/ts/runtime/coordinator-worker.js is missing: run npm start or npm test once to build it',
      )
    }
  }
}
