// Compaction on a real broker: only the newest record of each key stays, and that across a restart.
import { Kafka, logLevel } from 'kafkajs'
import { expect, it } from 'vitest'
import { BrokerProcess, dataFolder } from './broker-process.js'

const KEYS = 50
const settings = { 'log.cleaner.backoff.ms': '50' }

const clientOf = (broker: BrokerProcess) =>
  new Kafka({ clientId: 'compaction', brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })

/** Every record that a new consumer is given, as key → values, up to the end of the log. */
async function readAll(broker: BrokerProcess, group: string): Promise<Map<string, string[]>> {
  const kafka = clientOf(broker)
  const admin = kafka.admin()
  await admin.connect()
  const [end] = await admin.fetchTopicOffsets('state')
  await admin.disconnect()
  const last = Number(end?.high) - 1
  const consumer = kafka.consumer({ groupId: group })
  await consumer.connect()
  await consumer.subscribe({ topic: 'state', fromBeginning: true })
  const found = new Map<string, string[]>()
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          const key = String(message.key)
          found.set(key, [...(found.get(key) ?? []), String(message.value).trimEnd()])
          if (Number(message.offset) === last) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return found
}

it('leaves the newest record of each key, also after a restart', async () => {
  const folder = dataFolder()
  let broker = await BrokerProcess.start({ folder: folder.path, settings })
  const kafka = clientOf(broker)
  const admin = kafka.admin()
  await admin.connect()
  const configEntries = [
    { name: 'cleanup.policy', value: 'compact' },
    { name: 'segment.bytes', value: '1048576' },
    { name: 'min.cleanable.dirty.ratio', value: '0.01' },
  ]
  await admin.createTopics({ topics: [{ topic: 'state', numPartitions: 1, configEntries }] })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  const value = (round: number) => `${round}`.padEnd(20_000)
  // Each round is a MiB, and so a segment of its own; the last one stays active.
  for (let round = 0; round < 4; round += 1) {
    const messages = Array.from({ length: KEYS }, (_, key) => ({ key: `k${key}`, value: value(round) }))
    await producer.send({ topic: 'state', messages })
  }
  await producer.disconnect()
  let read = await readAll(broker, 'g0')
  for (let attempt = 1; [...read.values()].some((values) => values.length > 2); attempt += 1) {
    read = await readAll(broker, `g${attempt}`)
  }
  expect(read.size).toBe(KEYS)
  // The closed segments hold each key once, the active one once more.
  for (const values of read.values()) expect(values).toEqual(['2', '3'])
  await broker.stop()
  broker = await BrokerProcess.start({ folder: folder.path, settings })
  expect(await readAll(broker, 'after')).toEqual(read)
  await broker.stop()
  folder.remove()
})
