// Worlds of one group, one per seed; what they hold against the coordinator is in group-model.ts and its member.
import { describe, expect, it } from 'vitest'
import { runGroupModel } from './group-model.js'

const SEEDS = Array.from({ length: 60 }, (_, index) => index + 1)

describe('a group under members that hang, restart and are late, on a coordinator that moves', () => {
  it.each(SEEDS)('keeps its promises in world %i', (seed) => {
    const { generations, commits, reloads } = runGroupModel(seed)
    expect(Math.min(generations, commits, reloads)).toBeGreaterThan(0)
  })

  it('keeps its promises in the world of MILLRACE_SEED', () => {
    expect(runGroupModel(Number(process.env.MILLRACE_SEED ?? 0)).commits).toBeGreaterThan(0)
  })

  it('does the same again when the seed is the same, and something else for another', () => {
    for (const seed of [1, 2, 3]) expect(runGroupModel(seed)).toEqual(runGroupModel(seed))
    expect(runGroupModel(1).digest).not.toBe(runGroupModel(2).digest)
  })
})
