// What to put in the place of one value of a request or a record batch: its extremes and what lies around it. It knows
// encodings and the few fields whose numbers are names; which requests there are is the test's.
import { assembled, encoded, fixedBytes, type Piece } from './pieces.js'

/** Fields whose numbers are names: all of them and the nearest that are none. */
const NAMED: Readonly<Record<string, readonly bigint[]>> = {
  acks: [-2n, -1n, 0n, 1n, 2n],
  isolationLevel: [-1n, 0n, 1n, 2n],
  timestamp: [-8n, -7n, -6n, -5n, -4n, -3n, -2n, -1n, 0n],
  replicaId: [-3n, -2n, -1n, 0n, 1n],
  sessionEpoch: [-2n, -1n, 0n, 1n],
  offset: [-3n, -2n, -1n],
  magic: [0n, 1n, 2n, 3n],
  attributes: [...Array.from({ length: 16 }, (_, bit) => 1n << BigInt(bit)), 3n, 5n, 6n, 7n],
}

const EVERY_BIT_5 = Buffer.alloc(5, 0xff)
const EVERY_BIT_10 = Buffer.alloc(10, 0xff)
/** Five bytes that end: all bits of 35, which no 32-bit number has. */
const TOO_WIDE = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x7f])
const INT32_MAX = 0x7fff_ffffn
const INT64_MAX = 0x7fff_ffff_ffff_ffffn

/** Bytes to stand in the place of this piece; none of them is what is there. */
export function extremesOf(piece: Piece): Buffer[] {
  const { encoding, sizes, value } = piece
  if (typeof value !== 'bigint') {
    if (value.length === 0) return []
    return [Buffer.alloc(value.length), Buffer.alloc(value.length, 0xff)]
  }
  const valid = sizes === undefined ? value : BigInt(assembled(sizes).length)
  const there = encoded(encoding, valid)
  const all = bytesAround(piece, valid).filter((bytes) => !bytes.equals(there))
  return [...new Map(all.map((bytes) => [bytes.toString('hex'), bytes])).values()]
}

function bytesAround(piece: Piece, value: bigint): Buffer[] {
  const near = [value - 1n, value + 1n, 0n]
  if (piece.encoding === 'bool') return [Buffer.from([0xff]), Buffer.from([0]), Buffer.from([1])]
  if (piece.encoding === 'uvarint') {
    const numbers = [...near, 1n, 2n, INT32_MAX, INT32_MAX + 1n, 0xffff_ffffn]
    const bytes = numbers.filter((number) => number >= 0n).map((number) => encoded('uvarint', number))
    return [...bytes, EVERY_BIT_5, EVERY_BIT_10, TOO_WIDE]
  }
  if (piece.encoding === 'varint') {
    const numbers = [...near, -1n, -2n, INT32_MAX, -INT32_MAX - 1n, INT64_MAX, -INT64_MAX - 1n]
    return [...numbers.map((number) => encoded('varint', number)), EVERY_BIT_5, EVERY_BIT_10, TOO_WIDE]
  }
  const top = 1n << BigInt((fixedBytes(piece.encoding) ?? 4) * 8 - 1)
  const named = NAMED[piece.path.split('.').at(-1) ?? ''] ?? []
  const safe = piece.encoding === 'int64' ? [1n << 53n, -(1n << 53n), (1n << 53n) - 1n] : []
  const numbers = [...near, -1n, -2n, top - 1n, -top, ...named, ...safe]
  return numbers.map((number) => encoded(piece.encoding, number))
}
