/** Whatever an encoder writes, the decoder of the same version reads back. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeExactly, encoderOf, written } from '../../../ts/protocol/codec.js'
import {
  array,
  bigint64,
  bool,
  bytes,
  decodeStruct,
  encodeStruct,
  float64,
  int8,
  int16,
  int32,
  int64,
  nested,
  string,
  struct,
  uint16,
  uint32,
  uuid,
  view,
} from '../../../ts/protocol/index.js'
import { allMessages, messageArbitrary, versionsOf } from './message-arbitrary.js'

describe.each(allMessages.map((message) => [message.name, message] as const))('%s', (_, message) => {
  it.each(versionsOf(message))('v%i decodes what it encoded', (version) => {
    const encode = encoderOf(message, version)
    fc.assert(
      fc.property(messageArbitrary(message, version), (value) => {
        const buffer = written((writer) => encode(writer, value))
        expect(decodeExactly(message, version, buffer, 0, buffer.length)).toStrictEqual(value)
      }),
      { numRuns: 30 },
    )
  })
})

describe('a struct', () => {
  const everything = struct('Everything', {
    bool: bool(),
    int8: int8(),
    int16: int16(),
    uint16: uint16(),
    int32: int32(),
    uint32: uint32(),
    int64: int64(),
    bigint64: bigint64(),
    float64: float64(),
    uuid: uuid(),
    string: string({ nullable: true }),
    bytes: bytes({ nullable: true }),
    view: view({ nullable: true }),
    numbers: array(int32(), { nullable: true }),
    lists: array(array(string())),
    inner: nested({ name: string() }, { nullable: true }),
  })

  it('of every kind decodes what it encoded', () => {
    fc.assert(
      fc.property(messageArbitrary(everything.message, 0), (value) => {
        const buffer = encodeStruct(everything, value as never)
        expect(decodeStruct(everything, buffer)).toStrictEqual(value)
      }),
    )
  })

  it('is decoded from the middle of a buffer', () => {
    const pair = struct('Pair', { left: int32(), right: string() })
    const buffer = Buffer.concat([
      Buffer.from('..'),
      encodeStruct(pair, { left: 7, right: 'x' }),
      Buffer.from('.'),
    ])
    expect(decodeStruct(pair, buffer, 2, buffer.length - 1)).toEqual({ left: 7, right: 'x' })
  })

  it('keeps its bytes when the input is overwritten, but not its views', () => {
    const held = struct('Held', { kept: bytes(), shared: view() })
    const buffer = encodeStruct(held, { kept: Buffer.from('kept'), shared: Buffer.from('seen') })
    const { kept, shared } = decodeStruct(held, buffer)
    buffer.fill('-')
    expect([kept.toString(), shared.toString()]).toEqual(['kept', '----'])
  })
})
