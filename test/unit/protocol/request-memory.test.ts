/** A request of one MiB costs at most as much again once it is decoded, whatever its arrays are full of. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { apis } from '../../../ts/protocol/apis.js'
import { decodeExactly } from '../../../ts/protocol/codec.js'
import { type Message, ProtocolError } from '../../../ts/protocol/index.js'
import { elementOf, fieldsOf, heapSize, layoutOf } from '../../../ts/protocol/layout.js'
import type { Field, Fields } from '../../../ts/protocol/notation.js'
import { BASE_BYTES } from '../../../ts/runtime/request-memory.js'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')
const MIB = 1 << 20

const FIXED: Partial<Record<Field['kind'], number>> = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  uint32: 4,
  int64: 8,
  bigint64: 8,
  float64: 8,
  uuid: 16,
}

/** One array of a message, filled with as many of the smallest elements as it takes. */
class Filler {
  private readonly flexible: boolean

  constructor(
    message: Message,
    private readonly version: number,
    private readonly target: Field,
    private readonly count: number,
  ) {
    this.flexible = version >= message.firstFlexible
  }

  struct(fields: Fields): Buffer {
    const parts = layoutOf(fields, this.version).plain.map(({ field }) => this.value(field))
    return Buffer.concat([...parts, Buffer.alloc(this.flexible ? 1 : 0)])
  }

  private value(field: Field): Buffer {
    const size = FIXED[field.kind]
    // Ids and offsets that are not small, so that they take what such numbers take.
    if (size !== undefined)
      return Buffer.alloc(size, field.kind === 'int64' ? '\0\x01\x02\x03\x04\x05\x06\x07' : 0)
    if (field.kind === 'nested') {
      const marker = field.nullableIn(this.version) ? Buffer.from([1]) : Buffer.alloc(0)
      return Buffer.concat([marker, this.struct(fieldsOf(field))])
    }
    if (field.kind !== 'array') return this.length(0, field.kind === 'string' ? 2 : 4)
    const element = elementOf(field)
    const holds = contains(element, this.target, this.version)
    const count = field === this.target ? this.count : holds ? 1 : 0
    if (count === 0) return this.length(0, 4)
    const one = this.value(element)
    const elements = Buffer.alloc(one.length * count, one)
    return Buffer.concat([this.length(count, 4), elements])
  }

  private length(length: number, classicSize: 2 | 4): Buffer {
    if (!this.flexible) {
      const bytes = Buffer.alloc(classicSize)
      bytes.writeUIntBE(length, 0, classicSize)
      return bytes
    }
    const bytes: number[] = []
    let rest = length + 1
    for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
    return Buffer.from([...bytes, rest])
  }
}

function contains(field: Field, target: Field, version: number): boolean {
  if (field === target) return true
  if (field.kind === 'array') return contains(elementOf(field), target, version)
  if (field.kind !== 'nested') return false
  return layoutOf(fieldsOf(field), version).plain.some((inner) => contains(inner.field, target, version))
}

function arraysOf(fields: Fields, version: number): Field[] {
  return layoutOf(fields, version).plain.flatMap(({ field }) => {
    if (field.kind === 'nested') return arraysOf(fieldsOf(field), version)
    if (field.kind !== 'array') return []
    const element = elementOf(field)
    return [field, ...(element.kind === 'nested' ? arraysOf(fieldsOf(element), version) : [])]
  })
}

const cases = [...apis.values()].flatMap(({ request }) =>
  arraysOf(request.fields, request.maxVersion).map((array, index) => ({ request, array, index })),
)

/** What was decoded; null when it was refused. */
function attempt(message: Message, version: number, bytes: Buffer): unknown {
  try {
    return decodeExactly(message, version, bytes, 0, bytes.length, BASE_BYTES)
  } catch (error) {
    if (error instanceof ProtocolError) return null
    throw error
  }
}

function heapOf(make: () => unknown): number {
  collect()
  const before = process.memoryUsage().heapUsed
  const held = [make()]
  collect()
  const cost = process.memoryUsage().heapUsed - before
  held.pop()
  return cost
}

describe('a request', () => {
  it('of a MiB of the smallest elements is refused or small', () => {
    expect(cases.length).toBeGreaterThan(80)
    for (const { request, array, index } of cases) {
      const version = request.maxVersion
      const most = Math.floor((BASE_BYTES - 2000) / heapSize(elementOf(array)))
      const what = `${request.name} v${version}, array ${index}`
      const many = new Filler(request, version, array, most * 2 + 200).struct(request.fields)
      if (attempt(request, version, many) !== null) {
        expect(many.length, `${what}: ${most} elements were let through`).toBeGreaterThan(MIB)
      }
      const bytes = new Filler(request, version, array, most).struct(request.fields)
      // The least of several: the collector and the compiler have business of their own on this heap.
      let cost = Number.POSITIVE_INFINITY
      for (let left = 10; left > 0 && cost >= 1.1 * MIB; left--) {
        cost = heapOf(() => attempt(request, version, bytes))
      }
      expect(cost, `${what}: ${most} elements in ${bytes.length} bytes`).toBeLessThan(1.1 * MIB)
    }
  })

  it('of text alone may take what it is', () => {
    const metadata = [...apis.values()].find(({ key }) => key === 3)
    if (metadata === undefined) throw new Error('no Metadata')
    const name = (length: number) =>
      Buffer.concat([Buffer.from([length >> 8, length & 0xff]), Buffer.alloc(length, 'x')])
    const of = (count: number, length: number) => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(count)
      return Buffer.concat([size, ...Array.from({ length: count }, () => name(length))])
    }
    expect(attempt(metadata.request, 0, of(30, 30_000))).not.toBeNull()
    expect(attempt(metadata.request, 0, of(36, 30_000))).toBeNull()
    expect(attempt(metadata.request, 0, of(6_000, 30))).not.toBeNull()
  })
})
