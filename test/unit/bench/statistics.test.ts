// Medians, orders and verdicts of the benchmark suite.
import { describe, expect, it } from 'vitest'
import type { Goal } from '../../../bench/suite/contract.js'
import { figure, judge, mediansOf, orderOf, spreadOf } from '../../../bench/suite/statistics.js'

describe('medians', () => {
  it('are the middle value, or the mean of the two in the middle, with the range', () => {
    expect(spreadOf([9, 1, 2])).toEqual({ median: 2, least: 1, most: 9 })
    expect(spreadOf([10, 1, 2, 4])).toEqual({ median: 3, least: 1, most: 10 })
    expect(spreadOf([])).toBeUndefined()
  })

  it('take each figure from the slices that have it', () => {
    expect(mediansOf([{ a: 1, b: 5 }, { a: 3 }, { a: 2 }])).toEqual({ a: 2, b: 5 })
  })
})

describe('the order of targets', () => {
  it('is A B, B A, A B', () => {
    expect([1, 2, 3].map((round) => orderOf(['A', 'B'], round).join(''))).toEqual(['AB', 'BA', 'AB'])
  })
})

describe('goals', () => {
  const goal = (value: Goal['value'], limits: Pick<Goal, 'most' | 'least'>): Goal => ({
    row: 1,
    text: 'a goal',
    value,
    ...limits,
  })
  const medians = { millrace: { cpu: 0.3 }, kafka: { cpu: 1 }, floor: {} }

  it('are met at their limit', () => {
    const ratio: Goal['value'] = ({ millrace, kafka }) => (millrace.cpu ?? 0) / (kafka?.cpu ?? 1)
    expect(judge(goal(ratio, { most: 0.3 }), medians)).toMatchObject({ verdict: 'met', limit: '≤ 0.3' })
    expect(judge(goal(ratio, { most: 0.29 }), medians).verdict).toBe('not met')
    expect(judge(goal(ratio, { least: 3 }), medians)).toMatchObject({ verdict: 'not met', limit: '≥ 3' })
    expect(judge(goal(ratio, { least: 0.3 }), medians).verdict).toBe('met')
  })

  it('are not measured where a figure is missing or none', () => {
    for (const value of [undefined, Number.NaN, Number.POSITIVE_INFINITY])
      expect(
        judge(
          goal(() => value, { most: 1 }),
          medians,
        ),
      ).toMatchObject({
        verdict: 'not measured',
        value: null,
      })
  })
})

describe('figures', () => {
  it('have three digits that say something', () => {
    const shown = [0, 0.001234, 0.25, 1.2345, 12.345, 99.96, 1234.5, 2_600_000].map(figure)
    expect(shown).toEqual(['0', '0.00123', '0.25', '1.23', '12.3', '100', '1,235', '2,600,000'])
  })
})
