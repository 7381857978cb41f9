// The one shape of every coordinator: requests decide, records and soft changes replay, nothing else mutates.
// Owns the types of that contract and the order in which a decision is applied; never appends, times or replies itself.

/** The two clocks, both in milliseconds: monotonic for deadlines, wall for timestamps that are stored. */
export interface Now {
  readonly monotonicMs: number
  readonly wallMs: number
}

/** An answer to the request whose opaque reply token is `to`. Every token is answered exactly once. */
export interface Answer<Reply> {
  readonly to: number
  readonly response: Reply
}

/** Sets the timer `key` to fire at `at` (monotonic ms), replacing any earlier deadline; null cancels it. */
export interface TimerChange {
  readonly key: string
  readonly at: number | null
}

/**
 * What a request or a timer leads to. Nothing has happened yet: the shard appends `records` as one atomic batch
 * (unless `divisible`), replays them and then `soft`, sets the timers, and releases the replies when what was appended is committed.
 * A refused append drops the whole decision: no soft change, no timer, no reply but `Coordinator.refused`.
 */
export interface Decision<Rec, Soft, Reply> {
  readonly records: readonly Rec[]
  /** Each record may stand alone, in this order: where one batch would be too large the shard makes several. */
  readonly divisible?: boolean
  readonly soft: readonly Soft[]
  readonly replies: readonly Answer<Reply>[]
  readonly timers: readonly TimerChange[]
}

/** One change to replay: a record at its log offset, or a soft change that is never logged. */
export type Change<Rec, Soft> =
  | { readonly record: Rec; readonly offset: number; readonly timestamp: number }
  | { readonly soft: Soft }

/**
 * A coordinator is a fold over one partition. `decide` and `expired` read the state and never change it; a request
 * that is not answered by its own decision is parked: its token lives in the state and a later decision answers it.
 * One decision must be applied (or refused) before the next one is asked for.
 */
export interface Coordinator<State, Request, Rec, Soft, Reply> {
  create(): State
  decide(state: State, request: Request, now: Now): Decision<Rec, Soft, Reply>
  /** The only mutation. */
  replay(state: State, change: Change<Rec, Soft>): void
  /** A timer fired. A timer that no longer means anything yields an empty decision. */
  expired(state: State, timer: string, now: Now): Decision<Rec, Soft, Reply>
  /** The whole partition has been replayed: rebuild timers and whatever only lives in memory. */
  loaded(state: State, now: Now): Decision<Rec, Soft, Reply>
  /** Leadership lost or the shard discarded: answers every parked request. */
  unloaded(state: State): Decision<Rec, Soft, Reply>
  /** The append of this request's decision was refused with an error of the log: its answer, null when it has none. */
  refused(state: State, request: Request, errorCode: number): Reply | null
}

/** A coordinator whose records are folded into an image that others read too: it shares that image. */
export interface ImageCoordinator<State, Request, Rec, Soft, Reply, Image, Delta>
  extends Coordinator<State, Request, Rec, Soft, Reply> {
  /** In place of `replay`: records that were committed together made this image, and this is different in it. */
  follow(state: State, image: Image, delta: Delta): void
}

const NOTHING: Decision<never, never, never> = { records: [], soft: [], replies: [], timers: [] }

/** The decision that changes nothing and answers nobody. */
export function nothing<Rec, Soft, Reply>(): Decision<Rec, Soft, Reply> {
  return NOTHING
}

/** The decision that only answers. */
export function answer<Rec, Soft, Reply>(to: number, response: Reply): Decision<Rec, Soft, Reply> {
  return { ...NOTHING, replies: [{ to, response }] }
}

/** Replays records that stand at consecutive offsets from `baseOffset`. */
export function replayRecords<State, Request, Rec, Soft, Reply>(
  coordinator: Pick<Coordinator<State, Request, Rec, Soft, Reply>, 'replay'>,
  state: State,
  records: readonly Rec[],
  baseOffset: number,
  timestamp: number,
): void {
  records.forEach((record, index) => {
    coordinator.replay(state, { record, offset: baseOffset + index, timestamp })
  })
}

/**
 * Replays an accepted decision: its records at consecutive offsets from `baseOffset`, then its soft changes.
 * The order matters: a soft change carries what the record leaves out (parked tokens, states between generations).
 */
export function applyDecision<State, Request, Rec, Soft, Reply>(
  coordinator: Pick<Coordinator<State, Request, Rec, Soft, Reply>, 'replay'>,
  state: State,
  decision: Decision<Rec, Soft, Reply>,
  baseOffset: number,
  timestamp: number,
): void {
  replayRecords(coordinator, state, decision.records, baseOffset, timestamp)
  for (const soft of decision.soft) coordinator.replay(state, { soft })
}
