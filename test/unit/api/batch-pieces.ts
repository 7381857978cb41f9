// A record batch taken apart like a request, its CRC always right: what a producer that means harm can send.
import { gzipSync } from 'node:zlib'
import { setCrc } from '../../record-batch.js'
import { assembled, at, type Piece } from './pieces.js'

const TIMESTAMP = 1_700_000_000_000

/** The header's fields and one or two records with a key, a value and a header each. */
export interface BatchPieces {
  readonly header: readonly Piece[]
  readonly records: readonly Piece[]
}

/** `producerId` −1: not idempotent. */
export function batchPieces(count: number, producerId: number, codec: 0 | 1): BatchPieces {
  const idempotent = producerId >= 0
  const records = Array.from({ length: count }, (_, n) => recordPieces(n)).flat()
  const header = [
    at('batch.baseOffset', 'int64', 0),
    at('batch.batchLength', 'int32', 0),
    at('batch.leaderEpoch', 'int32', -1),
    at('batch.magic', 'int8', 2),
    at('batch.crc', 'int32', 0),
    at('batch.attributes', 'int16', codec),
    at('batch.lastOffsetDelta', 'int32', count - 1),
    at('batch.baseTimestamp', 'int64', TIMESTAMP),
    at('batch.maxTimestamp', 'int64', TIMESTAMP),
    at('batch.producerId', 'int64', producerId),
    at('batch.producerEpoch', 'int16', idempotent ? 0 : -1),
    at('batch.baseSequence', 'int32', idempotent ? 0 : -1),
    at('batch.recordCount', 'int32', count),
  ]
  return { header, records }
}

function recordPieces(n: number): Piece[] {
  const path = `record[${n}]`
  const text = (name: string, bytes: Buffer) => [
    at(`${path}.${name}.length`, 'varint', bytes.length),
    at(`${path}.${name}`, 'raw', bytes),
  ]
  const content = [
    at(`${path}.attributes`, 'int8', 0),
    at(`${path}.timestampDelta`, 'varint', 0),
    at(`${path}.offsetDelta`, 'varint', n),
    ...text('key', Buffer.from('key')),
    ...text('value', Buffer.from('harm')),
    at(`${path}.headers.count`, 'varint', 1),
    ...text('headers[0].key', Buffer.from('head')),
    ...text('headers[0].value', Buffer.from('er')),
  ]
  return [{ path: `${path}.length`, encoding: 'varint', value: 0n, sizes: content }, ...content]
}

/** The batch with one value replaced; the length and the CRC fit the rest unless they are it. */
export function batchBytes(batch: BatchPieces, replaced?: Piece, replacement?: Buffer): Buffer {
  const header = assembled(batch.header, replaced, replacement)
  const plain = assembled(batch.records, replaced, replacement)
  const codec = batch.header.find(({ path }) => path === 'batch.attributes')?.value
  const bytes = Buffer.concat([header, codec === 1n ? gzipSync(plain) : plain])
  if (replaced?.path !== 'batch.batchLength') bytes.writeInt32BE(bytes.length - 12, 8)
  if (replaced?.path !== 'batch.crc') setCrc(bytes)
  return bytes
}
