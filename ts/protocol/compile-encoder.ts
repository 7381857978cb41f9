/**
 * Turns a table at one version into one JavaScript function that writes it: a nested function per struct, straight
 * calls on a Writer. What the caller left out takes its default; fields that the version lacks are not looked at.
 */
import {
  defaultSource,
  elementOf,
  fieldsOf,
  layoutOf,
  type NamedField,
  nullMarkerOf,
  primitiveOf,
  type StructLayout,
  sizedName,
} from './layout.js'
import { Encoded, type Field, type Fields } from './notation.js'
import type { Encode } from './table.js'
import { inTagOrder, unfit } from './writer.js'

const NO_BYTES = Buffer.alloc(0)

/** Compiles the writer of `fields` at `version`; `name` opens the paths that errors show. */
export function compileEncoder(name: string, fields: Fields, version: number, flexible: boolean): Encode {
  const source = new EncoderSource(version, flexible)
  const root = source.struct(fields, name)
  const body = `'use strict'\n${source.functions.join('\n')}\nreturn ${root}`
  const make = new Function('inTagOrder', 'unfit', 'NO_BYTES', 'Encoded', body)
  return make(inTagOrder, unfit, NO_BYTES, Encoded) as Encode
}

class EncoderSource {
  readonly functions: string[] = []
  private readonly version: number
  private readonly flexible: boolean
  private names = 0

  constructor(version: number, flexible: boolean) {
    this.version = version
    this.flexible = flexible
  }

  /** Adds the function that writes one struct; returns its name. */
  struct(fields: Fields, path: string): string {
    const layout = layoutOf(fields, this.version)
    const name = this.fresh('struct')
    const lines = [`if (typeof m !== 'object' || m === null) throw unfit(${quote(path)}, 'struct', m)`]
    for (const { name: key, field } of layout.plain) {
      const value = this.fresh('value')
      lines.push(this.fetch(value, key, field), ...this.write(value, field, `${path}.${key}`))
    }
    if (this.flexible) lines.push(...this.tags(layout, path))
    this.functions.push(`function ${name}(w, m) {\n${lines.join('\n')}\n}`)
    return name
  }

  /** The field's value, or its default when the caller left it out and may. */
  private fetch(variable: string, key: string, field: Field): string {
    if (!field.omittable) return `const ${variable} = m.${key}`
    return `const ${variable} = m.${key} === undefined ? ${defaultSource(field)} : m.${key}`
  }

  private write(value: string, field: Field, path: string): string[] {
    const nullable = field.nullableIn(this.version)
    if (field.kind === 'array') return this.writeArray(value, field, path)
    if (field.kind === 'nested') {
      const call = `${this.struct(fieldsOf(field), path)}(w, ${value})`
      if (!nullable) return [call]
      return [`if (${value} === null) w.int8(${nullMarkerOf(field)})`, `else { w.int8(1); ${call} }`]
    }
    const method = primitiveOf(field, this.flexible, nullable).replace(/view$/i, (v) =>
      v === 'view' ? 'bytes' : 'Bytes',
    )
    return [`w.${method}(${value}, ${quote(path)})`]
  }

  private writeArray(value: string, field: Field, path: string): string[] {
    const nullable = field.nullableIn(this.version)
    const index = this.fresh('i')
    const item = this.fresh('item')
    return [
      `w.${sizedName('ArrayLength', this.flexible, nullable)}(${value}, ${quote(path)})`,
      nullable ? `if (${value} !== null)` : '',
      `for (let ${index} = 0; ${index} < ${value}.length; ${index}++) {`,
      `const ${item} = ${value}[${index}]`,
      ...(field.takesEncoded ? [`if (${item} instanceof Encoded) { w.raw(${item}.bytes); continue }`] : []),
      ...this.write(item, elementOf(field), `${path}[]`),
      '}',
    ]
  }

  private tags({ tagged }: StructLayout, path: string): string[] {
    if (tagged.length === 0) return ['w.onlyUnknownTags(m.unknownTaggedFields)']
    const values = tagged.map((named) => ({
      ...named,
      value: this.fresh('value'),
      present: this.fresh('present'),
    }))
    const lines = [`const unknown = inTagOrder(m.unknownTaggedFields)`]
    for (const { name, field, value, present } of values) {
      lines.push(this.fetch(value, name, field))
      lines.push(`const ${present} = ${this.differs({ name, field }, value)}`)
    }
    lines.push(
      `w.uvarint(unknown.length + ${values.map(({ present }) => `(${present} ? 1 : 0)`).join(' + ')})`,
    )
    lines.push('let next = 0')
    for (const { name, field, tag, value, present } of values) {
      const start = this.fresh('start')
      lines.push(
        `if (${present}) {`,
        `next = w.unknownTagsBelow(unknown, next, ${tag})`,
        `const ${start} = w.beginTagged(${tag})`,
        ...this.write(value, field, `${path}.${name}`),
        `w.endTagged(${start})`,
        '}',
      )
    }
    lines.push('w.unknownTagsBelow(unknown, next, Infinity)')
    return lines
  }

  /** Source of the test whether a tagged field's value is worth writing. */
  private differs({ field }: NamedField, value: string): string {
    if (field.default === null) return `${value} !== null`
    if (field.kind === 'array' || field.default instanceof Uint8Array)
      return `${value} === null || ${value}.length !== 0`
    if (field.kind === 'nested') return `${this.differsFunction(fieldsOf(field))}(${value})`
    return `${value} !== ${defaultSource(field)}`
  }

  /** Adds the function that tells whether a struct differs from its all-default self; returns its name. */
  private differsFunction(fields: Fields): string {
    const name = this.fresh('differs')
    const tests = Object.entries(fields).map(([key, field]) => {
      const value = this.fresh('value')
      return `const ${value} = m.${key}; if (${value} !== undefined && (${this.differs({ name: key, field }, value)})) return true`
    })
    tests.push('return inTagOrder(m.unknownTaggedFields).length !== 0')
    this.functions.push(`function ${name}(m) {\nif (m === null) return true\n${tests.join('\n')}\n}`)
    return name
  }

  private fresh(prefix: string): string {
    return `${prefix}${++this.names}`
  }
}

function quote(path: string): string {
  return JSON.stringify(path)
}
