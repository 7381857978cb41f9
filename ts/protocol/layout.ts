/**
 * What both compilers ask about a table at one version: which fields travel where, under which primitive's name,
 * and how a default looks as source text. Produces no code of its own.
 */
import type { Field, Fields } from './notation.js'

export interface NamedField {
  name: string
  field: Field
}

/** Every field of the table in order, and those of this version split by where they travel. */
export interface StructLayout {
  all: NamedField[]
  plain: NamedField[]
  /** In ascending tag order. */
  tagged: (NamedField & { tag: number })[]
}

export function layoutOf(fields: Fields, version: number): StructLayout {
  const layout: StructLayout = { all: [], plain: [], tagged: [] }
  for (const [name, field] of Object.entries(fields)) {
    layout.all.push({ name, field })
    if (!field.presentIn(version)) continue
    if (field.tag === null) layout.plain.push({ name, field })
    else layout.tagged.push({ name, field, tag: field.tag })
  }
  layout.tagged.sort((a, b) => a.tag - b.tag)
  return layout
}

const PRIMITIVES = {
  bool: 'bool',
  int8: 'int8',
  int16: 'int16',
  uint16: 'uint16',
  int32: 'int32',
  uint32: 'uint32',
  int64: 'int64',
  bigint64: 'bigint64',
  float64: 'float64',
  uuid: 'uuid',
} as const

const SIZED = { string: 'String', bytes: 'Bytes', view: 'View', records: 'View' } as const

/** The method of Reader that reads this field's value (Writer has the same, with `Bytes` for `View`). */
export function primitiveOf(field: Field, flexible: boolean, nullable: boolean): string {
  const { kind } = field
  if (kind === 'array' || kind === 'nested') throw new Error(`${kind} is no primitive`)
  return kind in SIZED
    ? sizedName(SIZED[kind as keyof typeof SIZED], flexible, nullable)
    : PRIMITIVES[kind as keyof typeof PRIMITIVES]
}

/** `compactNullableString` and its kin. */
export function sizedName(what: string, flexible: boolean, nullable: boolean): string {
  const name = `${flexible ? 'compact' : ''}${nullable ? 'Nullable' : ''}${what}`
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`
}

const FIXED_SIZES = {
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
} as const

/** Fewest bytes that a value of this field can take: what caps the length of an array of it. */
export function smallestSize(field: Field, version: number, flexible: boolean): number {
  const { kind } = field
  if (kind in FIXED_SIZES) return FIXED_SIZES[kind as keyof typeof FIXED_SIZES]
  if (kind === 'nested') {
    if (field.nullableIn(version)) return 1
    let size = flexible ? 1 : 0
    for (const { field: inner } of layoutOf(fieldsOf(field), version).plain)
      size += smallestSize(inner, version, flexible)
    return Math.max(size, 1)
  }
  if (flexible) return 1
  return kind === 'string' ? 2 : 4
}

/** An object or array without its fields and elements; and a slot in one, with what a growing list has to spare. */
const OBJECT_HEAP = 40
const ARRAY_HEAP = 40
const SLOT_HEAP = 12
const KIND_HEAP: Partial<Record<Field['kind'], number>> = { int64: 24, bigint64: 24, float64: 24, uuid: 40 }

/**
 * About the bytes of memory that one decoded value takes as an element of a list. Texts and bytes are charged where
 * they are read, inner arrays by their own elements.
 */
export function heapSize(field: Field): number {
  return SLOT_HEAP + ownHeapSize(field)
}

function ownHeapSize(field: Field): number {
  if (field.kind === 'array') return ARRAY_HEAP
  if (field.kind !== 'nested') return KIND_HEAP[field.kind] ?? 0
  return Object.values(fieldsOf(field)).reduce((sum, inner) => sum + 8 + ownHeapSize(inner), OBJECT_HEAP)
}

/** What stands before a nullable struct that is null; 1 announces one that is not. Kafka has another for tagged ones. */
export function nullMarkerOf(field: Field): -1 | 0 {
  return field.tag === null ? -1 : 0
}

export function fieldsOf(field: Field): Fields {
  if (field.fields === null) throw new Error('not a nested struct')
  return field.fields
}

export function elementOf(field: Field): Field {
  if (field.element === null) throw new Error('not an array')
  return field.element
}

/** Source text of a field's default; arrays and structs are fresh each time the text runs. */
export function defaultSource(field: Field): string {
  if (field.default === null) return 'null'
  if (field.kind === 'array') return '[]'
  if (field.kind === 'nested') {
    const inner = Object.entries(fieldsOf(field)).map(([name, f]) => `${name}: ${defaultSource(f)}`)
    return `{ ${inner.join(', ')} }`
  }
  if (field.default instanceof Uint8Array) return 'NO_BYTES'
  if (typeof field.default === 'bigint') return `${field.default}n`
  return JSON.stringify(field.default)
}
