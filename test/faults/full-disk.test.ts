// A broker on a disk of a few megabytes, filled by its clients. While it is full, what needs room is refused and the
// rest served; once something else makes room, the same broker goes on. Every acked record is there in the end.
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { BrokerProcess } from '../cluster/broker-process.js'
import { RawClient } from '../cluster/raw-client.js'
import { readRecords } from '../record-batch.js'
import { noSmallDisk, SmallDisk } from './small-disk.js'

const FULL = 'a log directory is full'
const PADDING = 'x'.repeat(40_000)

let disk: SmallDisk
let broker: BrokerProcess
const acked: string[] = []

const settings = { 'log.segment.bytes': '1048576', 'log.index.interval.bytes': '1', 'num.partitions': '1' }
const start = async () => {
  broker = await BrokerProcess.start({ folder: `${disk.path}/data`, within: disk.within, settings })
}
const kafka = (retries: number) =>
  new Kafka({
    brokers: [broker.bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { retries, initialRetryTime: 50, maxRetryTime: 200 },
  })

beforeEach(async () => {
  acked.length = 0
  if (noSmallDisk !== null) return
  disk = await SmallDisk.mount(22)
  disk.addBallast('first', 4)
  disk.addBallast('second', 4)
  disk.addBallast('third', 2)
  await start()
})
afterEach(async () => {
  if (noSmallDisk !== null) return
  await broker.kill()
  disk.unmount()
})

/** Sends one record; by its offset it stands among the acked ones. */
async function send(producer: Producer, value: string): Promise<void> {
  const [answer] = await producer.send({ topic: 'filled', acks: -1, messages: [{ value }] })
  acked[Number(answer?.baseOffset)] = value
}

/** Until the broker refuses: how many records went in. */
async function fill(): Promise<number> {
  const before = acked.length
  const producer = kafka(0).producer()
  await producer.connect()
  for (;;) {
    const value = `${acked.length} ${PADDING}`
    const refusal = await send(producer, value).catch((error: Error) => error)
    if (refusal === undefined) continue
    expect(refusal.message).toContain('Disk error when trying to access log file on the disk')
    await producer.disconnect()
    return acked.length - before
  }
}

/** Everything there is, in order of offsets without a gap, is what was acked. */
async function expectAllAcked(): Promise<void> {
  const client = await RawClient.open(broker.port)
  const values: (string | null)[] = []
  for (;;) {
    const { errorCode, records } = await client.fetch('filled', values.length, { maxWaitMs: 1000 })
    expect(errorCode).toBe(0)
    const found = readRecords(records ?? Buffer.alloc(0)).filter(({ offset }) => offset >= values.length)
    if (found.length === 0) break
    for (const { offset, value } of found) expect(values.push(value) - 1).toBe(offset)
  }
  client.close()
  // Without retries nothing was ever written that was not acked.
  expect(values.length).toBe(acked.length)
  expect(values).toEqual(acked)
}

it.skipIf(noSmallDisk !== null)(
  noSmallDisk === null ? 'heals a full disk without a restart' : `heals a full disk: skipped, ${noSmallDisk}`,
  async () => {
    expect(await fill()).toBeGreaterThan(50)
    await broker.until(FULL)
    await expectAllAcked()

    // Clients that wait get through as soon as there is room: a record, a commit, a new topic.
    const patient = kafka(100)
    const producer = patient.producer()
    const admin = patient.admin()
    await Promise.all([producer.connect(), admin.connect()])
    const value = `${acked.length} ${PADDING}`
    const waiting = Promise.all([
      send(producer, value),
      admin.createTopics({ topics: [{ topic: 'late' }], timeout: 30_000, waitForLeaders: false }),
    ])
    expect(await fill(), 'still full').toBe(0)
    disk.removeBallast('first')
    await waiting
    await admin.setOffsets({ groupId: 'readers', topic: 'late', partitions: [{ partition: 0, offset: '0' }] })
    await Promise.all([producer.disconnect(), admin.disconnect()])

    // Full once more; killed in that state, and stopped in that state.
    expect(await fill()).toBeGreaterThan(50)
    await expectAllAcked()
    await broker.kill()
    disk.removeBallast('second')
    await start()
    await expectAllAcked()
    expect(await fill()).toBeGreaterThan(50)
    await broker.stop()
    expect(broker.output).not.toContain('is offline')
    const starting = start()
    disk.removeBallast('third')
    await starting
    await expectAllAcked()
  },
)
