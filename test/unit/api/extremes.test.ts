/**
 * Every value of every request of the data plane at its extremes, one at a time: answered or closed, and a good client
 * that reads and writes the very same partitions loses nothing and misses nothing.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apis } from '../../../ts/protocol/apis.js'
import {
  type Api,
  apiVersions,
  createTopics,
  decodeResponse,
  decodeResponseHeader,
  deleteRecords,
  describeProducers,
  fetch,
  initProducerId,
  listOffsets,
  offsetForLeaderEpoch,
  produce,
  ZERO_UUID,
} from '../../../ts/protocol/index.js'
import { recordBatch } from '../../record-batch.js'
import { batchBytes, batchPieces } from './batch-pieces.js'
import { extremesOf } from './extreme-values.js'
import { GoodClient } from './good-client.js'
import { assembled, type Piece, requestPieces } from './pieces.js'
import { SimBroker } from './sim-broker.js'

const MAX_WAIT_MS = 5
const LONGEST_WAIT_MS = 0x7fff_ffff
/** More than any fetch finds, so that it waits its time out. */
const NEVER_ENOUGH = 1 << 28
/** Attacks between two looks of the good client. */
const BETWEEN_LOOKS = 250

let broker: SimBroker
let good: GoodClient
let topicIds: ReadonlyMap<string, string>
let attacker: number | null = null
let attacks = 0

const topicId = (name: string) => topicIds.get(name) ?? ''

beforeAll(() => {
  // The longest wait is longer than any idle timeout of a real broker.
  broker = new SimBroker({ 'connections.max.idle.ms': 2 ** 40 })
  const names = ['written', 'read', 'shed']
  const { topics } = broker.ask(broker.connect(), createTopics, 7, {
    topics: names.map((name) => ({
      name,
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    })),
    timeoutMs: 1_000,
    validateOnly: false,
  })
  topicIds = new Map(topics.map(({ name, topicId }) => [name, topicId]))
  good = new GoodClient(broker, names)
  good.look()
})

afterAll(() => {
  good.look()
  if (attacker !== null) broker.disconnect(attacker)
  broker.advance(LONGEST_WAIT_MS)
  expect(broker.stats()).toMatchObject({ parkedRequests: 0, memory: { inputBytes: 0, requestBytes: 0 } })
  expect(broker.lines.filter((line) => /panic|offline|^error|^fatal/.test(line))).toEqual([])
  good.readAll()
  broker.restart()
  good.reconnect()
  good.readAll()
})

/** Sends one frame; gives the reply decoded, or null when the connection was closed or the frame wants no answer. */
function strike(frame: Buffer, what: string, silent = false): unknown {
  if (attacker === null || !broker.isOpen(attacker)) attacker = broker.connect()
  attacks += 1
  if (attacks % BETWEEN_LOOKS === 0) good.look()
  let replies = broker.send(attacker, frame)
  for (const waitMs of [MAX_WAIT_MS, LONGEST_WAIT_MS]) {
    if (replies.length > 0 || silent || !broker.isOpen(attacker)) break
    if (waitMs > MAX_WAIT_MS && !/maxWaitMs|header/.test(what)) break
    broker.advance(waitMs)
    replies = broker.replies(attacker)
  }
  if (silent && broker.isOpen(attacker)) {
    expect(replies, what).toEqual([])
    broker.ask(attacker, apiVersions, 0, {})
    return null
  }
  const [reply] = replies
  if (reply === undefined) {
    const silence = broker.isOpen(attacker)
    if (silence) broker.disconnect(attacker)
    expect(silence, `${what}: silence`).toBe(false)
    return null
  }
  expect(replies.length, what).toBe(1)
  return decoded(frame, reply, what)
}

function decoded(frame: Buffer, reply: Buffer, what: string): unknown {
  const api = apis.get(frame.readInt16BE(4))
  if (api === undefined) throw new Error(`${what}: a reply to an unknown API`)
  const asked = frame.readInt16BE(6)
  const version = api.minVersion <= asked && asked <= api.maxVersion ? asked : 0
  const header = decodeResponseHeader(api, version, reply)
  expect(header.correlationId, what).toBe(frame.readInt32BE(8))
  return decodeResponse(api, version, reply, header.bodyOffset)
}

const errorsIn = (reply: unknown) =>
  [...JSON.stringify(reply).matchAll(/"errorCode":(-?\d+)/g)].map(([, code]) => code)

/** A number of the body that no other bytes are read by: whatever it is, it is an answer that tells. */
const isNumber = ({ path, encoding }: Piece) => encoding.startsWith('int') && !/^header|length$/.test(path)

/** The request as it is, then with each of its values replaced by each of its extremes. */
function attack(api: Api, version: number, message: Readonly<Record<string, unknown>>): void {
  const pieces = requestPieces(api, version, 7, message)
  const valid = strike(assembled(pieces), `${api.name} v${version}`)
  expect(new Set(errorsIn(valid)), `${api.name} v${version}`).toEqual(new Set(['0']))
  for (const piece of pieces) {
    if (piece.path === 'size') continue
    for (const bytes of extremesOf(piece)) {
      const what = `${api.name} v${version}, ${piece.path} as ${bytes.toString('hex')}`
      const silent = piece.path === '.acks' && bytes.equals(Buffer.alloc(2))
      const reply = strike(assembled(pieces, piece, bytes), what, silent)
      if (isNumber(piece) && !silent) expect(reply, `${what}: a number is answered`).not.toBeNull()
    }
  }
}

const versions = ({ minVersion, maxVersion }: Api) =>
  Array.from({ length: maxVersion - minVersion + 1 }, (_, n) => minVersion + n)

const produceMessage = (records: Buffer) => ({
  transactionalId: '',
  acks: -1,
  timeoutMs: 1_000,
  topicData: [{ name: 'written', topicId: topicId('written'), partitionData: [{ index: 0, records }] }],
})

describe('every value of a request at its extremes', () => {
  it('Produce', () => {
    for (const version of versions(produce))
      attack(produce, version, produceMessage(recordBatch([{ value: 'harm' }])))
  })

  it('Fetch, with and without a wait', () => {
    for (const version of versions(fetch)) {
      attack(fetch, version, {
        clusterId: 'simulatedClusterAAAAAA',
        replicaId: -1,
        replicaState: { replicaId: -1, replicaEpoch: -1 },
        maxWaitMs: MAX_WAIT_MS,
        minBytes: version % 2 === 0 ? 1 : NEVER_ENOUGH,
        maxBytes: NEVER_ENOUGH,
        isolationLevel: 0,
        sessionId: 0,
        sessionEpoch: 0,
        topics: [
          {
            topic: 'read',
            topicId: topicId('read'),
            partitions: [
              {
                partition: 0,
                currentLeaderEpoch: 0,
                fetchOffset: 0,
                lastFetchedEpoch: 0,
                logStartOffset: -1,
                partitionMaxBytes: 1_000,
                replicaDirectoryId: ZERO_UUID,
                highWatermark: 1n,
              },
            ],
          },
        ],
        forgottenTopicsData: [{ topic: 'shed', topicId: topicId('shed'), partitions: [0] }],
        rackId: 'rack',
      })
    }
  })

  it('ListOffsets', () => {
    for (const version of versions(listOffsets).filter((version) => version > 0)) {
      const partitions = [{ partitionIndex: 0, currentLeaderEpoch: 0, timestamp: -1 }]
      const topics = [{ name: 'read', partitions }]
      attack(listOffsets, version, { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 1_000 })
    }
  })

  it('OffsetForLeaderEpoch', () => {
    for (const version of versions(offsetForLeaderEpoch).filter((version) => version > 1)) {
      const partitions = [{ partition: 0, currentLeaderEpoch: 0, leaderEpoch: 0 }]
      attack(offsetForLeaderEpoch, version, { replicaId: -1, topics: [{ topic: 'read', partitions }] })
    }
  })

  it('DescribeProducers', () => {
    for (const version of versions(describeProducers)) {
      attack(describeProducers, version, { topics: [{ name: 'read', partitionIndexes: [0] }] })
    }
  })

  it('DeleteRecords', () => {
    for (const version of versions(deleteRecords)) {
      const topics = [{ name: 'shed', partitions: [{ partitionIndex: 0, offset: 1n }] }]
      attack(deleteRecords, version, { topics, timeoutMs: 1_000 })
    }
  })

  it('InitProducerId', () => {
    const none = { transactionTimeoutMs: 1_000, producerId: -1n, producerEpoch: -1 }
    for (const version of versions(initProducerId)) {
      attack(initProducerId, version, { transactionalId: null, ...none })
    }
  })
})

describe('the size of a frame at its extremes', () => {
  const [size, ...content] = requestPieces(apiVersions, 0, 7, {})

  it.each(size === undefined ? [] : extremesOf(size).map((bytes) => [bytes.readInt32BE(0), bytes] as const))(
    '%i: closed, answered, or held for no longer than the connection lasts',
    (number, bytes) => {
      const conn = broker.connect()
      broker.send(conn, assembled([size as Piece, ...content], size, bytes))
      const whole = assembled(content).length
      if (broker.isOpen(conn)) expect(number).toBeGreaterThan(whole)
      broker.disconnect(conn)
      expect(broker.stats().memory).toMatchObject({ inputBytes: 0, requestBytes: 0 })
    },
  )
})

describe('every value of a record batch at its extremes', () => {
  let producerId = 1_000
  const kinds = [
    ['of one record', 1, false, 0],
    ['of two records of an idempotent producer', 2, true, 0],
    ['compressed', 2, false, 1],
  ] as const

  it.each(kinds)('%s', (_, count, idempotent, codec) => {
    for (const version of [produce.minVersion, produce.maxVersion]) {
      const send = (what: string, replaced?: Piece, replacement?: Buffer) => {
        const batch = batchPieces(count, idempotent ? producerId++ : -1, codec)
        const own = [...batch.header, ...batch.records].find(({ path }) => path === replaced?.path)
        const pieces = requestPieces(produce, version, 7, produceMessage(batchBytes(batch, own, replacement)))
        return strike(assembled(pieces), what)
      }
      expect(errorsIn(send('as it is'))).toEqual(['0'])
      const { header, records } = batchPieces(count, idempotent ? producerId : -1, codec)
      for (const piece of [...header, ...records]) {
        for (const bytes of extremesOf(piece)) {
          send(`Produce v${version}, ${piece.path} as ${bytes.toString('hex')}`, piece, bytes)
        }
      }
    }
  })
})
