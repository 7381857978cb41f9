// What counts of the slices of the benchmark suite, how invocations merge, and what report and plots make of them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Part } from '../../../bench/suite/contract.js'
import { curvesOf, percentilePlots, roundsPlot, ticksUpTo } from '../../../bench/suite/plots.js'
import { resultOf } from '../../../bench/suite/processes.js'
import { markdown, readReport, writeReport } from '../../../bench/suite/report.js'
import {
  addedTo,
  isToRepeat,
  type Lane,
  merged,
  type PartResult,
  type Report,
  type Run,
  refuseOtherMachine,
  roundsOf,
  type Slice,
  summed,
  withKept,
} from '../../../bench/suite/results.js'

const attempt = (steal: number, number: number, lane: Lane = 'millrace', cpu = 1): Omit<Slice, 'kept'> => ({
  lane,
  round: 1,
  attempt: number,
  startedAt: 0,
  seconds: 1,
  figures: { cpu, p50Us: 100, p99Us: 900, p999Us: 4000 },
  steal,
  prime: 0.2,
})

const part: Part = {
  name: 'small',
  title: 'Small & <quick>',
  method: 'Nothing runs.',
  measures: [{ key: 'cpu', label: 'CPU "whole"', unit: 'CPU-s/GiB', floor: 'cpu' }],
  goals: [
    {
      row: 3,
      text: 'cheaper than Kafka',
      value: ({ millrace, kafka }) =>
        kafka?.cpu === undefined ? undefined : (millrace.cpu ?? 0) / kafka.cpu,
      most: 0.5,
    },
  ],
}

const run: Run = { ran: '2026-01-01T00:00:00Z', seconds: 5, commit: 'abc', rounds: 1 }
const about = { quick: false, runs: [run], failure: null }
const slices = (kafka: number): Slice[] => [
  ...withKept([attempt(0.1, 1, 'millrace', 99), attempt(0, 2, 'millrace', 1)]),
  ...withKept([attempt(0, 1, 'kafka', kafka)]),
  ...withKept([attempt(0, 1, 'floor', 0.5)]),
]
const report = (result: PartResult): Report => ({
  format: 2,
  machine: { CPU: 'one | two' },
  parts: { [result.name]: result },
  noise: {},
})

describe('slices with steal', () => {
  it('above 2 % are repeated three times at most', () => {
    expect(isToRepeat(0.02, 1)).toBe(false)
    expect([1, 2, 3, 4].map((number) => isToRepeat(0.021, number))).toEqual([true, true, true, false])
  })

  it('are dropped once one is clean; otherwise the one with the least counts', () => {
    const kept = (...steals: number[]) =>
      withKept(steals.map((steal, index) => attempt(steal, index + 1))).map((slice) => slice.kept)
    expect(kept(0.5, 0.01)).toEqual([false, true])
    expect(kept(0.5, 0.03, 0.2, 0.4)).toEqual([false, true, false, false])
  })

  it('count in no median', () => {
    expect(summed(part, about, slices(4)).medians.millrace?.cpu).toBe(1)
  })
})

describe('a report', () => {
  const inFolder = (act: (folder: string) => void) => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-report-'))
    try {
      act(folder)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  it('is read back as written, and parts that run again replace what was there', () => {
    inFolder((folder) => {
      const first = report(summed(part, about, slices(4)))
      const other = report(summed({ ...part, name: 'other' }, about, slices(2)))
      writeReport(folder, merged(first, other))
      const again = merged(
        readReport(folder),
        report(summed(part, { ...about, runs: [{ ...run, ran: 'later' }] }, slices(1))),
      )
      expect(Object.keys(again.parts)).toEqual(['small', 'other'])
      expect(again.parts.small?.runs).toEqual([{ ...run, ran: 'later' }])
      expect(again.parts.small?.goals[0]).toMatchObject({ value: 1, verdict: 'not met' })
      expect(again.parts.other?.goals[0]).toMatchObject({ value: 0.5, verdict: 'met' })
    })
  })

  it('shows medians, ratios, goals and what was dropped', () => {
    inFolder((folder) => {
      writeReport(folder, report(summed(part, about, slices(4))))
      const text = readFileSync(join(folder, 'report.md'), 'utf8')
      expect(text).toContain('| CPU "whole" | CPU-s/GiB | 1 | 4 | 0.5 | 0.25 | 2 |')
      expect(text).toContain('| 3 | cheaper than Kafka | small | 0.25 | ≤ 0.5 | met |')
      expect(text).toContain('1 slices dropped for steal')
      expect(text).toContain('one \\| two')
      expect(text).toContain('![Small & <quick>](small.svg)')
    })
  })

  it('of somebody else is refused', () => {
    inFolder((folder) => {
      expect(readReport(folder)).toBeUndefined()
      writeFileSync(join(folder, 'report.json'), '{"format":1}')
      expect(() => readReport(folder)).toThrow(/report\.json is no report of this suite/)
    })
  })
})

describe('rounds that are added', () => {
  const lanes: Lane[] = ['floor', 'millrace', 'kafka']

  it('count with those that were there, and the report names both runs', () => {
    const had = addedTo(summed(part, about, slices(4)), part, false, lanes)
    expect(roundsOf(had)).toBe(1)
    const later = { ...run, ran: 'later', commit: 'def', rounds: 2 }
    const both = summed(part, { ...about, runs: [...had.runs, later] }, [
      ...had.slices,
      ...slices(2),
      ...slices(1),
    ])
    expect(both.medians.kafka?.cpu).toBe(2)
    const text = markdown(report(both), new Map())
    expect(text).toContain(
      'at commit abc: 1 round in 5 s. Ran later at commit def: 2 rounds in 5 s. 3 rounds in all.',
    )
  })

  it('begin a part that the report has not', () => {
    const nothing = { runs: [], slices: [] }
    expect(addedTo(undefined, part, false, lanes)).toEqual(nothing)
    expect(addedTo(summed(part, { ...about, failure: 'broken' }, []), part, false, lanes)).toEqual(nothing)
  })

  it('are refused where the part is not the same any more', () => {
    const there = summed(part, about, slices(4))
    const refused = /--add: the report has small by another method.*\(millrace, kafka, floor\)/
    expect(() => addedTo(there, part, true, lanes)).toThrow(refused)
    expect(() => addedTo(there, { ...part, method: 'All runs.' }, false, lanes)).toThrow(refused)
    expect(() => addedTo(there, { ...part, measures: [] }, false, lanes)).toThrow(refused)
    expect(() => addedTo(there, part, false, [...lanes, 'again'])).toThrow(refused)
  })

  it('are refused on another machine', () => {
    expect(() => refuseOtherMachine({ CPU: 'one' }, { CPU: 'one' })).not.toThrow()
    expect(() => refuseOtherMachine({ CPU: 'one' }, { CPU: 'two', Java: '17' })).toThrow(
      /another machine \(CPU, Java\)/,
    )
  })
})

describe('plots', () => {
  /** Every tag closed in order, attributes quoted, no stray < or &. */
  const wellFormed = (svg: string): boolean => {
    const open: string[] = []
    const rest = svg.replaceAll(
      /<(\/?)([a-zA-Z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g,
      (_, end, name, __, self) => {
        if (end) return open.pop() === name ? '' : '<'
        if (!self) open.push(name)
        return ''
      },
    )
    return open.length === 0 && !/<|>|&(?!amp;|lt;|gt;|quot;)|NaN/.test(`${rest}${svg.match(/NaN/) ?? ''}`)
  }

  it('are well-formed, with the labels and units of the measures', () => {
    const result = summed(part, about, slices(4))
    const plots = [roundsPlot(result) ?? '', ...Object.values(percentilePlots(result))]
    expect(plots).toHaveLength(2)
    expect(plots.map(wellFormed)).toEqual([true, true])
    expect(plots[0]).toContain('CPU-s/GiB')
    expect(plots[1]).toContain('p99.9')
    expect(wellFormed('<svg><g></svg>')).toBe(false)
  })

  it('of a part without slices are none', () => {
    expect(roundsPlot(summed(part, about, []))).toBeUndefined()
    expect(percentilePlots(summed(part, about, []))).toEqual({})
  })

  it('find percentiles by what stands before them, in microseconds', () => {
    const curves = curvesOf({ slowP50Ms: 1, slowP99Ms: 2, slowP999Ms: 3, p50Us: 5, p99Us: 6, p95Count: 1 })
    expect(curves).toEqual({
      slow: [
        { share: 0.5, us: 1000 },
        { share: 0.99, us: 2000 },
        { share: 0.999, us: 3000 },
      ],
    })
  })

  it('have round numbers on their axes', () => {
    expect(ticksUpTo(0.93)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1].map((tick) => expect.closeTo(tick)))
    expect(ticksUpTo(0)).toEqual([0, 1])
  })
})

describe('the output of millrace-bench', () => {
  it('is its last line, and flat numbers', () => {
    expect(resultOf('{"progress":{"bytes":1}}\n{"result":{"bytes":2}}\n', 'x')).toEqual({ bytes: 2 })
    expect(() => resultOf('{"result":{"bytes":"2"}}\n', 'x')).toThrow(/bytes is not a number/)
    expect(() => resultOf('', 'x')).toThrow(/no result/)
  })
})
