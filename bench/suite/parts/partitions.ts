// Goal 8: what ten thousand partitions cost: memory, idle CPU, throughput, creation, and a start after a clean stop.
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context, Figures, Part, Target, TargetName } from '../contract.js'
import { GIB, given, MIB, ratio } from '../figures.js'

const FEW = 10
/** Batches of a request, each for another partition. */
const PER_REQUEST = 10
const BATCH = { valueBytes: 1024, batchBytes: 16_384 }

/** Slices that were begun: each has a folder of its own. */
let slices = 0

const sizesOf = ({ quick }: Context) =>
  quick
    ? { some: 100, many: 1000, bytes: 32 * MIB, settleMs: 1000, idleMs: 2000 }
    : { some: 1000, many: 10_000, bytes: GIB, settleMs: 30_000, idleMs: 20_000 }

/** CPU-seconds of `target` for each GiB produced to the topic's partitions in turn; each of them was written to before. */
async function spread(target: Target, context: Context, topic: string, partitions: number): Promise<number> {
  const load = { bootstrap: target.bootstrap, topic, partitions, perRequest: PER_REQUEST, batch: BATCH }
  await context.bench('load-spread', { ...load, bytes: partitions * BATCH.batchBytes })
  const { bytes } = sizesOf(context)
  await context.prime(bytes)
  const { figures, usage } = await context.measured(target, () =>
    context.bench('load-spread', { ...load, bytes }),
  )
  return ((usage.user + usage.system) * GIB) / given(figures, 'bytes')
}

async function runOwn(name: TargetName, context: Context): Promise<Figures> {
  const { some, many, settleMs, idleMs } = sizesOf(context)
  slices += 1
  // Kept until the part is over: where an ext4 has no journal, whoever makes a file within minutes of the removal of
  // 40,000 waits while the kernel looks at each of them.
  const folder = `partitions-${slices}`
  const { target } = await context.start(name, { folder })
  const { bootstrap } = target
  const create = (topic: string, partitions: number) =>
    context.bench('create-topic', { bootstrap, topic, partitions })
  await create('few', FEW)
  await context.bench('load-spread', { bootstrap, topic: 'few', partitions: FEW, bytes: 8 * MIB })
  const createSomeSeconds = given(await create('some', some), 'readySeconds')
  await sleep(settleMs)
  const { pid } = target
  const before = await context.bench('memory-of', { pid })
  const createManySeconds = given(await create('many', many), 'readySeconds')
  await sleep(settleMs)
  const kibEach = async () => {
    const more = await context.bench('memory-of', { pid, since: before })
    return given(more, 'moreKib') / many
  }
  const kibPerPartition = await kibEach()
  const idle = await context.measured(target, async () => {
    await sleep(idleMs)
    return {}
  })
  const cpuFew = await spread(target, context, 'few', FEW)
  const cpuMany = await spread(target, context, 'many', many)
  await sleep(settleMs)
  const kibPerWrittenPartition = await kibEach()
  const stopMs = await target.stop()
  const again = await context.start(name, { folder })
  const waited = await context.bench('await-topic', {
    bootstrap: again.target.bootstrap,
    topic: 'many',
    partitions: many,
  })
  await again.target.kill()
  return {
    kibPerPartition,
    kibPerWrittenPartition,
    idlePercent: ((idle.usage.user + idle.usage.system) / idle.seconds) * 100,
    keptPercent: (cpuFew / cpuMany) * 100,
    cpuSecondsPerGiB: cpuMany,
    createSomeSeconds,
    createManySeconds,
    stopMs,
    startMs: again.readyMs + given(waited, 'seconds') * 1000,
  }
}

async function floors(context: Context): Promise<Figures> {
  const { many, bytes } = sizesOf(context)
  const append = async (files: number) => {
    await context.prime(bytes)
    const cores = { core: context.brokerCore, clientCore: context.clientCore }
    const work = {
      files,
      bytes,
      pieceBytes: BATCH.batchBytes,
      folder: join(context.folder, `files-${files}`),
    }
    return given(await context.bench('floor-round-robin', { ...cores, ...work }), 'cpuSecondsPerGiB')
  }
  const [few, cpuSecondsPerGiB] = [await append(FEW), await append(many)]
  return { cpuSecondsPerGiB, keptPercent: (few / cpuSecondsPerGiB) * 100 }
}

const part: Part = {
  name: 'partitions',
  title: 'Ten thousand partitions',
  method:
    'A broker on an empty folder gets a topic of 10 partitions with some records, one of 1,000 and one of 10,000 ' +
    'partitions, half of them by CreatePartitions; creation is timed until every partition tells its end offset. Memory ' +
    'is the growth of the resident set over the creation of the 10,000, or of what lives on a JVM heap where that is ' +
    'more, by partition, 30 s later and again after all have been written to; idle CPU ' +
    'that of 20 s in between. Throughput: 1 GiB of 1 KiB records in batches of 16 KiB, ten batches for ten partitions ' +
    'in a request, five requests in flight, acks=all, to the 10 partitions and in turn to the 10,000; each partition ' +
    "has taken a batch before. Kept is the broker's CPU for the first through that for the second. Then the broker " +
    'is stopped and started; the start lasts from exec until every partition has told its end offset. Floor: a thread ' +
    'that receives pieces of 16 KiB, takes their CRC-32C and appends them to 10 and to 10,000 files in turn.',
  measures: [
    { key: 'kibPerPartition', label: 'memory of a partition', unit: 'KiB' },
    { key: 'kibPerWrittenPartition', label: 'memory of a partition written to', unit: 'KiB' },
    { key: 'idlePercent', label: 'CPU, idle', unit: '% of a core' },
    { key: 'keptPercent', label: 'throughput kept', unit: '%', floor: 'keptPercent', more: true },
    {
      key: 'cpuSecondsPerGiB',
      label: 'CPU over 10,000 partitions',
      unit: 'CPU-s/GiB',
      floor: 'cpuSecondsPerGiB',
    },
    { key: 'createSomeSeconds', label: 'creation of 1,000', unit: 's' },
    { key: 'createManySeconds', label: 'creation of 10,000', unit: 's' },
    { key: 'stopMs', label: 'clean stop', unit: 'ms' },
    { key: 'startMs', label: 'start after a clean stop', unit: 'ms' },
  ],
  goals: [
    {
      row: 8,
      text: "memory of a partition at most a fifth of Kafka's",
      value: ({ millrace, kafka }) => ratio(millrace.kibPerPartition, kafka?.kibPerPartition),
      most: 0.2,
    },
    {
      row: 8,
      text: 'memory of a partition at most 8 KiB',
      value: ({ millrace }) => millrace.kibPerPartition,
      most: 8,
    },
    {
      row: 8,
      text: "idle CPU at most a fifth of Kafka's",
      value: ({ millrace, kafka }) => ratio(millrace.idlePercent, kafka?.idlePercent),
      most: 0.2,
    },
    {
      row: 8,
      text: 'idle CPU below 0.5 % of a core',
      value: ({ millrace }) => millrace.idlePercent,
      most: 0.5,
    },
    {
      row: 8,
      text: 'throughput kept at least 90 %',
      value: ({ millrace }) => millrace.keptPercent,
      least: 90,
    },
    {
      row: 8,
      text: "creation of 10,000 at most a fifth of Kafka's time",
      value: ({ millrace, kafka }) => ratio(millrace.createManySeconds, kafka?.createManySeconds),
      most: 0.2,
    },
    {
      row: 8,
      text: "start at most a tenth of Kafka's time",
      value: ({ millrace, kafka }) => ratio(millrace.startMs, kafka?.startMs),
      most: 0.1,
    },
    { row: 8, text: 'start at most 1 s', value: ({ millrace }) => millrace.startMs, most: 1000 },
  ],
  own: true,
  floors,
  runOwn,
}

export default part
