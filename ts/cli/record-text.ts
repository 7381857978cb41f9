/**
 * Records as lines, in and out: plain text with kcat's placeholders, or one JSON object a line in which `consume`
 * writes what `produce` reads. It knows nothing of brokers.
 */
import { CommandError } from './failure.js'

export type Encoding = 'utf8' | 'base64' | 'hex'

export interface ConsumedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [Buffer | null, Buffer | null])[]
}

export interface RecordToProduce {
  readonly key?: Buffer
  /** Left out: a tombstone. */
  readonly value?: Buffer
  readonly partition?: number
  readonly timestamp?: bigint
  readonly headers: Map<Buffer, Buffer>
}

export function encodingOf(text: string): Encoding {
  if (text === 'utf8' || text === 'base64' || text === 'hex') return text
  throw new CommandError(`--encoding ${text} is none of utf8, base64, hex.`)
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' }

/** `\n`, `\t`, `\r`, `\0` and `\\` as a shell passes them on. */
export function withoutEscapes(text: string): string {
  return text.replaceAll(/\\([ntr0\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter)
}

/** `%t` topic, `%p` partition, `%o` offset, `%T` timestamp, `%k` key, `%s` value, `%h` headers, `%%` a percent sign. */
export function formatter(template: string, encoding: Encoding): (record: ConsumedRecord) => string {
  const parts = withoutEscapes(template)
  return (record) =>
    parts.replaceAll(/%([tpoTksh%])/g, (_, letter: string) => {
      if (letter === 't') return record.topic
      if (letter === 'p') return String(record.partition)
      if (letter === 'o') return String(record.offset)
      if (letter === 'T') return String(record.timestamp)
      if (letter === 'k') return record.key?.toString(encoding) ?? ''
      if (letter === 's') return record.value?.toString(encoding) ?? ''
      if (letter === 'h') {
        return record.headers
          .map(([name, value]) => `${name ?? ''}=${value?.toString(encoding) ?? ''}`)
          .join(',')
      }
      return '%'
    })
}

/** One line of JSON, without its end. */
export function recordJson(record: ConsumedRecord, encoding: Encoding): string {
  const { topic, partition, offset, timestamp } = record
  return JSON.stringify({
    topic,
    partition,
    offset,
    timestamp,
    key: record.key?.toString(encoding) ?? null,
    value: record.value?.toString(encoding) ?? null,
    headers: Object.fromEntries(
      record.headers.map(([name, value]) => [String(name ?? ''), value?.toString(encoding) ?? '']),
    ),
  })
}

/** Reads `{"key", "value", "headers", "partition", "timestamp"}`; all may be left out. Throws CommandError. */
export function parseJsonRecord(line: string, encoding: Encoding, lineNumber: number): RecordToProduce {
  const wrong = (why: string) => new CommandError(`Line ${lineNumber} of the input ${why}.`)
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    throw wrong('is not JSON')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw wrong('is no JSON object')
  const { key, value, headers, partition, timestamp } = parsed as Record<string, unknown>
  const bytes = (name: string, field: unknown): Buffer | undefined => {
    if (field === undefined || field === null) return undefined
    if (typeof field !== 'string') throw wrong(`has a ${name} that is not a string`)
    return Buffer.from(field, encoding)
  }
  const whole = (name: string, field: unknown): number | undefined => {
    if (field === undefined || field === null) return undefined
    if (typeof field !== 'number' || !Number.isSafeInteger(field)) {
      throw wrong(`has a ${name} that is not a whole number`)
    }
    return field
  }
  const named = headers ?? {}
  if (typeof named !== 'object' || Array.isArray(named)) throw wrong('has headers that are not an object')
  const time = whole('timestamp', timestamp)
  return without({
    key: bytes('key', key),
    value: bytes('value', value),
    partition: whole('partition', partition),
    timestamp: time === undefined ? undefined : BigInt(time),
    headers: new Map(
      Object.entries(named).map(([name, one]) => [
        Buffer.from(name),
        bytes(`header ${name}`, one) ?? Buffer.alloc(0),
      ]),
    ),
  })
}

/** A line of text, split at the key separator where there is one. Throws CommandError for a line that lacks it. */
export function parseTextRecord(
  line: string,
  separator: string | undefined,
  encoding: Encoding,
  lineNumber: number,
): RecordToProduce {
  const headers = new Map<Buffer, Buffer>()
  if (separator === undefined) return { value: Buffer.from(line, encoding), headers }
  const at = line.indexOf(separator)
  if (at < 0) {
    throw new CommandError(
      `Line ${lineNumber} of the input has no key separator ${JSON.stringify(separator)}.`,
    )
  }
  return {
    key: Buffer.from(line.slice(0, at), encoding),
    value: Buffer.from(line.slice(at + separator.length), encoding),
    headers,
  }
}

type Loose = { [K in keyof RecordToProduce]: RecordToProduce[K] | undefined }

function without(record: Loose): RecordToProduce {
  return Object.fromEntries(
    Object.entries(record).filter(([, field]) => field !== undefined),
  ) as unknown as RecordToProduce
}
