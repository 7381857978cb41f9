// Goal 5: how long a record takes from its producer to a waiting consumer, at a fixed rate.
import type { Context, Figures, Goal, Measure, Part, Target } from '../contract.js'
import { given, prefixed, ratio } from '../figures.js'

/** Requests a second, records in each, and what the figures' names begin with. */
const LOADS = [
  { requestsPerSecond: 5000, recordsPerRequest: 1, prefix: 'one', text: '5,000 one-record requests/s' },
  {
    requestsPerSecond: 1000,
    recordsPerRequest: 50,
    prefix: 'fifty',
    text: '50,000 records/s in 1,000 requests/s',
  },
] as const

export interface Load {
  readonly requestsPerSecond: number
  readonly recordsPerRequest: number
}

const sizes = (quick: boolean) =>
  quick
    ? { seconds: 1, warmSeconds: 0.5, floorSeconds: 0.5, longWarmSeconds: 1 }
    : { seconds: 10, warmSeconds: 2, floorSeconds: 5, longWarmSeconds: 10 }

/** One load on a topic of its own; the result of `load-latency`. */
export async function latencyOf(
  { bootstrap }: Target,
  context: Context,
  load: Load,
  extra: Readonly<Record<string, unknown>> = {},
  config: Readonly<Record<string, string>> = {},
): Promise<Figures> {
  const topic = context.freshTopic()
  await context.bench('create-topic', { bootstrap, topic, configs: config })
  const { requestsPerSecond, recordsPerRequest } = load
  const { seconds, warmSeconds } = sizes(context.quick)
  const rate = { requestsPerSecond, recordsPerRequest, seconds, warmSeconds, spin: true }
  return context.bench('load-latency', { bootstrap, topic, ...rate, ...extra })
}

const measures: Measure[] = LOADS.flatMap(({ prefix, text }) => [
  { key: `${prefix}P50Us`, label: `${text}: p50`, unit: 'µs', floor: 'p50Us' },
  { key: `${prefix}P99Us`, label: `${text}: p99`, unit: 'µs', floor: 'p99Us' },
  { key: `${prefix}P999Us`, label: `${text}: p99.9`, unit: 'µs', floor: 'p999Us' },
  { key: `${prefix}MaxUs`, label: `${text}: longest`, unit: 'µs', floor: 'maxUs' },
  { key: `${prefix}AckP50Us`, label: `${text}: p50 until the ack`, unit: 'µs', floor: 'p50Us' },
  { key: `${prefix}AckP99Us`, label: `${text}: p99 until the ack`, unit: 'µs', floor: 'p99Us' },
  { key: `${prefix}AckP999Us`, label: `${text}: p99.9 until the ack`, unit: 'µs', floor: 'p999Us' },
  { key: `${prefix}LateP999Us`, label: `${text}: p99.9 of how late the client sent`, unit: 'µs' },
  { key: `${prefix}CpuUs`, label: `${text}: broker CPU of a request and its fetch`, unit: 'µs' },
])

const goals: Goal[] = LOADS.flatMap(({ prefix, text }) => {
  const toKafka = (name: string, words: string, most: number): Goal => ({
    row: 5,
    text: `${text}: ${words} of Kafka`,
    value: ({ millrace, kafka }) => ratio(millrace[prefix + name], kafka?.[prefix + name]),
    most,
  })
  return [
    toKafka('P50Us', 'p50 at most half', 0.5),
    toKafka('P99Us', 'p99 at most a twentieth', 0.05),
    toKafka('P999Us', 'p99.9 at most a twentieth', 0.05),
    {
      row: 5,
      text: `${text}: p50 at most four loopback round trips`,
      value: ({ millrace, floor }) => ratio(millrace[`${prefix}P50Us`], floor.p50Us),
      most: 4,
    },
  ]
})

const part: Part = {
  name: 'latency',
  title: 'End-to-end latency',
  method:
    'Open loop: one connection produces at fixed times, acked or not, to the one partition of a fresh topic, acks=1, values of ' +
    '100 bytes; another one long-polls (Fetch v11, min_bytes 1, max_wait 500 ms). A record counts from when its request was due, ' +
    'not from when it was sent, to when the fetch reply that holds it was whole. 10 s count after 2 s that do not. Both ends are ' +
    'one thread on the client core that looks at its sockets and the clock over and over (so that waking up the client is no ' +
    'part of the figures); how late it sent by itself is told. Floor: 128 bytes there and back between that kind of thread and ' +
    'one on the broker core that sleeps until they come, due every 200 µs and counted from when they were due: its ' +
    'tail is the one that this machine gives to whoever wakes up on the broker core.',
  writes: 2 ** 27,
  measures,
  goals,
  async prepare(target, context) {
    const seconds = sizes(context.quick).longWarmSeconds
    for (const load of LOADS) await latencyOf(target, context, load, { seconds })
  },
  floors({ bench, brokerCore, clientCore, quick }) {
    const seconds = sizes(quick).floorSeconds
    return bench('floor-round-trip', { core: brokerCore, clientCore, seconds, spin: true, everyUs: 200 })
  },
  async run(target, context) {
    const figures: Record<string, number> = {}
    for (const load of LOADS) {
      const { figures: result, usage } = await context.measured(target, () =>
        latencyOf(target, context, load),
      )
      const requests = given(result, 'records') / load.recordsPerRequest
      const { seconds, warmSeconds } = sizes(context.quick)
      // CPU was taken while the load warmed up as well, at the same rate.
      const cpuUs = ((usage.user + usage.system) * 1e6) / (requests * (1 + warmSeconds / seconds))
      Object.assign(figures, prefixed(load.prefix, { ...result, cpuUs }))
    }
    return figures
  },
}

export default part
