// A partition moves to another log directory of a real broker while a real client writes to it: every record is there
// afterwards, and after a restart.
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it } from 'vitest'
import { alterReplicaLogDirs, describeLogDirs, Errors } from '../../ts/protocol/index.js'
import { BrokerProcess, dataFolder } from './broker-process.js'
import { RawClient } from './raw-client.js'

const clientOf = (broker: BrokerProcess) =>
  new Kafka({ clientId: 'log-dirs', brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })

/** The log directory that serves the partition, once no copy is under way. */
async function placeOf(broker: BrokerProcess): Promise<string> {
  const client = await RawClient.open(broker.port)
  for (;;) {
    const { results } = await client.request(describeLogDirs, 4, { topics: null })
    const found = results.flatMap(({ logDir, topics }) =>
      topics
        .filter(({ name }) => name === 'moving')
        .flatMap(({ partitions }) => partitions.map(({ isFutureKey }) => ({ logDir, isFutureKey }))),
    )
    const [only, ...others] = found
    if (only !== undefined && others.length === 0) {
      client.close()
      return only.logDir
    }
  }
}

/** The values of all records. */
async function readAll(broker: BrokerProcess, count: number): Promise<string[]> {
  const consumer = clientOf(broker).consumer({ groupId: `g${count}-${broker.pid}` })
  await consumer.connect()
  await consumer.subscribe({ topic: 'moving', fromBeginning: true })
  const found: string[] = []
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message }) => {
          found.push(String(message.value).trimEnd())
          if (found.length === count) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return found
}

it('keeps every record of a partition that moves while it is written to', async () => {
  const folder = dataFolder()
  const dirs = [join(folder.path, 'a'), join(folder.path, 'b')]
  let broker = await BrokerProcess.start({ folder: dirs.join(',') })
  const kafka = clientOf(broker)
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'moving', numPartitions: 1 }] })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  let sent = 0
  const send = async (records: number) => {
    const messages = Array.from({ length: records }, () => ({ value: `${sent++}`.padEnd(20_000) }))
    await producer.send({ topic: 'moving', acks: -1, messages })
  }
  // More than one piece of a copy.
  for (let round = 0; round < 7; round += 1) await send(50)
  const before = await placeOf(broker)
  const target = dirs.find((dir) => dir !== before) ?? ''
  const client = await RawClient.open(broker.port)
  const move = async (path: string, name = 'moving', partition = 0) => {
    const request = { dirs: [{ path, topics: [{ name, partitions: [partition] }] }] }
    const { results } = await client.request(alterReplicaLogDirs, 2, request)
    return results[0]?.partitions[0]?.errorCode
  }
  expect(await move(join(folder.path, 'c'))).toBe(Errors.LOG_DIR_NOT_FOUND)
  expect(await move('b')).toBe(Errors.LOG_DIR_NOT_FOUND)
  expect(await move(target, 'nowhere')).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  expect(await move(target, 'moving', 1)).toBe(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  expect(await move(target, 'x'.repeat(240))).toBe(Errors.INVALID_TOPIC_EXCEPTION)
  expect(await move(target)).toBe(Errors.NONE)
  const place = placeOf(broker)
  for (let round = 0; round < 40; round += 1) await send(1)
  expect(await place).toBe(target)
  await send(1)
  const expected = Array.from({ length: sent }, (_, at) => `${at}`)
  expect(await readAll(broker, sent)).toEqual(expected)
  client.close()
  await producer.disconnect()
  await broker.stop()
  broker = await BrokerProcess.start({ folder: dirs.join(',') })
  expect(await placeOf(broker)).toBe(target)
  expect(await readAll(broker, sent)).toEqual(expected)
  await broker.stop()
  folder.remove()
})
