// What a run leaves behind: every slice as it was measured, the medians and verdicts, merged over several invocations.
// It holds and merges; it never measures and never renders.
import type { Figures, Measure, Part, TargetName } from './contract.js'
import { type Judged, judge, mediansOf } from './statistics.js'

/** Who a slice belongs to. */
export type Lane = TargetName | 'floor'

/** One slice as it was measured. */
export interface Slice {
  readonly lane: Lane
  readonly round: number
  /** From 1 on; more than 1 after steal. */
  readonly attempt: number
  /** Since 1970, ms. */
  readonly startedAt: number
  readonly seconds: number
  readonly figures: Figures
  /** The share of both cores' time that the host took for others, 0 to 1. */
  readonly steal: number
  /** CPU-s/GiB of the last pass of writing page cache right before; null where the part writes nothing. */
  readonly prime: number | null
  /** Counted; otherwise it was dropped for steal and repeated. */
  readonly kept: boolean
}

/** One part as it ran. */
export interface PartResult {
  readonly name: string
  readonly title: string
  readonly method: string
  readonly measures: readonly Measure[]
  readonly rounds: number
  readonly quick: boolean
  /** ISO time of its start; seconds that it took. */
  readonly ran: string
  readonly seconds: number
  readonly commit: string | null
  readonly slices: readonly Slice[]
  readonly medians: Readonly<Partial<Record<Lane, Figures>>>
  readonly goals: readonly Judged[]
  /** Why it broke off, if it did. */
  readonly failure: string | null
}

export interface Report {
  readonly format: 1
  readonly machine: Readonly<Record<string, string>>
  readonly parts: Readonly<Record<string, PartResult>>
  /** Millrace against Millrace alone. */
  readonly noise: Readonly<Record<string, PartResult>>
}

/** The most that the host may have taken of a slice's time. */
export const MOST_STEAL = 0.02
const MOST_REPEATS = 3

/** A slice with too much steal is measured again, but not for ever. */
export function isToRepeat(steal: number, attempt: number): boolean {
  return steal > MOST_STEAL && attempt <= MOST_REPEATS
}

/** Marks what counts: of the attempts at one slice the last one if it is clean, else that with the least steal. */
export function withKept(attempts: readonly Omit<Slice, 'kept'>[]): Slice[] {
  const last = attempts.at(-1)
  const least = Math.min(...attempts.map(({ steal }) => steal))
  const chosen =
    last !== undefined && last.steal <= MOST_STEAL ? last : attempts.find(({ steal }) => steal === least)
  return attempts.map((slice) => ({ ...slice, kept: slice === chosen }))
}

export function keptOf(slices: readonly Slice[], lane: Lane): Slice[] {
  return slices.filter((slice) => slice.kept && slice.lane === lane)
}

/** Medians and verdicts out of the slices. */
export function summed(
  part: Part,
  about: Pick<PartResult, 'rounds' | 'quick' | 'ran' | 'seconds' | 'commit' | 'failure'>,
  slices: readonly Slice[],
): PartResult {
  const medians: Partial<Record<Lane, Figures>> = {}
  for (const lane of new Set(slices.map((slice) => slice.lane)))
    medians[lane] = mediansOf(keptOf(slices, lane).map(({ figures }) => figures))
  const { kafka } = medians
  const held = { millrace: medians.millrace ?? {}, floor: medians.floor ?? {}, ...(kafka ? { kafka } : {}) }
  const { name, title, method, measures } = part
  const goals = part.goals.map((goal) => judge(goal, held))
  return { name, title, method, measures, ...about, slices, medians, goals }
}

/** `later` over `earlier`: parts that ran again replace what was there. */
export function merged(earlier: Report | undefined, later: Report): Report {
  return {
    format: 1,
    machine: later.machine,
    parts: { ...earlier?.parts, ...later.parts },
    noise: { ...earlier?.noise, ...later.noise },
  }
}
