// `npm run sim -- --seed N`: runs a world again and prints its history, or runs a range of worlds; with --crash-points
// it kills a script at every one of its calls on the disk, or at those given.
import { parseArgs } from 'node:util'
import { CrashPoints } from './crash/points.js'
import { runWorld } from './world.js'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    steps: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    'crash-points': { type: 'string' },
  },
})

const USAGE =
  'usage: npm run sim -- --seed N | --seeds A-B [--steps N] [--verbose] | --crash-points all|N|A-B [--seed N]'

function whole(text: string | undefined): number {
  const number = Number(text)
  if (text === undefined || !Number.isSafeInteger(number)) {
    console.error(USAGE)
    process.exit(2)
  }
  return number
}

function runCrashPoints(which: string): void {
  const points = new CrashPoints(values.seed === undefined ? 1 : whole(values.seed))
  const [first, last = first] = which === 'all' ? ['0', String(points.count - 1)] : which.split('-')
  let failed = 0
  for (let point = whole(first); point <= whole(last); point++) {
    try {
      points.visit(point)
    } catch (error) {
      failed++
      console.error(error instanceof Error ? error.message : error)
    }
    if (point % 500 === 0) console.log(`${point} of ${points.count} points, ${failed} failed`)
  }
  console.log(`points ${first}-${last} of ${points.count}: ${failed} failed`)
  if (failed > 0) process.exit(1)
}

function main(): void {
  const points = values['crash-points']
  if (points !== undefined) {
    runCrashPoints(points)
    return
  }
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
