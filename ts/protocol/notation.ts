/**
 * The notation in which every wire table is written: field constructors and the shapes that hold fields together.
 * It describes layouts and never touches bytes; `compile-decoder.ts` and `compile-encoder.ts` turn it into code.
 *
 * Field order is wire order. A field without `since`/`until` is present in every version of its table.
 */

/** How one value is laid out. `view` and `records` are `bytes` that share the memory of the input. */
export type Kind =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'bigint64'
  | 'float64'
  | 'uuid'
  | 'string'
  | 'bytes'
  | 'view'
  | 'records'
  | 'array'
  | 'nested'

/** All zeroes in Kafka's textual form of a uuid (22 characters of base64url). */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

export interface Options<T> {
  /** First version that carries the field. */
  readonly since?: number
  /** Last version that carries the field. */
  readonly until?: number
  /** Null is allowed: in every version (`true`) or from this version on. */
  readonly nullable?: true | number
  /** The field travels in the tagged section under this number, and only when it differs from its default. */
  readonly tag?: number
  /** Value of the field where the version or the caller leaves it out; otherwise zero, '', [] or all-default. */
  readonly default?: T | null
}

type None = Record<never, never>
type Maybe<T, O> = O extends { nullable: true | number } ? T | null : T
type Omittable<O> = O extends { default: unknown } | { since: number } | { until: number } | { tag: number }
  ? true
  : false

/** D: what a decoder yields, E: what an encoder takes, O: whether the encoder's caller may leave it out. */
export class Field<out D = unknown, out E = unknown, out O extends boolean = boolean> {
  /** Carries the types alone; never set. */
  declare readonly types?: { decoded: D; encodable: E; optional: O }
  readonly kind: Kind
  readonly since: number
  readonly until: number
  readonly nullableSince: number
  readonly tag: number | null
  readonly default: unknown
  /** Whether an encoder's caller may leave it out. */
  readonly omittable: boolean
  /** What an array holds. */
  readonly element: Field | null
  /** What a nested struct holds. */
  readonly fields: Fields | null
  /** Whether an array's encoder takes `Encoded` elements as well. */
  readonly takesEncoded: boolean

  constructor(
    kind: Kind,
    options: Options<unknown>,
    zero: unknown,
    element: Field | null,
    fields: Fields | null,
    takesEncoded = false,
  ) {
    this.kind = kind
    this.since = options.since ?? 0
    this.until = options.until ?? Number.POSITIVE_INFINITY
    this.nullableSince =
      options.nullable === undefined
        ? Number.POSITIVE_INFINITY
        : options.nullable === true
          ? 0
          : options.nullable
    this.tag = options.tag ?? null
    this.default = options.default === undefined ? zero : options.default
    this.omittable = ['since', 'until', 'tag', 'default'].some((option) => option in options)
    this.element = element
    this.fields = fields
    this.takesEncoded = takesEncoded
  }

  presentIn(version: number): boolean {
    return this.since <= version && version <= this.until
  }

  nullableIn(version: number): boolean {
    return this.nullableSince <= version
  }
}

export type Fields = { readonly [name: string]: Field }

type FieldOf<D, E, O> = Field<Maybe<D, O>, Maybe<E, O>, Omittable<O>>

function scalar<T>(kind: Kind, zero: T) {
  return <const O extends Options<T> = None>(options?: O): FieldOf<T, T, O> =>
    new Field(kind, options ?? {}, zero, null, null)
}

export const bool = scalar<boolean>('bool', false)
export const int8 = scalar<number>('int8', 0)
export const int16 = scalar<number>('int16', 0)
export const uint16 = scalar<number>('uint16', 0)
export const int32 = scalar<number>('int32', 0)
export const uint32 = scalar<number>('uint32', 0)
/** A 64-bit integer that fits a number: anything beyond ±(2^53 − 1) is refused. */
export const int64 = scalar<number>('int64', 0)
/** A 64-bit integer of any value, as a bigint. */
export const bigint64 = scalar<bigint>('bigint64', 0n)
export const float64 = scalar<number>('float64', 0)
/** 16 bytes, as 22 characters of base64url. */
export const uuid = scalar<string>('uuid', ZERO_UUID)
export const string = scalar<string>('string', '')

const NO_BYTES: Buffer = Buffer.alloc(0)
/** Bytes that the decoder copies out, because whoever receives them may keep them. */
export const bytes = scalar<Buffer>('bytes', NO_BYTES)
/** Bytes that share the input's memory: for what is used before the input goes away. */
export const view = scalar<Buffer>('view', NO_BYTES)
/** Record batches; like `view`, and nullable wherever Kafka says so. */
export const records = scalar<Buffer>('records', NO_BYTES)

type ElementDecoded<E> =
  E extends Field<infer D, unknown, boolean> ? D : E extends Fields ? Decoded<E> : never
type ElementEncodable<E> =
  E extends Field<unknown, infer D, boolean> ? D : E extends Fields ? Encodable<E> : never

/** An array of a scalar (`array(int32())`) or of structs (`array({ name: string() })`). */
export function array<const E extends Field | Fields, const O extends Options<readonly []> = None>(
  element: E,
  options?: O,
): FieldOf<ElementDecoded<E>[], readonly ElementEncodable<E>[], O> {
  const held = element instanceof Field ? element : nested(element as Fields)
  return new Field('array', options ?? {}, [], held as Field, null)
}

/** An element of a `reusableArray` that was encoded before, at the same version (`encodeElement`). */
export class Encoded {
  constructor(readonly bytes: Buffer) {}
}

/** An array of structs whose encoder also takes elements encoded before: for answers that repeat themselves. */
export function reusableArray<const F extends Fields, const O extends Options<readonly []> = None>(
  element: F,
  options?: O,
): FieldOf<Decoded<F>[], readonly (Encodable<F> | Encoded)[], O> {
  return new Field('array', options ?? {}, [], nested(element), null, true)
}

/** One struct in place. Nullable ones are preceded by a byte: −1 (tagged: 0) for null, 1 otherwise. */
export function nested<const F extends Fields, const O extends Options<null> = None>(
  fields: F,
  options?: O,
): FieldOf<Decoded<F>, Encodable<F>, O> {
  return new Field('nested', options ?? {}, undefined, null, fields)
}

/** A tagged field that the table does not know, kept so that it survives a round trip. */
export interface UnknownTaggedField {
  tag: number
  data: Buffer
}

type Simplify<T> = { [K in keyof T]: T[K] } & {}

/** What a decoder yields for these fields: every one present, whatever the version. */
export type Decoded<F> = Simplify<
  { -readonly [K in keyof F]: F[K] extends Field<infer D, unknown, boolean> ? D : never } & {
    unknownTaggedFields?: UnknownTaggedField[]
  }
>

type OptionalNames<F> = {
  [K in keyof F]: F[K] extends Field<unknown, unknown, infer O> ? (O extends true ? K : never) : never
}[keyof F]

/** What an encoder takes: fields with a default, or that not all versions carry, may be left out. */
export type Encodable<F> = Simplify<
  {
    readonly [K in Exclude<keyof F, OptionalNames<F>>]: F[K] extends Field<unknown, infer E, boolean>
      ? E
      : never
  } & {
    readonly [K in OptionalNames<F>]?: F[K] extends Field<unknown, infer E, boolean> ? E : never
  } & { readonly unknownTaggedFields?: readonly UnknownTaggedField[] }
>
