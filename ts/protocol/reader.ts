/**
 * Reads Kafka's primitives from a buffer, big-endian and bounds-checked: the run-time half of compiled decoders.
 * Whatever is wrong with the bytes is a ProtocolError; it never allocates more than the bytes at hand justify.
 */
import { type UnknownTaggedField, ZERO_UUID } from './notation.js'
import { ProtocolError } from './protocol-error.js'

const MAX_STRING_BYTES = 0x7fff

export class Reader {
  buffer: Buffer
  position: number
  /** Exclusive; moves inwards while a tagged field is read. */
  end: number

  constructor(buffer: Buffer, offset: number, end: number) {
    this.buffer = buffer
    this.position = offset
    this.end = end
  }

  /** Reserves the next `size` bytes and returns where they start. */
  private take(size: number): number {
    const at = this.position
    const next = at + size
    if (next > this.end) throw new ProtocolError(`${size} bytes needed at ${at}, ${this.end - at} remain`)
    this.position = next
    return at
  }

  bool(): boolean {
    return this.buffer[this.take(1)] !== 0
  }

  int8(): number {
    return ((this.buffer[this.take(1)] as number) << 24) >> 24
  }

  int16(): number {
    const at = this.take(2)
    const b = this.buffer
    return (((b[at] as number) << 24) | ((b[at + 1] as number) << 16)) >> 16
  }

  uint16(): number {
    const at = this.take(2)
    const b = this.buffer
    return ((b[at] as number) << 8) | (b[at + 1] as number)
  }

  int32(): number {
    const at = this.take(4)
    const b = this.buffer
    return (
      ((b[at] as number) << 24) |
      ((b[at + 1] as number) << 16) |
      ((b[at + 2] as number) << 8) |
      (b[at + 3] as number)
    )
  }

  uint32(): number {
    return this.int32() >>> 0
  }

  int64(): number {
    const high = this.int32()
    const low = this.int32() >>> 0
    const value = high * 0x1_0000_0000 + low
    if (!Number.isSafeInteger(value)) {
      throw new ProtocolError(`64-bit integer at ${this.position - 8} is beyond ±(2^53 − 1)`)
    }
    return value
  }

  bigint64(): bigint {
    return this.buffer.readBigInt64BE(this.take(8))
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.take(1)] as number
      if (shift === 28 && byte > 0x0f) break
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new ProtocolError(`varint before ${this.position} exceeds 32 bits`)
  }

  uuid(): string {
    const at = this.take(16)
    const b = this.buffer
    for (let i = at; i < at + 16; i++) {
      if (b[i] !== 0) return b.toString('base64url', at, at + 16)
    }
    return ZERO_UUID
  }

  string(): string {
    return this.text(this.int16())
  }

  nullableString(): string | null {
    const length = this.int16()
    return length === -1 ? null : this.text(length)
  }

  compactString(): string {
    return this.text(this.uvarint() - 1)
  }

  compactNullableString(): string | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.text(length)
  }

  private text(length: number): string {
    if (length < 0 || length > MAX_STRING_BYTES) throw this.badLength('string', length)
    const at = this.take(length)
    return length === 0 ? '' : this.buffer.toString('utf8', at, at + length)
  }

  bytes(): Buffer {
    return copied(this.view())
  }

  nullableBytes(): Buffer | null {
    const view = this.nullableView()
    return view === null ? null : copied(view)
  }

  compactBytes(): Buffer {
    return copied(this.compactView())
  }

  compactNullableBytes(): Buffer | null {
    const view = this.compactNullableView()
    return view === null ? null : copied(view)
  }

  view(): Buffer {
    return this.slice(this.int32())
  }

  nullableView(): Buffer | null {
    const length = this.int32()
    return length === -1 ? null : this.slice(length)
  }

  compactView(): Buffer {
    return this.slice(this.uvarint() - 1)
  }

  compactNullableView(): Buffer | null {
    const length = this.uvarint() - 1
    return length === -1 ? null : this.slice(length)
  }

  private slice(length: number): Buffer {
    if (length < 0) throw this.badLength('bytes', length)
    const at = this.take(length)
    return this.buffer.subarray(at, at + length)
  }

  /** Element count, refused when the bytes that remain could not hold it. `smallest`: bytes of the smallest element. */
  arrayLength(smallest: number): number {
    return this.counted(this.int32(), smallest)
  }

  /** −1 for null. */
  nullableArrayLength(smallest: number): number {
    const length = this.int32()
    return length === -1 ? -1 : this.counted(length, smallest)
  }

  compactArrayLength(smallest: number): number {
    return this.counted(this.uvarint() - 1, smallest)
  }

  compactNullableArrayLength(smallest: number): number {
    const length = this.uvarint() - 1
    return length === -1 ? -1 : this.counted(length, smallest)
  }

  private counted(length: number, smallest: number): number {
    if (length < 0 || length * smallest > this.end - this.position) throw this.badLength('array', length)
    return length
  }

  /** True when a nullable struct follows its marker; see `nullMarkerOf`. */
  structFollows(nullMarker: number): boolean {
    const marker = this.int8()
    if (marker !== 1 && marker !== nullMarker)
      throw new ProtocolError(`struct marker ${marker} at ${this.position - 1}`)
    return marker === 1
  }

  /** Opens a tagged field of `size` bytes; give the result to `endTagged`. */
  beginTagged(size: number): number {
    const outer = this.end
    const stop = this.position + size
    if (stop > outer) throw this.badLength('tagged field', size)
    this.end = stop
    return outer
  }

  endTagged(outer: number): void {
    if (this.position !== this.end) {
      throw new ProtocolError(
        `${this.end - this.position} bytes left over in the tagged field at ${this.position}`,
      )
    }
    this.end = outer
  }

  /** Number of tagged fields that follow. */
  tagCount(): number {
    return this.counted(this.uvarint(), 2)
  }

  /** Keeps a tagged field that no table knows. */
  unknownTag(kept: UnknownTaggedField[] | undefined, tag: number, size: number): UnknownTaggedField[] {
    const field = { tag, data: copied(this.slice(size)) }
    if (kept === undefined) return [field]
    kept.push(field)
    return kept
  }

  /** The tagged section of a struct that knows no tags in this version. */
  onlyUnknownTags(): UnknownTaggedField[] | undefined {
    let kept: UnknownTaggedField[] | undefined
    for (let left = this.tagCount(); left > 0; left--) {
      const tag = this.uvarint()
      kept = this.unknownTag(kept, tag, this.uvarint())
    }
    return kept
  }

  private badLength(what: string, length: number): ProtocolError {
    return new ProtocolError(
      `${what} length ${length} before ${this.position}, ${this.end - this.position} bytes remain`,
    )
  }
}

/** Outside of Node's shared pool: what is kept must not hold on to 8 KiB of neighbours. */
function copied(view: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(view.length)
  view.copy(copy)
  return copy
}
