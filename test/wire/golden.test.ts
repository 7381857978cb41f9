/** Kafka's own bytes, both ways: our decoders understand them and our encoders write the very same. */
import { describe, expect, it } from 'vitest'
import { apis } from '../../ts/protocol/apis.js'
import { coordinatorRecords } from '../../ts/protocol/coordinator-records.js'
import {
  type CoordinatorRecord,
  decodeKey,
  decodeMetadataRecord,
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  decodeResponseHeader,
  decodeValue,
  encodeKey,
  encodeMetadataRecord,
  encodeRequest,
  encodeRequestHeader,
  encodeResponse,
  encodeResponseHeader,
  encodeValue,
  fetch,
  joinGroup,
  type Message,
  type MetadataRecord,
  metadataRecords,
  Writer,
} from '../../ts/protocol/index.js'
import { expectedMessage, type GoldenFrame, goldenFrames, markRecords } from './golden-frames.js'

const apiFrames = [...goldenFrames('apis-old'), ...goldenFrames('apis')]

/** Frames under a readable title each, for `it.each`. */
function titled(frames: readonly GoldenFrame[]): [string, GoldenFrame][] {
  return frames.map((frame) => [`${frame.name} v${frame.version} ${frame.variant}`, frame])
}

function versionsOf(frames: readonly GoldenFrame[], name: string): number[] {
  return [...new Set(frames.filter((frame) => frame.name === name).map(({ version }) => version))]
}

function servedVersions(message: Message): number[] {
  return Array.from({ length: message.maxVersion - message.minVersion + 1 }, (_, i) => message.minVersion + i)
}

describe.each([...apis.values()].map((api) => [api.name, api] as const))('%s', (_, api) => {
  const sides = [
    { message: api.request, decode: decodeRequest, encode: encodeRequest },
    { message: api.response, decode: decodeResponse, encode: encodeResponse },
  ]
  for (const { message, decode, encode } of sides) {
    it(`has a frame of Kafka's for every version of the ${message.name}`, () => {
      expect(versionsOf(apiFrames, message.name)).toStrictEqual(servedVersions(message))
    })
    const frames = apiFrames.filter(({ name }) => name === message.name)
    it.each(titled(frames))('%s is read and written as Kafka does', (_, frame) => {
      const decoded = decode(api, frame.version, frame.bytes)
      expect(markRecords(message.fields, frame.version, decoded)).toStrictEqual(
        expectedMessage(message.fields, frame),
      )
      expect(encode(api, frame.version, decoded).toString('hex')).toBe(frame.bytes.toString('hex'))
    })
  }
})

describe.each([
  ['__consumer_offsets', 'group-records'],
  ['__transaction_state', 'transaction-records'],
  ['__share_group_state', 'share-state-records'],
] as const)('records of %s', (topic, file) => {
  const frames = goldenFrames(file)
  const records: readonly CoordinatorRecord[] = coordinatorRecords[topic]
  /** Kafka has a schema of its own for the oldest keys of committed offsets. */
  const nameOf = (frame: GoldenFrame, part: string): string =>
    frame.name.replace('Legacy', '').slice(0, -part.length)
  const recordOf = (frame: GoldenFrame, part: string): CoordinatorRecord => {
    const record = records.find(({ name }) => name === nameOf(frame, part))
    if (record === undefined) throw new Error(`no table for ${frame.name}`)
    return record
  }

  it.each(records.map((record) => [record.name, record] as const))(
    'have a frame of Kafka for every version of %s',
    (name, record) => {
      expect(versionsOf(frames, `${name}Key`)).toStrictEqual([0])
      expect(versionsOf(frames, `${name}Value`)).toStrictEqual(servedVersions(record.value))
    },
  )

  it.each(titled(frames.filter(({ name }) => name.endsWith('Key'))))(
    '%s is read and written as Kafka does',
    (_, frame) => {
      const decoded = decodeKey(records, frame.bytes)
      const record = recordOf(frame, 'Key')
      expect(decoded?.record).toBe(record)
      expect(decoded?.key).toStrictEqual(expectedMessage(record.key.fields, frame))
      const encoded = encodeKey(record, decoded?.key as never)
      expect(encoded.subarray(2).toString('hex')).toBe(frame.bytes.subarray(2).toString('hex'))
      if (!frame.name.startsWith('Legacy')) expect(encoded).toStrictEqual(frame.bytes)
    },
  )

  it.each(titled(frames.filter(({ name }) => name.endsWith('Value'))))(
    '%s is read and written as Kafka does',
    (_, frame) => {
      const record = recordOf(frame, 'Value')
      const { version, value } = decodeValue(record, frame.bytes)
      expect(version).toBe(frame.version)
      expect(value).toStrictEqual(expectedMessage(record.value.fields, frame))
      expect(encodeValue(record, version, value as never).toString('hex')).toBe(frame.bytes.toString('hex'))
    },
  )
})

describe('metadata records', () => {
  const frames = goldenFrames('metadata-records')

  it.each(metadataRecords.map((record) => [record.name, record] as const))(
    'has a frame of Kafka for every version of %s',
    (_, record) => {
      expect(versionsOf(frames, record.name)).toStrictEqual(servedVersions(record.message))
    },
  )

  it.each(titled(frames))('%s is read and written as Kafka does', (_, frame) => {
    const decoded = decodeMetadataRecord(frame.bytes)
    const record: MetadataRecord = decoded.record
    expect([decoded.name, decoded.version]).toStrictEqual([frame.name, frame.version])
    expect(decoded.message).toStrictEqual(expectedMessage(record.message.fields, frame))
    const encoded = encodeMetadataRecord(record, decoded.version, decoded.message as never)
    expect(encoded.toString('hex')).toBe(frame.bytes.toString('hex'))
  })
})

describe('headers', () => {
  const frames = goldenFrames('headers')
  const written = (write: (writer: Writer) => void): string => {
    const writer = new Writer()
    write(writer)
    return writer.copy().toString('hex')
  }

  it.each(titled(frames.filter(({ name }) => name === 'RequestHeader')))(
    '%s is read and written as Kafka does',
    (_, frame) => {
      // The header's version follows from the API and version inside it: JoinGroup turned flexible at 6.
      const apiVersion = frame.version === 2 ? 6 : 5
      const bytes = Buffer.from(frame.bytes)
      bytes.writeInt16BE(joinGroup.key, 0)
      bytes.writeInt16BE(apiVersion, 2)
      const { correlationId, clientId } = frame.json as { correlationId: number; clientId: string | null }
      expect(decodeRequestHeader(bytes)).toStrictEqual({
        apiKey: joinGroup.key,
        apiVersion,
        correlationId,
        clientId,
        bodyOffset: bytes.length,
      })
      if (frame.variant === 'tags') return
      const encoded = written((writer) =>
        encodeRequestHeader(writer, joinGroup, apiVersion, correlationId, clientId),
      )
      expect(encoded).toBe(bytes.toString('hex'))
    },
  )

  it.each(titled(frames.filter(({ name }) => name === 'ResponseHeader')))(
    '%s is read and written as Kafka does',
    (_, frame) => {
      const apiVersion = frame.version === 1 ? 12 : 11
      const { correlationId } = frame.json as { correlationId: number }
      expect(decodeResponseHeader(fetch, apiVersion, frame.bytes)).toStrictEqual({
        correlationId,
        bodyOffset: frame.bytes.length,
      })
      if (frame.variant === 'tags') return
      const encoded = written((writer) => encodeResponseHeader(writer, fetch, apiVersion, correlationId))
      expect(encoded).toBe(frame.bytes.toString('hex'))
    },
  )
})
