/** The deadline heap: order, moving, cancelling, and bounded memory under constant moving. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Timer, Timers } from '../../../ts/runtime/timers.js'

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
      timers.set(at, () => fired.push(name))
    }
    expect(timers.nextAt()).toBe(10)
    timers.runDue(20)
    expect(fired).toEqual(['a', 'b2', 'b1'])
    expect(timers.nextAt()).toBe(30)
  })

  it('fire once, at the deadline that was set last, and never when cancelled', () => {
    const timers = new Timers()
    const fired: string[] = []
    const moved = timers.set(10, () => fired.push('early'))
    timers.move(moved, 50, () => fired.push('late'))
    const gone = timers.set(20, () => fired.push('gone'))
    timers.cancel(gone)
    timers.cancel(gone)
    expect(timers.size).toBe(1)
    expect(timers.nextAt()).toBe(10)
    timers.runDue(49)
    expect(fired).toEqual([])
    expect(timers.nextAt()).toBe(50)
    timers.runDue(50)
    timers.runDue(1000)
    timers.cancel(moved)
    expect(fired).toEqual(['late'])
    expect(timers.nextAt()).toBeNull()
    expect(timers.size).toBe(0)
  })

  it('may be set again while they fire', () => {
    const timers = new Timers()
    const fired: number[] = []
    const again = (at: number) => () => {
      fired.push(at)
      if (at < 30) timers.move(timer, at + 10, again(at + 10))
    }
    const timer = timers.set(10, again(10))
    timers.runDue(20)
    expect(fired).toEqual([10, 20])
    expect(timers.nextAt()).toBe(30)
    expect(timers.size).toBe(1)
  })

  it('behave as a sorted list would, whatever is set, moved, cancelled and fired', () => {
    const step = fc.record({
      name: fc.nat(20),
      at: fc.option(fc.nat(1000), { nil: null }),
      until: fc.nat(1000),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const timers = new Timers()
        const handles = new Map<number, Timer>()
        const model = new Map<number, number>()
        const fired: number[] = []
        for (const [index, { name, at, until }] of steps.entries()) {
          const handle = handles.get(name)
          if (at === null) {
            if (handle !== undefined) timers.cancel(handle)
            model.delete(name)
          } else {
            const fire = () => fired.push(name)
            if (handle === undefined) handles.set(name, timers.set(at, fire))
            else timers.move(handle, at, fire)
            model.delete(name)
            model.set(name, at)
          }
          expect(timers.size).toBe(model.size)
          if (model.size === 0) expect(timers.nextAt()).toBeNull()
          else expect(timers.nextAt()).toBeLessThanOrEqual(Math.min(...model.values()))
          if (index % 7 !== 6) continue
          const due = [...model].filter(([, at]) => at <= until).sort(([, a], [, b]) => a - b)
          timers.runDue(until)
          expect(fired.splice(0)).toEqual(due.map(([name]) => name))
          for (const [name] of due) model.delete(name)
        }
      }),
    )
  })

  it('need no memory for each time that one is moved', () => {
    const timers = new Timers()
    const heap = () => (timers as unknown as { heap: unknown[] }).heap.length
    const timer = timers.set(5000, () => {})
    for (let ms = 5000; ms < 10_000; ms++) timers.move(timer, ms, () => {})
    for (let ms = 10_000; ms > 0; ms--) timers.move(timer, ms, () => {})
    for (let ms = 0; ms < 10_000; ms++) timers.cancel(timers.set(ms, () => {}))
    expect(heap()).toBeLessThan(100)
  })
})
