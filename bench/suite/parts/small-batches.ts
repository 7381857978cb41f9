// Goal 3: what a broker pays for small records in batches of Kafka's default size from an idempotent producer.
import { join } from 'node:path'
import type { Context, Figures, Part, Target } from '../contract.js'
import { GIB, given, perMillion, prefixed, ratio } from '../figures.js'

const BATCH = { valueBytes: 100, batchBytes: 16_384 }
const PARTITIONS = 10

const bytesOf = (quick: boolean) => (quick ? GIB / 16 : GIB)

const part: Part = {
  name: 'small-batches',
  title: 'Idempotent produce of 100-byte records in 16 KiB batches',
  method:
    'One connection with a producer id (InitProducerId) produces 1 GiB to a fresh topic: uncompressed batches of at most 16,384 bytes ' +
    'full of values of 100 bytes, sequences counting on, Produce v7, acks=1, five requests in flight, every ack checked. ' +
    'First one batch a request to one partition, then as a side figure ten batches a request, one for each of ten partitions (512 MiB). ' +
    'Floor: one thread that receives as many bytes over loopback, takes their CRC-32C and writes them to a file, 16 KiB at a time; ' +
    'and the same in pieces as long as the batches, which are never whole pages: the file system pays for that, ' +
    'whoever writes them one by one.',
  writes: 1.5 * GIB,
  measures: [
    {
      key: 'cpuSecondsPerMillion',
      label: 'CPU',
      unit: 'CPU-s/million records',
      floor: 'cpuSecondsPerMillion',
    },
    {
      key: 'userSecondsPerMillion',
      label: 'CPU in user space',
      unit: 'CPU-s/million records',
      floor: 'userSecondsPerMillion',
    },
    {
      key: 'cpuSecondsPerMillion',
      label: 'CPU, held against pieces as long as the batches',
      unit: 'CPU-s/million records',
      floor: 'unalignedCpuSecondsPerMillion',
    },
    { key: 'millionsPerSecond', label: 'throughput', unit: 'million records/s', more: true },
    {
      key: 'tenCpuSecondsPerMillion',
      label: 'ten partitions a request: CPU',
      unit: 'CPU-s/million records',
      floor: 'cpuSecondsPerMillion',
    },
    {
      key: 'tenMillionsPerSecond',
      label: 'ten partitions a request: throughput',
      unit: 'million records/s',
      more: true,
    },
  ],
  goals: [
    {
      row: 3,
      text: 'CPU per record at most a third of Kafka',
      value: ({ millrace, kafka }) => ratio(millrace.cpuSecondsPerMillion, kafka?.cpuSecondsPerMillion),
      most: 1 / 3,
    },
    {
      row: 3,
      text: 'CPU per record at most 1.5 times receive + CRC + write in pieces of 16 KiB',
      value: ({ millrace, floor }) => ratio(millrace.cpuSecondsPerMillion, floor.cpuSecondsPerMillion),
      most: 1.5,
    },
  ],
  async floors({ bench, brokerCore, clientCore, folder, quick }) {
    const shape = await bench('describe-batch', { batch: BATCH })
    const cores = { core: brokerCore, clientCore }
    const file = join(folder, 'small-batches')
    const millionsPerGiB = (GIB / given(shape, 'batchBytes')) * (given(shape, 'records') / 1e6)
    const floorOf = async (pieceBytes: number) => {
      const work = { bytes: bytesOf(quick), pieceBytes, file }
      const floor = await bench('floor-receive-write', { ...cores, ...work })
      return {
        cpuSecondsPerMillion: given(floor, 'cpuSecondsPerGiB') / millionsPerGiB,
        userSecondsPerMillion: given(floor, 'userSecondsPerGiB') / millionsPerGiB,
      }
    }
    const aligned = await floorOf(BATCH.batchBytes)
    return { ...aligned, ...prefixed('unaligned', await floorOf(given(shape, 'batchBytes'))) }
  },
  async run(target, context) {
    const bytes = bytesOf(context.quick)
    const one = await produced(target, context, bytes, 1)
    return { ...one, ...prefixed('ten', await produced(target, context, bytes / 2, PARTITIONS)) }
  },
}

async function produced(
  target: Target,
  context: Context,
  bytes: number,
  partitions: number,
): Promise<Figures> {
  const { bootstrap } = target
  const topic = context.freshTopic()
  await context.bench('create-topic', { bootstrap, topic, partitions })
  const load = { bootstrap, topic, partitions, bytes, batch: BATCH, idempotent: true }
  const { figures, usage } = await context.measured(target, () => context.bench('load-produce', load))
  return perMillion(usage, given(figures, 'records'), given(figures, 'seconds'))
}

export default part
