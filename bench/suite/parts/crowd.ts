// One good producer among ten thousand connections, half of which send garbage in the end.
import type { Context, Figures, Measure, Part, TargetName } from '../contract.js'

const RATE = 500

const PHASES = [
  { key: 'alone', said: 'alone' },
  { key: 'idle', said: 'among 10,000 idle connections' },
  { key: 'hostile', said: 'among 5,000 idle and 5,000 hostile ones' },
  { key: 'again', said: 'alone again' },
]

const sizesOf = ({ quick }: Context) =>
  quick ? { connections: 1000, seconds: 2 } : { connections: 10_000, seconds: 10 }

async function runOwn(name: TargetName, context: Context): Promise<Figures> {
  const { target } = await context.start(name, { folder: context.freshFolder() })
  const { bootstrap, pid } = target
  const topic = 'good'
  await context.bench('create-topic', { bootstrap, topic })
  try {
    const load = { pid, topic, rate: RATE, ...sizesOf(context) }
    return { survived: 1, ...(await context.bench('load-crowd', { bootstrap, ...load })) }
  } catch (error) {
    if (name !== 'kafka') throw error
    // Frames that never end are memory to Kafka; where that runs out, there is nothing more to compare.
    return { survived: 0 }
  } finally {
    await target.kill()
  }
}

const part: Part = {
  name: 'crowd',
  title: 'A crowd',
  method:
    `One producer (a record of 100 bytes, ${RATE} a second, whatever it waits for, acks=all, 10 s a phase) beside 10,000 ` +
    'connections, of which half send garbage in the third phase: noise, huge and negative lengths, frames that never ' +
    'end, true headers before nonsense, requests whose replies nobody reads; 1,000 such acts a second, and whoever is ' +
    'closed comes again. Every ack must name the next offset, and every byte of the records is read back in the end. ' +
    'Kafka reserves the memory that a frame claims; where it does not get through, its figures are missing.',
  measures: [
    ...PHASES.flatMap(({ key, said }): Measure[] => [
      { key: `${key}P50Us`, label: `ack, p50, ${said}`, unit: 'µs' },
      { key: `${key}P99Us`, label: `ack, p99, ${said}`, unit: 'µs' },
      { key: `${key}P999Us`, label: `ack, p99.9, ${said}`, unit: 'µs' },
      { key: `${key}Cores`, label: `CPU ${said}`, unit: 'cores' },
      { key: `${key}Mib`, label: `resident ${said}`, unit: 'MiB' },
    ]),
    { key: 'acts', label: 'hostile acts', unit: '', more: true },
    { key: 'survived', label: 'the producer got through', unit: '', more: true },
  ],
  goals: [],
  own: true,
  // Who runs out of memory does so on a quiet machine as well.
  settled: ({ survived }) => survived === 0,
  runOwn,
}

export default part
