/** The alarm on Node's timers: it never comes too late, and is set anew only when it must come earlier. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemAlarm } from '../../../ts/runtime/host.js'

describe('an alarm', () => {
  let woken: number[]
  const clock = { now: () => ({ monotonicMs: Date.now(), wallMs: 0 }) }

  beforeEach(() => {
    woken = []
    vi.useFakeTimers({ now: 0 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('comes at its time, once', () => {
    systemAlarm(clock, () => woken.push(Date.now())).wakeAt(100)
    vi.advanceTimersByTime(1000)
    expect(woken).toEqual([100])
  })

  it('comes earlier when asked to, and not at all when there is nothing to wake for', () => {
    const alarm = systemAlarm(clock, () => woken.push(Date.now()))
    alarm.wakeAt(100)
    alarm.wakeAt(50)
    vi.advanceTimersByTime(60)
    alarm.wakeAt(100)
    alarm.wakeAt(null)
    vi.advanceTimersByTime(1000)
    expect(woken).toEqual([50])
  })

  it('comes too early rather than being set anew each time that its deadline moves on', () => {
    const setTimer = vi.spyOn(globalThis, 'setTimeout')
    const deadlines = [100, 110, 120]
    const alarm = systemAlarm(clock, () => {
      woken.push(Date.now())
      if (Date.now() < 120) alarm.wakeAt(120)
    })
    for (const at of deadlines) alarm.wakeAt(at)
    vi.advanceTimersByTime(1000)
    expect(woken).toEqual([100, 120])
    expect(setTimer).toHaveBeenCalledTimes(2)
  })

  it('may lie further ahead than Node counts', () => {
    const alarm = systemAlarm(clock, () => woken.push(Date.now()))
    alarm.wakeAt(2 ** 40)
    vi.advanceTimersByTime(1000)
    expect(woken).toEqual([])
  })
})
