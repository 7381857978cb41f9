// Goal 4: what a broker pays for requests of one record, on few and on many connections.
import { join } from 'node:path'
import type { Context, Figures, Goal, Measure, Part, Target } from '../contract.js'
import { given, prefixed, ratio } from '../figures.js'

/** Connections, and what their figures' names begin with. */
const LOADS = [
  [16, 'few'],
  [200, 'many'],
] as const
const PARTITIONS = 16

const sizes = (quick: boolean) =>
  quick ? { seconds: 1, floorSeconds: 0.5, warmSeconds: 1 } : { seconds: 8, floorSeconds: 4, warmSeconds: 10 }

async function createdTopic({ bootstrap }: Target, context: Context): Promise<string> {
  const topic = context.freshTopic()
  await context.bench('create-topic', { bootstrap, topic, partitions: PARTITIONS })
  return topic
}

function load(
  { bootstrap }: Target,
  context: Context,
  topic: string,
  work: { connections: number; seconds: number },
): Promise<Figures> {
  return context.bench('load-requests', { bootstrap, topic, partitions: PARTITIONS, ...work })
}

const measures: Measure[] = LOADS.flatMap(([connections, prefix]) => {
  const on = `${connections} connections`
  return [
    {
      key: `${prefix}PerCpuSecond`,
      label: `${on}: requests per CPU-second`,
      unit: '1/CPU-s',
      floor: `${prefix}PerCpuSecond`,
      more: true,
    },
    {
      key: `${prefix}UserUs`,
      label: `${on}: CPU in user space of a request`,
      unit: 'µs',
    },
    { key: `${prefix}SystemUs`, label: `${on}: CPU in the kernel of a request`, unit: 'µs' },
    {
      key: `${prefix}RequestsPerSecond`,
      label: `${on}: requests a second`,
      unit: '1/s',
      floor: `${prefix}RequestsPerSecond`,
      more: true,
    },
    { key: `${prefix}P50Us`, label: `${on}: p50 until the ack`, unit: 'µs', floor: `${prefix}P50Us` },
    { key: `${prefix}P99Us`, label: `${on}: p99 until the ack`, unit: 'µs', floor: `${prefix}P99Us` },
    { key: `${prefix}P999Us`, label: `${on}: p99.9 until the ack`, unit: 'µs', floor: `${prefix}P999Us` },
  ]
})

const goals: Goal[] = LOADS.flatMap(([connections, prefix]) => {
  const key = `${prefix}PerCpuSecond`
  return [
    {
      row: 4,
      text: `${connections} connections: at least three times Kafka's requests per CPU-second`,
      value: ({ millrace, kafka }) => ratio(millrace[key], kafka?.[key]),
      least: 3,
    },
    {
      row: 4,
      text: `${connections} connections: at least 0.6 of an epoll echo that also writes`,
      value: ({ millrace, floor }) => ratio(millrace[key], floor[key]),
      least: 0.6,
    },
  ]
})

const part: Part = {
  name: 'requests',
  title: 'One-record requests',
  method:
    '16 and 200 connections with one request in flight each: one record of 100 bytes per Produce v7, acks=1, linger 0, for 8 s ' +
    'as fast as acks come; a fresh topic of 16 partitions, connection i writes to partition i mod 16. Every ack is checked for ' +
    'its error code and for an offset above the one before, and in the end the partitions hold as many records as were acked. ' +
    'Floor: one epoll thread that answers requests of the same size with replies of the same size on as many connections and ' +
    'writes the batch of each to the end of a file; and the same without the write (echo). Floors count their own thread alone.',
  writes: 2 ** 29,
  measures: [
    ...measures,
    ...LOADS.map(
      ([connections, prefix]): Measure => ({
        key: `${prefix}PerCpuSecond`,
        label: `${connections} connections: requests per CPU-second, beside an echo that writes nothing`,
        unit: '1/CPU-s',
        floor: `${prefix}EchoPerCpuSecond`,
        more: true,
      }),
    ),
  ],
  goals,
  async prepare(target, context) {
    const seconds = sizes(context.quick).warmSeconds
    for (const [connections] of LOADS)
      await load(target, context, await createdTopic(target, context), { connections, seconds })
  },
  async floors({ bench, brokerCore, clientCore, folder, quick }) {
    const common = { core: brokerCore, clientCore, seconds: sizes(quick).floorSeconds }
    const figures: Record<string, number> = {}
    for (const [connections, prefix] of LOADS) {
      const echo = await bench('floor-echo', { ...common, connections })
      figures[`${prefix}EchoPerCpuSecond`] = given(echo, 'requestsPerCpuSecond')
      const file = join(folder, 'echo')
      const writing = await bench('floor-echo', { ...common, connections, file })
      const perCpuSecond = given(writing, 'requestsPerCpuSecond')
      Object.assign(figures, prefixed(prefix, { ...writing, perCpuSecond }))
    }
    return figures
  },
  async run(target, context) {
    const figures: Record<string, number> = {}
    for (const [connections, prefix] of LOADS) {
      const topic = await createdTopic(target, context)
      const work = { connections, seconds: sizes(context.quick).seconds }
      const { figures: result, usage } = await context.measured(target, () =>
        load(target, context, topic, work),
      )
      const requests = given(result, 'requests')
      const own = {
        perCpuSecond: requests / (usage.user + usage.system),
        userUs: (usage.user * 1e6) / requests,
        systemUs: (usage.system * 1e6) / requests,
      }
      Object.assign(figures, prefixed(prefix, { ...result, ...own }))
    }
    return figures
  },
}

export default part
