// Loaded into a broker by `NODE_OPTIONS=--import`: every SIGUSR2 starts or stops a timer that makes 200 MB/s of
// short-lived objects in the main isolate. The product knows nothing of it.
import { isMainThread } from 'node:worker_threads'

const BYTES_PER_SECOND = 200e6
const TICK_MS = 5
/** An array of 16 small integers as V8 lays it out: its header, and its elements with theirs. */
const ARRAY_BYTES = 32 + 16 + 16 * 8

/** A broker that gets no CPU for longer does not make up for it. */
const LATEST_MS = 50

/** The last few, so that none is optimised away; all die young. */
const kept = new Array(1024)

function litter(arrays) {
  for (let i = 0; i < arrays; i++)
    kept[i % kept.length] = [i, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
}

if (isMainThread) {
  let timer
  process.on('SIGUSR2', () => {
    if (timer !== undefined) {
      clearInterval(timer)
      timer = undefined
      return
    }
    let last = performance.now()
    timer = setInterval(() => {
      const now = performance.now()
      const seconds = Math.min(now - last, LATEST_MS) / 1000
      litter(Math.round((seconds * BYTES_PER_SECOND) / ARRAY_BYTES))
      last = now
    }, TICK_MS)
  })
}
