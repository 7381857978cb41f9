// A broker under load is killed again and again at moments that nothing chooses. What it acked is there afterwards:
// idempotent records exactly once and in order, plain ones at least once, committed offsets never behind their ack.
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  decodeResponse,
  decodeResponseHeader,
  Errors,
  findCoordinator,
  initProducerId,
  offsetCommit,
  offsetFetch,
  produce,
} from '../../ts/protocol/index.js'
import { dataFolder } from '../cluster/broker-process.js'
import { produceRequest, RawClient } from '../cluster/raw-client.js'
import { readRecords, recordBatch } from '../record-batch.js'
import { Victim } from './victim.js'

const KILLS = 10
const WINDOW = 5
const BATCH = 20

let folder: ReturnType<typeof dataFolder>
let victim: Victim
beforeEach(async () => {
  folder = dataFolder()
  victim = await Victim.start(folder.path)
})
afterEach(async () => {
  await victim.kill()
  folder.remove()
})

async function createTopic(name: string): Promise<void> {
  const client = await RawClient.open(victim.port)
  await client.createTopic(name)
  client.close()
}

/** The bytes of v<from> … v<from + BATCH − 1>, with a sequence where a producer id is given. */
function batch(from: number, producer: { producerId: number; producerEpoch: number } | null): Buffer {
  // Of today: what a broker knows of a producer expires a day after the timestamps of its records, as in Kafka.
  const timestamp = Date.now()
  const records = Array.from({ length: BATCH }, (_, n) => ({ value: `v${from + n}`, timestamp }))
  return recordBatch(records, producer === null ? {} : { ...producer, baseSequence: from })
}

/** Writes v0, v1 … with several requests in flight; what was not acked is sent again. Returns offsets by value. */
async function write(topic: string, idempotent: boolean): Promise<Map<number, number>> {
  await createTopic(topic)
  const setup = await RawClient.open(victim.port)
  const id = await setup.request(initProducerId, 1, { transactionalId: null, transactionTimeoutMs: 60_000 })
  setup.close()
  const acked = new Map<number, number>()
  const pending: number[] = []
  let next = 0
  await victim.persistently(async (client) => {
    const send = (from: number) => {
      client.send(client.frame(produce, 8, produceRequest(topic, batch(from, idempotent ? id : null))))
    }
    pending.forEach(send)
    while (!victim.over || pending.length > 0) {
      for (; pending.length < WINDOW && !victim.over; next += BATCH) {
        pending.push(next)
        send(next)
      }
      const frame = await client.reply()
      const { bodyOffset } = decodeResponseHeader(produce, 8, frame)
      const answer = decodeResponse(produce, 8, frame, bodyOffset).responses[0]?.partitionResponses[0]
      expect(answer?.errorCode).toBe(0)
      const first = pending.shift() ?? -1
      for (let n = 0; n < BATCH; n++) acked.set(first + n, (answer?.baseOffset ?? -1) + n)
      victim.onAck()
    }
  })
  return acked
}

/** Commits 1, 2, 3 …; after each kill the group has the last acked one, or one that was on its way. */
async function commit(topic: string): Promise<number> {
  await createTopic(topic)
  let acked = 0
  let sent = 0
  await victim.persistently(async (client) => {
    await client.request(findCoordinator, 2, { key: 'readers', keyType: 0 })
    // The kills may be faster than a coordinator comes back: one commit at least is acked when they are over.
    while (!victim.over || acked === 0) {
      const fetched = await client.request(offsetFetch, 5, {
        groupId: 'readers',
        topics: [{ name: topic, partitionIndexes: [0] }],
      })
      // The coordinator may still read its log.
      if (fetched.errorCode === Errors.COORDINATOR_LOAD_IN_PROGRESS) continue
      expect(fetched.errorCode).toBe(0)
      const committed = fetched.topics[0]?.partitions[0]?.committedOffset ?? -2
      expect(committed, 'committed offset').toBeGreaterThanOrEqual(acked === 0 ? -1 : acked)
      expect(committed, 'committed offset').toBeLessThanOrEqual(sent)
      sent += 1
      const partitions = [{ partitionIndex: 0, committedOffset: sent, committedMetadata: null }]
      const topics = [{ name: topic, partitions }]
      const response = await client.request(offsetCommit, 7, { groupId: 'readers', memberId: '', topics })
      expect(response.topics[0]?.partitions[0]?.errorCode).toBe(0)
      acked = sent
      victim.onAck()
    }
  })
  return acked
}

/** All values of a topic, in the order of their offsets, which have no gap. */
async function contents(topic: string): Promise<number[]> {
  const client = await RawClient.open(victim.port)
  const values: number[] = []
  for (;;) {
    const records = readRecords((await client.fetch(topic, values.length)).records ?? Buffer.alloc(0))
    const wanted = records.filter(({ offset }) => offset >= values.length)
    if (wanted.length === 0) break
    for (const { offset, value } of wanted) {
      if (offset !== values.length) throw new Error(`${topic}: offset ${offset} follows ${values.length - 1}`)
      values.push(Number(value?.slice(1)))
    }
  }
  client.close()
  return values
}

it(`keeps what it acked through ${KILLS} kills under load`, async () => {
  const writing = Promise.all([write('once-a', true), write('once-b', true), write('at-least-once', false)])
  const committing = commit('committed')
  const killing = victim.killTimes(KILLS, () => 20 + Math.floor(Math.random() * 400))
  const [[onceA, onceB, plain], commits] = await Promise.all([writing, committing, killing])
  expect(Math.min(onceA.size, onceB.size, plain.size, commits)).toBeGreaterThan(0)

  const offsetsAsAcked = (values: readonly number[], acked: ReadonlyMap<number, number>) =>
    [...acked].filter(([value, offset]) => values[offset] !== value)
  for (const [topic, acked] of [['once-a', onceA] as const, ['once-b', onceB] as const]) {
    const values = await contents(topic)
    const wrong = values.findIndex((value, offset) => value !== offset)
    const around = wrong < 0 ? [] : values.slice(Math.max(0, wrong - 3), wrong + 45)
    expect(around, `${topic}: values around offset ${wrong}, the first that is not in its place`).toEqual([])
    expect(offsetsAsAcked(values, acked), topic).toEqual([])
  }
  expect(offsetsAsAcked(await contents('at-least-once'), plain)).toEqual([])
  await victim.stop()
}, 120_000)
