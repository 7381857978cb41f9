// Times one small thing: the cheapest of many short pieces, as whatever else runs on the machine can only add.

/** One piece takes so long at least. */
const PIECE_MS = 4
const PIECES = 14
/** So long the code runs before anything counts, so that V8 has compiled it. */
const WARM_MS = 60

/** ns by what was measured. */
export type Costs = Record<string, number>

/** Nanoseconds of one call of `act`. */
export function cheapest(act: () => void): number {
  const timed = (calls: number): number => {
    const started = performance.now()
    for (let call = 0; call < calls; call++) act()
    return performance.now() - started
  }
  const warm = performance.now() + WARM_MS
  let calls = 1
  while (performance.now() < warm || timed(calls) < PIECE_MS) {
    if (timed(calls) < PIECE_MS / 2) calls *= 2
  }
  let least = Number.POSITIVE_INFINITY
  for (let piece = 0; piece < PIECES; piece++) least = Math.min(least, timed(calls))
  return (least * 1e6) / calls
}
