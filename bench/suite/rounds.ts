// Runs one part: its floors and its targets in rounds, each slice watched for steal. The order is A B, B A, …
// It decides when something is measured; what is measured is the part's.
import type { Context, Figures, Part, Target, TargetName } from './contract.js'
import { cpuTimeNow, stealBetween } from './proc.js'
import { isToRepeat, type Lane, lanesOf, type Slice, withKept } from './results.js'
import type { Session } from './session.js'
import { figure, orderOf } from './statistics.js'

export interface Plan {
  readonly targets: readonly TargetName[]
  /** How many, and how many there were before: the order goes on where it ended. */
  readonly rounds: number
  readonly before: number
  /** The CPUs whose steal counts. */
  readonly cores: readonly number[]
  /** Touched and freed before each round. */
  readonly touchBytes: number
  say(line: string): void
  /** Gets the slices of a round when it is over, those that were dropped too. */
  done(slices: readonly Slice[]): void
}

export async function runPart(part: Part, session: Session, plan: Plan): Promise<void> {
  const kept = new Map<TargetName, string[]>()
  if (!part.own) {
    for (const name of plan.targets) {
      const target = await session.awake(name)
      await part.prepare?.(target, session.context(0))
      kept.set(name, session.takeTopics())
      session.pause(name)
    }
  }
  for (let round = plan.before + 1; round <= plan.before + plan.rounds; round += 1) {
    await session.touch(plan.touchBytes)
    const slices: Slice[] = []
    for (const lane of lanesOf(part, orderOf(plan.targets, round)))
      slices.push(...(await slicesOf(part, lane, round, session, plan)))
    plan.done(slices)
  }
  if (!part.own) {
    for (const name of plan.targets) {
      const target = await session.awake(name)
      await part.finish?.(target, session.context(0))
      await session.deleteTopics(name, [...(kept.get(name) ?? []), ...session.takeTopics()])
      session.pause(name)
    }
  }
  session.clear()
}

/** One slice, and again while the host takes too much of it. */
async function slicesOf(
  part: Part,
  lane: Lane,
  round: number,
  session: Session,
  plan: Plan,
): Promise<Slice[]> {
  const target = part.own || lane === 'floor' ? undefined : await session.awake(lane)
  const attempts: Omit<Slice, 'kept'>[] = []
  for (let attempt = 1; ; attempt += 1) {
    const context = session.context(round)
    await session.written()
    const prime = part.writes === undefined ? null : await session.prime(part.writes)
    const [startedAt, started, before] = [Date.now(), performance.now(), cpuTimeNow(plan.cores)]
    const figures = await measured(part, lane, target, context)
    const steal = stealBetween(before, cpuTimeNow(plan.cores))
    const seconds = (performance.now() - started) / 1000
    attempts.push({ lane, round, attempt, startedAt, seconds, figures, steal, prime })
    const shown = shownOf(part, lane, figures)
    plan.say(
      `${part.name} ${round}/${plan.before + plan.rounds} ${lane}: ${shown} (${figure(seconds)} s, steal ${percent(steal)})`,
    )
    if (target !== undefined) await session.deleteTopics(target.name)
    await session.endOwn()
    if (part.settled?.(figures) || !isToRepeat(steal, attempt)) break
  }
  if (target !== undefined) session.pause(target.name)
  return withKept(attempts)
}

function measured(part: Part, lane: Lane, target: Target | undefined, context: Context): Promise<Figures> {
  if (lane === 'floor' && part.floors !== undefined) return part.floors(context)
  if (lane !== 'floor' && part.own && part.runOwn !== undefined) return part.runOwn(lane, context)
  if (target !== undefined && part.run !== undefined) return part.run(target, context)
  throw new Error(`part ${part.name} says nothing of how ${lane} is measured`)
}

/** The first few figures that the part reports, for the line on the screen. */
function shownOf(part: Part, lane: Lane, figures: Figures): string {
  const keys = part.measures.map((measure) => (lane === 'floor' ? measure.floor : measure.key))
  const shown = [...new Set(keys)].flatMap((key) => {
    const value = key === undefined ? undefined : figures[key]
    return value === undefined ? [] : [`${key} ${figure(value)}`]
  })
  return shown.slice(0, 4).join(', ')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}
