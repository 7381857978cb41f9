/**
 * Turns a table at one version into one JavaScript function that reads it: a nested function per struct, straight
 * calls on a Reader, one object literal per struct with every field in table order (one hidden class per struct).
 */
import {
  defaultSource,
  elementOf,
  fieldsOf,
  heapSize,
  layoutOf,
  nullMarkerOf,
  primitiveOf,
  type StructLayout,
  sizedName,
  smallestSize,
} from './layout.js'
import type { Field, Fields } from './notation.js'
import { ProtocolError } from './protocol-error.js'
import type { Decode } from './table.js'

const NO_BYTES = Buffer.alloc(0)

/** Compiles the reader of `fields` at `version`. */
export function compileDecoder(fields: Fields, version: number, flexible: boolean): Decode {
  const source = new DecoderSource(version, flexible)
  const root = source.struct(fields)
  const body = `'use strict'\n${source.functions.join('\n')}\nreturn ${root}`
  return new Function('ProtocolError', 'NO_BYTES', body)(ProtocolError, NO_BYTES) as Decode
}

class DecoderSource {
  readonly functions: string[] = []
  private readonly version: number
  private readonly flexible: boolean
  private names = 0

  constructor(version: number, flexible: boolean) {
    this.version = version
    this.flexible = flexible
  }

  /** Adds the function that reads one struct; returns its name. */
  struct(fields: Fields): string {
    const layout = layoutOf(fields, this.version)
    const name = this.fresh('struct')
    const lines: string[] = []
    for (const { name: key, field } of layout.all) {
      if (layout.plain.some((p) => p.name === key)) lines.push(...this.read(`$${key}`, field, 'const'))
      else lines.push(`let $${key} = ${defaultSource(field)}`)
    }
    lines.push(...this.tags(layout))
    lines.push(`const result = { ${layout.all.map(({ name: key }) => `${key}: $${key}`).join(', ')} }`)
    if (this.flexible) lines.push('if (unknown !== undefined) result.unknownTaggedFields = unknown')
    lines.push('return result')
    this.functions.push(`function ${name}(r) {\n${lines.join('\n')}\n}`)
    return name
  }

  /** Statements that leave the field's value in `variable`. */
  private read(variable: string, field: Field, declare: 'const' | ''): string[] {
    if (field.kind === 'array') return this.readArray(variable, field, declare)
    return [`${declare} ${variable} = ${this.valueSource(field)}`]
  }

  private readArray(variable: string, field: Field, declare: 'const' | ''): string[] {
    const element = elementOf(field)
    const length = this.fresh('length')
    const list = this.fresh('list')
    const nullable = field.nullableIn(this.version)
    const smallest = smallestSize(element, this.version, this.flexible)
    const method = sizedName('ArrayLength', this.flexible, nullable)
    const push = [`for (let left = ${length}; left > 0; left--) {`]
    if (element.kind === 'array') {
      const inner = this.fresh('inner')
      push.push(...this.readArray(inner, element, 'const'), `${list}.push(${inner})`)
    } else {
      push.push(`${list}.push(${this.valueSource(element)})`)
    }
    push.push('}')
    return [
      `const ${length} = r.${method}(${smallest}, ${heapSize(element)})`,
      `const ${list} = ${nullable ? `${length} === -1 ? null : []` : '[]'}`,
      ...push,
      `${declare} ${variable} = ${list}`,
    ]
  }

  private valueSource(field: Field): string {
    const nullable = field.nullableIn(this.version)
    if (field.kind !== 'nested') return `r.${primitiveOf(field, this.flexible, nullable)}()`
    const call = `${this.struct(fieldsOf(field))}(r)`
    return nullable ? `(r.structFollows(${nullMarkerOf(field)}) ? ${call} : null)` : call
  }

  private tags({ tagged }: StructLayout): string[] {
    if (!this.flexible) return []
    if (tagged.length === 0) return ['const unknown = r.onlyUnknownTags()']
    const cases = tagged.map(({ name, field, tag }) =>
      [
        `case ${tag}: {`,
        'const outer = r.beginTagged(size)',
        ...this.read(`$${name}`, field, ''),
        'r.endTagged(outer)',
        'break }',
      ].join('\n'),
    )
    return [
      'let unknown',
      'for (let left = r.tagCount(); left > 0; left--) {',
      'const tag = r.uvarint()',
      'const size = r.uvarint()',
      'switch (tag) {',
      ...cases,
      'default: unknown = r.unknownTag(unknown, tag, size)',
      '} }',
    ]
  }

  private fresh(prefix: string): string {
    return `${prefix}${++this.names}`
  }
}
