/** Texts of uuids are kept by what the uuid is, and by nothing else. */
import { expect, it } from 'vitest'
import { uuidText } from '../../../ts/protocol/uuid-text.js'

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
