/** Uuids that were translated before are kept by what they are, and by nothing else. */
import { expect, it } from 'vitest'
import { uuidText, writeUuid } from '../../../ts/protocol/uuid-text.js'

const textOf = (bytes: readonly number[]) => Buffer.from(bytes).toString('base64url')

it('tells uuids apart that differ in one bit or have the same words in another order', () => {
  const some = Array.from({ length: 16 }, (_, index) => index * 7 + 1)
  const flipped = Array.from({ length: 128 }, (_, bit) =>
    some.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
  )
  const turned = [4, 8, 12].map((by) => [...some.slice(by), ...some.slice(0, by)])
  for (const bytes of [some, ...turned, ...flipped, some, ...turned, ...flipped]) {
    expect(uuidText(Buffer.from([0xff, ...bytes]), 1)).toBe(textOf(bytes))
  }
})

it('shares the zero uuid, also where others had its place', () => {
  const zero = Buffer.alloc(16)
  const before = uuidText(zero, 0)
  const inItsPlace = Buffer.alloc(16)
  inItsPlace.writeInt32BE(64, 0)
  expect(uuidText(inItsPlace, 0)).toBe(textOf([...inItsPlace]))
  expect([before, uuidText(zero, 0)]).toEqual(['AAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAA'])
})

it('writes what it is given, also after something that is no uuid', () => {
  const [one, other] = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)].map((bytes) => bytes.toString('base64url'))
  const buffer = Buffer.alloc(18)
  const written = (text: string) => (writeUuid(buffer, 1, text) ? textOf([...buffer.subarray(1, 17)]) : null)
  for (const text of [one, one, other, one] as string[]) expect(written(text)).toBe(text)
  for (const wrong of ['', 'AAAA', `${one}A`, '!'.repeat(22)]) expect(written(wrong)).toBeNull()
  for (const text of [one, other] as string[]) expect(written(text)).toBe(text)
  expect([buffer[0], buffer[17]]).toEqual([0, 0])
})
