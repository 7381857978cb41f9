// Writes a report: report.json with every slice, report.md with tables, and the plots beside them. It reads results
// and measures nothing.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Measure } from './contract.js'
import { percentilePlots, roundsPlot } from './plots.js'
import { keptOf, type Lane, MOST_STEAL, type PartResult, type Report, roundsOf } from './results.js'
import { figure, type Spread, spreadOf } from './statistics.js'

/** What an earlier invocation left in `folder`. Throws a sentence when it is none of ours. */
export function readReport(folder: string): Report | undefined {
  const file = join(folder, 'report.json')
  if (!existsSync(file)) return undefined
  const report: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (report === null || typeof report !== 'object' || !('format' in report) || report.format !== 2)
    throw new Error(`${file} is no report of this suite`)
  return report as Report
}

export function writeReport(folder: string, report: Report): void {
  mkdirSync(folder, { recursive: true })
  const plots = new Map<string, readonly string[]>()
  for (const [kind, results] of [
    ['', report.parts],
    ['noise-', report.noise],
  ] as const) {
    for (const result of Object.values(results))
      plots.set(kind + result.name, writePlots(folder, kind, result))
  }
  writeFileSync(join(folder, 'report.md'), markdown(report, plots))
  // Last and whole: it is what the next invocation builds on.
  writeFileSync(join(folder, 'report.json.new'), `${JSON.stringify(report, null, 1)}\n`)
  renameSync(join(folder, 'report.json.new'), join(folder, 'report.json'))
}

function writePlots(folder: string, kind: string, result: PartResult): string[] {
  const rounds = roundsPlot(result)
  const files: [string, string][] = rounds === undefined ? [] : [[`${kind}${result.name}.svg`, rounds]]
  for (const [name, plot] of Object.entries(percentilePlots(result)))
    files.push([`${kind}${result.name}-percentiles${name ? `-${name}` : ''}.svg`, plot])
  for (const [name, plot] of files) writeFileSync(join(folder, name), plot)
  return files.map(([name]) => name)
}

export function markdown(report: Report, plots: ReadonlyMap<string, readonly string[]>): string {
  const parts = Object.values(report.parts)
  const noise = Object.values(report.noise)
  return [
    '# Benchmarks',
    'Medians of the rounds with their range in brackets. Ratios are those of medians of the same part and run; what matters is ratios, as machines differ. Method: bench/README.md.',
    table(['machine', ''], Object.entries(report.machine)),
    ...(parts.some(({ goals }) => goals.length > 0) ? ['## Goals', goalTable(parts)] : []),
    ...parts.flatMap((result) => [`## ${result.title}`, ...section(result, plots.get(result.name) ?? [])]),
    ...(noise.length > 0
      ? [
          '## Noise',
          'Millrace against a second Millrace, in the same order: what differs here is noise.',
          ...noise.flatMap((result) => [
            `### ${result.title}`,
            ...section(result, plots.get(`noise-${result.name}`) ?? []),
          ]),
        ]
      : []),
    '',
  ].join('\n\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]) =>
    `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [cells(head), cells(head.map(() => '---')), ...rows.map(cells)].join('\n')
}

function goalTable(parts: readonly PartResult[]): string {
  const rows = parts.flatMap((result) => result.goals.map((goal) => ({ ...goal, part: result.name })))
  rows.sort((a, b) => a.row - b.row)
  return table(
    ['#', 'goal', 'part', 'value', 'limit', 'verdict'],
    rows.map(({ row, text, part, value, limit, verdict }) => [
      String(row),
      text,
      part,
      value === null ? '–' : figure(value),
      limit,
      verdict === 'met' ? 'met' : `**${verdict}**`,
    ]),
  )
}

function section(result: PartResult, plots: readonly string[]): string[] {
  const lanes = (['millrace', 'again', 'kafka'] as const).filter(
    (lane) => keptOf(result.slices, lane).length > 0,
  )
  const kafka = lanes.includes('kafka')
  const again = lanes.includes('again')
  const floors = result.measures.some((measure) => measure.floor !== undefined)
  const head = [
    'measure',
    'unit',
    'Millrace',
    ...(again ? ['Millrace again'] : []),
    ...(kafka ? ['Apache Kafka'] : []),
    ...(floors ? ['floor'] : []),
    ...(again ? ['again ÷ Millrace'] : []),
    ...(kafka ? ['Millrace ÷ Kafka'] : []),
    ...(floors ? ['Millrace ÷ floor'] : []),
  ]
  const rows = result.measures.map((measure) => {
    const of = (lane: Lane) => spreadFor(result, measure, lane)
    const ratio = (above: Spread | undefined, below: Spread | undefined) =>
      above === undefined || below === undefined || below.median === 0
        ? '–'
        : figure(above.median / below.median)
    return [
      measure.label,
      `${measure.unit}${measure.more ? ' ↑' : ''}`,
      shown(of('millrace')),
      ...(again ? [shown(of('again'))] : []),
      ...(kafka ? [shown(of('kafka'))] : []),
      ...(floors ? [shown(of('floor'))] : []),
      ...(again ? [ratio(of('again'), of('millrace'))] : []),
      ...(kafka ? [ratio(of('millrace'), of('kafka'))] : []),
      ...(floors ? [ratio(of('millrace'), of('floor'))] : []),
    ]
  })
  return [
    result.method,
    ranAs(result),
    ...(result.failure === null ? [] : [`**Broke off:** ${result.failure}`]),
    ...(rows.length > 0 ? [table(head, rows)] : []),
    ...plots.map((name) => `![${result.title}](${name})`),
  ]
}

function spreadFor(result: PartResult, measure: Measure, lane: Lane): Spread | undefined {
  const key = lane === 'floor' ? measure.floor : measure.key
  if (key === undefined) return undefined
  return spreadOf(keptOf(result.slices, lane).flatMap(({ figures }) => figures[key] ?? []))
}

function shown(spread: Spread | undefined): string {
  if (spread === undefined) return '–'
  const { median, least, most } = spread
  return least === most ? figure(median) : `${figure(median)} [${figure(least)}, ${figure(most)}]`
}

/** When and how it ran, and what the machine did meanwhile. */
function ranAs(result: PartResult): string {
  const dropped = result.slices.filter(({ kept }) => !kept).length
  const stolen = result.slices.filter(({ kept, steal }) => kept && steal > MOST_STEAL).length
  const primes = spreadOf(result.slices.flatMap(({ kept, prime }) => (kept && prime !== null ? [prime] : [])))
  const counted = (rounds: number) => `${rounds} ${rounds === 1 ? 'round' : 'rounds'}`
  const small = result.quick ? ' of small sizes (quick: the figures mean nothing)' : ''
  return [
    ...result.runs.map(({ ran, seconds, commit, rounds }) => {
      const at = commit === null ? '' : ` at commit ${commit}`
      return `Ran ${ran}${at}: ${counted(rounds)}${small} in ${figure(seconds)} s.`
    }),
    ...(result.runs.length > 1 ? [`${counted(roundsOf(result))} in all.`] : []),
    ...(dropped > 0 ? [`${dropped} slices dropped for steal and repeated.`] : []),
    ...(stolen > 0 ? [`${stolen} slices kept in spite of steal above ${MOST_STEAL * 100} %.`] : []),
    ...(primes === undefined ? [] : [`Page cache before the slices: ${shown(primes)} CPU-s/GiB.`]),
  ].join(' ')
}
