// SIGKILL with ten thousand segments: how long until everything is served again, and whether that grows with the data.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Context, Figures, Part, TargetName } from '../contract.js'
import { given, MIB, ratio } from '../figures.js'

const BATCH = { valueBytes: 1024, batchBytes: 16_384 }
/** What a batch of that shape really has. */
const BATCH_BYTES = 15_556
/** A segment ends when its offset index has so many entries, one for each batch but the first: about a tenth of 1 MiB. */
const INDEX_ENTRIES = 6
const INDEX_ENTRY_BYTES = 8

/** Its controller takes a killed broker for alive, and refuses the new one, until its session has ended. */
const KAFKA_CONFIG = { 'broker.session.timeout.ms': '2000', 'broker.heartbeat.interval.ms': '500' }

const sizesOf = ({ quick }: Context) =>
  quick ? { partitions: 10, segmentsEach: 20 } : { partitions: 100, segmentsEach: 100 }

/** Fills a broker, kills it, and starts it again. */
async function recover(name: TargetName, context: Context, kind: 'large' | 'small'): Promise<Figures> {
  const { partitions, segmentsEach } = sizesOf(context)
  const batchesEach = kind === 'large' ? Math.floor(MIB / BATCH_BYTES) : INDEX_ENTRIES + 1
  const config =
    kind === 'large'
      ? { 'segment.bytes': String(MIB) }
      : { 'segment.index.bytes': String(INDEX_ENTRIES * INDEX_ENTRY_BYTES) }
  const folder = join(context.folder, `recovery-${name}`)
  const start = () => context.start(name, { folder, config: name === 'kafka' ? KAFKA_CONFIG : {} })
  const { target } = await start()
  const topic = { topic: 'many', partitions }
  await context.bench('create-topic', { bootstrap: target.bootstrap, ...topic, config })
  const bytes = partitions * segmentsEach * batchesEach * BATCH_BYTES
  const filled = await context.bench('load-spread', {
    bootstrap: target.bootstrap,
    ...topic,
    perRequest: 10,
    batch: BATCH,
    bytes,
  })
  await target.kill()
  const again = await start()
  const waited = await context.bench('await-topic', { bootstrap: again.target.bootstrap, ...topic })
  const produced = given(filled, 'records')
  if (given(waited, 'records') !== produced)
    throw new Error(`${name} has ${given(waited, 'records')} of ${produced} records after the kill`)
  const segments = segmentsBelow(join(folder, 'data'))
  await again.target.kill()
  rmSync(folder, { recursive: true })
  return {
    ms: again.readyMs + given(waited, 'seconds') * 1000,
    segments,
    gib: given(filled, 'bytes') / 2 ** 30,
  }
}

function segmentsBelow(folder: string): number {
  const logs = readdirSync(folder).filter((entry) => entry.startsWith('many-'))
  const segments = logs.flatMap((log) => readdirSync(join(folder, log)))
  return segments.filter((file) => file.endsWith('.log')).length
}

async function runOwn(name: TargetName, context: Context): Promise<Figures> {
  const small = await recover(name, context, 'small')
  const large = await recover(name, context, 'large')
  return {
    readyMs: given(large, 'ms'),
    readyTenthMs: given(small, 'ms'),
    growth: given(large, 'ms') / given(small, 'ms'),
    segments: given(large, 'segments'),
    segmentsTenth: given(small, 'segments'),
    gib: given(large, 'gib'),
    gibTenth: given(small, 'gib'),
  }
}

const part: Part = {
  name: 'recovery',
  title: 'Start after SIGKILL',
  method:
    'A topic of 100 partitions is filled with 1 KiB records in batches of 16 KiB until it has 10,000 segments: once of ' +
    '1 MiB each (segment.bytes), once of a tenth (segment.index.bytes). Right after the last ack the broker is killed ' +
    'with SIGKILL and started again on its folder; the time runs from exec until every partition has told its end ' +
    'offset. Their sum must be the number of records acked. Kafka gets a broker session of 2 s (9 s is its default), as ' +
    'it lets a killed broker come back only when that has ended.',
  measures: [
    { key: 'readyMs', label: 'ready again', unit: 'ms' },
    { key: 'readyTenthMs', label: 'ready again, a tenth of the data', unit: 'ms' },
    { key: 'growth', label: 'the one by the other', unit: '×' },
    { key: 'segments', label: 'segments', unit: '' },
    { key: 'segmentsTenth', label: 'segments, a tenth of the data', unit: '' },
    { key: 'gib', label: 'data', unit: 'GiB' },
    { key: 'gibTenth', label: 'data, a tenth', unit: 'GiB' },
  ],
  goals: [
    {
      row: 14,
      text: 'after SIGKILL with 10,000 segments ready within 2 s',
      value: ({ millrace }) => millrace.readyMs,
      most: 2000,
    },
    {
      row: 14,
      text: 'after SIGKILL ready in at most 1.1 times the time of a tenth of the data',
      value: ({ millrace }) => ratio(millrace.readyMs, millrace.readyTenthMs),
      most: 1.1,
    },
    {
      row: 14,
      text: 'after SIGKILL ready before Kafka',
      value: ({ millrace, kafka }) => ratio(millrace.readyMs, kafka?.readyMs),
      most: 1,
    },
  ],
  own: true,
  runOwn,
}

export default part
