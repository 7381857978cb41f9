// A broker on two log directories, of which one begins to answer EIO: to a sync, a write, a read or a sendfile. What is
// there is offline for everybody and nothing else is; a start without the fault serves everything that was acked.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  alterReplicaLogDirs,
  createTopics,
  describeLogDirs,
  describeTopicPartitions,
  Errors,
  fetch,
  listOffsets,
  metadata,
  produce,
} from '../../ts/protocol/index.js'
import { BrokerProcess, dataFolder } from '../cluster/broker-process.js'
import { produceRequest, RawClient } from '../cluster/raw-client.js'
import { whyNotTraced } from '../crash/traced-broker.js'
import { readRecords, recordBatch } from '../record-batch.js'
import { FailingCalls, startFailing } from './failing-calls.js'

const reason = whyNotTraced()
if (reason !== null) console.warn(`no disk answers EIO here: ${reason}`)

const TOPIC = 'spread'
const PARTITIONS = [0, 1, 2, 3]
/** An ack comes after a sync; one thread each, so that few have to be traced. */
const SETTINGS = { 'log.flush.interval.messages': '1', 'num.network.threads': '1', 'num.io.threads': '1' }
const FIRST_SEGMENT = '00000000000000000000.log'

let folder: ReturnType<typeof dataFolder>
let broker: BrokerProcess
let client: RawClient
let failing: FailingCalls | null
/** Values by partition and offset. */
let acked: Map<number, string>[]
/** Partitions in the second directory. */
let lost: number[]

const dirs = () => [join(folder.path, 'first'), join(folder.path, 'second')] as const

async function start(logDirs: readonly string[] = dirs(), within: readonly string[] = []): Promise<void> {
  broker = await BrokerProcess.start({ folder: logDirs.join(','), settings: SETTINGS, within })
  client = await RawClient.open(broker.port)
}

async function stop(): Promise<void> {
  client.close()
  await broker.stop()
}

const topicNamed = (name: string) => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
})

async function append(partition: number): Promise<number> {
  const value = `${partition}: ${acked[partition]?.size}`
  const { errorCode, baseOffset } = await client.produce(TOPIC, recordBatch([{ value }]), partition)
  if (errorCode === Errors.NONE) acked[partition]?.set(baseOffset, value)
  return errorCode
}

async function read(partition: number, fetchOffset: number) {
  const response = await client.request(fetch, 11, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: 50_000_000,
    topics: [{ topic: TOPIC, partitions: [{ partition, fetchOffset, partitionMaxBytes: 50_000_000 }] }],
    forgottenTopicsData: [],
  })
  const answer = response.responses[0]?.partitions[0]
  return { errorCode: answer?.errorCode, records: readRecords(answer?.records ?? Buffer.alloc(0)) }
}

async function latest(partition: number) {
  const partitions = [{ partitionIndex: partition, timestamp: -1 }]
  const response = await client.request(listOffsets, 5, {
    replicaId: -1,
    topics: [{ name: TOPIC, partitions }],
  })
  return response.topics[0]?.partitions[0]
}

async function shown(partition: number) {
  const response = await client.request(metadata, 9, {
    topics: [{ name: TOPIC }],
    allowAutoTopicCreation: false,
  })
  const { errorCode, leaderId, offlineReplicas } =
    response.topics[0]?.partitions.find(({ partitionIndex }) => partitionIndex === partition) ?? {}
  return { errorCode, leaderId, offlineReplicas }
}

/** By directory: its error, and the partitions that are told. */
async function described() {
  const { results } = await client.request(describeLogDirs, 2, { topics: null })
  return new Map(
    results.map(({ logDir, errorCode, topics }) => {
      const partitions = topics.find(({ name }) => name === TOPIC)?.partitions ?? []
      return [logDir, { errorCode, partitions: partitions.map((one) => one.partitionIndex).sort() }]
    }),
  )
}

async function expectServed(partition: number): Promise<void> {
  const values = acked[partition] ?? new Map()
  const { errorCode, records } = await read(partition, 0)
  expect(errorCode).toBe(Errors.NONE)
  const found = new Map(records.map(({ offset, value }) => [offset, value]))
  for (const [offset, value] of values) expect(found.get(offset), `acked at ${offset}`).toBe(value)
  expect((await latest(partition))?.offset).toBe(records.length)
  expect(await append(partition)).toBe(Errors.NONE)
  expect(await shown(partition)).toEqual({ errorCode: Errors.NONE, leaderId: 0, offlineReplicas: [] })
}

async function expectOffline(partition: number): Promise<void> {
  expect(await append(partition)).toBe(Errors.KAFKA_STORAGE_ERROR)
  expect((await read(partition, 0)).errorCode).toBe(Errors.KAFKA_STORAGE_ERROR)
  expect((await latest(partition))?.errorCode).toBe(Errors.KAFKA_STORAGE_ERROR)
}

async function expectOnlySecondOffline(): Promise<void> {
  const [first, second] = dirs()
  await broker.until('a log directory is offline')
  for (const partition of lost) await expectOffline(partition)
  // The controller hears of it a moment later.
  while ((await shown(lost[0] ?? -1)).leaderId !== -1);
  const offline = { errorCode: Errors.LEADER_NOT_AVAILABLE, leaderId: -1, offlineReplicas: [0] }
  for (const partition of lost) {
    expect(await shown(partition)).toEqual(offline)
    // Nobody leading it changes nothing of what it answers.
    await expectOffline(partition)
  }
  const answer = await client.request(describeTopicPartitions, 0, { topics: [{ name: TOPIC }], cursor: null })
  for (const { partitionIndex, errorCode, leaderId, offlineReplicas } of answer.topics[0]?.partitions ?? []) {
    if (lost.includes(partitionIndex)) expect({ errorCode, leaderId, offlineReplicas }).toEqual(offline)
    else expect(offlineReplicas).toEqual([])
  }
  for (const partition of PARTITIONS) if (!lost.includes(partition)) await expectServed(partition)
  expect(await described()).toEqual(
    new Map([
      [first, { errorCode: Errors.NONE, partitions: PARTITIONS.filter((one) => !lost.includes(one)) }],
      [second, { errorCode: Errors.KAFKA_STORAGE_ERROR, partitions: [] }],
    ]),
  )
  // What is new goes where it can.
  await client.createTopic('late', 2)
  for (const partition of [0, 1])
    expect(await client.produce('late', recordBatch([{ value: 'x' }]), partition)).toEqual({
      errorCode: Errors.NONE,
      baseOffset: 0,
    })
}

const logsIn = (dir: string) =>
  readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(TOPIC))
    .map(({ name }) => join(dir, name, FIRST_SEGMENT))

async function fail(syscalls: string, files: readonly string[]): Promise<void> {
  failing = await FailingCalls.begin(broker.pid, syscalls, files)
}

beforeEach(async () => {
  if (reason !== null) return
  failing = null
  folder = dataFolder()
  acked = PARTITIONS.map(() => new Map())
  await start()
  await client.createTopic(TOPIC, PARTITIONS.length)
  for (const partition of [...PARTITIONS, ...PARTITIONS]) expect(await append(partition)).toBe(Errors.NONE)
  lost = (await described()).get(dirs()[1])?.partitions ?? []
  expect(lost.length).toBe(2)
})
afterEach(async () => {
  if (reason !== null) return
  client.close()
  await broker.kill()
  await failing?.end()
  folder.remove()
})

describe.skipIf(reason !== null)('EIO from one log directory of two', () => {
  const refusedAppend = async () => expect(await append(lost[0] ?? -1)).toBe(Errors.KAFKA_STORAGE_ERROR)

  it.each<readonly [string, string, () => Promise<void>]>([
    ['a sync', 'fdatasync', refusedAppend],
    ['a write', 'pwrite64,pwritev', refusedAppend],
    [
      'a sendfile',
      'sendfile',
      async () => {
        // The reply has begun and cannot be kept.
        await expect(read(lost[0] ?? -1, 0)).rejects.toThrow('the broker closed the connection')
        client = await RawClient.open(broker.port)
      },
    ],
    [
      'a read',
      'pread64',
      async () => {
        const { errorCode } = await read(lost[0] ?? -1, 0)
        expect(errorCode).toBe(Errors.KAFKA_STORAGE_ERROR)
      },
    ],
  ])('takes that one offline and nothing else, at %s', async (_, syscall, meet) => {
    // What was just written is served without a look at the disk.
    if (syscall === 'pread64') {
      await stop()
      await start()
    }
    await fail(syscall, logsIn(dirs()[1]))
    await meet()
    await expectOnlySecondOffline()
    await failing?.end()
    // The disk would answer again, but what it did with the pages in between nobody knows.
    for (const partition of lost) await expectOffline(partition)
    await stop()
    await start()
    for (const partition of PARTITIONS) await expectServed(partition)
    await stop()
  })

  it('lets a partition be moved out of it at the next start, and served without it from then on', async () => {
    const [moved = -1, left = -1] = lost
    const [first, second] = dirs()
    await fail('fdatasync', logsIn(second))
    await refusedAppend()
    await expectOnlySecondOffline()
    await failing?.end()
    await stop()
    await start()
    const move = { path: first, topics: [{ name: TOPIC, partitions: [moved] }] }
    await client.request(alterReplicaLogDirs, 1, { dirs: [move] })
    while ((await described()).get(second)?.partitions.includes(moved));
    await stop()
    await start([first])
    while ((await shown(moved)).leaderId === -1);
    await expectServed(moved)
    expect(await shown(left)).toMatchObject({ leaderId: -1, offlineReplicas: [0] })
    await stop()
  })

  it('opens nothing of it where it begins at a start, and nothing anew elsewhere', async () => {
    client.close()
    await broker.kill()
    // What was not closed cleanly is read from its recovery point on.
    await start(dirs(), startFailing('pread64', logsIn(dirs()[1])))
    await expectOnlySecondOffline()
    await stop()
    await start()
    for (const partition of PARTITIONS) await expectServed(partition)
    await stop()
  })

  it.each<readonly [string, (dir: string) => Promise<void>, () => void]>([
    [
      'the metadata log itself',
      (dir) => fail('fdatasync,fsync,pwrite64,pwritev', [join(dir, '__cluster_metadata-0', FIRST_SEGMENT)]),
      () => client.send(client.frame(createTopics, 5, { topics: [topicNamed('late')], timeoutMs: 30_000 })),
    ],
    [
      'a log beside it',
      (dir) => fail('fdatasync', logsIn(dir)),
      () => {
        const partition = PARTITIONS.find((one) => !lost.includes(one)) ?? -1
        client.send(client.frame(produce, 8, produceRequest(TOPIC, recordBatch([{ value: 'x' }]), partition)))
      },
    ],
  ])('stops the broker with one sentence in the directory of the metadata, at %s', async (_, begin, meet) => {
    const [first] = dirs()
    await begin(first)
    const before = broker.output
    meet()
    expect(await broker.ended()).toBe(1)
    // What is logged is not what the operator is told in the end.
    const said = broker.output.slice(before.length).split('\n')
    const sentences = said.filter((line) => line !== '' && !line.includes('a log directory is offline'))
    expect(sentences).toEqual([expect.stringMatching(/Input\/output error/)])
    expect(sentences[0]).toContain(first)
    await failing?.end()
    await start()
    for (const partition of PARTITIONS) await expectServed(partition)
    await stop()
  })
})
