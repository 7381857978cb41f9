/**
 * What one configuration key is: its type, default, range and documentation, and how its text becomes a value.
 * It knows no particular key and reads no file, environment or command line.
 */

/** Kafka's numbers for the type of a config value in DescribeConfigs (KIP-569). */
export const ConfigType = {
  /** Of a key that no table has. */
  UNKNOWN: 0,
  BOOLEAN: 1,
  STRING: 2,
  INT: 3,
  SHORT: 4,
  LONG: 5,
  DOUBLE: 6,
  LIST: 7,
  CLASS: 8,
  PASSWORD: 9,
} as const
export type ConfigType = (typeof ConfigType)[keyof typeof ConfigType]

/** Whether a broker may change the key while it runs (KIP-226). */
export type UpdateMode = 'read-only' | 'per-broker' | 'cluster-wide'

export interface ConfigKey<T> {
  readonly type: ConfigType
  /** The default as text, as DescribeConfigs shows it; null where Kafka has none. */
  readonly defaultText: string | null
  readonly doc: string
  readonly updateMode: UpdateMode
  readonly sensitive: boolean
  /** False for a broker key that is described to clients but has no effect yet: setting it gives a warning. */
  readonly honoured: boolean
  /** The value, or the reason why the text is not one. */
  parse(text: string): { value: T } | { reason: string }
}

interface Common {
  doc: string
  updateMode?: UpdateMode
  sensitive?: boolean
  honoured?: boolean
}

export interface NumberKey extends Common {
  default: number | string
  min?: number
  max?: number
}

const INT_MAX = 2 ** 31 - 1
/** The text of Java's Long.MAX_VALUE, Kafka's "never" and "no limit". */
export const LONG_MAX_TEXT = '9223372036854775807'
const LONG_MAX = 2n ** 63n - 1n

export function int(key: NumberKey): ConfigKey<number> {
  return wholeNumber(ConfigType.INT, 'INT', key, BigInt(INT_MAX))
}

export function short(key: NumberKey): ConfigKey<number> {
  return wholeNumber(ConfigType.SHORT, 'SHORT', key, 32767n)
}

/** A 64-bit value; as a number it is cut to the safe integers, its text stays exact. */
export function long(key: NumberKey): ConfigKey<number> {
  return wholeNumber(ConfigType.LONG, 'LONG', key, LONG_MAX)
}

/** An int or long that may be absent, such as log.retention.ms, whose absence defers to log.retention.minutes. */
export function optional<T>(
  key: (range: NumberKey) => ConfigKey<T>,
  range: Omit<NumberKey, 'default'>,
): ConfigKey<T | null> {
  return { ...key({ ...range, default: 0 }), defaultText: null }
}

export function double(key: NumberKey): ConfigKey<number> {
  return {
    ...common(ConfigType.DOUBLE, String(key.default), key),
    parse(text) {
      const value = Number(text.trim())
      if (text.trim() === '' || Number.isNaN(value)) return { reason: 'Not a number of type DOUBLE' }
      return inRange(value, key)
    },
  }
}

export function bool(key: Common & { default: boolean }): ConfigKey<boolean> {
  return {
    ...common(ConfigType.BOOLEAN, String(key.default), key),
    parse(text) {
      const lower = text.trim().toLowerCase()
      if (lower === 'true') return { value: true }
      if (lower === 'false') return { value: false }
      return { reason: 'Expected value to be either true or false' }
    },
  }
}

export interface TextKey extends Common {
  default: string
  oneOf?: readonly string[]
}

export function text(key: TextKey): ConfigKey<string> {
  return {
    ...common(ConfigType.STRING, key.default, key),
    parse(raw) {
      const value = raw.trim()
      if (key.oneOf && !key.oneOf.includes(value)) {
        return { reason: `String must be one of: ${key.oneOf.join(', ')}` }
      }
      return { value }
    },
  }
}

export function optionalText(key: Common): ConfigKey<string | null> {
  return { ...common(ConfigType.STRING, null, key), parse: (raw) => ({ value: raw.trim() }) }
}

export function password(key: Common): ConfigKey<string | null> {
  return { ...optionalText({ ...key, sensitive: true }), type: ConfigType.PASSWORD }
}

export function list(key: TextKey & { nonEmpty?: boolean }): ConfigKey<readonly string[]> {
  return {
    ...common(ConfigType.LIST, key.default, key),
    parse(raw) {
      const value = splitList(raw)
      const { oneOf } = key
      if (key.nonEmpty && value.length === 0) return { reason: 'List must not be empty' }
      if (oneOf && !value.every((item) => oneOf.includes(item))) {
        return { reason: `String must be one of: ${oneOf.join(', ')}` }
      }
      return { value }
    },
  }
}

/** Hosts with a number each, `host:number` separated by commas; an IPv6 address may stand in brackets. */
export function addressCaps(key: Common): ConfigKey<ReadonlyMap<string, number>> {
  return {
    ...common(ConfigType.STRING, '', key),
    parse(raw) {
      const value = new Map<string, number>()
      for (const item of splitList(raw)) {
        const match = /^\[?([^[\]]+?)\]?\s*:\s*(\d{1,10})$/.exec(item)
        const number = Number(match?.[2])
        if (match?.[1] === undefined || number > INT_MAX) return { reason: `${item} is not host:number` }
        value.set(match[1], number)
      }
      return { value }
    },
  }
}

/** −1 leaves the level to the codec. */
export function gzipLevel(key: Common): ConfigKey<number> {
  const level = int({ ...key, default: -1, min: -1, max: 9 })
  return {
    ...level,
    parse: (raw) =>
      raw.trim() === '0' ? { reason: 'Value must be between 1 and 9 or equal to -1' } : level.parse(raw),
  }
}

/** `partition:broker` separated by commas, or `*` for all. */
export function throttledReplicas(key: Common): ConfigKey<readonly string[]> {
  const all = list({ ...key, default: '' })
  const form = '[partitionId]:[brokerId],[partitionId]:[brokerId],... or *'
  return {
    ...all,
    parse(raw) {
      const items = splitList(raw)
      const isAll = items.length === 1 && items[0] === '*'
      return isAll || items.every((item) => /^\d+:\d+$/.test(item))
        ? { value: items }
        : { reason: `must be the literal '*' or a list of replicas in the following format: ${form}` }
    },
  }
}

export function splitList(raw: string): string[] {
  const trimmed = raw.trim()
  return trimmed === '' ? [] : trimmed.split(',').map((item) => item.trim())
}

function common(type: ConfigType, defaultText: string | null, key: Common): Omit<ConfigKey<never>, 'parse'> {
  return {
    type,
    defaultText,
    doc: key.doc,
    updateMode: key.updateMode ?? 'read-only',
    sensitive: key.sensitive ?? false,
    honoured: key.honoured ?? true,
  }
}

function wholeNumber(type: ConfigType, name: string, key: NumberKey, limit: bigint): ConfigKey<number> {
  return {
    ...common(type, String(key.default), key),
    parse(raw) {
      const trimmed = raw.trim()
      if (!/^[+-]?\d{1,19}$/.test(trimmed)) return { reason: `Not a number of type ${name}` }
      const exact = BigInt(trimmed.replace('+', ''))
      if (exact > limit || exact < -limit - 1n) return { reason: `Not a number of type ${name}` }
      const safe = BigInt(Number.MAX_SAFE_INTEGER)
      return inRange(Number(exact > safe ? safe : exact < -safe ? -safe : exact), key)
    },
  }
}

function inRange(value: number, key: NumberKey): { value: number } | { reason: string } {
  if (key.min !== undefined && value < key.min) return { reason: `Value must be at least ${key.min}` }
  if (key.max !== undefined && value > key.max) return { reason: `Value must be no more than ${key.max}` }
  return { value }
}
