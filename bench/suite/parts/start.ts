// From the start of a broker's process to its first acked produce, the topic created in between; on one core and on two.
// The only process it starts itself is the floor's, `node -e 0`.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Context, Figures, Goal, Measure, Part, TargetName } from '../contract.js'

const run = promisify(execFile)

/** A slice gives the mean of so many. */
const STARTS = 3
const FLOORS = 9

const CORES = [
  { key: 'oneCoreMs', cores: (context: Context) => `${context.brokerCore}`, said: 'on one core' },
  {
    key: 'twoCoresMs',
    cores: (context: Context) => `${context.brokerCore},${context.clientCore}`,
    said: 'on two cores',
  },
] as const

const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length

async function runOwn(name: TargetName, context: Context): Promise<Figures> {
  const figures: Record<string, number> = {}
  for (const { key, cores } of CORES) {
    const times: number[] = []
    for (let start = 1; start <= (context.quick ? 1 : STARTS); start += 1) {
      // A folder that no broker has run on; Kafka's is formatted before its process starts.
      const folder = context.freshFolder()
      const { target, readyMs } = await context.start(name, { folder, cores: cores(context) })
      const accepted = performance.now()
      await context.bench('first-ack', { bootstrap: target.bootstrap, topic: context.freshTopic() })
      times.push(readyMs + performance.now() - accepted)
      await target.kill()
    }
    figures[key] = mean(times)
  }
  return figures
}

async function floors(context: Context): Promise<Figures> {
  const figures: Record<string, number> = {}
  for (const { key, cores } of CORES) {
    const times: number[] = []
    for (let start = 1; start <= FLOORS; start += 1) {
      const started = performance.now()
      await run('taskset', ['-c', cores(context), process.execPath, '-e', '0'])
      times.push(performance.now() - started)
    }
    figures[key] = mean(times)
  }
  return figures
}

const measures: readonly Measure[] = CORES.map(({ key, said }) => ({
  key,
  label: `process start to first ack ${said}; floor: node -e 0`,
  unit: 'ms',
  floor: key,
}))

const goals: readonly Goal[] = CORES.flatMap(({ key, said }): Goal[] => [
  {
    row: 9,
    text: `process start to first acked produce ${said} ≤ 1/15 of Kafka's`,
    value: ({ millrace, kafka }) => ratio(millrace[key], kafka?.[key]),
    most: 1 / 15,
  },
  {
    row: 9,
    text: `process start to first acked produce ${said} ≤ 3 × node -e 0`,
    value: ({ millrace, floor }) => ratio(millrace[key], floor[key]),
    most: 3,
  },
])

function ratio(above: number | undefined, below: number | undefined): number | undefined {
  return above === undefined || below === undefined ? undefined : above / below
}

const part: Part = {
  name: 'start',
  title: 'Process start to first ack',
  method:
    `A broker is started on an empty folder (Kafka's is formatted beforehand), ${STARTS} times in a slice, on one core ` +
    'and on two; time runs from exec to the ack of one record of 100 bytes, whose topic is created in between, all ' +
    `by a client that sleeps while it waits. The floor is \`node -e 0\` from spawn to exit on the same cores, the mean of ${FLOORS}.`,
  measures,
  goals,
  own: true,
  floors,
  runOwn,
}

export default part
