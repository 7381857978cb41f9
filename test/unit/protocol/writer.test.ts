import { describe, expect, it } from 'vitest'
import { Writer } from '../../../ts/protocol/index.js'

/** Every primitive once, behind so many bytes. */
function writeAll(writer: Writer, before: number): Buffer {
  writer.raw(Buffer.alloc(before, 0xaa))
  writer.bool(true, 'a')
  writer.bool(false, 'b')
  writer.int8(-2, 'c')
  writer.int16(-3, 'd')
  writer.uint16(4, 'e')
  writer.int32(-5, 'f')
  writer.uint32(6, 'g')
  writer.int64(-7, 'h')
  writer.bigint64(-8n, 'i')
  writer.float64(9.5, 'j')
  writer.uvarint(300)
  writer.uuid('AAAAAAAAAAAAAAAAAAAAAQ', 'k')
  writer.string('text', 'l')
  writer.compactString('täxt', 'm')
  writer.nullableBytes(Buffer.from('bytes'), 'n')
  const sized = writer.beginSized()
  writer.arrayLength([1], 'o')
  writer.endSized(sized)
  const tagged = writer.beginTagged(1)
  writer.raw(Buffer.alloc(200, 0xbb))
  writer.endTagged(tagged)
  writer.bool(true, 'p')
  return writer.copy()
}

describe('a writer', () => {
  it('writes the same wherever its buffer ends and has to grow', () => {
    for (let before = 0; before < 400; before++) {
      const roomy = writeAll(new Writer(4096), before)
      for (const capacity of [0, 1, 400]) {
        const tight = new Writer(capacity)
        expect(writeAll(tight, before).equals(roomy), `${before} bytes first, ${capacity} of room`).toBe(true)
      }
    }
  })
})
