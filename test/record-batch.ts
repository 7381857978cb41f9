// Record batches v2 for tests: built by hand, so that every field can be made to lie. What comes back from a broker is
// read here too, uncompressed.

const TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0x82f63b78 ^ (c >>> 1) : c >>> 1
  return c >>> 0
})

/** CRC-32C (Castagnoli). */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

function varint(value: number): number[] {
  let left = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  const out: number[] = []
  for (; left > 0x7fn; left >>= 7n) out.push(Number(left & 0x7fn) | 0x80)
  out.push(Number(left))
  return out
}

function varbytes(bytes: Buffer | null): number[] {
  return bytes === null ? varint(-1) : [...varint(bytes.length), ...bytes]
}

export interface NewRecord {
  readonly key?: string | null
  readonly value: string | null
  readonly timestamp?: number
  readonly headers?: readonly (readonly [key: string, value: string | null])[]
}

/** What can be made to differ from an honest batch. `payload` replaces the records' bytes, `pack` compresses them. */
export interface BatchFields {
  readonly baseOffset?: bigint
  readonly leaderEpoch?: number
  readonly baseTimestamp?: number
  readonly maxTimestamp?: number
  readonly pack?: (records: Buffer) => Buffer
  readonly magic?: number
  readonly attributes?: number
  readonly count?: number
  readonly lastOffsetDelta?: number
  readonly producerId?: number
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly payload?: Buffer
  readonly wrongCrc?: boolean
  readonly declaredLength?: number
}

const BASE_TIMESTAMP = 1_700_000_000_000

/** A whole batch at base offset 0, as a producer sends it. */
export function recordBatch(records: readonly NewRecord[], fields: BatchFields = {}): Buffer {
  const baseTimestamp = fields.baseTimestamp ?? BASE_TIMESTAMP
  const body = records.flatMap((record, index) => {
    const headers = record.headers ?? []
    const inner = [
      0,
      ...varint((record.timestamp ?? baseTimestamp) - baseTimestamp),
      ...varint(index),
      ...varbytes(record.key == null ? null : Buffer.from(record.key)),
      ...varbytes(record.value === null ? null : Buffer.from(record.value)),
      ...varint(headers.length),
      ...headers.flatMap(([key, value]) => [
        ...varbytes(Buffer.from(key)),
        ...varbytes(value === null ? null : Buffer.from(value)),
      ]),
    ]
    return [...varint(inner.length), ...inner]
  })
  const plain = fields.payload ?? Buffer.from(body)
  const payload = fields.pack ? fields.pack(plain) : plain
  const batch = Buffer.alloc(61 + payload.length)
  batch.writeBigInt64BE(fields.baseOffset ?? 0n, 0)
  batch.writeInt32BE(fields.declaredLength ?? batch.length - 12, 8)
  batch.writeInt32BE(fields.leaderEpoch ?? -1, 12)
  batch.writeInt8(fields.magic ?? 2, 16)
  batch.writeInt16BE(fields.attributes ?? 0, 21)
  batch.writeInt32BE(fields.lastOffsetDelta ?? records.length - 1, 23)
  batch.writeBigInt64BE(BigInt(baseTimestamp), 27)
  const timestamps = records.map((record) => record.timestamp ?? baseTimestamp)
  batch.writeBigInt64BE(BigInt(fields.maxTimestamp ?? Math.max(...timestamps, -1)), 35)
  batch.writeBigInt64BE(BigInt(fields.producerId ?? -1), 43)
  batch.writeInt16BE(fields.producerEpoch ?? -1, 51)
  batch.writeInt32BE(fields.baseSequence ?? -1, 53)
  batch.writeInt32BE(fields.count ?? records.length, 57)
  payload.copy(batch, 61)
  setCrc(batch)
  if (fields.wrongCrc) batch.writeUInt32BE((batch.readUInt32BE(17) ^ 1) >>> 0, 17)
  return batch
}

/** Makes a batch whose bytes were changed honest again. */
export function setCrc(batch: Buffer): void {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
}

export interface ReadRecord {
  readonly offset: number
  readonly leaderEpoch: number
  readonly key: string | null
  readonly value: string | null
}

/** The records of all whole batches in `bytes`; a partial batch at the end is left out, as every client does. */
export function readRecords(bytes: Buffer): ReadRecord[] {
  const out: ReadRecord[] = []
  let at = 0
  while (at + 61 <= bytes.length && at + 12 + bytes.readInt32BE(at + 8) <= bytes.length) {
    const end = at + 12 + bytes.readInt32BE(at + 8)
    if (crc32c(bytes.subarray(at + 21, end)) !== bytes.readUInt32BE(at + 17))
      throw new Error(`bad CRC at ${at}`)
    const base = Number(bytes.readBigInt64BE(at))
    const leaderEpoch = bytes.readInt32BE(at + 12)
    let position = at + 61
    const number = () => {
      let value = 0n
      for (let shift = 0n; ; shift += 7n) {
        const byte = BigInt(bytes[position++] ?? 0)
        value |= (byte & 0x7fn) << shift
        if (byte < 0x80n) return Number((value >> 1n) ^ -(value & 1n))
      }
    }
    const text = () => {
      const length = number()
      if (length < 0) return null
      position += length
      return bytes.toString('utf8', position - length, position)
    }
    for (let n = bytes.readInt32BE(at + 57); n > 0; n--) {
      const next = number() + position
      position += 1
      number()
      const offset = base + number()
      const key = text()
      out.push({ offset, leaderEpoch, key, value: text() })
      position = next
    }
    at = end
  }
  return out
}
