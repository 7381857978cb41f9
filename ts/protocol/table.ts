/**
 * Whole tables made of fields: an API (request and response), a record of an internal topic, a standalone struct.
 * Holds the served versions and the slots of compiled codecs; never compiles or moves bytes itself.
 */
import type { Decoded, Encodable, Field, Fields } from './notation.js'
import type { Reader } from './reader.js'
import type { Writer } from './writer.js'

export type Decode = (reader: Reader) => unknown
export type Encode = (writer: Writer, message: unknown) => void

/** One message layout over a range of versions. `decoders` and `encoders` fill up as versions are first used. */
export interface Message<out F extends Fields = Fields> {
  readonly name: string
  readonly fields: F
  readonly minVersion: number
  readonly maxVersion: number
  /** Infinity when no version is flexible. */
  readonly firstFlexible: number
  readonly decoders: (Decode | undefined)[]
  readonly encoders: (Encode | undefined)[]
}

/** First and last version, both served. */
export type Versions = readonly [min: number, max: number]

function message<F extends Fields>(
  name: string,
  versions: Versions,
  firstFlexible: number,
  fields: F,
): Message<F> {
  checkFields(name, firstFlexible, fields)
  return {
    name,
    fields,
    minVersion: versions[0],
    maxVersion: versions[1],
    firstFlexible,
    decoders: [],
    encoders: [],
  }
}

/** A table that contradicts itself is a programmer error, reported when the module loads. */
function checkFields(path: string, firstFlexible: number, fields: Fields): void {
  for (const [name, field] of Object.entries(fields)) {
    const where = `${path}.${name}`
    if (!/^[a-z][A-Za-z0-9]*$/.test(name)) throw new Error(`${where}: a field name is lowerCamelCase`)
    if (field.default === null && field.nullableSince === Number.POSITIVE_INFINITY) {
      throw new Error(`${where}: the default is null but the field is not nullable`)
    }
    if (field.tag !== null && field.since < firstFlexible) {
      throw new Error(`${where}: a tagged field needs a flexible version`)
    }
    const inner = innermost(field)
    if (inner.fields !== null) checkFields(where, firstFlexible, inner.fields)
  }
}

function innermost(field: Field): Field {
  return field.element === null ? field : innermost(field.element)
}

export interface Api<
  out Name extends string = string,
  out Req extends Fields = Fields,
  out Res extends Fields = Fields,
> {
  readonly key: number
  readonly name: Name
  readonly minVersion: number
  readonly maxVersion: number
  /** The minimum that ApiVersions tells; lower than `minVersion` only where clients need the lie. */
  readonly advertisedMinVersion: number
  readonly firstFlexible: number
  readonly request: Message<Req>
  readonly response: Message<Res>
}

export function api<const Name extends string, const Req extends Fields, const Res extends Fields>(table: {
  key: number
  name: Name
  versions: Versions
  /** First flexible version (KIP-482); left out when none is. */
  flexible?: number
  advertisedMin?: number
  request: Req
  response: Res
}): Api<Name, Req, Res> {
  const { key, name, versions } = table
  const firstFlexible = table.flexible ?? Number.POSITIVE_INFINITY
  return {
    key,
    name,
    minVersion: versions[0],
    maxVersion: versions[1],
    advertisedMinVersion: table.advertisedMin ?? versions[0],
    firstFlexible,
    request: message(`${name}Request`, versions, firstFlexible, table.request),
    response: message(`${name}Response`, versions, firstFlexible, table.response),
  }
}

type RequestFields<A> = A extends Api<string, infer F, Fields> ? F : never
type ResponseFields<A> = A extends Api<string, Fields, infer F> ? F : never
export type RequestOf<A extends Api> = Decoded<RequestFields<A>>
export type ResponseOf<A extends Api> = Decoded<ResponseFields<A>>
export type EncodableRequest<A extends Api> = Encodable<RequestFields<A>>
export type EncodableResponse<A extends Api> = Encodable<ResponseFields<A>>

/** A record of a coordinator topic: an int16 that selects the type, then the key; an int16 version, then the value. */
export interface CoordinatorRecord<
  out Name extends string = string,
  out K extends Fields = Fields,
  out V extends Fields = Fields,
> {
  readonly name: Name
  /** Key versions that mean this type; the last is the one written. */
  readonly types: readonly [number, ...number[]]
  readonly key: Message<K>
  readonly value: Message<V>
}

export function record<const Name extends string, const K extends Fields, const V extends Fields>(table: {
  name: Name
  types: readonly [number, ...number[]]
  key: K
  value: V
  valueVersions: Versions
  flexible?: number
}): CoordinatorRecord<Name, K, V> {
  const { name, types } = table
  return {
    name,
    types,
    key: message(`${name}Key`, [0, 0], Number.POSITIVE_INFINITY, table.key),
    value: message(
      `${name}Value`,
      table.valueVersions,
      table.flexible ?? Number.POSITIVE_INFINITY,
      table.value,
    ),
  }
}

export type KeyOf<R extends CoordinatorRecord> =
  R extends CoordinatorRecord<string, infer F, Fields> ? Decoded<F> : never
export type ValueOf<R extends CoordinatorRecord> =
  R extends CoordinatorRecord<string, Fields, infer F> ? Decoded<F> : never
export type EncodableKey<R extends CoordinatorRecord> =
  R extends CoordinatorRecord<string, infer F, Fields> ? Encodable<F> : never
export type EncodableValue<R extends CoordinatorRecord> =
  R extends CoordinatorRecord<string, Fields, infer F> ? Encodable<F> : never

/** A record of __cluster_metadata; always flexible, framed by frame version, key and version. */
export interface MetadataRecord<out Name extends string = string, out F extends Fields = Fields> {
  readonly name: Name
  readonly key: number
  readonly message: Message<F>
}

export function metadataRecord<const Name extends string, const F extends Fields>(table: {
  key: number
  name: Name
  versions: Versions
  fields: F
}): MetadataRecord<Name, F> {
  return { name: table.name, key: table.key, message: message(table.name, table.versions, 0, table.fields) }
}

export type MetadataMessageOf<R extends MetadataRecord> =
  R extends MetadataRecord<string, infer F> ? Decoded<F> : never
export type EncodableMetadata<R extends MetadataRecord> =
  R extends MetadataRecord<string, infer F> ? Encodable<F> : never

/** A standalone struct: one version, not flexible, big-endian. */
export interface Struct<out F extends Fields = Fields> {
  readonly message: Message<F>
}

export function struct<const F extends Fields>(name: string, fields: F): Struct<F> {
  return { message: message(name, [0, 0], Number.POSITIVE_INFINITY, fields) }
}

export type StructOf<S extends Struct> = S extends Struct<infer F> ? Decoded<F> : never
export type EncodableStruct<S extends Struct> = S extends Struct<infer F> ? Encodable<F> : never
