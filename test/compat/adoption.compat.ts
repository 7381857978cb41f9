// A folder of Apache Kafka's, served here: its cluster, topics, ids, configs, records and committed offsets. And the snapshots
// that are written then, read with Kafka's own eyes.
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeCluster, metadata } from '../../ts/protocol/index.js'
import { BrokerProcess, dataFolder } from '../cluster/broker-process.js'
import { RawClient } from '../cluster/raw-client.js'
import { KafkaBroker } from './kafka-broker.js'
import { kafkaJars, kafkaTool } from './toolchains.js'

const RECORDS = Array.from({ length: 200 }, (_, index) => `record-${index}`)
const settings = { 'node.id': '0', 'metadata.log.max.record.bytes.between.snapshots': '1500' }
const folder = dataFolder()
let kafka: KafkaBroker
let before: Awaited<ReturnType<typeof cluster>>
let broker: BrokerProcess | null = null

const client = (port: number) => new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING })

/** What the cluster says of itself, and what group `g` has committed. */
async function cluster(port: number) {
  const raw = await RawClient.open(port)
  const { clusterId } = await raw.request(describeCluster, 0, { includeClusterAuthorizedOperations: false })
  const { topics } = await raw.request(metadata, 12, { topics: null, allowAutoTopicCreation: false })
  raw.close()
  const admin = client(port).admin()
  await admin.connect()
  const resources = [{ type: 2, name: 'orders', configNames: ['retention.ms', 'cleanup.policy'] }]
  const { resources: configs } = await admin.describeConfigs({ resources, includeSynonyms: false })
  const offsets = await admin.fetchOffsets({ groupId: 'g', topics: ['orders'] })
  await admin.disconnect()
  return {
    clusterId,
    topics: topics
      .map(({ name, topicId, partitions }) => ({ name, topicId, partitions: partitions.length }))
      .sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)),
    configs: configs.flatMap(({ configEntries }) =>
      configEntries.map(({ configName, configValue }) => [configName, configValue]),
    ),
    offsets: offsets.map(({ partitions }) =>
      partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => offset),
    ),
  }
}

async function read(port: number, groupId: string, count: number): Promise<string[]> {
  const consumer = client(port).consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  const values: string[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
      values.push(String(message.value))
      if (values.length === count) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return values.sort()
}

async function produce(port: number, values: readonly string[]): Promise<void> {
  const producer = client(port).producer()
  await producer.connect()
  await producer.send({ topic: 'orders', messages: values.map((value) => ({ key: value, value })) })
  await producer.disconnect()
}

beforeAll(async () => {
  kafkaJars()
  kafka = await KafkaBroker.start({
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.num.partitions': '3',
  })
  const admin = client(kafka.port).admin()
  await admin.connect()
  const configEntries = [{ name: 'retention.ms', value: '123456789' }]
  await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 3, configEntries }] })
  await admin.disconnect()
  await produce(kafka.port, RECORDS)
  await read(kafka.port, 'g', RECORDS.length)
  before = await cluster(kafka.port)
  await kafka.end('SIGTERM')
  cpSync(kafka.data, folder.path, { recursive: true })
})

afterAll(async () => {
  await broker?.stop()
  await kafka?.stop()
  folder.remove()
})

it('a folder that Apache Kafka wrote is taken over with its cluster, topics, configs, records and offsets', async () => {
  broker = await BrokerProcess.start({ folder: folder.path, settings })
  expect(broker.output).toContain('written by Apache Kafka')
  expect(await cluster(broker.port)).toEqual(before)
  expect(before.offsets.flat().reduce((sum, offset) => sum + Number(offset), 0)).toBe(RECORDS.length)
  expect(await read(broker.port, 'another', RECORDS.length)).toEqual([...RECORDS].sort())
  await produce(broker.port, ['one more'])
  await broker.kill()
  broker = await BrokerProcess.start({ folder: folder.path, settings })
  expect(broker.output).not.toContain('written by Apache Kafka')
  expect(await read(broker.port, 'third', RECORDS.length + 1)).toContain('one more')
})

it('its snapshots of the metadata are Kafka’s to read', async () => {
  const port = broker?.port ?? 0
  const admin = client(port).admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'many', numPartitions: 40 }] })
  await admin.disconnect()
  await broker?.until('a snapshot of the metadata stands')
  const dir = join(folder.path, '__cluster_metadata-0')
  const newest = readdirSync(dir)
    .filter((name) => name.endsWith('.checkpoint'))
    .at(-1)
  const args = ['--cluster-metadata-decoder', '--files', join(dir, newest ?? '')]
  const said = await kafkaTool('org.apache.kafka.tools.DumpLogSegments', args)
  expect(said).toContain('SnapshotHeader')
  expect(said).toContain('SnapshotFooter')
  expect(said).toMatch(/FEATURE_LEVEL_RECORD.*metadata\.version/)
  for (const { topicId } of before.topics) expect(said).toContain(`"topicId":"${topicId}"`)
  expect(said).not.toMatch(/isvalid: false|Exception/)
})
