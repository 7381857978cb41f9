// What the benchmark suite reads out of /proc.
import { describe, expect, it } from 'vitest'
import { allowedCpus, cpuTimeOf, residentMiBOf, stealBetween, usageOf } from '../../../bench/suite/proc.js'

const stat = (first: string, second: string) =>
  `cpu  1 1 1 1 1 1 1 1 0 0\ncpu0 ${first}\ncpu1 ${second}\nintr 5\n`

describe('steal', () => {
  it('is the share of the time of the cores in use', () => {
    const before = cpuTimeOf(stat('10 0 10 80 0 0 0 0 7 0', '0 0 0 100 0 0 0 50 0 0'), [0])
    const after = cpuTimeOf(stat('60 0 20 115 0 0 0 5 9 0', '0 0 0 100 0 0 0 90 0 0'), [0])
    expect(before).toEqual({ total: 100, stolen: 0 })
    expect(stealBetween(before, after)).toBeCloseTo(0.05)
  })

  it('is none where no tick passed', () => {
    const time = cpuTimeOf(stat('1 1 1 1 1 1 1 1', '1 1 1 1 1 1 1 1'), [0, 1])
    expect(stealBetween(time, time)).toBe(0)
  })
})

describe('CPUs', () => {
  it('that we may use come from lists and ranges', () => {
    expect(allowedCpus('Name:\tx\nCpus_allowed_list:\t2-4,7\n')).toEqual([2, 3, 4, 7])
    expect(allowedCpus('')).toEqual([])
  })
})

describe('a process', () => {
  it('has CPU time and resident memory like those that Node itself reports', () => {
    const { user, system } = usageOf(process.pid)
    const own = process.cpuUsage()
    expect(Math.abs(user + system - (own.user + own.system) / 1e6)).toBeLessThan(0.1)
    expect(residentMiBOf(process.pid) / (process.memoryUsage.rss() / 2 ** 20)).toBeCloseTo(1, 0)
  })
})
