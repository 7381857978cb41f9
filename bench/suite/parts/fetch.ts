// Goal 2: what a broker pays to serve records that lie in the page cache, to one consumer and to twenty at once.
import { closeSync, existsSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Context, Part, Target } from '../contract.js'
import { GIB, given, MIB, perGiB, prefixed, ratio } from '../figures.js'

interface Crowd {
  readonly prefix: string
  readonly consumers: number
  /** Of the partition, from its start, for each consumer in each pass. */
  readonly bytes: number
  readonly passes: number
  /** `fetch.max.bytes` and `max.partition.fetch.bytes`. */
  readonly maxBytes: number
  readonly partitionBytes: number
}

const crowds = (quick: boolean): readonly Crowd[] => [
  {
    prefix: 'one',
    consumers: 1,
    bytes: sizeOf(quick),
    passes: quick ? 1 : 16,
    maxBytes: 8 * MIB,
    partitionBytes: 8 * MIB,
  },
  {
    prefix: 'twenty',
    consumers: 20,
    bytes: sizeOf(quick) / 4,
    passes: quick ? 1 : 4,
    maxBytes: 50 * MIB,
    partitionBytes: MIB,
  },
]

const sizeOf = (quick: boolean) => (quick ? GIB / 4 : 2 * GIB)

/** The topic of each target; made in `prepare`. */
const topics = new Map<Target['name'], string>()

const part: Part = {
  name: 'fetch',
  title: 'Fetch from the page cache',
  method:
    'The records of the produce part, 2 GiB in one partition, are read from the start while they lie in the page cache, Fetch v11 ' +
    'without a session, one request in flight for each connection. One consumer reads all of it sixteen times and asks for 8 MiB at a time; ' +
    'twenty consumers on twenty connections read the first 512 MiB four times, all at once, and ask for 1 MiB, ' +
    "the default of Kafka's consumers. So much, as CPU in user space comes in ticks of 10 ms: with 8 GiB it was three of " +
    "them against fourteen of Kafka's. Batch headers are walked, record bytes dropped in the kernel; bytes of whole batches count. " +
    'Floor: one thread that sends a file of the same size with sendfile, 1 MiB at a time, to one socket and to twenty in turn.',
  measures: ['one', 'twenty'].flatMap((prefix) => {
    const of = prefix === 'one' ? 'one consumer' : 'twenty consumers'
    const cpu = { key: `${prefix}CpuSecondsPerGiB`, floor: `${prefix}CpuSecondsPerGiB`, unit: 'CPU-s/GiB' }
    const user = { key: `${prefix}UserSecondsPerGiB`, floor: `${prefix}UserSecondsPerGiB`, unit: 'CPU-s/GiB' }
    return [
      { ...cpu, label: `${of}: CPU` },
      { ...user, label: `${of}: CPU in user space` },
      { key: `${prefix}GibPerSecond`, label: `${of}: throughput`, unit: 'GiB/s', more: true },
    ]
  }),
  goals: ['one', 'twenty'].flatMap((prefix) => {
    const of = prefix === 'one' ? 'one consumer' : 'twenty consumers'
    const [cpu, user] = [`${prefix}CpuSecondsPerGiB`, `${prefix}UserSecondsPerGiB`]
    return [
      {
        row: 2,
        text: `CPU for ${of} below Kafka`,
        value: ({ millrace, kafka }) => ratio(millrace[cpu], kafka?.[cpu]),
        most: 1,
      },
      {
        row: 2,
        text: `CPU in user space for ${of} at most a fifth of Kafka`,
        value: ({ millrace, kafka }) => ratio(millrace[user], kafka?.[user]),
        most: 0.2,
      },
      {
        row: 2,
        text: `CPU for ${of} at most 1.1 times sendfile`,
        value: ({ millrace, floor }) => ratio(millrace[cpu], floor[cpu]),
        most: 1.1,
      },
    ] satisfies Part['goals']
  }),
  async prepare(target, context) {
    const { bootstrap } = target
    const topic = context.freshTopic()
    topics.set(target.name, topic)
    await context.bench('create-topic', { bootstrap, topic })
    await context.prime(sizeOf(context.quick))
    // A batch more than is read.
    await context.bench('load-produce', { bootstrap, topic, bytes: sizeOf(context.quick) + 2 * MIB })
  },
  async floors(context) {
    const { brokerCore: core, clientCore, folder, quick } = context
    const file = join(folder, 'fetch')
    if (!existsSync(file)) await fill(context, file, sizeOf(quick))
    let all = {}
    for (const { prefix, consumers: sockets, bytes, passes } of crowds(quick)) {
      const work = { file, sockets, bytes: bytes * passes }
      all = {
        ...all,
        ...prefixed(prefix, await context.bench('floor-sendfile', { core, clientCore, ...work })),
      }
    }
    return all
  },
  async run(target, context) {
    const topic = topics.get(target.name)
    let all = {}
    for (const { prefix, ...crowd } of crowds(context.quick)) {
      const load = { bootstrap: target.bootstrap, topic, ...crowd }
      const { figures, usage } = await context.measured(target, () => context.bench('load-fetch', load))
      all = { ...all, ...prefixed(prefix, perGiB(usage, given(figures, 'bytes'), given(figures, 'seconds'))) }
    }
    return all
  },
}

/** A file of `bytes` in the page cache. */
async function fill(context: Context, file: string, bytes: number): Promise<void> {
  await context.prime(bytes)
  const piece = Buffer.alloc(MIB, 'millrace')
  const out = openSync(file, 'w')
  for (let left = bytes; left > 0; left -= piece.length) writeSync(out, piece)
  closeSync(out)
}

export default part
