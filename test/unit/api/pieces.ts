// A request taken apart into the values that lie on the wire one after the other, each by its path and its encoding,
// so that any one of them can be replaced. It reads the protocol's tables; what to put in a place is extreme-values.ts.
import { type Api, type Field, type Fields, requestHeaderVersion } from '../../../ts/protocol/index.js'
import { elementOf, fieldsOf, layoutOf } from '../../../ts/protocol/layout.js'

export type Encoding =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'uuid'
  /** Unsigned, of KIP-482. */
  | 'uvarint'
  /** Zigzag, of records. */
  | 'varint'
  /** What a length counts. */
  | 'raw'

/** One value. With `sizes` it is the length in bytes of these instead. */
export interface Piece {
  readonly path: string
  readonly encoding: Encoding
  readonly value: bigint | Buffer
  readonly sizes?: readonly Piece[]
}

const BYTES: Partial<Record<Encoding, number>> = { bool: 1, int8: 1, int16: 2, int32: 4, int64: 8 }

export function fixedBytes(encoding: Encoding): number | undefined {
  return BYTES[encoding]
}

export function uvarint(value: bigint): Buffer {
  const out: number[] = []
  let left = BigInt.asUintN(64, value)
  for (; left > 0x7fn; left >>= 7n) out.push(Number(left & 0x7fn) | 0x80)
  return Buffer.from([...out, Number(left)])
}

export function encoded(encoding: Encoding, value: bigint | Buffer): Buffer {
  if (typeof value !== 'bigint') return value
  if (encoding === 'uvarint') return uvarint(value)
  if (encoding === 'varint') return uvarint((value << 1n) ^ (value >> 63n))
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt.asIntN(64, value))
  return bytes.subarray(8 - (BYTES[encoding] ?? 8))
}

/** The bytes of all pieces, with one of them replaced. */
export function assembled(pieces: readonly Piece[], replaced?: Piece, replacement?: Buffer): Buffer {
  return Buffer.concat(
    pieces.map((piece) => {
      if (piece === replaced && replacement !== undefined) return replacement
      const size = piece.sizes && BigInt(assembled(piece.sizes, replaced, replacement).length)
      return encoded(piece.encoding, size ?? piece.value)
    }),
  )
}

type Message = Readonly<Record<string, unknown>>

/** A tag that no table knows, so that its number, size and bytes are there to be replaced in every struct. */
const UNKNOWN_TAG = { tag: 9_999n, data: Buffer.from('??') }

export const at = (path: string, encoding: Encoding, value: bigint | number | Buffer): Piece => ({
  path,
  encoding,
  value: typeof value === 'number' ? BigInt(value) : value,
})

/** The frame of a request: its size, header and body. Every struct of a flexible one carries an unknown tag. */
export function requestPieces(api: Api, version: number, correlationId: number, message: Message): Piece[] {
  const flexible = version >= api.firstFlexible
  const clientId = Buffer.from('extreme')
  const content = [
    at('header.apiKey', 'int16', api.key),
    at('header.apiVersion', 'int16', version),
    at('header.correlationId', 'int32', correlationId),
    at('header.clientId.length', 'int16', clientId.length),
    at('header.clientId', 'raw', clientId),
    ...(requestHeaderVersion(api.key, version) === 2 ? tagPieces('header', []) : []),
    ...structPieces(api.request.fields, message, version, flexible, ''),
  ]
  return [{ path: 'size', encoding: 'int32', value: 0n, sizes: content }, ...content]
}

function structPieces(
  fields: Fields,
  message: Message,
  version: number,
  flexible: boolean,
  path: string,
): Piece[] {
  const { plain, tagged } = layoutOf(fields, version)
  const pieces = plain.flatMap(({ name, field }) =>
    fieldPieces(field, message[name], version, flexible, `${path}.${name}`),
  )
  if (!flexible) return pieces
  const tags = tagged.map(({ name, field, tag }) => ({
    name: `${path}.${name}`,
    tag,
    content: fieldPieces(field, message[name], version, flexible, `${path}.${name}`),
  }))
  return [...pieces, ...tagPieces(path, tags)]
}

function tagPieces(
  path: string,
  tags: readonly { name: string; tag: number; content: readonly Piece[] }[],
): Piece[] {
  const { tag, data } = UNKNOWN_TAG
  return [
    at(`${path}.tags.count`, 'uvarint', tags.length + 1),
    ...tags.flatMap(({ name, tag, content }) => [
      at(`${name}.tag`, 'uvarint', tag),
      { path: `${name}.tag.size`, encoding: 'uvarint' as const, value: 0n, sizes: content },
      ...content,
    ]),
    at(`${path}.unknownTag`, 'uvarint', tag),
    at(`${path}.unknownTag.size`, 'uvarint', data.length),
    at(`${path}.unknownTag.data`, 'raw', data),
  ]
}

function fieldPieces(
  field: Field,
  value: unknown,
  version: number,
  flexible: boolean,
  path: string,
): Piece[] {
  const length = (bytes: 2 | 4, count: number) =>
    flexible
      ? at(`${path}.length`, 'uvarint', count + 1)
      : at(`${path}.length`, bytes === 2 ? 'int16' : 'int32', count)
  switch (field.kind) {
    case 'array': {
      const items = value as readonly unknown[]
      const element = elementOf(field)
      return [
        length(4, items.length),
        ...items.flatMap((item, n) => fieldPieces(element, item, version, flexible, `${path}[${n}]`)),
      ]
    }
    case 'nested': {
      if (field.nullableIn(version)) throw new Error(`${path}: no such request has a nullable struct`)
      return structPieces(fieldsOf(field), value as Message, version, flexible, path)
    }
    case 'string': {
      if (value === null)
        return [flexible ? at(`${path}.length`, 'uvarint', 0) : at(`${path}.length`, 'int16', -1)]
      const text = Buffer.from(value as string)
      return [length(2, text.length), at(path, 'raw', text)]
    }
    case 'bytes':
    case 'view':
    case 'records': {
      const bytes = value as Buffer
      return [length(4, bytes.length), at(path, 'raw', bytes)]
    }
    case 'uuid':
      return [at(path, 'uuid', Buffer.from(value as string, 'base64url'))]
    case 'bool':
      return [at(path, 'bool', value ? 1 : 0)]
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
      return [at(path, field.kind, value as number)]
    case 'bigint64':
      return [at(path, 'int64', value as bigint)]
    default:
      throw new Error(`${path}: no request of the data plane has a ${field.kind}`)
  }
}
