/**
 * Kafka's broker keys that have no effect here: described, checked and stored like any other, with a warning where one
 * is set. It reads their tables; keys that have an effect are in broker-keys.ts, keys that are a name only in
 * foreign-keys.ts.
 */
import { bool, type ConfigKey, ConfigType, double, int, list, long, password, short, text } from './key.js'
import { clusterLines } from './unhonoured-cluster.js'
import { groupsLines } from './unhonoured-groups.js'
import { securityLines } from './unhonoured-security.js'

/**
 * One key a line: `name type default range: doc`. A `*` behind the type lets the key change for the whole cluster, a
 * `+` for each broker; the default is `-` where there is none and `''` where it is empty; the range is `min..max`,
 * `{one,of}` or `any{one,of}` in any case.
 */
const notation = /^(\S+) (\w+)([*+]?) (\S+?)(?: (any)?\{(\S+)\}| ([-\d.]+?)\.\.([\d.]*))?: (.+)$/

function keyOf(line: string): [name: string, key: ConfigKey<unknown>] {
  const match = notation.exec(line)
  if (match === null) throw new Error(`not a line of the config table: ${line}`)
  const [, name = '', type = '', mode = '', given = '', anyCase, values, min, max, doc = ''] = match
  const updateMode = mode === '*' ? 'cluster-wide' : mode === '+' ? 'per-broker' : 'read-only'
  const fallback = given === "''" || given === '-' ? '' : given
  const shared = { doc, updateMode, honoured: false, default: fallback } as const
  const range = { ...(min ? { min: Number(min) } : {}), ...(max ? { max: Number(max) } : {}) }
  const key = typed(type, {
    ...shared,
    ...range,
    oneOf: values?.split(',') ?? null,
    anyCase: anyCase !== undefined,
  })
  return [name, given === '-' ? { ...key, defaultText: null } : key]
}

interface Parts {
  doc: string
  updateMode: 'cluster-wide' | 'per-broker' | 'read-only'
  honoured: false
  default: string
  min?: number
  max?: number
  oneOf: readonly string[] | null
  anyCase: boolean
}

function typed(type: string, { oneOf, anyCase, ...parts }: Parts): ConfigKey<unknown> {
  const some = oneOf === null ? parts : { ...parts, oneOf }
  switch (type) {
    case 'int':
      return int(parts)
    case 'short':
      return short(parts)
    case 'long':
      return long(parts)
    case 'double':
      return double(parts)
    case 'boolean':
      return bool({ ...parts, default: parts.default === 'true' })
    case 'list':
      return list(some)
    case 'password':
      return password(parts)
    case 'class':
      return { ...text(parts), type: ConfigType.CLASS }
    case 'string':
      return anyCase ? inAnyCase(text(some), text(parts)) : text(some)
    default:
      throw new Error(`no config type ${type}`)
  }
}

function inAnyCase(strict: ConfigKey<string>, loose: ConfigKey<string>): ConfigKey<string> {
  const parse = (raw: string) =>
    'reason' in strict.parse(raw.toUpperCase()) ? strict.parse(raw) : loose.parse(raw)
  return { ...strict, parse }
}

let keys: ReadonlyMap<string, ConfigKey<unknown>> | null = null

/** All of them by name. They are read when one is first asked for: most starts never need them. */
export function unhonouredKeys(): ReadonlyMap<string, ConfigKey<unknown>> {
  keys ??= new Map(
    [groupsLines, securityLines, clusterLines].flatMap((lines) => lines.trim().split('\n').map(keyOf)),
  )
  return keys
}
