// What requests of the control plane cost: heartbeats, offset commits, connections and metadata of many partitions.
// Millrace's event loops are watched meanwhile.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Context, Figures, Measure, Part, Target, TargetName } from '../contract.js'
import { given, prefixed } from '../figures.js'

const preload = join(dirname(dirname(fileURLToPath(import.meta.url))), 'loop-delay.mjs')

const sizes = (context: Context) =>
  context.quick
    ? { members: 200, groups: 20, topics: 5, partitionsEach: 20, warmSeconds: 1, seconds: 1 }
    : { members: 5000, groups: 200, topics: 100, partitionsEach: 100, warmSeconds: 8, seconds: 8 }

/** A member of a group sends a heartbeat every 3 s, as clients do by default. */
const HEARTBEAT_INTERVAL_S = 3
/** Longer than a signal takes to the slowest isolate. */
const TOLD_MS = 10_000

/** Where the event loops of one broker tell of their delays. */
class LoopDelays {
  private number = 0

  constructor(private readonly path: string) {
    mkdirSync(dirname(path), { recursive: true })
  }

  get env(): Record<string, string> {
    return { NODE_OPTIONS: `--import ${preload}`, MILLRACE_LOOP_DELAY: this.path }
  }

  /** The worst isolate's delays since the last call, ms; NaN for a broker that has no such loops. */
  async take(target: Target): Promise<{ p99: number; max: number }> {
    if (target.name === 'kafka') return { p99: Number.NaN, max: Number.NaN }
    this.number += 1
    process.kill(target.pid, 'SIGUSR2')
    const deadline = performance.now() + TOLD_MS
    const [name, end] = [`${basename(this.path)}.`, `.${this.number}`]
    const main = `${this.path}.0${end}`
    while (!existsSync(main)) {
      if (performance.now() > deadline) throw new Error(`${target.name} tells nothing of its event loops`)
      await sleep(20)
    }
    // The workers hear of it from the main isolate, and are not counted here.
    await sleep(200)
    const folder = dirname(this.path)
    const files = readdirSync(folder).filter((file) => file.startsWith(name) && file.endsWith(end))
    const told = files.map((file): { p99: number; max: number } =>
      JSON.parse(readFileSync(join(folder, file), 'utf8')),
    )
    return { p99: Math.max(...told.map(({ p99 }) => p99)), max: Math.max(...told.map(({ max }) => max)) }
  }
}

interface Watched {
  readonly target: Target
  readonly delays: LoopDelays
}

async function started(name: TargetName, folder: string, context: Context): Promise<Watched> {
  const delays = new LoopDelays(
    join(context.folder, 'loop-delays', `${name}-${basename(folder)}-${context.round}`),
  )
  const env = name === 'kafka' ? {} : delays.env
  const { target } = await context.start(name, { folder, env })
  return { target, delays }
}

/** One load's CPU per request, times and loop delays, under names that begin with `prefix`. */
async function loaded(
  { target, delays }: Watched,
  context: Context,
  prefix: string,
  command: string,
  options: Readonly<Record<string, unknown>>,
): Promise<Figures> {
  const { warmSeconds, seconds } = sizes(context)
  const { bootstrap, pid } = target
  await delays.take(target)
  const result = await context.bench(command, { bootstrap, pid, warmSeconds, seconds, ...options })
  const { p99, max } = await delays.take(target)
  const took = given(result, 'seconds')
  const figures: Record<string, number> = {
    cpuUs: given(result, 'cpuUsPerRequest'),
    userUs: given(result, 'userUsPerRequest'),
    p50Us: given(result, 'p50Us'),
    p99Us: given(result, 'p99Us'),
    perSecond: given(result, 'requests') / took,
    corePercent: (given(result, 'cpuSeconds') / took) * 100,
  }
  if (target.name !== 'kafka') Object.assign(figures, { loopP99Ms: p99, loopMaxMs: max })
  return prefixed(prefix, figures)
}

/** Brokers whose folder has the many partitions. */
const spread = new Set<TargetName>()

async function metadata(name: TargetName, context: Context): Promise<Figures> {
  const { topics, partitionsEach } = sizes(context)
  const watched = await started(name, 'control-plane-metadata', context)
  const { bootstrap } = watched.target
  const topicPrefix = 'many'
  // A broker that has them already, from a round before, has yet to lead them.
  const ready = spread.has(name) ? 'await-topic' : 'create-topic'
  for (let topic = 0; topic < topics; topic++) {
    await context.bench(ready, { bootstrap, topic: `${topicPrefix}-${topic}`, partitions: partitionsEach })
  }
  spread.add(name)
  const partitions = topics * partitionsEach
  const options = { topicPrefix, topics, partitions, connections: 4 }
  const figures = await loaded(watched, context, 'metadata', 'load-metadata', options)
  await watched.target.stop()
  return figures
}

async function runOwn(name: TargetName, context: Context): Promise<Figures> {
  const { members, groups } = sizes(context)
  const watched = await started(name, context.freshFolder(), context)
  const load = (prefix: string, command: string, options: Readonly<Record<string, unknown>>) =>
    loaded(watched, context, prefix, command, options)
  const topic = context.freshTopic()
  await context.bench('create-topic', { bootstrap: watched.target.bootstrap, topic })
  const perSecond = members / HEARTBEAT_INTERVAL_S
  const figures = {
    ...(await load('heartbeat', 'load-heartbeats', { members, perSecond })),
    ...(await load('commit', 'load-commits', { topic, groups })),
    ...(await load('commitAtRate', 'load-commits', { topic, groups, perSecond: 20_000 })),
    ...(await load('connect', 'load-connects', { perSecond: 1000 })),
  }
  await watched.target.stop()
  const all = { ...figures, ...(await metadata(name, context)) }
  rmSync(join(context.folder, 'loop-delays'), { recursive: true, force: true })
  return all
}

/** The lines of one load in the report. */
function measuresOf(prefix: string, what: string, fixedRate: boolean): Measure[] {
  const rate: Measure = {
    key: `${prefix}PerSecond`,
    label: `${what}: answered`,
    unit: '1/s',
    more: true,
  }
  return [
    ...(fixedRate ? [] : [rate]),
    { key: `${prefix}CpuUs`, label: `${what}: CPU of each`, unit: 'µs' },
    { key: `${prefix}UserUs`, label: `${what}: of it in user space`, unit: 'µs' },
    { key: `${prefix}P50Us`, label: `${what}: p50 until the answer`, unit: 'µs' },
    { key: `${prefix}P99Us`, label: `${what}: p99 until the answer`, unit: 'µs' },
    { key: `${prefix}LoopP99Ms`, label: `${what}: p99 of the worst event loop's delay`, unit: 'ms' },
  ]
}

const part: Part = {
  name: 'control-plane',
  title: 'Requests of the control plane',
  method:
    'On brokers of their own. Heartbeats: 5,000 members in groups of 50, each on its own connection, one every 3 s. ' +
    'Offset commits of 200 groups of one member, one partition each, a group a connection: each as soon as the one ' +
    'before is answered, then 20,000 a second whatever comes back. Connections: 1,000 a second that ask for ' +
    'ApiVersions and leave. Metadata: four connections that ask for 100 topics with 10,000 partitions together, each ' +
    'as soon as it is answered. Every load runs for 8 s to warm up and for 8 s that count. CPU is that of the ' +
    "broker's whole process over its requests. The delay of Millrace's event loops is what a timer of 10 ms is late, " +
    'in its worst isolate.',
  measures: [
    ...measuresOf('heartbeat', 'heartbeats, 1,667/s', true),
    ...measuresOf('commit', 'offset commits, as many as it takes', false),
    ...measuresOf('commitAtRate', 'offset commits, 20,000/s', false),
    ...measuresOf('connect', 'connections, 1,000/s', true),
    ...measuresOf('metadata', 'metadata of 10,000 partitions', false),
  ],
  goals: [],
  own: true,
  runOwn,
}

export default part
