// What a hostile or unlucky client sends, against a real broker: the right answer or a closed connection, bounded
// memory, and a second client that notices nothing.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  apiVersions,
  createTopics,
  decodeResponse,
  Errors,
  fetch,
  findCoordinator,
  joinGroup,
  metadata,
  offsetCommit,
  produce,
} from '../../ts/protocol/index.js'
import { type BatchFields, type NewRecord, readRecords, recordBatch } from '../record-batch.js'
import { BrokerProcess, dataFolder } from './broker-process.js'
import { fetchRequest, produceRequest, RawClient } from './raw-client.js'

const folder = dataFolder()
let broker: BrokerProcess
let witness: RawClient
let clients: RawClient[] = []
let written = 0

const client = async () => {
  const opened = await RawClient.open(broker.port)
  clients.push(opened)
  return opened
}

/** A second connection, opened before any harm was done, still produces and reads its own records. */
async function undisturbed(): Promise<void> {
  const acked = await witness.produce('witness', recordBatch([{ value: `w${written}` }]))
  expect(acked).toEqual({ errorCode: 0, baseOffset: written })
  written += 1
  const { records } = await witness.fetch('witness', written - 1)
  expect(readRecords(records ?? Buffer.alloc(0)).map((record) => record.value)).toEqual([`w${written - 1}`])
}

const residentMiB = () => {
  const pages = Number(readFileSync(`/proc/${broker.pid}/statm`, 'utf8').split(' ')[1])
  return (pages * 4096) / (1 << 20)
}

const frame = (...bytes: readonly (readonly number[] | Buffer)[]) => {
  const body = Buffer.concat(bytes.map((piece) => Buffer.from(piece)))
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}
const int16 = (value: number) => [(value >> 8) & 255, value & 255]
const int32 = (value: number) => [(value >> 24) & 255, (value >> 16) & 255, (value >> 8) & 255, value & 255]

beforeAll(async () => {
  broker = await BrokerProcess.start({ folder: folder.path })
  witness = await RawClient.open(broker.port)
  await witness.createTopic('witness')
  await witness.createTopic('target')
})

afterEach(async () => {
  for (const opened of clients) opened.close()
  clients = []
  await undisturbed()
})

afterAll(async () => {
  witness.close()
  await broker.stop()
  folder.remove()
})

describe('frame lengths', () => {
  it.each([
    ['negative', -1],
    ['most negative', -2147483648],
    ['zero', 0],
    ['oversized', 104857601],
    ['largest', 2147483647],
  ])('%s: the connection is closed', async (_, length) => {
    const bad = await client()
    bad.send(Buffer.from(int32(length)))
    expect(await bad.closed()).toHaveLength(0)
  })

  it('a large length of which little comes costs what came, not what was promised', async () => {
    const before = residentMiB()
    const opened = await Promise.all(Array.from({ length: 50 }, client))
    for (const bad of opened) bad.send(Buffer.from([...int32(100_000_000), 0, 0, 0, 7, 1, 2, 3]))
    await undisturbed()
    expect(residentMiB() - before).toBeLessThan(64)
  })

  it('truncated frames are dropped with their connection', async () => {
    const bad = await client()
    const whole = bad.frame(produce, 8, produceRequest('target', recordBatch([{ value: 'never' }])))
    bad.send(whole.subarray(0, whole.length - 1))
    bad.close()
    const { highWatermark } = await witness.fetch('target', 0)
    expect(highWatermark).toBe(0)
  })
})

describe('what a frame holds', () => {
  it('garbage closes the connection', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const bad = await client()
      const noise = Array.from({ length: 64 }, (_, n) => (Math.imul(seed * 64 + n, 2654435761) >>> 24) & 255)
      bad.send(frame(noise))
      await bad.closed()
    }
  })

  const header = (key: number, version: number) => [
    ...int16(key),
    ...int16(version),
    ...int32(1),
    ...int16(-1),
  ]
  it.each([
    ['a client id beyond the frame', frame([...int16(3), ...int16(5), ...int32(1), ...int16(32767)])],
    ['an array beyond the frame (Metadata)', frame(header(3, 5), int32(2147483647))],
    ['a string beyond the frame (Metadata)', frame(header(3, 5), int32(1), int16(32767), [65])],
    [
      'an array beyond the frame (Produce)',
      frame(header(0, 7), int16(-1), int16(1), int32(1), int32(2147483647)),
    ],
    [
      'records beyond the frame (Produce)',
      frame(
        header(0, 7),
        int16(-1),
        int16(1),
        int32(1),
        int32(1),
        int16(1),
        [65],
        int32(1),
        int32(0),
        int32(2147483647),
      ),
    ],
    [
      'a negative array (Fetch)',
      frame(header(1, 4), int32(-1), int32(0), int32(0), int32(0), [0], int32(-5)),
    ],
    ['an array beyond the frame (ListOffsets)', frame(header(2, 2), int32(-1), [0], int32(1 << 30))],
    ['bytes after the end (Metadata)', frame(header(3, 5), int32(0), [1, 2, 3, 4, 5])],
    ['a frame without a header', frame([0])],
  ])('%s: the connection is closed', async (_, bytes) => {
    const bad = await client()
    bad.send(bytes)
    expect(await bad.closed()).toHaveLength(0)
  })

  it('ApiVersions of an unknown version is answered in version 0 with error 35', async () => {
    const odd = await client()
    odd.send(frame(header(18, 99)))
    const answer = decodeResponse(apiVersions, 0, await odd.reply(), 4)
    expect(answer.errorCode).toBe(Errors.UNSUPPORTED_VERSION)
    expect(answer.apiKeys.find((api) => api.apiKey === 18)).toBeDefined()
    expect((await odd.request(apiVersions, 0, {})).errorCode).toBe(0)
  })

  it.each([
    ['an unknown key', 1234, 0],
    ['an unknown version of Metadata', 3, 99],
    ['an unknown version of Produce', 0, 99],
    ['Produce v2', 0, 2],
    ['a negative version', 3, -1],
  ])('%s closes the connection with a log line', async (_, key, version) => {
    const bad = await client()
    const port = bad.socket.localPort
    bad.send(frame(header(key, version)))
    expect(await bad.closed()).toHaveLength(0)
    await expect.poll(() => broker.output).toContain(`127.0.0.1:${port}`)
  })
})

describe('record batches', () => {
  const one: NewRecord[] = [{ key: 'k', value: 'v' }]
  const cases: [string, number, NewRecord[], BatchFields][] = [
    ['a wrong CRC', Errors.CORRUPT_MESSAGE, one, { wrongCrc: true }],
    ['magic 0', Errors.INVALID_RECORD, one, { magic: 0 }],
    ['magic 1', Errors.INVALID_RECORD, one, { magic: 1 }],
    ['more records declared than there are', Errors.INVALID_RECORD, one, { count: 2, lastOffsetDelta: 1 }],
    [
      'fewer records declared than there are',
      Errors.INVALID_RECORD,
      [...one, ...one],
      { count: 1, lastOffsetDelta: 0 },
    ],
    ['a count that the offsets deny', Errors.INVALID_RECORD, one, { count: 5 }],
    [
      'two billion records declared',
      Errors.INVALID_RECORD,
      one,
      { count: 2147483647, lastOffsetDelta: 2147483646 },
    ],
    ['a control batch', Errors.INVALID_RECORD, one, { attributes: 0x20 }],
    ['an unknown codec', Errors.UNSUPPORTED_COMPRESSION_TYPE, one, { attributes: 7 }],
  ]
  it.each(cases)('%s is refused and nothing is appended', async (_, errorCode, records, fields) => {
    const bad = await client()
    expect((await bad.produce('target', recordBatch(records, fields))).errorCode).toBe(errorCode)
    expect((await witness.fetch('target', 0)).highWatermark).toBe(0)
  })

  it.each([
    ['magic 9', { magic: 9 }],
    ['a length below a header', { declaredLength: 10 }],
    ['a length beyond the bytes', { declaredLength: 1 << 30 }],
    ['a negative length', { declaredLength: -1 }],
  ])('%s is refused as corrupt', async (_, fields) => {
    const bad = await client()
    const { errorCode } = await bad.produce('target', recordBatch(one, fields))
    expect([Errors.CORRUPT_MESSAGE, Errors.INVALID_RECORD]).toContain(errorCode)
    expect((await witness.fetch('target', 0)).highWatermark).toBe(0)
  })

  it('10 GB of zeros out of a few hundred KB (zstd) are refused in little memory', async () => {
    // A zstd frame of run-length blocks, each 128 KiB out of four bytes.
    const block = Buffer.from([((1 << 1) | (0x20000 << 3)) & 255, 0, (0x20000 << 3) >> 16, 0])
    const blocks = Buffer.concat(Array.from({ length: 81_920 }, () => block))
    const payload = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x70]), blocks])
    const before = residentMiB()
    const bad = await client()
    const bomb = recordBatch(one, { attributes: 4, payload })
    expect((await bad.produce('target', bomb)).errorCode).not.toBe(0)
    expect(residentMiB() - before).toBeLessThan(64)
  })

  it('1 GB of zeros out of 1 MB (gzip) are refused in little memory', async () => {
    const payload = gzipSync(Buffer.alloc(1 << 30))
    const before = residentMiB()
    const bad = await client()
    expect((await bad.produce('target', recordBatch(one, { attributes: 1, payload }))).errorCode).not.toBe(0)
    expect(residentMiB() - before).toBeLessThan(64)
  })
})

describe('names, ids and generations', () => {
  it('an unknown topic and an unknown partition', async () => {
    const odd = await client()
    const batch = recordBatch([{ value: 'v' }])
    const unknown = Errors.UNKNOWN_TOPIC_OR_PARTITION
    expect((await odd.produce('nowhere', batch)).errorCode).toBe(unknown)
    expect((await odd.produce('target', batch, 7)).errorCode).toBe(unknown)
    expect((await odd.fetch('nowhere', 0)).errorCode).toBe(unknown)
  })

  it('an unknown topic id', async () => {
    const odd = await client()
    const topicId = 'AAAAAAAAAAAAAAAAAAAB6Q'
    const { topics } = fetchRequest('', 0)
    const fetched = await odd.request(fetch, 13, {
      ...fetchRequest('', 0),
      topics: [{ topicId, partitions: topics[0]?.partitions ?? [] }],
    })
    expect(fetched.responses[0]?.partitions[0]?.errorCode).toBe(Errors.UNKNOWN_TOPIC_ID)
    const records = recordBatch([{ value: 'v' }])
    const produced = await odd.request(produce, 13, {
      acks: -1,
      timeoutMs: 1_000,
      topicData: [{ topicId, partitionData: [{ index: 0, records }] }],
    })
    expect(produced.responses[0]?.partitionResponses[0]?.errorCode).toBe(Errors.UNKNOWN_TOPIC_ID)
    const described = await odd.request(metadata, 12, {
      topics: [{ topicId, name: null }],
      includeTopicAuthorizedOperations: false,
    })
    expect(described.topics[0]?.errorCode).toBe(Errors.UNKNOWN_TOPIC_ID)
  })

  it('an offset out of range', async () => {
    const odd = await client()
    expect((await odd.fetch('target', 1)).errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
    expect((await odd.fetch('target', -1)).errorCode).toBe(Errors.OFFSET_OUT_OF_RANGE)
  })

  it('an invalid topic name', async () => {
    const odd = await client()
    const topics = ['', '.', 'a/b', 'x'.repeat(250)].map((name) => ({
      name,
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    }))
    const response = await odd.request(createTopics, 5, { topics, timeoutMs: 1_000, validateOnly: false })
    const codes = response.topics.map((topic) => topic.errorCode)
    expect(codes).toEqual(topics.map(() => Errors.INVALID_TOPIC_EXCEPTION))
  })

  it('a stale generation and an unknown member', async () => {
    const odd = await client()
    const join = {
      groupId: 'stale',
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    }
    await expect
      .poll(async () => (await odd.request(findCoordinator, 1, { key: 'stale', keyType: 0 })).errorCode)
      .toBe(0)
    const joined = await odd.request(joinGroup, 3, join)
    expect(joined.errorCode).toBe(0)
    const commit = async (generationIdOrMemberEpoch: number, memberId: string) => {
      const partitions = [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }]
      const topics = [{ name: 'target', partitions }]
      const request = { groupId: 'stale', generationIdOrMemberEpoch, memberId, topics, retentionTimeMs: -1 }
      const response = await odd.request(offsetCommit, 4, request)
      return response.topics[0]?.partitions[0]?.errorCode
    }
    expect(await commit(joined.generationId + 4, joined.memberId)).toBe(Errors.ILLEGAL_GENERATION)
    expect(await commit(joined.generationId, 'somebody')).toBe(Errors.UNKNOWN_MEMBER_ID)
  })
})

describe('a client that never reads', () => {
  it('is held back in bounded memory', async () => {
    const filler = await client()
    await filler.createTopic('big')
    const batch = recordBatch([{ value: 'x'.repeat(500_000) }])
    for (let n = 0; n < 20; n++) expect((await filler.produce('big', batch)).errorCode).toBe(0)
    const before = residentMiB()
    const deaf = await client()
    deaf.socket.pause()
    for (let n = 0; n < 2_000; n++) deaf.send(deaf.frame(fetch, 11, fetchRequest('big', 0)))
    for (let n = 0; n < 2_000; n++)
      deaf.send(deaf.frame(metadata, 5, { topics: null, allowAutoTopicCreation: false }))
    for (let n = 0; n < 20; n++) await undisturbed()
    expect(residentMiB() - before).toBeLessThan(64)
  })
})
