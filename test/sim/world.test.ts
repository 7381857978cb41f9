// Whole worlds, one per seed: producers, consumers and groups on a broker that is stopped, killed and robbed of its
// power. What they hold against the broker is in the clients and in truth.ts and commits.ts.
import { describe, expect, it } from 'vitest'
import { History } from './history.js'
import { Random } from './random.js'
import { runWorld } from './world.js'

const SEEDS = Array.from({ length: 50 }, (_, index) => index + 1)

describe('a simulated broker', () => {
  it.each(SEEDS)('keeps its promises in world %i', (seed) => {
    expect(runWorld({ seed }).starts).toBeGreaterThan(0)
  })

  it('keeps its promises in the world of MILLRACE_SEED', () => {
    expect(runWorld({ seed: Number(process.env.MILLRACE_SEED ?? 0) }).starts).toBeGreaterThan(0)
  })

  it('does the same again when the seed is the same', () => {
    for (const seed of [1, 2, 3]) expect(runWorld({ seed })).toEqual(runWorld({ seed }))
  })

  it('does something else when the seed is another', () => {
    expect(runWorld({ seed: 1 }).digest).not.toBe(runWorld({ seed: 2 }).digest)
  })
})

describe('a failing world', () => {
  it('names its seed and how to see it again', () => {
    const print = (line: string) => {
      if (line.includes('acked')) throw new Error('somebody was acked')
    }
    expect(() => runWorld({ seed: 1, print })).toThrow(/^seed 1: [\s\S]*replay: npm run sim -- --seed 1$/)
  })
})

describe('the history', () => {
  it('has another digest when one byte is another', () => {
    const digestOf = (byte: number) => {
      const history = new History()
      history.note('a line')
      history.bytes('bytes', Buffer.from([1, byte, 3]))
      return history.digest()
    }
    expect(digestOf(2)).toBe(digestOf(2))
    expect(digestOf(2)).not.toBe(digestOf(4))
  })
})

describe('the source of choice', () => {
  it('is the same for one seed, and unrelated for its neighbour', () => {
    const numbers = (seed: number) => {
      const random = new Random(seed)
      return Array.from({ length: 8 }, () => random.next())
    }
    expect(numbers(7)).toEqual(numbers(7))
    expect(numbers(7).filter((number, index) => number === numbers(8)[index])).toEqual([])
  })

  it('picks by weight, and never what weighs nothing', () => {
    const random = new Random(1)
    const count = { often: 0, seldom: 0, never: 0 }
    for (let n = 0; n < 1000; n++) count[random.weighted({ often: 9, seldom: 1, never: 0 })]++
    expect(count.never).toBe(0)
    expect(count.often).toBeGreaterThan(5 * count.seldom)
  })
})
