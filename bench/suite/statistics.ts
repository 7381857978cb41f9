// Medians, ranges, noise and verdicts out of the figures of slices. Pure.
import type { Figures, Goal } from './contract.js'

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

/** undefined for no values. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b)
  const [least, most] = [sorted.at(0), sorted.at(-1)]
  const half = Math.floor(sorted.length / 2)
  const [below, above] = [sorted[sorted.length % 2 === 0 ? half - 1 : half], sorted[half]]
  if (least === undefined || most === undefined || below === undefined || above === undefined)
    return undefined
  return { median: (below + above) / 2, least, most }
}

/** Per key, over the slices that have it. */
export function spreadsOf(slices: readonly Figures[]): Readonly<Record<string, Spread>> {
  const keys = new Set(slices.flatMap((figures) => Object.keys(figures)))
  const spreads: Record<string, Spread> = {}
  for (const key of keys) {
    const values = slices.map((figures) => figures[key]).filter((value) => value !== undefined)
    const spread = spreadOf(values)
    if (spread !== undefined) spreads[key] = spread
  }
  return spreads
}

export function mediansOf(slices: readonly Figures[]): Figures {
  return Object.fromEntries(Object.entries(spreadsOf(slices)).map(([key, { median }]) => [key, median]))
}

export type Verdict = 'met' | 'not met' | 'not measured'

export interface Judged {
  readonly row: number
  readonly text: string
  /** null: not measured. */
  readonly value: number | null
  /** `≤ 0.4`, `≥ 3`. */
  readonly limit: string
  readonly verdict: Verdict
}

export function judge(goal: Goal, medians: { millrace: Figures; kafka?: Figures; floor: Figures }): Judged {
  const value = goal.value(medians)
  const limits = [
    goal.most === undefined ? [] : [`≤ ${figure(goal.most)}`],
    goal.least === undefined ? [] : [`≥ ${figure(goal.least)}`],
  ].flat()
  const about = { row: goal.row, text: goal.text, limit: limits.join(', ') }
  if (value === undefined || !Number.isFinite(value))
    return { ...about, value: null, verdict: 'not measured' }
  const met =
    value <= (goal.most ?? Number.POSITIVE_INFINITY) && value >= (goal.least ?? Number.NEGATIVE_INFINITY)
  return { ...about, value, verdict: met ? 'met' : 'not met' }
}

/** Who goes when: A B, then B A, so that what a slice leaves behind hits all alike. `round` from 1 on. */
export function orderOf<T>(targets: readonly T[], round: number): T[] {
  return round % 2 === 1 ? [...targets] : [...targets].reverse()
}

/** Three digits that say something: `0.0123`, `1.23`, `12.3`, `1,234`. */
export function figure(value: number): string {
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size >= 1e9) return value.toPrecision(3)
  if (size >= 100) return Math.round(value).toLocaleString('en-US')
  const digits = Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(size))))
  return value
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')
}
