// The four codecs of a record batch as every reader must take them: gzip by Node, the others in their stored form, which
// needs no compressor: literals for snappy, uncompressed blocks for lz4 and zstd.
import { gzipSync } from 'node:zlib'

export type Codec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** The bits 0 to 2 of the batch's attributes. */
export const codecBits: Readonly<Record<Codec, number>> = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 }

export const pack: Readonly<Record<Codec, (bytes: Buffer) => Buffer>> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  snappy,
  lz4,
  zstd,
}

const BLOCK = 32_768

function blocks(bytes: Buffer): Buffer[] {
  const out: Buffer[] = []
  for (let at = 0; at < bytes.length; at += BLOCK) out.push(bytes.subarray(at, at + BLOCK))
  return out
}

/** Blocks behind the header of the Java library that Kafka uses: magic, version 1, compatible with 1. */
function snappy(bytes: Buffer): Buffer {
  const header = Buffer.from('82534e41505059000000000100000001', 'hex')
  const framed = blocks(bytes).flatMap((block) => {
    const length: number[] = []
    for (let left = block.length; ; left >>>= 7) {
      length.push(left > 0x7f ? (left & 0x7f) | 0x80 : left)
      if (left <= 0x7f) break
    }
    // A literal whose length minus one follows in two bytes.
    const tag = [61 << 2, (block.length - 1) & 0xff, (block.length - 1) >>> 8]
    const body = Buffer.concat([Buffer.from([...length, ...tag]), block])
    const size = Buffer.alloc(4)
    size.writeInt32BE(body.length)
    return [size, body]
  })
  return Buffer.concat([header, ...framed])
}

/** A frame of independent blocks of 64 KiB at most, without content size or checksums but the header's. */
function lz4(bytes: Buffer): Buffer {
  const descriptor = Buffer.from([0x60, 0x40])
  const checksum = (xxh32(descriptor) >>> 8) & 0xff
  const magic = Buffer.from([0x04, 0x22, 0x4d, 0x18])
  const framed = blocks(bytes).flatMap((block) => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE((0x8000_0000 | block.length) >>> 0)
    return [size, block]
  })
  return Buffer.concat([magic, descriptor, Buffer.from([checksum]), ...framed, Buffer.alloc(4)])
}

/** XXH32 with seed 0 of fewer than 16 bytes, in whole bytes: all that a frame descriptor is. */
function xxh32(bytes: Buffer): number {
  let hash = (374_761_393 + bytes.length) >>> 0
  for (const byte of bytes) {
    hash = (hash + Math.imul(byte, 374_761_393)) >>> 0
    hash = Math.imul((hash << 11) | (hash >>> 21), -1_640_531_535) >>> 0
  }
  hash = Math.imul(hash ^ (hash >>> 15), -2_048_144_777) >>> 0
  hash = Math.imul(hash ^ (hash >>> 13), -1_028_477_379) >>> 0
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A frame of raw blocks in a window of 128 KiB, without content size or checksum. */
function zstd(bytes: Buffer): Buffer {
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38])
  const all = bytes.length === 0 ? [bytes] : blocks(bytes)
  const framed = all.flatMap((block, index) => {
    const head = (block.length << 3) | (index === all.length - 1 ? 1 : 0)
    return [Buffer.from([head & 0xff, (head >>> 8) & 0xff, head >>> 16]), block]
  })
  return Buffer.concat([header, ...framed])
}
