// The real broker on the real file system, killed by the kernel at the Nth write, sync, rename, truncate or unlink of a
// thread; each start finds what the one before left. What was acked is there, and what was deleted is not.
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  createTopics,
  deleteRecords,
  deleteTopics,
  Errors,
  findCoordinator,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
} from '../../ts/protocol/index.js'
import { BrokerProcess, dataFolder } from '../cluster/broker-process.js'
import { RawClient } from '../cluster/raw-client.js'
import { readRecords, recordBatch } from '../record-batch.js'
import { type Syscall, startTraced, whyNotTraced } from './traced-broker.js'

/** One thread for each kind of work, so that the calls can be counted; every ack is one after a sync. */
const SETTINGS = {
  'num.network.threads': '1',
  'num.io.threads': '1',
  'log.flush.interval.messages': '1',
  'log.retention.check.interval.ms': '50',
  'offsets.topic.num.partitions': '1',
}
const KEPT = 'kept'
const GROUP = 'readers'

/** Another sample for each MILLRACE_SEED. */
const seed = Number(process.env.MILLRACE_SEED ?? 0)
const SAMPLE: readonly (readonly [Syscall, number])[] = [
  ['pwrite64', 40 + ((seed * 7) % 60)],
  ['fdatasync', 50 + ((seed * 11) % 50)],
  ['rename', 20 + ((seed * 5) % 20)],
  ['fsync', 25 + ((seed * 3) % 25)],
  ['unlink', 6 + (seed % 10)],
  ['ftruncate', 1],
]

/** What was asked and what was answered, over all starts. */
class Ledger {
  /** Values by offset, as acked. */
  readonly acked = new Map<number, string>()
  readonly sent = new Set<string>()
  /** Whole topics: whether they must be there, must not, or may. */
  readonly topics = new Map<string, 'there' | 'gone' | 'open'>()
  cutSent = 0
  cutAcked = 0
  commitSent = 0
  commitAcked = 0
  private numbers = 0

  next(): number {
    return this.numbers++
  }
}

const configs = ['segment.ms', 'file.delete.delay.ms'].map((name) => ({ name, value: '20' }))

async function create(client: RawClient, ledger: Ledger, name: string): Promise<void> {
  ledger.topics.set(name, 'open')
  const topics = [{ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs }]
  const answer = await client.request(createTopics, 5, { topics, timeoutMs: 30_000 })
  const expected = name === KEPT ? [Errors.NONE, Errors.TOPIC_ALREADY_EXISTS] : [Errors.NONE]
  expect(expected).toContain(answer.topics[0]?.errorCode)
  ledger.topics.set(name, 'there')
}

async function remove(client: RawClient, ledger: Ledger, name: string): Promise<void> {
  ledger.topics.set(name, 'open')
  const answer = await client.request(deleteTopics, 4, { topicNames: [name], timeoutMs: 30_000 })
  expect(answer.responses[0]?.errorCode).toBe(0)
  ledger.topics.set(name, 'gone')
}

async function append(client: RawClient, ledger: Ledger): Promise<void> {
  const values = [ledger.next(), ledger.next()].map((number) => `v${number}`)
  for (const value of values) ledger.sent.add(value)
  const { errorCode, baseOffset } = await client.produce(
    KEPT,
    recordBatch(values.map((value) => ({ value, timestamp: Date.now() }))),
  )
  expect(errorCode).toBe(0)
  for (const [index, value] of values.entries()) ledger.acked.set(baseOffset + index, value)
}

async function cut(client: RawClient, ledger: Ledger): Promise<void> {
  ledger.cutSent = Math.max(0, Math.max(...ledger.acked.keys()) - 10)
  const topics = [{ name: KEPT, partitions: [{ partitionIndex: 0, offset: BigInt(ledger.cutSent) }] }]
  const answer = await client.request(deleteRecords, 1, { topics, timeoutMs: 30_000 })
  expect(answer.topics[0]?.partitions[0]?.errorCode).toBe(0)
  ledger.cutAcked = ledger.cutSent
}

async function commit(client: RawClient, ledger: Ledger): Promise<void> {
  await client.request(findCoordinator, 2, { key: GROUP, keyType: 0 })
  if ((await committed(client)) === null) return
  ledger.commitSent = ledger.next()
  const partitions = [{ partitionIndex: 0, committedOffset: ledger.commitSent, committedMetadata: null }]
  const request = { groupId: GROUP, memberId: '', topics: [{ name: KEPT, partitions }] }
  const answer = await client.request(offsetCommit, 7, request)
  expect(answer.topics[0]?.partitions[0]?.errorCode).toBe(0)
  ledger.commitAcked = ledger.commitSent
}

/** Null while the coordinator reads its log. */
async function committed(client: RawClient): Promise<number | null> {
  const topics = [{ name: KEPT, partitionIndexes: [0] }]
  const answer = await client.request(offsetFetch, 5, { groupId: GROUP, topics })
  const loading: readonly number[] = [Errors.COORDINATOR_LOAD_IN_PROGRESS, Errors.NOT_COORDINATOR]
  if (loading.includes(answer.errorCode)) return null
  expect(answer.errorCode).toBe(0)
  return answer.topics[0]?.partitions[0]?.committedOffset ?? -1
}

/** Everything that makes the broker work on its disk, round after round. */
async function load(client: RawClient, ledger: Ledger, rounds: number): Promise<void> {
  await create(client, ledger, KEPT)
  for (let round = 0; round < rounds; round++) {
    await append(client, ledger)
    await append(client, ledger)
    await commit(client, ledger)
    if (round % 2 === 0) await create(client, ledger, `topic-${ledger.next()}`)
    else {
      const [old] = [...ledger.topics].filter(([name, state]) => name !== KEPT && state === 'there')
      if (old !== undefined) await remove(client, ledger, old[0])
      await cut(client, ledger)
    }
  }
}

async function check(client: RawClient, ledger: Ledger): Promise<void> {
  const answer = await client.request(metadata, 9, { topics: null, allowAutoTopicCreation: false })
  const names = answer.topics.filter(({ isInternal }) => !isInternal).map(({ name }) => name)
  for (const [name, state] of ledger.topics) {
    if (state !== 'open') expect(names.includes(name), `${name} is ${state}`).toBe(state === 'there')
    else ledger.topics.set(name, names.includes(name) ? 'there' : 'gone')
  }
  if (ledger.topics.get(KEPT) !== 'there') return
  const partitions = [{ partitionIndex: 0, timestamp: -2 }]
  const earliest = await client.request(listOffsets, 5, {
    replicaId: -1,
    topics: [{ name: KEPT, partitions }],
  })
  const start = earliest.topics[0]?.partitions[0]?.offset ?? -1
  expect(start).toBeGreaterThanOrEqual(ledger.cutAcked)
  expect(start).toBeLessThanOrEqual(Math.max(ledger.cutSent, 0))
  const found = new Map<number, string>()
  for (let next = start; ; ) {
    const records = readRecords((await client.fetch(KEPT, next)).records ?? Buffer.alloc(0))
    const wanted = records.filter(({ offset }) => offset >= next)
    if (wanted.length === 0) break
    for (const { offset, value } of wanted) {
      expect(offset).toBe(next++)
      expect(ledger.sent, `what is at ${offset}`).toContain(value)
      found.set(offset, value ?? '')
    }
  }
  for (const [offset, value] of ledger.acked)
    if (offset >= start) expect(found.get(offset), `what was acked at ${offset}`).toBe(value)
  for (const [offset, value] of found) ledger.acked.set(offset, value)
  for (let offset: number | null = null; ledger.commitAcked > 0 && offset === null; ) {
    offset = await committed(client)
    if (offset === null) continue
    expect(offset).toBeGreaterThanOrEqual(ledger.commitAcked)
    expect(offset).toBeLessThanOrEqual(ledger.commitSent)
  }
}

/** Leaves the beginning of a batch behind the last one, as a kill amid a write does. */
function tearTail(folder: string): void {
  const partition = join(folder, `${KEPT}-0`)
  const newest =
    readdirSync(partition)
      .filter((name) => name.endsWith('.log'))
      .sort()
      .at(-1) ?? ''
  appendFileSync(join(partition, newest), recordBatch([{ value: 'torn' }]).subarray(0, 40))
}

/** Whether it dies while it is looked at, worked with or stopped. */
async function diesWorking(broker: BrokerProcess, ledger: Ledger): Promise<boolean> {
  try {
    const client = await RawClient.open(broker.port)
    await check(client, ledger)
    await load(client, ledger, 40)
    client.close()
  } catch (error) {
    const isGone =
      error instanceof Error && /closed the connection|ECONNREFUSED|ECONNRESET/.test(error.message)
    if (!isGone) throw error
    expect(await broker.signal('SIGTERM'), `it hung up and lived:\n${broker.output}`).toBe('SIGKILL')
    return true
  }
  return (await broker.signal('SIGTERM')) === 'SIGKILL'
}

const reason = whyNotTraced()
if (reason !== null) console.warn(`no broker is killed at its system calls here: ${reason}`)

it.skipIf(reason !== null)(
  'keeps what it acked when the kernel kills it at a call on the disk',
  async () => {
    const folder = dataFolder()
    const ledger = new Ledger()
    let killed = 0
    try {
      for (const [syscall, at] of SAMPLE) {
        // Only what a torn write left behind is ever cut off.
        if (syscall === 'ftruncate') tearTail(folder.path)
        const broker = await startTraced({ folder: folder.path, syscall, at, settings: SETTINGS })
        if (broker === null) {
          killed++
          continue
        }
        const died = await diesWorking(broker, ledger).finally(() => broker.kill())
        if (died) killed++
      }
      expect(killed).toBe(SAMPLE.length)
      const broker = await BrokerProcess.start({ folder: folder.path, settings: SETTINGS })
      const client = await RawClient.open(broker.port)
      await check(client, ledger)
      await load(client, ledger, 1)
      await check(client, ledger)
      client.close()
      await broker.stop()
    } finally {
      folder.remove()
    }
  },
  180_000,
)
