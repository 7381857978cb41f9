// Goal 7: what a broker pays to take compressed batches whose inner records it validates.
import { join } from 'node:path'
import type { Part } from '../contract.js'
import { GIB, given, MIB, perGiB, prefixed, ratio } from '../figures.js'

const CODECS = ['lz4', 'zstd']

const bytesOf = (quick: boolean) => (quick ? GIB / 8 : GIB)
const batchOf = (codec: string) => ({ valueBytes: 1024, batchBytes: 131_072, codec, text: true })

const part: Part = {
  name: 'compressed',
  title: 'Produce of lz4 and zstd batches',
  method:
    'One connection produces 1 GiB of text to the one partition of a fresh topic, once compressed with lz4 and once with zstd at ' +
    "Kafka's default levels: batches of at most 128 KiB before compression, full of values of 1,024 bytes made of words (lz4 makes " +
    'them 2.6 times, zstd 4.8 times smaller), 32 different batches in turn, Produce v7, acks=1, five requests in flight, every ack checked. ' +
    'GiB are those of the records before compression. Floor: the compressed bytes received, summed and written as in the ' +
    'produce part, 1 MiB at a time, and the same batches decompressed once into a buffer by the same libraries.',
  writes: GIB,
  measures: CODECS.flatMap((codec) => [
    {
      key: `${codec}CpuSecondsPerGiB`,
      label: `${codec}: CPU`,
      unit: 'CPU-s/GiB of records',
      floor: `${codec}CpuSecondsPerGiB`,
    },
    {
      key: `${codec}UserSecondsPerGiB`,
      label: `${codec}: CPU in user space`,
      unit: 'CPU-s/GiB of records',
      floor: `${codec}UserSecondsPerGiB`,
    },
    { key: `${codec}GibPerSecond`, label: `${codec}: throughput`, unit: 'GiB of records/s', more: true },
  ]),
  goals: CODECS.flatMap((codec) => {
    const cpu = `${codec}CpuSecondsPerGiB`
    return [
      {
        row: 7,
        text: `CPU for ${codec} at most half of Kafka`,
        value: ({ millrace, kafka }) => ratio(millrace[cpu], kafka?.[cpu]),
        most: 0.5,
      },
      {
        row: 7,
        text: `CPU for ${codec} at most 1.3 times receive + CRC + write and one decompression`,
        value: ({ millrace, floor }) => ratio(millrace[cpu], floor[cpu]),
        most: 1.3,
      },
    ] satisfies Part['goals']
  }),
  async floors({ bench, brokerCore, clientCore, folder, quick }) {
    const cores = { core: brokerCore, clientCore }
    const work = { bytes: bytesOf(quick), pieceBytes: MIB, file: join(folder, 'compressed') }
    const taken = await bench('floor-receive-write', { ...cores, ...work })
    let all = {}
    for (const codec of CODECS) {
      const batch = batchOf(codec)
      const share = 1 / given(await bench('describe-batch', { batch }), 'ratio')
      const unpacked = await bench('floor-decompress', { core: brokerCore, bytes: bytesOf(quick), batch })
      const both = (key: string) => given(taken, key) * share + given(unpacked, key)
      const [cpuSecondsPerGiB, userSecondsPerGiB] = [both('cpuSecondsPerGiB'), both('userSecondsPerGiB')]
      const decompressSecondsPerGiB = given(unpacked, 'cpuSecondsPerGiB')
      all = { ...all, ...prefixed(codec, { cpuSecondsPerGiB, userSecondsPerGiB, decompressSecondsPerGiB }) }
    }
    return all
  },
  async run(target, context) {
    const { bootstrap } = target
    let all = {}
    for (const codec of CODECS) {
      const topic = context.freshTopic()
      await context.bench('create-topic', { bootstrap, topic })
      const load = { bootstrap, topic, bytes: bytesOf(context.quick), batch: batchOf(codec) }
      const { figures, usage } = await context.measured(target, () => context.bench('load-produce', load))
      const [records, seconds] = [given(figures, 'uncompressedBytes'), given(figures, 'seconds')]
      all = { ...all, ...prefixed(codec, perGiB(usage, records, seconds)) }
    }
    return all
  },
}

export default part
