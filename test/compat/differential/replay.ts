// `npx tsx test/compat/differential/replay.ts --seed 7`, or `--seeds 1-500`, with `--steps 100`: runs those scripts and
// prints what differs.
import { parseArgs } from 'node:util'
import { Brokers } from './brokers.js'
import { told } from './script.js'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1-100' },
    steps: { type: 'string', default: '100' },
  },
})
const [first = 1, last = first] = (values.seed ?? values.seeds).split('-').map(Number)
const brokers = await Brokers.start()
const explained = new Map<string, number>()
let requests = 0
let different = 0
async function run(seed: number): Promise<void> {
  const outcome = await brokers.run(seed, Number(values.steps))
  requests += outcome.requests
  for (const [reason, count] of outcome.explained) explained.set(reason, (explained.get(reason) ?? 0) + count)
  if (!outcome.difference) return
  different += 1
  process.stdout.write(`${told(outcome.difference)}\n\n`)
}

try {
  for (let seed = first; seed <= last; seed++) await run(seed)
} finally {
  await brokers.stop()
}
for (const [reason, count] of explained) process.stdout.write(`${count} times: ${reason}\n`)
process.stdout.write(
  `${last - first + 1} scripts, ${requests} requests, ${different} scripts with a difference\n`,
)
process.exitCode = different > 0 ? 1 : 0
