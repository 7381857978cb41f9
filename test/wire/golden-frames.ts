/** Reads the frames that Kafka's own classes wrote (see generate/README.md) and turns their JSON into our shapes. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Field, Fields } from '../../ts/protocol/index.js'

export interface GoldenFrame {
  name: string
  version: number
  variant: 'full' | 'null' | 'plain' | 'tags'
  bytes: Buffer
  json: Json
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** The frames of one kind of message, in the order of their schemas and versions. */
export function goldenFrames(kind: string): GoldenFrame[] {
  const packed = readFileSync(new URL(`golden/${kind}.jsonl.gz`, import.meta.url))
  return gunzipSync(packed)
    .toString('utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { hex, ...rest } = JSON.parse(line) as Omit<GoldenFrame, 'bytes'> & { hex: string }
      return { ...rest, bytes: Buffer.from(hex, 'hex') }
    })
}

/** The unknown tagged fields that the generator adds to the root of every `tags` frame. */
const ADDED_TAGS = [
  { tag: 77, data: Buffer.from([1, 2, 3]) },
  { tag: 30000, data: Buffer.alloc(200) },
]

/** What our decoder must yield for a frame, according to Kafka's JSON for it. */
export function expectedMessage(fields: Fields, frame: GoldenFrame): Record<string, unknown> {
  const message = expectedStruct(fields, frame.version, frame.json)
  return frame.variant === 'tags' ? { ...message, unknownTaggedFields: ADDED_TAGS } : message
}

function expectedStruct(fields: Fields, version: number, json: Json): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Error('Kafka has no struct here')
  for (const key of Object.keys(json)) {
    if (fields[key] === undefined) throw new Error(`Kafka has a field ${key} that the table lacks`)
  }
  const result: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    const value = json[name]
    if (value !== undefined && !field.presentIn(version))
      throw new Error(`Kafka has ${name} in version ${version}`)
    if (value === undefined && field.presentIn(version) && field.tag === null) {
      throw new Error(`Kafka has no ${name} in version ${version}`)
    }
    result[name] = value === undefined ? defaultOf(field) : expectedValue(field, version, value)
  }
  return result
}

function expectedValue(field: Field, version: number, json: Json): unknown {
  if (json === null) {
    if (!field.nullableIn(version)) throw new Error('Kafka allows null here')
    return null
  }
  if (field.kind === 'nested') return expectedStruct(field.fields ?? {}, version, json)
  if (field.kind === 'array') {
    const element = field.element
    if (element === null || !Array.isArray(json)) throw new Error('Kafka has no array here')
    return json.map((item) => expectedValue(element, version, item))
  }
  if (field.kind === 'records') return RECORDS
  if (field.kind === 'bytes') return Buffer.from(String(json), 'base64')
  if (field.kind === 'bigint64') return BigInt(Number(json))
  return json
}

function defaultOf(field: Field): unknown {
  if (field.kind !== 'nested' || field.default === null) return field.default
  const result: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(field.fields ?? {})) result[name] = defaultOf(inner)
  return result
}

/** Kafka's JSON drops record bytes; every `records` is compared as this after a look at its first bytes. */
const RECORDS = 'records'

/** Replaces every `records` of a decoded message by a mark, after checking that it holds what the generator put there. */
export function markRecords(fields: Fields, version: number, message: unknown): unknown {
  const source = message as Record<string, unknown>
  const result = { ...source }
  for (const [name, field] of Object.entries(fields)) {
    if (!field.presentIn(version) || source[name] === null) continue
    const inner = field.element?.fields
    if (field.kind === 'records') {
      const text = String(source[name])
      if (text !== '' && !/^(text|größe)-/.test(text)) throw new Error(`${name} holds ${text}`)
      result[name] = RECORDS
    } else if (inner !== undefined && inner !== null) {
      result[name] = (source[name] as unknown[]).map((item) => markRecords(inner, version, item))
    }
  }
  return result
}
