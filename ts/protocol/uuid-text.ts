/**
 * Uuids as text and as bytes. Records and requests name the same few over and over: the last ones are kept, so that they
 * are translated once, and whoever holds a text shares it.
 */
import { ZERO_UUID } from './notation.js'

/** A power of two. Each uuid has one place, which it shares with others. */
const PLACES = 64
const WORDS = 4
const words = new Int32Array(PLACES * WORDS)
const texts: string[] = Array.from({ length: PLACES }, () => ZERO_UUID)

/** The 16 bytes at `at`, which must be there, as 22 characters of base64url. */
export function uuidText(buffer: Buffer, at: number): string {
  const first = buffer.readInt32BE(at)
  const second = buffer.readInt32BE(at + 4)
  const third = buffer.readInt32BE(at + 8)
  const fourth = buffer.readInt32BE(at + 12)
  const place = (first ^ second ^ third ^ fourth) & (PLACES - 1)
  const word = place * WORDS
  if (
    words[word] === first &&
    words[word + 1] === second &&
    words[word + 2] === third &&
    words[word + 3] === fourth
  ) {
    return texts[place] as string
  }
  const text = buffer.toString('base64url', at, at + 16)
  words.set([first, second, third, fourth], word)
  texts[place] = text
  return text
}

/** What was written last. */
let writtenText = ''
const writtenBytes = Buffer.alloc(16)

/** Writes the 16 bytes of 22 characters of base64url at `at`, where there must be room; false: it is no uuid. */
export function writeUuid(buffer: Buffer, at: number, text: string): boolean {
  if (text !== writtenText) {
    writtenText = ''
    if (text.length !== 22 || writtenBytes.write(text, 0, 16, 'base64url') !== 16) return false
    writtenText = text
  }
  buffer.set(writtenBytes, at)
  return true
}
