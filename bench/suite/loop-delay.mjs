// Loaded into a broker by `NODE_OPTIONS=--import`: measures how long each of its isolates' event loops keeps a timer
// waiting, and on SIGUSR2 writes what was measured since the last to `$MILLRACE_LOOP_DELAY.<thread>.<number>`, as JSON
// with milliseconds. The product knows nothing of it.
import { renameSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import workers from 'node:worker_threads'

const RESOLUTION_MS = 10
const { BroadcastChannel, isMainThread, threadId, Worker } = workers

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()
const channel = new BroadcastChannel('millrace-loop-delay')
channel.unref()

function tell(number) {
  const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
  const told = { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) }
  delay.reset()
  const path = `${process.env.MILLRACE_LOOP_DELAY}.${threadId}.${number}`
  writeFileSync(`${path}.part`, JSON.stringify(told))
  renameSync(`${path}.part`, path)
}
channel.onmessage = ({ data }) => tell(data)

if (isMainThread) {
  // Workers take no options of the process unless they are given some.
  workers.Worker = class extends Worker {
    constructor(file, options = {}) {
      super(file, { ...options, execArgv: [...(options.execArgv ?? []), '--import', import.meta.url] })
    }
  }
  syncBuiltinESMExports()
  let number = 0
  process.on('SIGUSR2', () => {
    number += 1
    channel.postMessage(number)
    tell(number)
  })
}
