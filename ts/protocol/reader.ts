/**
 * Reads Kafka's primitives from a buffer, big-endian and bounds-checked: the run-time half of compiled decoders.
 * Whatever is wrong with the bytes is a ProtocolError; it never allocates more than the bytes at hand justify.
 */
import type { UnknownTaggedField } from './notation.js'
import { ProtocolError } from './protocol-error.js'
import { uuidText } from './uuid-text.js'

const MAX_STRING_BYTES = 0x7fff
/** What a string, a buffer of its own, a view into one and a kept tagged field take beside their bytes. */
const STRING_HEAP = 16
const BUFFER_HEAP = 256
const VIEW_HEAP = 128
const TAG_HEAP = 64

export class Reader {
  buffer: Buffer
  position: number
  /** Exclusive; moves inwards while a tagged field is read. */
  end: number
  /** About the bytes of memory that what is read may still take. */
  private heap: number

  constructor(buffer: Buffer, offset: number, end: number, heap = Number.POSITIVE_INFINITY) {
    this.buffer = buffer
    this.position = offset
    this.end = end
    this.heap = heap
  }

  private charge(bytes: number): void {
    this.heap -= bytes
    if (this.heap < 0) throw new ProtocolError(`too many elements or too much text before ${this.position}`)
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
    return uuidText(this.buffer, this.take(16))
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
    if (length === 0) return ''
    this.charge(STRING_HEAP + length)
    return this.buffer.toString('utf8', at, at + length)
  }

  private copied(view: Buffer): Buffer {
    this.charge(BUFFER_HEAP + view.length)
    return copied(view)
  }

  bytes(): Buffer {
    return this.copied(this.view())
  }

  nullableBytes(): Buffer | null {
    const view = this.nullableView()
    return view === null ? null : this.copied(view)
  }

  compactBytes(): Buffer {
    return this.copied(this.compactView())
  }

  compactNullableBytes(): Buffer | null {
    const view = this.compactNullableView()
    return view === null ? null : this.copied(view)
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
    this.charge(VIEW_HEAP)
    return this.buffer.subarray(at, at + length)
  }

  /**
   * Element count, refused when the bytes that remain could not hold it, or memory should not. `smallest`: bytes of the
   * smallest element; `heap`: about what each takes in memory.
   */
  arrayLength(smallest: number, heap: number): number {
    return this.counted(this.int32(), smallest, heap)
  }

  /** −1 for null. */
  nullableArrayLength(smallest: number, heap: number): number {
    const length = this.int32()
    return length === -1 ? -1 : this.counted(length, smallest, heap)
  }

  compactArrayLength(smallest: number, heap: number): number {
    return this.counted(this.uvarint() - 1, smallest, heap)
  }

  compactNullableArrayLength(smallest: number, heap: number): number {
    const length = this.uvarint() - 1
    return length === -1 ? -1 : this.counted(length, smallest, heap)
  }

  private counted(length: number, smallest: number, heap: number): number {
    if (length < 0 || length * smallest > this.end - this.position) throw this.badLength('array', length)
    this.charge(length * heap)
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
    return this.counted(this.uvarint(), 2, TAG_HEAP)
  }

  /** Keeps a tagged field that no table knows. */
  unknownTag(kept: UnknownTaggedField[] | undefined, tag: number, size: number): UnknownTaggedField[] {
    const field = { tag, data: this.copied(this.slice(size)) }
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
