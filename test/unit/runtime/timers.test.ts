/** The deadline heap: order, replacement, cancelling, and bounded memory under constant replacement. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Timers } from '../../../ts/runtime/timers.js'

describe('timers', () => {
  it('fire in the order of their deadlines, equal ones in the order of setting', () => {
    const timers = new Timers()
    const fired: string[] = []
    for (const [name, at] of [
      ['c', 30],
      ['a', 10],
      ['b2', 20],
      ['b1', 20],
    ] as const) {
      timers.set(name, at, () => fired.push(name))
    }
    expect(timers.nextAt()).toBe(10)
    timers.runDue(20)
    expect(fired).toEqual(['a', 'b2', 'b1'])
    expect(timers.nextAt()).toBe(30)
  })

  it('fire once, at the deadline that was set last, and never when cancelled', () => {
    const timers = new Timers()
    const fired: string[] = []
    timers.set('moved', 10, () => fired.push('early'))
    timers.set('moved', 50, () => fired.push('late'))
    timers.set('gone', 20, () => fired.push('gone'))
    timers.cancel('gone')
    timers.runDue(49)
    expect(fired).toEqual([])
    timers.runDue(50)
    timers.runDue(1000)
    expect(fired).toEqual(['late'])
    expect(timers.nextAt()).toBeNull()
  })

  it('may be set again while they fire', () => {
    const timers = new Timers()
    const fired: number[] = []
    const again = (at: number) => () => {
      fired.push(at)
      if (at < 30) timers.set('again', at + 10, again(at + 10))
    }
    timers.set('again', 10, again(10))
    timers.runDue(20)
    expect(fired).toEqual([10, 20])
    expect(timers.nextAt()).toBe(30)
  })

  it('behave as a sorted list would, whatever is set, moved and cancelled', () => {
    const step = fc.record({ name: fc.nat(20), at: fc.option(fc.nat(1000), { nil: null }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), fc.nat(1000), (steps, until) => {
        const timers = new Timers()
        const model = new Map<string, number>()
        const fired: string[] = []
        for (const { name: number, at } of steps) {
          const name = String(number)
          if (at === null) {
            timers.cancel(name)
            model.delete(name)
          } else {
            timers.set(name, at, () => fired.push(name))
            model.delete(name)
            model.set(name, at)
          }
        }
        const due = [...model].filter(([, at]) => at <= until).sort(([, a], [, b]) => a - b)
        timers.runDue(until)
        expect(fired).toEqual(due.map(([name]) => name))
        expect(timers.size).toBe(model.size - due.length)
      }),
    )
  })
})
