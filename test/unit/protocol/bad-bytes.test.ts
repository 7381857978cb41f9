/** Bytes that lie: every one of them ends in ProtocolError, and before memory is spent on what it claims. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apis } from '../../../ts/protocol/apis.js'
import { decodeExactly } from '../../../ts/protocol/codec.js'
import {
  array,
  decodeKey,
  decodeMetadataRecord,
  decodeRequest,
  decodeRequestHeader,
  decodeStruct,
  decodeValue,
  encodeStruct,
  groupRecords,
  heartbeat,
  int32,
  int64,
  joinGroup,
  type Message,
  nested,
  offsetCommitRecord,
  ProtocolError,
  string,
  struct,
} from '../../../ts/protocol/index.js'
import { goldenFrames } from '../../wire/golden-frames.js'
import { allMessages, versionsOf } from './message-arbitrary.js'

const messages = new Map<string, Message>(
  [...apis.values()].flatMap(({ request, response }) => [request, response]).map((m) => [m.name, m]),
)
const frames = [...goldenFrames('apis-old'), ...goldenFrames('apis')].map((frame) => ({
  ...frame,
  message: messages.get(frame.name) as Message,
}))

/** Decodes; true when that worked, false for a ProtocolError. Anything else, and any array out of thin air, throws. */
function decodes(message: Message, version: number, buffer: Buffer): boolean {
  try {
    const decoded = decodeExactly(message, version, buffer, 0, buffer.length)
    if (elementsIn(decoded) > buffer.length) throw new Error(`${message.name} has more elements than bytes`)
    return true
  } catch (error) {
    if (error instanceof ProtocolError) return false
    throw error
  }
}

/** Elements of all arrays together: what a short message could make grow without end. */
function elementsIn(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0
  const parts = Object.values(value).reduce((sum, part) => sum + elementsIn(part), 0)
  return Array.isArray(value) ? parts + value.length : parts
}

describe('frames that are not what they seem', () => {
  // Nearly a million errors are made here, and nobody looks at where.
  const { stackTraceLimit } = Error
  beforeAll(() => {
    Error.stackTraceLimit = 0
  })
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit
  })

  it('are refused when cut anywhere', () => {
    for (const { message, version, bytes } of frames) {
      for (let length = 0; length < bytes.length; length++) {
        if (decodes(message, version, bytes.subarray(0, length))) {
          expect.fail(`${message.name} v${version} was decoded from ${length} of ${bytes.length} bytes`)
        }
      }
    }
  })

  it('are refused with bytes left over', () => {
    for (const { message, version, bytes } of frames) {
      expect(decodes(message, version, Buffer.concat([bytes, Buffer.alloc(1)]))).toBe(false)
    }
  })

  it('throw nothing but ProtocolError when bytes in them change', () => {
    const change = fc.record({
      frame: fc.constantFrom(...frames),
      at: fc.nat(),
      value: fc.nat(255),
      more: fc.nat(255),
    })
    fc.assert(
      fc.property(change, ({ frame, at, value, more }) => {
        const bytes = Buffer.from(frame.bytes)
        if (bytes.length === 0) return
        bytes[at % bytes.length] = value
        bytes[(at + 1) % bytes.length] = more
        decodes(frame.message, frame.version, bytes)
      }),
      { numRuns: 20_000 },
    )
  })

  it('throw nothing but ProtocolError when they are noise', () => {
    const tables = allMessages.flatMap((message) =>
      versionsOf(message).map((version) => ({ message, version })),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(...tables),
        fc.uint8Array({ maxLength: 64 }),
        ({ message, version }, noise) => {
          decodes(message, version, Buffer.from(noise))
        },
      ),
      { numRuns: 20_000 },
    )
  })

  it('name the message and the version', () => {
    expect(() => decodeRequest(heartbeat, 3, Buffer.alloc(1))).toThrow(
      new ProtocolError('HeartbeatRequest v3: 2 bytes needed at 0, 1 remain'),
    )
  })
})

describe('lengths that lie', () => {
  const list = struct('List', { items: array({ id: int32(), name: string() }) })
  const claiming = (count: number, body: number): Buffer => {
    const buffer = Buffer.alloc(4 + body)
    buffer.writeInt32BE(count, 0)
    return buffer
  }

  it.each([0x7fffffff, 1_000_000, 3, -1, -2])(
    'an array that claims %i elements in 12 bytes is refused at once',
    (count) => {
      expect(() => decodeStruct(list, claiming(count, 12))).toThrow(/array length/)
    },
  )

  it('an array is measured by its smallest element', () => {
    expect(decodeStruct(list, claiming(2, 12)).items).toHaveLength(2)
    expect(() => decodeStruct(list, claiming(3, 17))).toThrow(/array length 3/)
  })

  it('a compact array that claims 4 billion elements is refused at once', () => {
    const before = Buffer.from('02670000000100000001010001', 'hex')
    const body = Buffer.concat([before, Buffer.from('ffffffff0f', 'hex'), Buffer.alloc(20)])
    expect(() => decodeRequest(joinGroup, 6, body)).toThrow(/array length/)
  })

  it('a varint of more than 32 bits is refused', () => {
    expect(() => decodeMetadataRecord(Buffer.from('ffffffffff01', 'hex'))).toThrow(/varint/)
    expect(() => decodeMetadataRecord(Buffer.from('ffffffff1f', 'hex'))).toThrow(/varint/)
  })

  it.each([-1, -2, 9, 0x7fff])('a string that claims %i bytes is refused', (length) => {
    const name = struct('Name', { name: string() })
    const buffer = Buffer.alloc(10)
    buffer.writeInt16BE(length, 0)
    expect(() => decodeStruct(name, buffer)).toThrow(ProtocolError)
  })

  it('a tagged field must fill its size, and not more', () => {
    // FetchRequest v12 ends in its tagged section: one field, tag 0 (cluster id), of the size given.
    const api = [...apis.values()].find(({ name }) => name === 'Fetch')
    const plain = frames.find(
      ({ name, version, variant }) => name === 'FetchRequest' && version === 12 && variant === 'plain',
    )
    if (api === undefined || plain === undefined) throw new Error('no Fetch')
    const tagged = (size: number, rest: string): Buffer =>
      Buffer.concat([plain.bytes.subarray(0, -1), Buffer.from([1, 0, size]), Buffer.from(rest, 'hex')])
    expect(decodeRequest(api, 12, tagged(2, '0261'))).toMatchObject({ clusterId: 'a' })
    expect(() => decodeRequest(api, 12, tagged(1, '0261'))).toThrow(ProtocolError)
    expect(() => decodeRequest(api, 12, tagged(3, '026100'))).toThrow(/left over in the tagged field/)
    expect(() => decodeRequest(api, 12, tagged(9, '0261'))).toThrow(/tagged field length/)
  })

  it('a nullable struct is announced by 1 or −1 alone', () => {
    const maybe = struct('Maybe', { inner: nested({ id: int32() }, { nullable: true }) })
    expect(() => decodeStruct(maybe, Buffer.from('0200000001', 'hex'))).toThrow(/struct marker/)
  })
})

describe('64-bit integers', () => {
  const one = struct('One', { value: int64() })

  it.each([
    ['0020000000000000', '2^53'],
    ['7fffffffffffffff', 'the largest'],
    ['ffe0000000000000', '−2^53'],
    ['8000000000000000', 'the smallest'],
  ])('%s is refused, being %s', (hex) => {
    expect(() => decodeStruct(one, Buffer.from(hex, 'hex'))).toThrow(/64-bit/)
  })

  it.each([Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, -1, 0, 2 ** 32, -(2 ** 32)])(
    '%i survives',
    (value) => {
      expect(decodeStruct(one, encodeStruct(one, { value }))).toEqual({ value })
    },
  )
})

describe('headers and records', () => {
  it('a header that is cut is refused', () => {
    const header = Buffer.from('000b0009000000070003636c6900', 'hex')
    expect(decodeRequestHeader(header)).toMatchObject({
      apiKey: 11,
      clientId: 'cli',
      bodyOffset: header.length,
    })
    for (let length = 0; length < header.length; length++) {
      expect(() => decodeRequestHeader(header.subarray(0, length))).toThrow(ProtocolError)
    }
  })

  it('a key of an unknown type is null, not an error', () => {
    expect(decodeKey(groupRecords, Buffer.from('00630000', 'hex'))).toBeNull()
  })

  it.each(['', '00'])('a key or value of the bytes "%s" is refused', (hex) => {
    expect(() => decodeKey(groupRecords, Buffer.from(hex, 'hex'))).toThrow(ProtocolError)
    expect(() => decodeValue(offsetCommitRecord, Buffer.from(hex, 'hex'))).toThrow(ProtocolError)
  })

  it('a value of an unknown version is refused', () => {
    expect(() => decodeValue(offsetCommitRecord, Buffer.from('0005', 'hex'))).toThrow(/no version 5/)
  })

  it('a metadata record of an unknown frame, key or version is refused', () => {
    expect(() => decodeMetadataRecord(Buffer.from('020200', 'hex'))).toThrow(/frame version 2/)
    expect(() => decodeMetadataRecord(Buffer.from('016300', 'hex'))).toThrow(/key 99/)
    expect(() => decodeMetadataRecord(Buffer.from('010209', 'hex'))).toThrow(/no version 9/)
  })
})
