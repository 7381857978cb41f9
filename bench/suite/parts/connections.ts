// Goal 11: fifteen thousand connections, a third of them parked fetches, and one producer among them.
import type { Context, Part } from '../contract.js'
import { ratio } from '../figures.js'

const RATE = 1000

const sizesOf = ({ quick }: Context) =>
  quick ? { connections: 1500, parked: 500, seconds: 2 } : { connections: 15_000, parked: 5000, seconds: 20 }

const part: Part = {
  name: 'connections',
  title: 'Fifteen thousand connections',
  method:
    `A producer sends ${RATE} requests a second to a topic of its own, whatever it waits for: one record of 1 KiB each, ` +
    'acks=all; it is watched for 20 s alone (after 10 s of the same and 2,000 other connections that came and went) and ' +
    'for 20 s beside 15,000 other connections. Each of those has asked for ApiVersions; 5,000 then wait in a fetch of an ' +
    'empty partition for one byte or half an hour, and must still wait in the end. Memory is the growth of the resident ' +
    'set over the 15,000, or of what lives on a JVM heap where that is more, by connection; what the kernel holds for a ' +
    'socket is not in it.',
  measures: [
    { key: 'kibPerConnection', label: 'memory of a connection', unit: 'KiB' },
    { key: 'aloneP50Us', label: 'ack alone, p50', unit: 'µs' },
    { key: 'besideP50Us', label: 'ack beside them, p50', unit: 'µs' },
    { key: 'aloneP99Us', label: 'ack alone, p99', unit: 'µs' },
    { key: 'besideP99Us', label: 'ack beside them, p99', unit: 'µs' },
    { key: 'p99Ratio', label: 'p99 beside them by p99 alone', unit: '×' },
  ],
  goals: [
    {
      row: 11,
      text: "memory of a connection at most a tenth of Kafka's",
      value: ({ millrace, kafka }) => ratio(millrace.kibPerConnection, kafka?.kibPerConnection),
      most: 0.1,
    },
    {
      row: 11,
      text: 'memory of a connection at most 2 KiB',
      value: ({ millrace }) => millrace.kibPerConnection,
      most: 2,
    },
    {
      row: 11,
      text: 'p99 of an active producer at most 1.1 times the p99 alone',
      value: ({ millrace }) => millrace.p99Ratio,
      most: 1.1,
    },
  ],
  own: true,
  async runOwn(name, context) {
    const { target } = await context.start(name, { folder: context.freshFolder() })
    const { bootstrap, pid } = target
    const [topic, parkedTopic] = ['active', 'parked']
    for (const made of [topic, parkedTopic]) await context.bench('create-topic', { bootstrap, topic: made })
    const load = { pid, topic, parkedTopic, rate: RATE, ...sizesOf(context) }
    const figures = await context.bench('load-connections', { bootstrap, ...load })
    await target.kill()
    return figures
  },
}

export default part
