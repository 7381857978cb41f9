// The shared-structure map against the built-in one.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PersistentMap } from '../../../ts/state/persistent-map.js'

describe('a persistent map', () => {
  it('says what a Map would say, and every earlier version still says what it said', () => {
    const key = fc.oneof(fc.nat({ max: 200 }).map(String), fc.string())
    const operation = fc.record({ key, value: fc.option(fc.nat(), { nil: null }) })
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 400, size: 'max' }), (operations) => {
        let map = PersistentMap.empty<string, number>()
        const model = new Map<string, number>()
        const versions: [PersistentMap<string, number>, [string, number][]][] = []
        for (const { key, value } of operations) {
          map = value === null ? map.delete(key) : map.set(key, value)
          if (value === null) model.delete(key)
          else model.set(key, value)
          if (versions.length < 20) versions.push([map, [...model]])
          expect(map.get(key)).toBe(model.get(key))
          expect(map.size).toBe(model.size)
        }
        versions.push([map, [...model]])
        const sorted = (entries: Iterable<[string, number]>) =>
          [...entries].sort((a, b) => (a[0] < b[0] ? -1 : 1))
        for (const [version, entries] of versions) expect(sorted(version)).toEqual(sorted(entries))
      }),
      { numRuns: 100 },
    )
  })

  it('takes many changes through a draft, which touches neither the map before nor what it made earlier', () => {
    const entry = fc.tuple(fc.nat({ max: 300 }), fc.nat())
    const run = fc.array(entry, { maxLength: 200, size: 'max' })
    fc.assert(
      fc.property(run, fc.array(run, { maxLength: 5 }), (first, runs) => {
        let map = PersistentMap.empty<number, number>()
        for (const [key, value] of first) map = map.set(key, value)
        const model = new Map(first)
        const draft = map.draft()
        const made: [PersistentMap<number, number>, Map<number, number>][] = [[map, new Map(model)]]
        for (const changes of runs) {
          for (const [key, value] of changes) {
            draft.set(key, value)
            model.set(key, value)
            expect(draft.get(key)).toBe(value)
          }
          made.push([draft.finish(), new Map(model)])
        }
        for (const [version, entries] of made) {
          expect(new Map(version)).toEqual(entries)
          expect(version.size).toBe(entries.size)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('holds many numbers and iterates in an order that depends on the keys alone', () => {
    let up = PersistentMap.empty<number, number>()
    let down = PersistentMap.empty<number, number>()
    for (let index = 0; index < 5_000; index += 1) {
      up = up.set(index, index)
      down = down.set(4_999 - index, 4_999 - index)
    }
    expect(up.size).toBe(5_000)
    expect(up.get(4_321)).toBe(4_321)
    expect(new Set(up.keys())).toEqual(new Set(down.keys()))
    expect([...up.values()].reduce((a, b) => a + b)).toBe((4_999 * 5_000) / 2)
  })

  it('is the same map when nothing changes', () => {
    const map = PersistentMap.empty<string, number>().set('a', 1)
    expect(map.set('a', 1)).toBe(map)
    expect(map.delete('b')).toBe(map)
  })
})
