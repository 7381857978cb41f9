// The partition folders of an Apache Kafka broker, copied under topics of ours while both are stopped: the Java consumer
// reads the same records from us, with every field, as it read from Kafka. The program beside this file runs Kafka.
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BrokerProcess, dataFolder } from '../cluster/broker-process.js'
import { kafkaJars, output } from './toolchains.js'

const ours = dataFolder()
const theirs = dataFolder()
const source = join(dirname(fileURLToPath(import.meta.url)), 'java', 'KafkaFolder.java')
const TOPICS = ['codecs', 'compacted', 'decided', 'stamped']

let broker: BrokerProcess

/** Starts in source form: the JVM compiles it. */
const program = (...args: readonly string[]) =>
  output('java', [
    '-Xmx400m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-cp',
    join(kafkaJars(), '*'),
    source,
    ...args,
  ])

const show = () => program('show', broker.bootstrap)

const restart = async () => {
  broker = await BrokerProcess.start({ folder: ours.path, port: broker.port })
}

/** Everything but whose it is: that stays ours. */
function adopt(topic: string): void {
  const [from, to] = [theirs, ours].map((folder) =>
    join(folder.path, folder === theirs ? 'data' : '', `${topic}-0`),
  )
  if (from === undefined || to === undefined) throw new Error('two folders')
  const files = (folder: string) => readdirSync(folder).filter((name) => name !== 'partition.metadata')
  for (const name of files(to)) rmSync(join(to, name))
  for (const name of files(from)) copyFileSync(join(from, name), join(to, name))
}

beforeAll(async () => {
  kafkaJars()
  broker = await BrokerProcess.start({ folder: ours.path })
})

afterAll(async () => {
  await broker.stop()
  ours.remove()
  theirs.remove()
})

it('the folders of Apache Kafka are read back record for record, also after a kill', async () => {
  mkdirSync(join(theirs.path, 'data'))
  const [shown] = await Promise.all([
    program('fill', join(theirs.path, 'data')),
    program('create', broker.bootstrap),
  ])
  // Several segments, batches of two leader epochs, aborted transactions, gaps.
  const folder = (topic: string) => readdirSync(join(theirs.path, 'data', `${topic}-0`))
  expect(folder('codecs').filter((name) => name.endsWith('.log')).length).toBeGreaterThan(1)
  expect(folder('decided').some((name) => name.endsWith('.txnindex'))).toBe(true)
  expect(shown).toMatch(/decided read_uncommitted \d+ \d+ CreateTime 2 'one' 'abort/)
  expect(shown).not.toMatch(/decided read_committed .*'abort/)

  await broker.stop()
  for (const topic of TOPICS) adopt(topic)
  await restart()
  expect(await show()).toBe(shown)
  await broker.kill()
  await restart()
  expect(await show()).toBe(shown)
})
