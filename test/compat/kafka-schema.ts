// Kafka's own message schemas (JSON in its jars) and our tables, both brought into one form that can be compared.
import type { Field, Fields } from '../../ts/protocol/index.js'
import { filesInJar } from './jar.js'

interface SchemaField {
  name: string
  type: string
  /** Left out where a field is tagged in all versions that carry it. */
  versions?: string
  nullableVersions?: string
  taggedVersions?: string
  tag?: number
  default?: string | number | boolean | null
  fields?: SchemaField[]
}

export interface Schema {
  apiKey: number
  type: 'request' | 'response' | 'metadata' | 'coordinator-key' | 'coordinator-value'
  name: string
  validVersions: string
  flexibleVersions: string
  latestVersionUnstable?: boolean
  fields: SchemaField[]
  commonStructs?: { name: string; fields: SchemaField[] }[]
}

/** One field at one version: what a reader of the wire must know of it. */
export interface Shape {
  name: string
  type: string
  nullable: boolean
  tag: number | null
  default: unknown
  fields: Shape[]
}

export type Schemas = ReadonlyMap<string, Schema>

/** Every schema in a jar, by message name. */
export function schemasIn(jar: string): Schemas {
  const schemas = new Map<string, Schema>()
  for (const text of filesInJar(jar, 'common/', '.json').values()) {
    const schema = JSON.parse(withoutComments(text)) as Schema
    schemas.set(schema.name, schema)
  }
  return schemas
}

function withoutComments(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|\/\/.*/g, (_, quoted: string | undefined) => quoted ?? '')
}

export function versionRange(range: string): [first: number, last: number] {
  if (range === 'none') return [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const [first, last] = range.replace('+', '-Infinity').split('-')
  return [Number(first), Number(last ?? first)]
}

export function inRange(range: string | undefined, version: number): boolean {
  const [first, last] = versionRange(range ?? 'none')
  return first <= version && version <= last
}

/** Kafka's fields at a version, in wire order. */
export function schemaShape(schema: Schema, version: number, fields = schema.fields): Shape[] {
  return fields
    .filter(({ versions, taggedVersions }) => inRange(versions ?? taggedVersions, version))
    .map((field) => {
      const base = field.type.replace('[]', '')
      const inner = field.fields ?? schema.commonStructs?.find(({ name }) => name === base)?.fields
      return {
        name: field.name.charAt(0).toLowerCase() + field.name.slice(1),
        type: inner === undefined ? field.type : field.type.replace(base, 'struct'),
        nullable: inRange(field.nullableVersions, version),
        tag: inRange(field.taggedVersions, version) ? (field.tag ?? null) : null,
        default: schemaDefault(field, inner !== undefined),
        fields: inner === undefined ? [] : schemaShape(schema, version, inner),
      }
    })
}

function schemaDefault(field: SchemaField, struct: boolean): unknown {
  const { type } = field
  // A JSON null is no default to Kafka's code generator; the word is.
  if (field.default === 'null') return null
  if (type.startsWith('[]')) return '[]'
  if (struct) return 'struct'
  if (type === 'float64') return Number(field.default ?? 0)
  if (type === 'string') return field.default ?? ''
  if (type === 'bytes' || type === 'records') return 'empty'
  if (type === 'bool') return String(field.default ?? false) === 'true'
  if (type === 'uuid') return 'zero'
  return BigInt(field.default === undefined ? 0 : String(field.default))
}

/** Our fields at a version, in wire order. */
export function tableShape(fields: Fields, version: number): Shape[] {
  return Object.entries(fields)
    .filter(([, field]) => field.presentIn(version))
    .map(([name, field]) => ({
      name,
      type: tableType(field),
      nullable: field.nullableIn(version),
      tag: field.tag,
      default: tableDefault(field),
      fields: tableShape(innermost(field).fields ?? {}, version),
    }))
}

function innermost(field: Field): Field {
  return field.element === null ? field : innermost(field.element)
}

function tableType(field: Field): string {
  if (field.element !== null) return `[]${tableType(field.element)}`
  if (field.kind === 'nested') return 'struct'
  if (field.kind === 'bigint64') return 'int64'
  return field.kind
}

function tableDefault(field: Field): unknown {
  if (field.default === null) return null
  if (field.kind === 'array') return '[]'
  if (field.kind === 'nested') return 'struct'
  if (field.kind === 'uuid') return /^A{22}$/.test(String(field.default)) ? 'zero' : field.default
  if (field.kind === 'float64') return field.default
  if (field.default instanceof Uint8Array) return field.default.length === 0 ? 'empty' : field.default
  return typeof field.default === 'number' ? BigInt(field.default) : field.default
}
