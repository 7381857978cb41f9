// Where replicas of new topics go.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeReplicas } from '../../../ts/state/placement.js'
import { broker, TestController, uuid } from './metadata-fixture.js'

const brokersOf = (...brokers: Parameters<typeof broker>[]) =>
  new TestController().withBrokers(...brokers.map((one) => broker(...one))).image.brokers.values()

const assignmentsOf = (placed: ReturnType<typeof placeReplicas>) =>
  'assignments' in placed ? placed.assignments.map((replicas) => [...replicas]) : []

describe('replicas', () => {
  it('are distinct brokers, and leaders take turns', () => {
    const assignments = assignmentsOf(placeReplicas(brokersOf([1], [2], [3]), 6, 2, uuid(1)))
    expect(assignments).toHaveLength(6)
    for (const replicas of assignments) expect(new Set(replicas).size).toBe(2)
    for (const id of [1, 2, 3]) expect(assignments.filter(([leader]) => leader === id)).toHaveLength(2)
  })

  it('are spread over racks before a rack is used twice', () => {
    const brokers = brokersOf([1, { rack: 'a' }], [2, { rack: 'a' }], [3, { rack: 'b' }], [4, { rack: 'b' }])
    for (const replicas of assignmentsOf(placeReplicas(brokers, 8, 2, uuid(1)))) {
      expect(replicas.some((id) => id <= 2) && replicas.some((id) => id > 2)).toBe(true)
    }
  })

  it('use fenced brokers last and never as the first', () => {
    const assignments = assignmentsOf(placeReplicas(brokersOf([1, { fenced: true }], [2]), 3, 2, uuid(1)))
    expect(assignments).toEqual([
      [2, 1],
      [2, 1],
      [2, 1],
    ])
  })

  it('are spread evenly: every broker leads and follows as often as the others', () => {
    for (const racks of [[null], ['a', 'b', 'c']]) {
      const brokers = brokersOf(
        ...Array.from(
          { length: 9 },
          (_, id): Parameters<typeof broker> => [id, { rack: racks[id % racks.length] ?? null }],
        ),
      )
      const assignments = assignmentsOf(placeReplicas(brokers, 90, 3, uuid(5)))
      for (let id = 0; id < 9; id += 1) {
        expect(assignments.filter(([leader]) => leader === id)).toHaveLength(10)
        expect(assignments.filter((replicas) => replicas.includes(id)).length).toBe(30)
      }
      // Who shares partitions with a broker is not one neighbour for ever.
      const mates = new Set(assignments.filter(([leader]) => leader === 0).flat())
      expect(mates.size).toBeGreaterThan(5)
    }
  })

  it('go on where they ended when a topic grows', () => {
    const brokers = [...brokersOf([1], [2], [3])]
    const few = assignmentsOf(placeReplicas(brokers, 4, 2, uuid(1)))
    expect(assignmentsOf(placeReplicas(brokers, 9, 2, uuid(1))).slice(0, 4)).toEqual(few)
  })

  it('are distinct brokers, racks first, live ones before fenced ones, whoever there is', () => {
    const someBroker = fc.record({ rack: fc.constantFrom(null, 'a', 'b', 'c'), fenced: fc.boolean() })
    const world = fc.tuple(
      fc.array(someBroker, { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 12 }),
    )
    fc.assert(
      fc.property(world, fc.integer({ min: 1, max: 1_000 }), ([some, factor], seed) => {
        const placed = placeReplicas(
          brokersOf(...some.map((one, id): Parameters<typeof broker> => [id, one])),
          20,
          factor,
          uuid(seed),
        )
        const isPossible = factor <= some.length && some.some(({ fenced }) => !fenced)
        expect('assignments' in placed).toBe(isPossible)
        for (const replicas of assignmentsOf(placed)) {
          expect(new Set(replicas).size).toBe(factor)
          const racks = new Set(some.map(({ rack }) => rack)).size
          expect(new Set(replicas.map((id) => some[id]?.rack)).size).toBe(Math.min(racks, factor))
          expect(some[replicas[0] ?? -1]?.fenced).toBe(false)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('of different topics do not all start on one broker', () => {
    const brokers = [...brokersOf([1], [2], [3])]
    const starts = Array.from(
      { length: 60 },
      (_, id) => assignmentsOf(placeReplicas(brokers, 1, 1, uuid(id)))[0]?.[0],
    )
    expect(new Set(starts)).toEqual(new Set([1, 2, 3]))
  })
})
