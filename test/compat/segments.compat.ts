// Records that leave: kafka-delete-records and retention, watched with Kafka's own offset tool, across a kill.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BrokerProcess, dataFolder } from '../cluster/broker-process.js'
import { kafkaJars, kafkaTool } from './toolchains.js'

const folder = dataFolder()
const settings = { 'log.retention.check.interval.ms': '100' }
let broker: BrokerProcess

beforeAll(async () => {
  kafkaJars()
  broker = await BrokerProcess.start({ folder: folder.path, settings })
})

afterAll(async () => {
  await broker.stop()
  folder.remove()
})

const server = () => ['--bootstrap-server', `${broker.host}:${broker.port}`]

async function topicOfTen(topic: string, ...configs: readonly string[]): Promise<void> {
  const config = configs.flatMap((pair) => ['--config', pair])
  const created = [...server(), '--create', '--topic', topic, '--partitions', '1', ...config]
  await kafkaTool('org.apache.kafka.tools.TopicCommand', created)
  const lines = Array.from({ length: 10 }, (_, i) => `v${i}\n`).join('')
  await kafkaTool('org.apache.kafka.tools.ConsoleProducer', [...server(), '--topic', topic], lines)
}

async function offsetOf(topic: string, time: 'earliest' | 'latest'): Promise<number> {
  const said = await kafkaTool('org.apache.kafka.tools.GetOffsetShell', [
    ...server(),
    '--topic',
    topic,
    '--time',
    time,
  ])
  return Number(said.trim().split(':')[2])
}

function deleteRecords(topic: string, offset: number): Promise<string> {
  const file = join(folder.path, 'delete-records.json')
  writeFileSync(file, JSON.stringify({ partitions: [{ topic, partition: 0, offset }], version: 1 }))
  const args = [...server(), '--offset-json-file', file]
  return kafkaTool('org.apache.kafka.tools.DeleteRecordsCommand', args)
}

it('kafka-delete-records moves the log start for good, and says what it cannot do', async () => {
  await topicOfTen('purged')
  expect(await deleteRecords('purged', 4)).toContain('partition: purged-0\tlow_watermark: 4')
  const { port } = broker
  await broker.kill()
  broker = await BrokerProcess.start({ folder: folder.path, port, settings })
  expect(await offsetOf('purged', 'earliest')).toBe(4)
  expect(await deleteRecords('purged', 11)).toContain('OffsetOutOfRangeException')
  expect(await deleteRecords('purged', -1)).toContain('partition: purged-0\tlow_watermark: 10')
  expect(await offsetOf('purged', 'earliest')).toBe(10)
})

it('what is older than retention.ms is gone at the next check', async () => {
  await topicOfTen('short', 'retention.ms=1')
  await expect.poll(() => offsetOf('short', 'earliest'), { timeout: 60_000 }).toBe(10)
  expect(await offsetOf('short', 'latest')).toBe(10)
})
