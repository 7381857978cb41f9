/**
 * The envelope of the packed boundary: frames of u32 length, u8 type and body, one after the other. It knows no
 * event and no command; those are structs in events.ts and commands.ts.
 */
import type { Writer } from '../protocol/index.js'

const HEADER_LENGTH = 5

/** Appends a frame whose body `write` appends. If that throws, nothing of the frame stays. */
export function writeFrame(batch: Writer, type: number, write: () => void): void {
  const before = batch.length
  try {
    const start = batch.beginSized()
    batch.int8(type, 'frame type')
    write()
    batch.endSized(start)
  } catch (error) {
    batch.truncate(before)
    throw error
  }
}

export function encodeFrame(type: number, body: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_LENGTH + body.length)
  frame.writeUInt32BE(body.length + 1, 0)
  frame.writeUInt8(type, 4)
  body.copy(frame, HEADER_LENGTH)
  return frame
}

/** Calls `take` for each frame. A batch that does not add up is a programmer error on the other side: it throws. */
export function eachFrame(batch: Buffer, take: (type: number, start: number, end: number) => void): void {
  let position = 0
  while (position < batch.length) {
    if (batch.length - position < HEADER_LENGTH) throw new Error(`boundary batch: torn frame at ${position}`)
    const length = batch.readUInt32BE(position)
    const end = position + 4 + length
    if (length < 1 || end > batch.length)
      throw new Error(`boundary batch: frame at ${position} has length ${length}`)
    take(batch.readUInt8(position + 4), position + HEADER_LENGTH, end)
    position = end
  }
}
