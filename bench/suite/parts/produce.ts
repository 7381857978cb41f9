// Goal 1: what a broker pays to take large batches of 1 KiB records.
import { join } from 'node:path'
import type { Part } from '../contract.js'
import { GIB, given, MIB, perGiB, ratio } from '../figures.js'

const bytesOf = (quick: boolean) => (quick ? GIB / 4 : GIB)

const part: Part = {
  name: 'produce',
  title: 'Produce of 1 KiB records',
  method:
    'One connection produces 1 GiB to the one partition of a fresh topic: uncompressed batches of just under 1,000,000 bytes ' +
    'full of values of 1,024 bytes, Produce v7, acks=1, five requests in flight, every ack checked for its base offset. ' +
    'Floor: one thread that receives as many bytes over loopback, takes their CRC-32C and writes them to a file, 1 MiB at a time.',
  writes: GIB,
  measures: [
    { key: 'cpuSecondsPerGiB', label: 'CPU', unit: 'CPU-s/GiB', floor: 'cpuSecondsPerGiB' },
    { key: 'userSecondsPerGiB', label: 'CPU in user space', unit: 'CPU-s/GiB', floor: 'userSecondsPerGiB' },
    {
      key: 'systemSecondsPerGiB',
      label: 'CPU in the kernel',
      unit: 'CPU-s/GiB',
      floor: 'systemSecondsPerGiB',
    },
    { key: 'gibPerSecond', label: 'throughput', unit: 'GiB/s', more: true },
  ],
  goals: [
    {
      row: 1,
      text: 'CPU at most 0.4 of Kafka',
      value: ({ millrace, kafka }) => ratio(millrace.cpuSecondsPerGiB, kafka?.cpuSecondsPerGiB),
      most: 0.4,
    },
    {
      row: 1,
      text: 'CPU in user space at most a fifth of Kafka',
      value: ({ millrace, kafka }) => ratio(millrace.userSecondsPerGiB, kafka?.userSecondsPerGiB),
      most: 0.2,
    },
    {
      row: 1,
      text: 'CPU at most 1.25 times receive + CRC + write',
      value: ({ millrace, floor }) => ratio(millrace.cpuSecondsPerGiB, floor.cpuSecondsPerGiB),
      most: 1.25,
    },
  ],
  floors({ bench, brokerCore, clientCore, folder, quick }) {
    const cores = { core: brokerCore, clientCore }
    const work = { bytes: bytesOf(quick), pieceBytes: MIB, file: join(folder, 'produce') }
    return bench('floor-receive-write', { ...cores, ...work })
  },
  async run(target, context) {
    const { bootstrap } = target
    const topic = context.freshTopic()
    await context.bench('create-topic', { bootstrap, topic })
    const load = { bootstrap, topic, bytes: bytesOf(context.quick) }
    const { figures, usage } = await context.measured(target, () => context.bench('load-produce', load))
    return perGiB(usage, given(figures, 'bytes'), given(figures, 'seconds'))
  },
}

export default part
