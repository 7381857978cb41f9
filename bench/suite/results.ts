// What a run leaves behind: every slice as it was measured, the medians and verdicts, merged over several invocations.
// It holds and merges; it never measures and never renders.
import { isDeepStrictEqual } from 'node:util'
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

/** Rounds of a part in one invocation. */
export interface Run {
  /** ISO time of its start; seconds that it took. */
  readonly ran: string
  readonly seconds: number
  readonly commit: string | null
  /** Whole ones. */
  readonly rounds: number
}

/** One part as it ran, in one invocation or several. */
export interface PartResult {
  readonly name: string
  readonly title: string
  readonly method: string
  readonly measures: readonly Measure[]
  readonly quick: boolean
  readonly runs: readonly Run[]
  /** Of whole rounds, counted on over all runs. */
  readonly slices: readonly Slice[]
  readonly medians: Readonly<Partial<Record<Lane, Figures>>>
  readonly goals: readonly Judged[]
  /** Why the last run broke off, if it did. */
  readonly failure: string | null
}

export interface Report {
  readonly format: 2
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

/** Who is measured in a round of `part`, in turn: the floors first, where it has some. */
export function lanesOf(part: Part, targets: readonly TargetName[]): Lane[] {
  return part.floors === undefined ? [...targets] : ['floor', ...targets]
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

export function roundsOf({ runs }: Pick<PartResult, 'runs'>): number {
  return runs.reduce((sum, { rounds }) => sum + rounds, 0)
}

/** Throws a sentence where a report comes from another machine than that which is to add to it. */
export function refuseOtherMachine(reported: Report['machine'], machine: Report['machine']): void {
  const keys = new Set([...Object.keys(reported), ...Object.keys(machine)])
  const other = [...keys].filter((key) => reported[key] !== machine[key])
  if (other.length > 0)
    throw new Error(`--add: the report is of another machine (${other.join(', ')}); run the part anew`)
}

/** What `part` has of `lanes` in a report, for more rounds to be added to. Throws a sentence where they do not fit. */
export function addedTo(
  earlier: PartResult | undefined,
  part: Part,
  quick: boolean,
  lanes: readonly Lane[],
): Pick<PartResult, 'runs' | 'slices'> {
  if (earlier === undefined || earlier.slices.length === 0) return { runs: [], slices: [] }
  const had = new Set(earlier.slices.map(({ lane }) => lane))
  const alike =
    earlier.quick === quick &&
    earlier.method === part.method &&
    JSON.stringify(earlier.measures) === JSON.stringify(part.measures) &&
    isDeepStrictEqual(had, new Set(lanes))
  if (!alike)
    throw new Error(
      `--add: the report has ${part.name} by another method, in other sizes or of other targets (${[...had].join(', ')}); run it anew`,
    )
  return { runs: earlier.runs, slices: earlier.slices }
}

/** Medians and verdicts out of the slices. */
export function summed(
  part: Part,
  about: Pick<PartResult, 'quick' | 'runs' | 'failure'>,
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
    format: 2,
    machine: later.machine,
    parts: { ...earlier?.parts, ...later.parts },
    noise: { ...earlier?.noise, ...later.noise },
  }
}
