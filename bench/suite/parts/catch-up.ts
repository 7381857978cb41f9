// Goal 12: a consumer that reads a whole cold topic beside a producer that must not feel it.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Context, Part } from '../contract.js'
import { GIB, MIB, ratio } from '../figures.js'

const BATCH = { valueBytes: 1024, batchBytes: 16_384 }
const RATE = 1000

const sizesOf = ({ quick }: Context) =>
  quick
    ? { bytes: 256 * MIB, seconds: 2, floorBytes: 64 * MIB }
    : { bytes: 8 * GIB, seconds: 20, floorBytes: 2 * GIB }

const part: Part = {
  name: 'catch-up',
  title: 'A cold read beside a producer',
  method:
    'A topic of one partition gets 8 GiB of 1 KiB records in batches of 16 KiB, is synced, and leaves the page cache ' +
    '(posix_fadvise). Then one consumer reads it from its start in fetches of up to 8 MiB, while a producer sends ' +
    `${RATE} such batches a second to another topic, acks=all, whatever it waits for. The producer was watched for 20 s ` +
    'before without the consumer. Both clients share a core; the consumer runs at the lowest priority, so that it does ' +
    'not keep the producer from sending and reading its clock. Floor: one thread that reads a file of 2 GiB in order after ' +
    'it has left the page cache, 1 MiB at a time.',
  measures: [
    {
      key: 'gibPerSecond',
      label: 'read rate; floor: of the disk',
      unit: 'GiB/s',
      more: true,
      floor: 'gibPerSecond',
    },
    { key: 'aloneP50Us', label: 'ack without the consumer, p50', unit: 'µs' },
    { key: 'besideP50Us', label: 'ack beside it, p50', unit: 'µs' },
    { key: 'aloneP99Us', label: 'ack without the consumer, p99', unit: 'µs' },
    { key: 'besideP99Us', label: 'ack beside it, p99', unit: 'µs' },
    { key: 'p99Ratio', label: 'p99 beside it by p99 without', unit: '×' },
  ],
  goals: [
    {
      row: 12,
      text: "read rate at least 1.5 times Kafka's",
      value: ({ millrace, kafka }) => ratio(millrace.gibPerSecond, kafka?.gibPerSecond),
      least: 1.5,
    },
    {
      row: 12,
      text: 'p99 of the producer at most 1.2 times the p99 without the consumer',
      value: ({ millrace }) => millrace.p99Ratio,
      most: 1.2,
    },
  ],
  own: true,
  floors(context) {
    const file = join(context.folder, 'cold-read')
    return context.bench('floor-cold-read', {
      core: context.brokerCore,
      file,
      bytes: sizesOf(context).floorBytes,
    })
  },
  async runOwn(name, context) {
    // Gone before the next broker fills another of this size.
    const folder = join(context.folder, `catch-up-${name}`)
    const { target } = await context.start(name, { folder })
    const { bootstrap } = target
    const { bytes, seconds } = sizesOf(context)
    const [topic, produceTopic] = ['cold', 'active']
    for (const made of [topic, produceTopic]) await context.bench('create-topic', { bootstrap, topic: made })
    await context.bench('load-spread', { bootstrap, topic, partitions: 1, batch: BATCH, bytes })
    await context.bench('drop-cache', { folder })
    const load = { topic, bytes, produceTopic, rate: RATE, batch: BATCH, seconds }
    const figures = await context.bench('load-catch-up', { bootstrap, ...load })
    await target.kill()
    rmSync(folder, { recursive: true })
    return figures
  },
}

export default part
