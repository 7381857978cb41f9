// Where replicas of new topics go.
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

  it('of different topics do not all start on one broker', () => {
    const brokers = [...brokersOf([1], [2], [3])]
    const starts = Array.from(
      { length: 60 },
      (_, id) => assignmentsOf(placeReplicas(brokers, 1, 1, uuid(id)))[0]?.[0],
    )
    expect(new Set(starts)).toEqual(new Set([1, 2, 3]))
  })
})
