// A slice of all crash points, spread over the whole script; another slice for each MILLRACE_SEED. All of them:
// `npm run sim -- --crash-points all`.
import { describe, expect, it } from 'vitest'
import { CrashPoints } from './points.js'
import { OPERATIONS, runScript } from './script.js'

const PARTS = 6
const POINTS_PER_PART = 8
const seed = Number(process.env.MILLRACE_SEED ?? 0)

describe('a broker that dies between two calls on its disk', () => {
  const points = new CrashPoints(1)

  it('has a script that changes the disk in every way', () => {
    const { machine, calls, operations } = runScript(1)
    expect(operations.length).toBeGreaterThan(OPERATIONS)
    const kinds = new Set(
      Array.from({ length: calls }, (_, call) => machine.disk.describeCall(call).split(' ')[0]),
    )
    expect([...kinds].sort()).toEqual(['create', 'mkdir', 'rename', 'rmdir', 'sync', 'unlink', 'write'])
  })

  it.each(Array.from({ length: PARTS }, (_, part) => part))(
    'keeps what it acked and what it deleted, part %i of the script',
    (part) => {
      const stride = points.count / (PARTS * POINTS_PER_PART)
      for (let index = 0; index < POINTS_PER_PART; index++) {
        const at = (part * POINTS_PER_PART + index + ((seed * 0.618) % 1)) * stride
        points.visit(Math.floor(at))
      }
    },
  )

  it('does the same again when the seed is the same', () => {
    expect(runScript(2).machine.diskDigest()).toBe(runScript(2).machine.diskDigest())
  })
})
