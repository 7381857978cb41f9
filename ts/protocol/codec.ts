/**
 * Encodes and decodes whole messages: finds or compiles the codec of a version, and sees to it that a decoder consumes
 * exactly its bytes and fails with nothing but ProtocolError.
 */
import { compileDecoder } from './compile-decoder.js'
import { compileEncoder } from './compile-encoder.js'
import { elementOf, fieldsOf } from './layout.js'
import type { Field } from './notation.js'
import { ProtocolError } from './protocol-error.js'
import { Reader } from './reader.js'
import type { Decode, Encode, Message } from './table.js'
import { Writer } from './writer.js'

/** Above this a scratch buffer is let go after use, so that one large reply does not stay in memory. */
const SCRATCH_BYTES_MAX = 1 << 20

let scratch = new Writer(16 * 1024)

/** Runs `write` over the shared scratch writer and returns a copy of what it wrote. Never nests. */
export function written(write: (writer: Writer) => void): Buffer {
  scratch.reset()
  write(scratch)
  const result = scratch.copy()
  if (scratch.capacity > SCRATCH_BYTES_MAX) scratch = new Writer(16 * 1024)
  return result
}

export function encoderOf(message: Message, version: number): Encode {
  const known = message.encoders[version]
  if (known !== undefined) return known
  checkVersion(message, version)
  const encode = compileEncoder(message.name, message.fields, version, version >= message.firstFlexible)
  message.encoders[version] = encode
  return encode
}

const elementEncoders = new WeakMap<Field, (Encode | undefined)[]>()

/** The encoder of one element of an array of structs. */
export function elementEncoderOf(message: Message, array: string, version: number): Encode {
  const field = message.fields[array]
  if (field === undefined) throw new Error(`${message.name} has no ${array}`)
  const known = elementEncoders.get(field) ?? []
  elementEncoders.set(field, known)
  checkVersion(message, version)
  known[version] ??= compileEncoder(
    `${message.name}.${array}[]`,
    fieldsOf(elementOf(field)),
    version,
    version >= message.firstFlexible,
  )
  return known[version]
}

export function decoderOf(message: Message, version: number): Decode {
  const known = message.decoders[version]
  if (known !== undefined) return known
  checkVersion(message, version)
  const decode = compileDecoder(message.fields, version, version >= message.firstFlexible)
  message.decoders[version] = decode
  return decode
}

function checkVersion(message: Message, version: number): void {
  if (!Number.isInteger(version) || version < message.minVersion || version > message.maxVersion) {
    throw new ProtocolError(`${message.name} has no version ${version}`)
  }
}

/**
 * Decodes `message` from exactly the bytes `offset` to `end`. What would take more memory than about `heap` bytes is
 * refused.
 */
export function decodeExactly(
  message: Message,
  version: number,
  buffer: Buffer,
  offset: number,
  end: number,
  heap?: number,
): unknown {
  const decode = decoderOf(message, version)
  const reader = new Reader(buffer, offset, end, heap)
  try {
    const result = decode(reader)
    if (reader.position !== end) throw new ProtocolError(`${end - reader.position} bytes left over`)
    return result
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new ProtocolError(`${message.name} v${version}: ${error.message}`)
  }
}
