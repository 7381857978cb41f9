// Reads single files out of a jar: just enough of the zip format (central directory, stored or deflated entries).
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

const END_OF_DIRECTORY = 0x06054b50
const DEFLATED = 8

/** The text of every file in the jar whose path starts with `prefix` and ends with `suffix`, by path. */
export function filesInJar(jar: string, prefix: string, suffix: string): Map<string, string> {
  const zip = readFileSync(jar)
  let end = zip.length - 22
  while (end >= 0 && zip.readUInt32LE(end) !== END_OF_DIRECTORY) end--
  if (end < 0) throw new Error(`${jar} is no zip file`)
  const files = new Map<string, string>()
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(at + 28)
    const path = zip.toString('utf8', at + 46, at + 46 + nameLength)
    if (path.startsWith(prefix) && path.endsWith(suffix)) files.set(path, contentAt(zip, at))
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  return files
}

function contentAt(zip: Buffer, entry: number): string {
  const method = zip.readUInt16LE(entry + 10)
  const size = zip.readUInt32LE(entry + 20)
  const local = zip.readUInt32LE(entry + 42)
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
  const data = zip.subarray(start, start + size)
  return (method === DEFLATED ? inflateRawSync(data) : data).toString('utf8')
}
