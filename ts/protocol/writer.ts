/**
 * Writes Kafka's primitives, big-endian, into one buffer that grows: the run-time half of compiled encoders.
 * A value that its type cannot carry is a programmer error (TypeError naming the field); it never truncates.
 */
import type { UnknownTaggedField } from './notation.js'
import { writeUuid } from './uuid-text.js'

const MAX_STRING_BYTES = 0x7fff
const NO_TAGS: readonly UnknownTaggedField[] = []

export class Writer {
  private buffer: Buffer
  private size = 0

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafe(capacity)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.size
  }

  /** Bytes held, written or not. */
  get capacity(): number {
    return this.buffer.length
  }

  reset(): void {
    this.size = 0
  }

  /** Drops what was written beyond `length` bytes. */
  truncate(length: number): void {
    if (length > this.size) throw new RangeError(`${length} bytes of ${this.size} are not there to keep`)
    this.size = length
  }

  /** A copy of what was written. */
  copy(): Buffer {
    const result = Buffer.allocUnsafe(this.size)
    this.buffer.copy(result, 0, 0, this.size)
    return result
  }

  /** What was written, sharing memory with this writer until it is written to again. */
  view(): Buffer {
    return this.buffer.subarray(0, this.size)
  }

  private reserve(bytes: number): number {
    const at = this.size
    const next = at + bytes
    if (next > this.buffer.length) this.grow(next)
    this.size = next
    return at
  }

  private grow(needed: number): void {
    const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.size)
    this.buffer = larger
  }

  bool(value: boolean, field: string): void {
    if (typeof value !== 'boolean') throw unfit(field, 'bool', value)
    // Not in one expression: the buffer to the left would be the one from before it grew.
    const at = this.reserve(1)
    this.buffer[at] = value ? 1 : 0
  }

  int8(value: number, field: string): void {
    if ((value << 24) >> 24 !== value) throw unfit(field, 'int8', value)
    const at = this.reserve(1)
    this.buffer[at] = value
  }

  int16(value: number, field: string): void {
    if ((value << 16) >> 16 !== value) throw unfit(field, 'int16', value)
    this.put16(value)
  }

  uint16(value: number, field: string): void {
    if ((value & 0xffff) !== value) throw unfit(field, 'uint16', value)
    this.put16(value)
  }

  int32(value: number, field: string): void {
    if ((value | 0) !== value) throw unfit(field, 'int32', value)
    this.put32(value)
  }

  uint32(value: number, field: string): void {
    if (value >>> 0 !== value) throw unfit(field, 'uint32', value)
    this.put32(value)
  }

  int64(value: number, field: string): void {
    if (!Number.isSafeInteger(value)) throw unfit(field, 'int64', value)
    this.put32(Math.floor(value / 0x1_0000_0000))
    this.put32(value)
  }

  bigint64(value: bigint, field: string): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw unfit(field, 'bigint64', value)
    const at = this.reserve(8)
    this.buffer.writeBigInt64BE(value, at)
  }

  float64(value: number, field: string): void {
    if (typeof value !== 'number') throw unfit(field, 'float64', value)
    const at = this.reserve(8)
    this.buffer.writeDoubleBE(value, at)
  }

  uvarint(value: number): void {
    let rest = value >>> 0
    while (rest >= 0x80) {
      const at = this.reserve(1)
      this.buffer[at] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    const at = this.reserve(1)
    this.buffer[at] = rest
  }

  uuid(value: string, field: string): void {
    const at = this.reserve(16)
    if (typeof value !== 'string' || !writeUuid(this.buffer, at, value)) throw unfit(field, 'uuid', value)
  }

  string(value: string, field: string): void {
    const length = textLength(value, field)
    this.put16(length)
    this.text(value, length)
  }

  nullableString(value: string | null, field: string): void {
    if (value === null) this.put16(-1)
    else this.string(value, field)
  }

  compactString(value: string, field: string): void {
    const length = textLength(value, field)
    this.uvarint(length + 1)
    this.text(value, length)
  }

  compactNullableString(value: string | null, field: string): void {
    if (value === null) this.uvarint(0)
    else this.compactString(value, field)
  }

  private text(value: string, length: number): void {
    const at = this.reserve(length)
    if (length !== value.length) {
      this.buffer.write(value, at, length, 'utf8')
    } else if (length > 24) {
      this.buffer.write(value, at, length, 'latin1')
    } else {
      for (let i = 0; i < length; i++) this.buffer[at + i] = value.charCodeAt(i)
    }
  }

  bytes(value: Uint8Array, field: string): void {
    if (!(value instanceof Uint8Array)) throw unfit(field, 'bytes', value)
    this.put32(value.length)
    this.raw(value)
  }

  nullableBytes(value: Uint8Array | null, field: string): void {
    if (value === null) this.put32(-1)
    else this.bytes(value, field)
  }

  compactBytes(value: Uint8Array, field: string): void {
    if (!(value instanceof Uint8Array)) throw unfit(field, 'bytes', value)
    this.uvarint(value.length + 1)
    this.raw(value)
  }

  compactNullableBytes(value: Uint8Array | null, field: string): void {
    if (value === null) this.uvarint(0)
    else this.compactBytes(value, field)
  }

  /** Bytes as they are, without a length. */
  raw(value: Uint8Array): void {
    const at = this.reserve(value.length)
    this.buffer.set(value, at)
  }

  arrayLength(value: readonly unknown[], field: string): void {
    this.put32(elements(value, field))
  }

  nullableArrayLength(value: readonly unknown[] | null, field: string): void {
    this.put32(value === null ? -1 : elements(value, field))
  }

  compactArrayLength(value: readonly unknown[], field: string): void {
    this.uvarint(elements(value, field) + 1)
  }

  compactNullableArrayLength(value: readonly unknown[] | null, field: string): void {
    this.uvarint(value === null ? 0 : elements(value, field) + 1)
  }

  /** Writes a tag and leaves room for its size; give the result to `endTagged`. */
  beginTagged(tag: number): number {
    this.uvarint(tag)
    return this.reserve(1) + 1
  }

  endTagged(start: number): void {
    const size = this.size - start
    if (size >= 0x80) {
      const extra = size < 0x4000 ? 1 : size < 0x20_0000 ? 2 : size < 0x1000_0000 ? 3 : 4
      this.reserve(extra)
      this.buffer.copyWithin(start + extra, start, start + size)
    }
    const end = this.size
    this.size = start - 1
    this.uvarint(size)
    this.size = end
  }

  /** The tagged section of a struct that knows no tags in this version. */
  onlyUnknownTags(kept: readonly UnknownTaggedField[] | undefined): void {
    const tags = inTagOrder(kept)
    this.uvarint(tags.length)
    this.unknownTagsBelow(tags, 0, Number.POSITIVE_INFINITY)
  }

  /** Writes the unknown tags from index `from` whose number is below `limit`; returns the next index. */
  unknownTagsBelow(tags: readonly UnknownTaggedField[], from: number, limit: number): number {
    let index = from
    for (let next = tags[index]; next !== undefined && next.tag < limit; next = tags[++index]) {
      this.uvarint(next.tag)
      this.uvarint(next.data.length)
      this.raw(next.data)
    }
    return index
  }

  /** Leaves room for a 32-bit size; `endSized` fills it in with the bytes written since. */
  beginSized(): number {
    return this.reserve(4) + 4
  }

  endSized(start: number): void {
    this.buffer.writeInt32BE(this.size - start, start - 4)
  }

  private put16(value: number): void {
    const at = this.reserve(2)
    const b = this.buffer
    b[at] = value >>> 8
    b[at + 1] = value
  }

  private put32(value: number): void {
    const at = this.reserve(4)
    const b = this.buffer
    b[at] = value >>> 24
    b[at + 1] = value >>> 16
    b[at + 2] = value >>> 8
    b[at + 3] = value
  }
}

/** Unknown tags sorted by number, as KIP-482 wants them on the wire. */
export function inTagOrder(kept: readonly UnknownTaggedField[] | undefined): readonly UnknownTaggedField[] {
  if (kept === undefined || kept.length === 0) return NO_TAGS
  return kept.length === 1 ? kept : [...kept].sort((a, b) => a.tag - b.tag)
}

function textLength(value: string, field: string): number {
  if (typeof value !== 'string') throw unfit(field, 'string', value)
  const length = Buffer.byteLength(value, 'utf8')
  if (length > MAX_STRING_BYTES) throw new TypeError(`${field}: a string of ${length} bytes is too long`)
  return length
}

function elements(value: readonly unknown[], field: string): number {
  if (!Array.isArray(value)) throw unfit(field, 'array', value)
  return value.length
}

/** The error for a value that the field's type cannot carry. */
export function unfit(field: string, type: string, value: unknown): TypeError {
  const shown = typeof value === 'object' && value !== null ? 'an object' : String(value)
  return new TypeError(`${field}: ${shown} is no ${type}`)
}
