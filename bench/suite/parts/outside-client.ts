// What a broker costs under librdkafka's own load program, and how fast that gets on with it. It only counts: the
// program is built and run by rdkafka.ts.
import type { Context, Figures, Goal, Measure, Part, Target } from '../contract.js'
import { type Moved, outsideConsume, outsideProduce, rdkafkaPerformance } from '../rdkafka.js'

const GIB = 1024 ** 3
const MESSAGE = 1024
const SMALL_MESSAGE = 100
/** One pass takes a tenth of a CPU-second, which is ten ticks of the kernel's count. */
const PASSES = 3

const messagesOf = (context: Context) => (context.quick ? 64 * 1024 : 1024 * 1024)
const smallMessagesOf = (context: Context) => (context.quick ? 500_000 : 5_000_000)

async function run(target: Target, context: Context): Promise<Figures> {
  const { bootstrap } = target
  const load = { bootstrap, core: context.clientCore }
  const counted = async (act: () => Promise<Moved>) => {
    let messages = 0
    let clientSeconds = 0
    const { usage } = await context.measured(target, async () => {
      const moved = await act()
      messages = moved.messages
      clientSeconds = moved.seconds
      return {}
    })
    return { cpu: usage.user + usage.system, messages, rate: messages / clientSeconds }
  }

  const topic = context.freshTopic()
  await context.bench('create-topic', { bootstrap, topic })
  const large = { ...load, topic, messages: messagesOf(context) }
  const produced = await counted(() => outsideProduce(large, MESSAGE))
  const consumed = await counted(async () => {
    let sum: Moved = { messages: 0, seconds: 0 }
    for (let pass = 0; pass < PASSES; pass += 1) {
      const moved = await outsideConsume(large)
      sum = { messages: sum.messages + moved.messages, seconds: sum.seconds + moved.seconds }
    }
    return sum
  })

  const smallTopic = context.freshTopic()
  await context.bench('create-topic', { bootstrap, topic: smallTopic })
  const small = { ...load, topic: smallTopic, messages: smallMessagesOf(context) }
  const smallProduced = await counted(() => outsideProduce(small, SMALL_MESSAGE))
  const smallConsumed = await counted(() => outsideConsume(small))

  const perGib = (of: { cpu: number; messages: number }, bytes: number) =>
    (of.cpu * GIB) / (of.messages * bytes)
  return {
    produceCpuSecondsPerGiB: perGib(produced, MESSAGE),
    produceMessagesPerSecond: produced.rate,
    consumeCpuSecondsPerGiB: perGib(consumed, MESSAGE),
    consumeMessagesPerSecond: consumed.rate,
    smallProduceCpuSecondsPerGiB: perGib(smallProduced, SMALL_MESSAGE),
    smallProduceMessagesPerSecond: smallProduced.rate,
    smallConsumeCpuSecondsPerGiB: perGib(smallConsumed, SMALL_MESSAGE),
    smallConsumeMessagesPerSecond: smallConsumed.rate,
  }
}

const LOADS = [
  ['produce', 'produce of 1 KiB messages'],
  ['consume', 'consume of 1 KiB messages'],
  ['smallProduce', 'produce of 100 B messages'],
  ['smallConsume', 'consume of 100 B messages'],
] as const

const measures: readonly Measure[] = LOADS.flatMap(([key, label]) => [
  { key: `${key}CpuSecondsPerGiB`, label: `${label}: broker`, unit: 'CPU-s/GiB' },
  { key: `${key}MessagesPerSecond`, label: `${label}: client`, unit: 'messages/s', more: true },
])
const goals: readonly Goal[] = []

const part: Part = {
  name: 'outside-client',
  title: "The outside client: librdkafka's rdkafka_performance",
  method:
    'rdkafka_performance of librdkafka 2.12.0 on the client core produces 1 GiB in messages of 1 KiB and 5 million ' +
    'messages of 100 B to one partition each (acks=1, batch.size=1000000, linger.ms=5) and consumes them from the ' +
    'page cache, the large ones three times over. Broker CPU is that of the whole process, per GiB of message bytes; ' +
    'the rates are those that the program prints, and mostly its own limit.',
  measures,
  goals,
  writes: 2 * GIB,
  // A minute of building at the first run must not fall between two slices.
  prepare: async () => {
    await rdkafkaPerformance()
  },
  run,
}

export default part
