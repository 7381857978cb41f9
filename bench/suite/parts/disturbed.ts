// Goal 13: goal 5 again while JavaScript makes garbage and members send heartbeats, and while segments roll and are
// deleted.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Context, Figures, Goal, Measure, Part, Target, TargetName } from '../contract.js'
import { given, MIB, prefixed } from '../figures.js'
import { latencyOf } from './latency.js'

const garbage = join(dirname(dirname(fileURLToPath(import.meta.url))), 'garbage.mjs')

const LOAD = { requestsPerSecond: 5000, recordsPerRequest: 1 }
const ROLLING = {
  'segment.bytes': String(MIB),
  'retention.bytes': String(MIB),
  'file.delete.delay.ms': '1000',
}
const CONFIG = { 'log.retention.check.interval.ms': '500' }

const WARM_UP_SECONDS: Readonly<Record<TargetName, number>> = { kafka: 60, millrace: 20, again: 20 }

const sizes = (quick: boolean) =>
  quick ? { members: 100, groupSize: 20, connections: 10 } : { members: 3000, groupSize: 50, connections: 50 }

/** Heartbeats, and where the broker has a JavaScript side, its garbage as well. */
async function withGarbage(target: Target, context: Context): Promise<Figures> {
  const { members, groupSize, connections } = sizes(context.quick)
  const heartbeats = { members, groupSize, connections, perSecond: 1000 }
  const turn = () => target.name !== 'kafka' && process.kill(target.pid, 'SIGUSR2')
  turn()
  const figures = await latencyOf(target, context, LOAD, { heartbeats })
  turn()
  return figures
}

/** The measured topic rolls and loses segments, and so does another one that takes 2 MiB/s beside it. */
async function withRolling(target: Target, context: Context): Promise<Figures> {
  const { bootstrap } = target
  const topic = context.freshTopic()
  await context.bench('create-topic', { bootstrap, topic, configs: ROLLING })
  return latencyOf(target, context, LOAD, { batches: { topic, perSecond: 128, bytes: 16_384 } }, ROLLING)
}

async function runOwn(name: TargetName, context: Context): Promise<Figures> {
  const env = name === 'kafka' ? {} : { NODE_OPTIONS: `--import ${garbage}` }
  const { target } = await context.start(name, { folder: context.freshFolder(), config: CONFIG, env })
  await latencyOf(target, context, LOAD, { seconds: context.quick ? 1 : WARM_UP_SECONDS[name] })
  const before = await latencyOf(target, context, LOAD)
  const garbled = await withGarbage(target, context)
  const rolling = await withRolling(target, context)
  const after = await latencyOf(target, context, LOAD)
  await target.stop()
  const p999 = (figures: Figures) => given(figures, 'p999Us')
  const alone = (p999(before) + p999(after)) / 2
  return {
    ...prefixed('alone', before),
    ...prefixed('aloneAgain', after),
    ...prefixed('garbage', garbled),
    ...prefixed('rolling', rolling),
    aloneShift: p999(after) / p999(before),
    garbageShift: p999(garbled) / alone,
    rollingShift: p999(rolling) / alone,
  }
}

const KINDS = [
  ['alone', 'undisturbed, before'],
  ['aloneAgain', 'undisturbed, after'],
  ['garbage', 'garbage and heartbeats'],
  ['rolling', 'segments roll and go'],
] as const

const measures: Measure[] = [
  ...KINDS.flatMap(([prefix, text]) => [
    { key: `${prefix}P50Us`, label: `${text}: p50`, unit: 'µs' },
    { key: `${prefix}P99Us`, label: `${text}: p99`, unit: 'µs' },
    { key: `${prefix}P999Us`, label: `${text}: p99.9`, unit: 'µs' },
    { key: `${prefix}MaxUs`, label: `${text}: longest`, unit: 'µs' },
  ]),
  { key: 'garbageShift', label: 'p99.9 with garbage and heartbeats / undisturbed', unit: 'times' },
  { key: 'rollingShift', label: 'p99.9 while segments roll and go / undisturbed', unit: 'times' },
  { key: 'aloneShift', label: 'p99.9 undisturbed, after / before: the noise', unit: 'times' },
]

const goals: Goal[] = [
  {
    row: 13,
    text: 'garbage and heartbeats move p99.9 by at most a tenth',
    value: ({ millrace }) => millrace.garbageShift,
    most: 1.1,
  },
  {
    row: 13,
    text: 'rolling and deleted segments move p99.9 by at most a tenth',
    value: ({ millrace }) => millrace.rollingShift,
    most: 1.1,
  },
]

const part: Part = {
  name: 'disturbed',
  title: 'End-to-end latency while the broker is busy with other things',
  method:
    'The load of 5,000 one-record requests/s (see end-to-end latency) four times on one broker of its own, warm for 20 s (Kafka 60 s): ' +
    'undisturbed; while 1,000 heartbeats/s of 3,000 members in groups of 50 arrive and, in Millrace, JavaScript in the main ' +
    'isolate allocates 200 MB/s (a module loaded beside the product with --import; Kafka gets the heartbeats alone); while the ' +
    'measured topic rolls at 1 MiB with retention.bytes of 1 MiB and another such topic takes 2 MiB/s beside it, retention ' +
    'checked every 500 ms; undisturbed again. The thread that measures also sends heartbeats and batches. A shift is the p99.9 ' +
    'of a disturbed run over the mean of the two undisturbed ones of the same broker.',
  writes: 2 ** 27,
  measures,
  goals,
  own: true,
  runOwn,
}

export default part
