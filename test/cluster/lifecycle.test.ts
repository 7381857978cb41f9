// One broker from start to end and back: what a second start finds, who may hold the folder, what a signal does while
// clients are connected, and what a start makes of a folder that a crash left behind.
import { appendFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fetch, findCoordinator, joinGroup } from '../../ts/protocol/index.js'
import { readRecords, recordBatch } from '../record-batch.js'
import { type BrokerOptions, BrokerProcess, cli, dataFolder, runNode } from './broker-process.js'
import { fetchRequest, RawClient } from './raw-client.js'

let folder: ReturnType<typeof dataFolder>
let brokers: BrokerProcess[]
beforeEach(() => {
  folder = dataFolder()
  brokers = []
})
afterEach(async () => {
  for (const broker of brokers) await broker.kill()
  folder.remove()
})

async function start(options: Partial<BrokerOptions> = {}): Promise<BrokerProcess> {
  const broker = await BrokerProcess.start({ folder: folder.path, ...options })
  brokers.push(broker)
  return broker
}

const marker = () => existsSync(join(folder.path, '.kafka_cleanshutdown'))
const clusterIdOnDisk = () =>
  /^cluster\.id=(.+)$/m.exec(readFileSync(join(folder.path, 'meta.properties'), 'utf8'))?.[1]
const values = (from: number, count: number) => Array.from({ length: count }, (_, n) => `v${from + n}`)
const batchOf = (from: number, count: number) => recordBatch(values(from, count).map((value) => ({ value })))

async function produce(broker: BrokerProcess, from: number, count: number): Promise<void> {
  const client = await RawClient.open(broker.port)
  if (from === 0) await client.createTopic('kept')
  expect(await client.produce('kept', batchOf(from, count))).toEqual({ errorCode: 0, baseOffset: from })
  client.close()
}

/** The whole topic; its offsets have no gap. */
async function contents(broker: BrokerProcess): Promise<(string | null)[]> {
  const client = await RawClient.open(broker.port)
  const records = readRecords((await client.fetch('kept', 0)).records ?? Buffer.alloc(0))
  client.close()
  expect(records.map(({ offset }) => offset)).toEqual(records.map((_, n) => n))
  return records.map(({ value }) => value)
}

it('serves the same data under the same cluster id after a clean stop and after SIGKILL', async () => {
  const first = await start()
  const clusterId = clusterIdOnDisk()
  await produce(first, 0, 10)
  await first.stop()

  const second = await start()
  expect(await contents(second)).toEqual(values(0, 10))
  await produce(second, 10, 10)
  await second.kill()

  const third = await start()
  expect(await contents(third)).toEqual(values(0, 20))
  await produce(third, 20, 1)
  expect(clusterIdOnDisk()).toBe(clusterId)
})

it('marks a clean stop, and takes the mark away as long as it runs', async () => {
  const first = await start()
  await first.stop()
  expect(marker()).toBe(true)
  const second = await start()
  expect(marker()).toBe(false)
  await second.kill()
  expect(marker()).toBe(false)
})

it('holds its folder against a second broker until it is closed or killed', async () => {
  const second = () => runNode([cli, 'start', '--port', '0', '--log-dirs', folder.path])
  const first = await start()
  await produce(first, 0, 1)
  const refused = await second()
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain(`${folder.path} is in use by another broker`)
  expect(await contents(first)).toEqual(values(0, 1))
  await first.kill()
  const after = await start()
  await after.stop()
  await (await start()).stop()
})

it('stops with exit code 0 while clients wait for records and for a group', async () => {
  const broker = await start({ settings: { 'group.initial.rebalance.delay.ms': '60000' } })
  await produce(broker, 0, 5)
  const idle = await RawClient.open(broker.port)
  const reader = await RawClient.open(broker.port)
  const member = await RawClient.open(broker.port)
  await member.request(findCoordinator, 3, { key: 'readers', keyType: 0 })
  const join = (memberId: string) => ({
    groupId: 'readers',
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 60_000,
    memberId,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  })
  const { memberId } = await member.request(joinGroup, 5, join(''))
  member.send(member.frame(joinGroup, 5, join(memberId)))
  reader.send(reader.frame(fetch, 11, fetchRequest('kept', 5, { maxWaitMs: 60_000 })))
  // A connection is served in order: once this one has its answer, the stop finds the others parked or on their way.
  expect(await contents(broker)).toEqual(values(0, 5))

  await broker.stop()
  for (const client of [idle, reader, member]) await client.closed()
  expect(marker()).toBe(true)
  expect(await contents(await start())).toEqual(values(0, 5))
})

/** A client that asked for 36 MB and reads none of them: its answer never leaves. */
async function startWithDeafClient(): Promise<[BrokerProcess, RawClient]> {
  const broker = await start()
  const client = await RawClient.open(broker.port)
  await client.createTopic('kept')
  const large = recordBatch([{ value: 'x'.repeat(900_000) }])
  for (let n = 0; n < 40; n++) await client.produce('kept', large)
  const deaf = await RawClient.open(broker.port)
  deaf.socket.pause()
  deaf.send(deaf.frame(fetch, 11, fetchRequest('kept', 0)))
  // The first bytes are there to be read: the rest of the answer is on its way.
  await new Promise((resolve) => deaf.socket.once('readable', resolve))
  client.close()
  return [broker, deaf]
}

it('does not wait for ever for a client that reads nothing', async () => {
  const [broker, deaf] = await startWithDeafClient()
  await broker.stop()
  deaf.close()
  expect(marker()).toBe(true)
})

it('gives up the clean stop at a second signal, and loses nothing by it', async () => {
  const [broker, deaf] = await startWithDeafClient()
  const exit = broker.signal('SIGTERM')
  await broker.until('"msg":"stopping"')
  broker.signal('SIGINT')
  expect(await exit).toBe(1)
  deaf.close()
  expect(broker.output).toContain('Stopped at once by a second signal (SIGINT)')
  expect(marker()).toBe(false)
  const client = await RawClient.open((await start()).port)
  expect(await client.fetch('kept', 40)).toMatchObject({ errorCode: 0, highWatermark: 40 })
  client.close()
})

it('cuts what a crash tore from the end of a log, keeps it aside, and goes on after the last whole batch', async () => {
  const broker = await start()
  await produce(broker, 0, 10)
  await produce(broker, 10, 10)
  await broker.kill()
  const partition = join(folder.path, 'kept-0')
  const segment = join(partition, '00000000000000000000.log')
  const whole = statSync(segment).size
  // Half a batch, then bytes of nothing.
  appendFileSync(segment, Buffer.concat([batchOf(0, 10).subarray(0, 70), Buffer.alloc(500, 0xa5)]))

  const again = await start()
  expect(await contents(again)).toEqual(values(0, 20))
  expect(statSync(segment).size).toBe(whole)
  const [kept] = readdirSync(partition).filter((name) => name.endsWith('.cut'))
  expect(kept).toBeDefined()
  // The start says so, naming where and how much.
  expect(again.output).toContain(join(partition, String(kept)))
  expect(again.output).toContain('a torn tail was cut off a log')
  await produce(again, 20, 5)
  await again.stop()
  expect(await contents(await start())).toEqual(values(0, 25))
})

it('acks after a sync where log.flush.interval.messages is 1, and keeps what it acked', async () => {
  const settings = { 'log.flush.interval.messages': '1' }
  const broker = await start({ settings })
  await produce(broker, 0, 10)
  await produce(broker, 10, 10)
  expect(await contents(broker)).toEqual(values(0, 20))
  await broker.kill()
  const again = await start({ settings })
  expect(await contents(again)).toEqual(values(0, 20))
  await produce(again, 20, 1)
  await again.stop()
  expect(await contents(await start())).toEqual(values(0, 21))
})
