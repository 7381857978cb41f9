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
]

export async function warmUp(target: Target, context: Context, seconds: number): Promise<void> {
  const until = performance.now() + seconds * 1000
  while (performance.now() < until) {
    for (const step of STEPS) {
      const topic = context.freshTopic()
      await context.bench('create-topic', { bootstrap: target.bootstrap, topic })
      await step(target, context, topic)
    }
  }
}
