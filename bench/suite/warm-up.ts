// The common warm-up: a mixed load, so that what compiles at run time has compiled, for the kinds of request that most
// parts send. Kafka gets it for a minute, Millrace the same for a few seconds. Steps take turns until the time is up.
import type { Context, Target } from './contract.js'

type Step = (target: Target, context: Context, topic: string) => Promise<unknown>

const MIB = 2 ** 20

/** One turn each; every turn has a topic of its own. */
const STEPS: readonly Step[] = [
  // 1 KiB records in batches of 1 MB, and back.
  async ({ bootstrap }, { bench }, topic) => {
    await bench('load-produce', { bootstrap, topic, bytes: 256 * MIB })
    await bench('load-fetch', { bootstrap, topic, bytes: 256 * MIB })
  },
  // Small records in small batches with sequences.
  async ({ bootstrap }, { bench }, topic) => {
    const batch = { valueBytes: 100, batchBytes: 16_384 }
    await bench('load-produce', { bootstrap, topic, bytes: 128 * MIB, batch, idempotent: true })
  },
  ...['lz4', 'zstd'].map(
    (codec): Step =>
      async ({ bootstrap }, { bench }, topic) => {
        const batch = { batchBytes: 131_072, codec, text: true }
        await bench('load-produce', { bootstrap, topic, bytes: 128 * MIB, batch })
      },
  ),
]

export async function warmUp(target: Target, context: Context, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000
  while (performance.now() < until) {
    for (const step of STEPS) {
      const [bootstrap, topic] = [target.bootstrap, context.freshTopic()]
      await context.bench('create-topic', { bootstrap, topic })
      await step(target, context, topic)
      // A minute of this would fill a disk.
      await context.bench('delete-topic', { bootstrap, topic })
    }
  }
}
