/**
 * What `millrace bench` prints: medians over the rounds of each part, and with two clusters the ratio of the two.
 * It measures nothing.
 */
import type { Figures } from './bench-load.js'
import { print, table } from './output.js'

export const PARTS = ['produce', 'consume', 'latency'] as const
export type PartName = (typeof PARTS)[number]

/** The figures of all rounds of one part, by cluster in the order they were named. */
export interface Measured {
  readonly part: PartName
  readonly rounds: ReadonlyMap<string, readonly Figures[]>
}

interface Summary {
  readonly recordsPerSecond: number
  /** Bytes of batches as they went over the network. */
  readonly mibPerSecond: number | null
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

const COLUMNS: readonly (readonly [keyof Summary, string])[] = [
  ['recordsPerSecond', 'records/s'],
  ['mibPerSecond', 'MiB/s'],
  ['p50Ms', 'p50 ms'],
  ['p95Ms', 'p95 ms'],
  ['p99Ms', 'p99 ms'],
  ['p999Ms', 'p99.9 ms'],
  ['maxMs', 'max ms'],
]

const MIB = 1024 ** 2

export function summaryOf(rounds: readonly Figures[]): Summary {
  const over = (of: (round: Figures) => number) => median(rounds.map(of))
  const ms = (key: string) => over((round) => (round[key] ?? Number.NaN) / 1000)
  return {
    recordsPerSecond: over(({ records = 0, seconds = 0 }) => records / seconds),
    mibPerSecond: rounds.every((round) => round.bytes !== undefined)
      ? over(({ bytes = 0, seconds = 0 }) => bytes / MIB / seconds)
      : null,
    p50Ms: ms('p50Us'),
    p95Ms: ms('p95Us'),
    p99Ms: ms('p99Us'),
    p999Ms: ms('p999Us'),
    maxMs: ms('maxUs'),
  }
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const [below = Number.NaN, above = below] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.floor(sorted.length / 2)],
  ]
  return (below + above) / 2
}

/** Three digits that count, and never fewer than stand before the point. */
function rounded(value: number | null): number | null {
  if (value === null) return null
  return Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
}

export function printBench(json: boolean | undefined, measured: readonly Measured[]): void {
  const parts = measured.map(({ part, rounds }) => {
    const servers = [...rounds].map(([bootstrapServer, figures]) => ({
      bootstrapServer,
      ...summaryOf(figures),
      rounds: figures,
    }))
    const [first, second] = servers
    return { part, servers, ratio: first && second ? ratioOf(first, second) : null }
  })
  print(json, { parts }, () => {
    const rounds = measured[0]?.rounds.values().next().value?.length ?? 0
    const above = rounds > 1 ? `Medians of ${rounds} rounds.\n` : ''
    return above + (parts.some((one) => one.ratio !== null) ? compared(parts) : alone(parts))
  })
}

type Ratios = Readonly<Record<keyof Summary, number | null>>

/** The first cluster's figures divided by the second's. */
function ratioOf(first: Summary, second: Summary): Ratios {
  const pairs = COLUMNS.map(([key]) => {
    const [above, below] = [first[key], second[key]]
    return [key, above === null || below === null ? null : above / below]
  })
  return Object.fromEntries(pairs) as Ratios
}

interface Printed {
  readonly part: PartName
  readonly servers: readonly (Summary & { readonly bootstrapServer: string })[]
  readonly ratio: Ratios | null
}

function alone(parts: readonly Printed[]): string {
  return table(
    ['part', ...COLUMNS.map(([, header]) => header)],
    parts.flatMap(({ part, servers }) =>
      servers.map((one) => [part, ...COLUMNS.map(([key]) => rounded(one[key]))]),
    ),
  )
}

function compared(parts: readonly Printed[]): string {
  const names = parts[0]?.servers.map((one) => one.bootstrapServer) ?? []
  const rows = parts.flatMap(({ part, servers, ratio }) =>
    COLUMNS.filter(([key]) => servers.every((one) => one[key] !== null)).map(([key, header]) => [
      part,
      header,
      ...servers.map((one) => rounded(one[key])),
      rounded(ratio?.[key] ?? null),
    ]),
  )
  return table(['part', 'figure', ...names, 'ratio'], rows)
}
