/** Random messages for any table at any version, derived from the table itself, in the shape that decoders yield. */
import fc from 'fast-check'
import { apis } from '../../../ts/protocol/apis.js'
import { coordinatorRecords } from '../../../ts/protocol/coordinator-records.js'
import type { CoordinatorRecord, Field, Fields, Message } from '../../../ts/protocol/index.js'
import { metadataRecords } from '../../../ts/protocol/index.js'

/** Every message of every table. */
export const allMessages: Message[] = [
  ...[...apis.values()].flatMap(({ request, response }) => [request, response]),
  ...Object.values<readonly CoordinatorRecord[]>(coordinatorRecords)
    .flat()
    .flatMap(({ key, value }) => [key, value]),
  ...metadataRecords.map(({ message }) => message),
]

export function versionsOf(message: Message): number[] {
  return Array.from({ length: message.maxVersion - message.minVersion + 1 }, (_, i) => message.minVersion + i)
}

export function messageArbitrary(message: Message, version: number): fc.Arbitrary<Record<string, unknown>> {
  return structArbitrary(message.fields, version, version >= message.firstFlexible)
}

type Struct = Record<string, unknown>

/** Objects as literals make them, as decoders do. */
const PLAIN = { noNullPrototype: true } as const

function structArbitrary(fields: Fields, version: number, flexible: boolean): fc.Arbitrary<Struct> {
  const known = fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name, fieldArbitrary(field, version, flexible)]),
    ),
    PLAIN,
  ) as fc.Arbitrary<Struct>
  if (!flexible) return known
  return fc
    .tuple(known, unknownTags)
    .map(([struct, tags]) => (tags.length === 0 ? struct : { ...struct, unknownTaggedFields: tags }))
}

/** Above every number that a table uses, in the order that the wire has. */
const unknownTags = fc
  .uniqueArray(fc.record({ tag: fc.integer({ min: 100, max: 0x7fffffff }), data: buffer(150) }, PLAIN), {
    selector: ({ tag }) => tag,
    maxLength: 2,
  })
  .map((tags) => tags.sort((a, b) => a.tag - b.tag))

function fieldArbitrary(field: Field, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  if (!field.presentIn(version)) return fc.constant(null).map(() => defaultOf(field))
  const value = valueArbitrary(field, version, flexible)
  const some =
    field.tag === null
      ? value
      : fc.oneof(
          value,
          fc.constant(null).map(() => defaultOf(field)),
        )
  return field.nullableIn(version) ? fc.option(some, { nil: null }) : some
}

function valueArbitrary(field: Field, version: number, flexible: boolean): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'bool':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f })
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff })
    case 'int32':
      return fc.integer()
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffffffff })
    case 'int64':
      return fc.maxSafeInteger()
    case 'bigint64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'float64':
      return fc.double()
    case 'uuid':
      return fc
        .uint8Array({ minLength: 16, maxLength: 16 })
        .map((bytes) => Buffer.from(bytes).toString('base64url'))
    case 'string':
      return fc.string({ unit: 'binary', maxLength: 60 })
    case 'bytes':
    case 'view':
    case 'records':
      return buffer(300)
    case 'nested':
      return structArbitrary(field.fields ?? {}, version, flexible)
    case 'array':
      return fc.array(fieldArbitrary(field.element as Field, version, flexible), { maxLength: 3 })
  }
}

function buffer(maxLength: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes))
}

function defaultOf(field: Field): unknown {
  if (field.kind !== 'nested' || field.default === null) return field.default
  return Object.fromEntries(
    Object.entries(field.fields ?? {}).map(([name, inner]) => [name, defaultOf(inner)]),
  )
}
