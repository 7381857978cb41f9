// `npm run sim -- --seed N`: runs a world again and prints its history, or runs a range of worlds.
import { parseArgs } from 'node:util'
import { runWorld } from './world.js'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    steps: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
})

const USAGE = 'usage: npm run sim -- --seed N | --seeds A-B [--steps N] [--verbose]'

function whole(text: string | undefined): number {
  const number = Number(text)
  if (text === undefined || !Number.isSafeInteger(number)) {
    console.error(USAGE)
    process.exit(2)
  }
  return number
}

function main(): void {
  const range = values.seeds?.split('-') ?? [values.seed, values.seed]
  const [first, last] = [whole(range[0]), whole(range[1])]
  const steps = values.steps === undefined ? {} : { steps: whole(values.steps) }
  const print = first === last || values.verbose ? { print: (line: string) => console.log(line) } : {}
  let failed = 0
  for (let seed = first; seed <= last; seed++) {
    try {
      const { digest, records, starts } = runWorld({ seed, ...steps, ...print })
      console.log(`seed ${seed}: ${records} records, ${starts} starts, digest ${digest}`)
    } catch (error) {
      failed++
      console.error(error instanceof Error ? error.message : error)
    }
  }
  if (failed > 0) {
    console.error(`${failed} of ${last - first + 1} worlds failed`)
    process.exit(1)
  }
}

main()
