// A client that means well, among others that do not: it writes to partition 0 of each of its topics, reads them from
// their start and holds what it finds against what it was acked. It never looks at what others wrote but for offsets.
import { expect } from 'vitest'
import { fetch, listOffsets, produce } from '../../../ts/protocol/index.js'
import { crc32c, readRecords, recordBatch } from '../../record-batch.js'
import type { SimBroker } from './sim-broker.js'

const EARLIEST = -2
const BATCH_HEADER = 61

export class GoodClient {
  private readonly broker: SimBroker
  private conn: number
  /** Per topic the values that were acked, by offset. */
  private readonly acked: ReadonlyMap<string, Map<number, string>>
  /** Per topic how far it has been read. */
  private readonly readTo = new Map<string, number>()
  private writes = 0

  constructor(broker: SimBroker, topics: readonly string[]) {
    this.broker = broker
    this.conn = broker.connect()
    this.acked = new Map(topics.map((topic) => [topic, new Map()]))
  }

  reconnect(): void {
    this.conn = this.broker.connect()
  }

  /** Writes to every topic and reads each on from where it stopped. */
  look(): void {
    for (const topic of this.acked.keys()) {
      this.write(topic)
      this.read(topic, Math.max(this.readTo.get(topic) ?? 0, this.logStart(topic)))
    }
  }

  /** Reads every topic from its start. */
  readAll(): void {
    for (const topic of this.acked.keys()) this.read(topic, this.logStart(topic))
  }

  private write(topic: string): void {
    const value = `good ${this.writes++}`
    const partitionData = [{ index: 0, records: recordBatch([{ value }]) }]
    const request = { acks: -1, timeoutMs: 1_000, topicData: [{ name: topic, partitionData }] }
    const { responses } = this.broker.ask(this.conn, produce, 8, request)
    const answer = responses[0]?.partitionResponses[0]
    expect(answer, `a good record for ${topic}`).toMatchObject({ errorCode: 0 })
    this.acked.get(topic)?.set(answer?.baseOffset ?? -1, value)
  }

  private logStart(topic: string): number {
    const partitions = [{ partitionIndex: 0, timestamp: EARLIEST }]
    const request = { replicaId: -1, topics: [{ name: topic, partitions }] }
    const { topics } = this.broker.ask(this.conn, listOffsets, 1, request as never)
    expect(topics[0]?.partitions[0]).toMatchObject({ errorCode: 0 })
    return topics[0]?.partitions[0]?.offset ?? 0
  }

  private read(topic: string, from: number): void {
    const found = new Map<number, string | null>()
    let next = from
    for (let end = next + 1; next < end; ) {
      const partitions = [{ partition: 0, fetchOffset: next, partitionMaxBytes: 1 << 24 }]
      const request = { maxWaitMs: 0, minBytes: 0, topics: [{ topic, partitions }] }
      const { responses } = this.broker.ask(this.conn, fetch, 4, request)
      const answer = responses[0]?.partitions[0]
      expect(answer, `${topic} from ${next}`).toMatchObject({ errorCode: 0 })
      end = answer?.highWatermark ?? 0
      const after = this.batches(answer?.records ?? Buffer.alloc(0), next, found, topic)
      if (next < end) expect(after, `${topic} ends at ${end}: records at ${next}`).toBeGreaterThan(next)
      next = after
    }
    const kept = [...(this.acked.get(topic) ?? [])].filter(([offset]) => offset >= from)
    for (const [offset, value] of kept) expect(found.get(offset), `${topic} at ${offset}`).toBe(value)
    this.readTo.set(topic, next)
  }

  /** Goes through whole batches, which must follow one another; gives the offset after the last. */
  private batches(bytes: Buffer, from: number, found: Map<number, string | null>, topic: string): number {
    let next = from
    for (let at = 0; at + BATCH_HEADER <= bytes.length; ) {
      const batch = bytes.subarray(at, at + 12 + bytes.readInt32BE(at + 8))
      const base = Number(batch.readBigInt64BE(0))
      if (at > 0) expect(base, `${topic}: a batch after ${next}`).toBe(next)
      else expect(base, `${topic}: the first batch from ${next}`).toBeLessThanOrEqual(next)
      expect(crc32c(batch.subarray(21)), `${topic}: the CRC of ${base}`).toBe(batch.readUInt32BE(17))
      const compressed = (batch.readInt16BE(21) & 7) !== 0
      if (!compressed) for (const { offset, value } of readRecords(batch)) found.set(offset, value)
      next = base + batch.readInt32BE(23) + 1
      at += batch.length
    }
    return next
  }
}
