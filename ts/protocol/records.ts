/**
 * Records of internal topics as bytes: keys and values of coordinator topics (an int16 before each), the framed records
 * of __cluster_metadata, and standalone structs. Decoders throw ProtocolError; which version to write is the caller's.
 */
import { decodeExactly, encoderOf, written } from './codec.js'
import { ProtocolError } from './protocol-error.js'
import { Reader } from './reader.js'
import { metadataRecords } from './schema/metadata-records.js'
import type {
  CoordinatorRecord,
  EncodableKey,
  EncodableMetadata,
  EncodableStruct,
  EncodableValue,
  KeyOf,
  MetadataMessageOf,
  MetadataRecord,
  Struct,
  StructOf,
  ValueOf,
} from './table.js'
import type { Writer } from './writer.js'

const METADATA_FRAME_VERSION = 1

type AnyMetadataRecord = (typeof metadataRecords)[number]

/** The key of a record: its type (int16), then the key's fields. */
export function encodeKey<R extends CoordinatorRecord>(record: R, key: EncodableKey<R>): Buffer {
  const type = record.types[record.types.length - 1] as number
  const encode = encoderOf(record.key, 0)
  return written((writer) => {
    writer.int16(type, `${record.name}Key`)
    encode(writer, key)
  })
}

/** A decoded key, told apart by `name`. */
export type KeyIn<R extends CoordinatorRecord> = R extends CoordinatorRecord
  ? { name: R['name']; record: R; key: KeyOf<R> }
  : never

/** Finds the record type that a key selects among `records`; null for a type that none of them has. */
export function decodeKey<R extends CoordinatorRecord>(
  records: readonly R[],
  buffer: Buffer,
): KeyIn<R> | null {
  const type = leadingInt16(buffer, 'record key')
  const record = records.find(({ types }) => types.includes(type))
  if (record === undefined) return null
  const key = decodeExactly(record.key, 0, buffer, 2, buffer.length)
  return { name: record.name, record, key } as KeyIn<R>
}

/** The value of a record: its version (int16), then the value's fields. */
export function encodeValue<R extends CoordinatorRecord>(
  record: R,
  version: number,
  value: EncodableValue<R>,
): Buffer {
  const encode = encoderOf(record.value, version)
  return written((writer) => {
    writer.int16(version, `${record.name}Value`)
    encode(writer, value)
  })
}

export function decodeValue<R extends CoordinatorRecord>(
  record: R,
  buffer: Buffer,
): { version: number; value: ValueOf<R> } {
  const version = leadingInt16(buffer, 'record value')
  const value = decodeExactly(record.value, version, buffer, 2, buffer.length) as ValueOf<R>
  return { version, value }
}

function leadingInt16(buffer: Buffer, what: string): number {
  if (buffer.length < 2) throw new ProtocolError(`${what}: ${buffer.length} bytes have no room for a version`)
  return buffer.readInt16BE(0)
}

/** A framed metadata record: frame version, key and version as unsigned varints, then the fields. */
export function encodeMetadataRecord<R extends MetadataRecord>(
  record: R,
  version: number,
  message: EncodableMetadata<R>,
): Buffer {
  const encode = encoderOf(record.message, version)
  return written((writer) => {
    writer.uvarint(METADATA_FRAME_VERSION)
    writer.uvarint(record.key)
    writer.uvarint(version)
    encode(writer, message)
  })
}

/** A decoded metadata record, told apart by `name`. */
export type MetadataIn<R extends MetadataRecord> = R extends MetadataRecord
  ? { name: R['name']; record: R; version: number; message: MetadataMessageOf<R> }
  : never

const byKey: ReadonlyMap<number, AnyMetadataRecord> = new Map(
  metadataRecords.map((record) => [record.key, record]),
)

/** Decodes a framed metadata record; a key without a table is refused. */
export function decodeMetadataRecord(buffer: Buffer): MetadataIn<AnyMetadataRecord> {
  const reader = new Reader(buffer, 0, buffer.length)
  const frame = reader.uvarint()
  if (frame !== METADATA_FRAME_VERSION)
    throw new ProtocolError(`metadata record: unknown frame version ${frame}`)
  const key = reader.uvarint()
  const version = reader.uvarint()
  const record = byKey.get(key)
  if (record === undefined) throw new ProtocolError(`metadata record: unknown key ${key}`)
  const message = decodeExactly(record.message, version, buffer, reader.position, buffer.length)
  return { name: record.name, record, version, message } as MetadataIn<AnyMetadataRecord>
}

export function encodeStruct<S extends Struct>(struct: S, message: EncodableStruct<S>): Buffer {
  const encode = encoderOf(struct.message, 0)
  return written((writer) => encode(writer, message))
}

/** Appends a struct to a writer of the caller's. */
export function writeStruct<S extends Struct>(writer: Writer, struct: S, message: EncodableStruct<S>): void {
  encoderOf(struct.message, 0)(writer, message)
}

/** Decodes a struct that fills exactly `offset` to `end`. */
export function decodeStruct<S extends Struct>(
  struct: S,
  buffer: Buffer,
  offset = 0,
  end = buffer.length,
): StructOf<S> {
  return decodeExactly(struct.message, 0, buffer, offset, end) as StructOf<S>
}
