// The common warm-up: a mixed load, so that what compiles at run time has compiled, for the kinds of request that most
// parts send. Kafka gets it for a minute, Millrace the same for a few seconds. Steps take turns until the time is up.
import type { Context, Target } from './contract.js'

/** Runs a command against the target, on a topic of its own where the options name none; gives the topic. */
type Load = (command: string, options: Readonly<Record<string, unknown>>) => Promise<string>

const MIB = 2 ** 20

/** One turn each. */
const STEPS: readonly ((load: Load) => Promise<unknown>)[] = [
  // 1 KiB records in batches of 1 MB, and back.
  async (load) => {
    const topic = await load('load-produce', { bytes: 256 * MIB })
    await load('load-fetch', { topic, bytes: 256 * MIB })
  },
  // 100 B records in batches of 16 KiB.
  (load) =>
    load('load-produce', {
      bytes: 64 * MIB,
      batch: { valueBytes: 100, batchBytes: 16_384 },
      idempotent: true,
    }),
  // One record a request, one request in flight and then five.
  async (load) => {
    const batch = { valueBytes: 100, batchBytes: 200 }
    await load('load-produce', { bytes: 2 * MIB, batch, inFlight: 1 })
    await load('load-produce', { bytes: 2 * MIB, batch, inFlight: 5 })
  },
  // Compressed batches, whose records are looked at.
  async (load) => {
    for (const codec of ['lz4', 'zstd']) {
      const batch = { valueBytes: 1024, batchBytes: 131_072, codec, text: true }
      await load('load-produce', { bytes: 64 * MIB, batch })
    }
  },
]

/** Every step once at least. */
export async function warmUp({ bootstrap }: Target, context: Context, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000
  for (let turn = 0; turn < STEPS.length || performance.now() < until; turn += 1) {
    const made: string[] = []
    await STEPS[turn % STEPS.length]?.(async (command, options) => {
      const topic = typeof options.topic === 'string' ? options.topic : context.freshTopic()
      if (options.topic === undefined) {
        await context.bench('create-topic', { bootstrap, topic })
        made.push(topic)
      }
      await context.bench(command, { bootstrap, topic, ...options })
      return topic
    })
    // A minute of this would fill a disk.
    for (const topic of made) await context.bench('delete-topic', { bootstrap, topic })
  }
}
