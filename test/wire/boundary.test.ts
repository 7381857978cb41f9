/** The packed boundary against the golden bytes that the Rust side is tested with, both ways. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { appendReply, appendRequest } from '../../ts/native/append.js'
import { commandStructs, decodeCommands, encodeCommand } from '../../ts/native/commands.js'
import { decodeEvents, encodeEvent, eventStructs } from '../../ts/native/events.js'
import { decodeStruct, encodeStruct, type Fields, type Struct } from '../../ts/protocol/index.js'

interface Golden {
  name: string
  type: number
  fields: Record<string, unknown>
  hex: string
}

const golden = (file: string): Golden[] =>
  JSON.parse(readFileSync(new URL(`golden/boundary/${file}.json`, import.meta.url), 'utf8'))

/** The golden files write bytes as hex. */
function withBytes(fields: Fields, message: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const value = message[name]
      if (field.kind === 'view' || field.kind === 'bytes') {
        return [name, value === null ? null : Buffer.from(value as string, 'hex')]
      }
      const inner = field.element?.fields
      if (inner) return [name, (value as Record<string, unknown>[]).map((item) => withBytes(inner, item))]
      return [name, value]
    }),
  )
}

const structs = { events: Object.entries(eventStructs), commands: Object.entries(commandStructs) }

describe.each(['events', 'commands'] as const)('%s', (file) => {
  const cases = golden(file)

  it('are all covered by golden bytes', () => {
    expect(new Set(cases.map(({ type }) => type))).toEqual(
      new Set(structs[file].map((_, index) => index + 1)),
    )
  })

  it.each(cases)('$name is packed and unpacked as the golden bytes say', ({ type, fields, hex }) => {
    const [kind, struct] = structs[file][type - 1] as [string, Struct]
    const message = { kind, ...withBytes(struct.message.fields, fields) }
    const bytes = Buffer.from(hex, 'hex')
    const decoded = file === 'events' ? decodeEvents(bytes) : decodeCommands(bytes)
    expect(decoded).toEqual([message])
    const encoded = file === 'events' ? encodeEvent(message as never) : encodeCommand(message as never)
    expect(encoded.toString('hex')).toBe(hex)
  })
})

describe('append', () => {
  it.each(golden('append'))(
    '$name is packed and unpacked as the golden bytes say',
    ({ name, fields, hex }) => {
      const struct: Struct = name.startsWith('append-request') ? appendRequest : appendReply
      const message = withBytes(struct.message.fields, fields)
      expect(decodeStruct(struct, Buffer.from(hex, 'hex'))).toEqual(message)
      expect(encodeStruct(struct, message as never).toString('hex')).toBe(hex)
    },
  )
})

describe('a batch', () => {
  it('holds several frames', () => {
    const stopped = encodeEvent({ kind: 'stopped' })
    expect(decodeEvents(Buffer.concat([stopped, stopped]))).toEqual([
      { kind: 'stopped' },
      { kind: 'stopped' },
    ])
    expect(decodeEvents(Buffer.alloc(0))).toEqual([])
  })

  it.each([
    ['a torn header', '000000'],
    ['a length beyond the batch', '0000000a0e'],
    ['length zero', '0000000000'],
    ['an unknown type', '00000001c8'],
  ])('with %s is refused', (_, hex) => {
    expect(() => decodeEvents(Buffer.from(hex, 'hex'))).toThrow('boundary batch')
  })
})
