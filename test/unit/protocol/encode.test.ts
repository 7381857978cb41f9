/** What encoders make of what callers leave out, get wrong, or carry along. */
import { describe, expect, it } from 'vitest'
import {
  apiVersions,
  array,
  createTopics,
  decodeMetadataRecord,
  decodeRequest,
  decodeResponse,
  encodeMetadataRecord,
  encodeRequest,
  encodeResponse,
  encodeResponseFrameBody,
  encodeStruct,
  fetch,
  heartbeat,
  int8,
  int16,
  int32,
  int64,
  joinGroup,
  metadata,
  partitionChangeRecord,
  record,
  requestHeaderVersion,
  responseHeaderVersion,
  string,
  struct,
  uint16,
  uint32,
  uuid,
  ZERO_UUID,
} from '../../../ts/protocol/index.js'

describe('what is left out', () => {
  it('takes the default of the table', () => {
    const bytes = encodeRequest(joinGroup, 9, {
      groupId: 'g',
      sessionTimeoutMs: 1,
      memberId: '',
      protocolType: 'consumer',
      protocols: [],
    })
    expect(decodeRequest(joinGroup, 9, bytes)).toStrictEqual({
      groupId: 'g',
      sessionTimeoutMs: 1,
      rebalanceTimeoutMs: -1,
      memberId: '',
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [],
      reason: null,
    })
  })

  it('is named when it has no default', () => {
    const partial = { errorCode: 0, protocolName: 'p', leader: 'l', memberId: 'm' }
    // @ts-expect-error: members has no default
    expect(() => encodeResponse(joinGroup, 5, partial)).toThrow(
      'JoinGroupResponse.members: undefined is no array',
    )
  })

  it('is dropped when the version does not carry it', () => {
    const message = { throttleTimeMs: 5, errorCode: 27 }
    expect(encodeResponse(heartbeat, 0, message).toString('hex')).toBe('001b')
    expect(decodeResponse(heartbeat, 0, Buffer.from('001b', 'hex'))).toEqual({
      throttleTimeMs: 0,
      errorCode: 27,
    })
  })

  it('leaves no trace in the tagged section', () => {
    const none = encodeRequest(fetch, 18, {
      maxWaitMs: 1,
      minBytes: 1,
      topics: [],
      replicaState: { replicaId: -1 },
    })
    expect(none[none.length - 1]).toBe(0)
    const some = encodeRequest(fetch, 18, {
      maxWaitMs: 1,
      minBytes: 1,
      topics: [],
      replicaState: { replicaId: 3 },
    })
    expect(decodeRequest(fetch, 18, some).replicaState).toEqual({ replicaId: 3, replicaEpoch: -1 })
  })
})

describe('what does not fit', () => {
  const cases = struct('Cases', {
    a: int8({ default: 0 }),
    b: int16({ default: 0 }),
    c: uint16({ default: 0 }),
    d: int32({ default: 0 }),
    e: uint32({ default: 0 }),
    f: int64({ default: 0 }),
    g: string({ default: '' }),
    h: uuid({ default: ZERO_UUID }),
    i: array(int32(), { default: [] }),
  })

  it.each([
    { a: 128 },
    { b: -32769 },
    { c: -1 },
    { c: 65536 },
    { d: 2 ** 31 },
    { d: 1.5 },
    { d: Number.NaN },
    { e: -1 },
    { f: 2 ** 53 },
    { g: 'x'.repeat(32768) },
    { h: 'short' },
    { h: '*'.repeat(22) },
    { i: [2 ** 40] },
  ])('is a TypeError that names the field: %o', (message) => {
    expect(() => encodeStruct(cases, message)).toThrow(new RegExp(`^Cases\\.${Object.keys(message)[0]}`))
    expect(() => encodeStruct(cases, message)).toThrow(TypeError)
  })

  it('is null where null is not allowed in this version', () => {
    const message = { errorCode: 0, protocolName: null, leader: '', memberId: '', members: [] }
    expect(() => encodeResponse(joinGroup, 6, message)).toThrow(
      'JoinGroupResponse.protocolName: null is no string',
    )
    expect(decodeResponse(joinGroup, 7, encodeResponse(joinGroup, 7, message)).protocolName).toBeNull()
  })

  it('does not spoil the encoder for the next message', () => {
    expect(() => encodeResponse(heartbeat, 1, { errorCode: 2 ** 20 })).toThrow(TypeError)
    expect(encodeResponse(heartbeat, 1, { errorCode: 1 }).toString('hex')).toBe('000000000001')
  })
})

describe('unknown tagged fields', () => {
  it('keep their place between the known ones', () => {
    // Version 0 knows tags 0–5; 6 and 7 come with version 2.
    const bytes = encodeMetadataRecord(partitionChangeRecord, 0, {
      topicId: ZERO_UUID,
      isr: [1],
      leaderRecoveryState: 1,
      unknownTaggedFields: [
        { tag: 6, data: Buffer.from('00', 'hex') },
        { tag: 2000, data: Buffer.from('b') },
      ],
    })
    const decoded = decodeMetadataRecord(bytes)
    expect(decoded.message.unknownTaggedFields?.map(({ tag }) => tag)).toEqual([6, 2000])
    expect(encodeMetadataRecord(partitionChangeRecord, 0, decoded.message as never)).toEqual(bytes)
  })

  it('are written in ascending order', () => {
    const tag = (n: number) => ({ tag: n, data: Buffer.from([n]) })
    const bytes = encodeMetadataRecord(partitionChangeRecord, 1, {
      topicId: ZERO_UUID,
      directories: [],
      unknownTaggedFields: [tag(9), tag(7), tag(6)],
    })
    // …, four tags: 6, 7, 8 (directories), 9
    expect(bytes.toString('hex')).toMatch(/04060106070107080101090109$/)
  })
})

describe('large messages', () => {
  it('grow the writer and sizes of tagged fields as needed', () => {
    for (const count of [3, 40, 5000, 700_000]) {
      const bytes = encodeMetadataRecord(partitionChangeRecord, 0, {
        topicId: ZERO_UUID,
        isr: Array.from({ length: count }, (_, i) => i),
        leader: 9,
      })
      const { message } = decodeMetadataRecord(bytes)
      expect(message).toMatchObject({ leader: 9, isr: { length: count, [count - 1]: count - 1 } })
    }
  })
})

describe('headers', () => {
  it('of responses are flexible with the body, except for ApiVersions', () => {
    expect([8, 9].map((version) => responseHeaderVersion(metadata, version))).toEqual([0, 1])
    expect([2, 3, 4].map((version) => responseHeaderVersion(apiVersions, version))).toEqual([0, 0, 0])
  })

  it('of requests are flexible with the body, even for versions that nobody serves', () => {
    expect([2, 3, 99].map((version) => requestHeaderVersion(apiVersions.key, version))).toEqual([1, 2, 2])
    expect(requestHeaderVersion(9999, 0)).toBe(1)
  })

  it('precede the body of a response', () => {
    const message = { errorCode: 0 }
    expect(encodeResponseFrameBody(heartbeat, 3, 0x01020304, message).toString('hex')).toBe(
      '01020304000000000000',
    )
    expect(encodeResponseFrameBody(heartbeat, 4, 0x01020304, message).toString('hex')).toBe(
      '010203040000000000000000',
    )
  })
})

describe('tables that contradict themselves', () => {
  it('are refused when they are made', () => {
    const table = (fields: Parameters<typeof struct>[1]) => () => struct('T', fields)
    expect(table({ Name: string() })).toThrow(/lowerCamelCase/)
    expect(table({ name: string({ default: null }) })).toThrow(/T.name: the default is null/)
    expect(table({ list: array({ name: string({ tag: 0 }) }) })).toThrow(/T.list.name: a tagged field/)
    expect(() =>
      record({
        name: 'R',
        types: [0],
        key: {},
        valueVersions: [0, 1],
        flexible: 1,
        value: { x: int8({ tag: 0 }) },
      }),
    ).toThrow()
  })
})

it('a version without a table is refused on both ways', () => {
  expect(() => encodeRequest(createTopics, 8, { topics: [] })).toThrow('CreateTopicsRequest has no version 8')
  expect(() => decodeRequest(createTopics, -1, Buffer.alloc(0))).toThrow(
    'CreateTopicsRequest has no version -1',
  )
})
