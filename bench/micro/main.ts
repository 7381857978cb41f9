// `npm run bench:micro`: nanoseconds of the small things that requests are made of, beside those in baseline.json.
// `--save` makes what was measured the baseline, `--only text` measures what has the text in its group's name.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { codecs } from './codecs.js'
import type { Costs } from './measure.js'
import { requests } from './requests.js'
import { wake } from './wake.js'

interface Baseline {
  readonly machine: string
  readonly node: string
  /** ns of a loop of arithmetic that no change of Millrace touches. */
  readonly calibrationNs: number
  readonly costs: Readonly<Record<string, Costs>>
}

const here = dirname(fileURLToPath(import.meta.url))
const baselineFile = join(here, 'baseline.json')
const binary = join(dirname(dirname(here)), '.build', 'millrace-bench')

/** Everything is measured so often, far apart, and the least counts: a machine is slow for seconds at a time. */
const PASSES = 3
/** Beyond these a ratio is pointed out: the noise of a machine that does other things too is below. */
const SLOWER = 1.25
const FASTER = 0.8

function rust(command: string, options: object): Costs {
  const out = execFileSync(binary, [command, JSON.stringify(options)], { encoding: 'utf8' })
  return JSON.parse(out.trim().split('\n').at(-1) ?? '').result
}

async function measured(only: string): Promise<{ calibrationNs: number; costs: Record<string, Costs> }> {
  let calibrationNs = Number.POSITIVE_INFINITY
  const groups: Record<string, () => Costs | Promise<Costs>> = {
    'records and boundary (Rust)'() {
      const { calibrationNs: arithmetic = Number.NaN, ...records } = rust('micro', {})
      calibrationNs = Math.min(calibrationNs, arithmetic)
      return records
    },
    'requests of the data plane (Rust)': () => rust('micro-request', {}),
    'codecs of the control plane': codecs,
    'requests of the control plane, both planes': requests,
    'wake of the control plane, p50': async () => ({ 'request written → callback': await wake() }),
  }
  const chosen = Object.entries(groups).filter(([name]) => name.includes(only))
  const costs: Record<string, Costs> = {}
  for (let pass = 0; pass < PASSES; pass++) {
    for (const [name, measure] of chosen) costs[name] = least(costs[name], await measure())
  }
  if (calibrationNs === Number.POSITIVE_INFINITY)
    calibrationNs = rust('micro', {}).calibrationNs ?? Number.NaN
  return { calibrationNs, costs }
}

function least(before: Costs | undefined, now: Costs): Costs {
  const both = Object.entries(now).map(([name, ns]) => [name, Math.min(ns, before?.[name] ?? ns)])
  return Object.fromEntries(both)
}

/** `scale`: how much slower this machine is than the baseline's. */
function table(
  costs: Readonly<Record<string, Costs>>,
  baseline: Baseline | undefined,
  scale: number,
): string {
  const lines = [`${'ns'.padStart(62)}${'baseline'.padStart(12)}${'ratio'.padStart(8)}`]
  for (const [group, all] of Object.entries(costs)) {
    lines.push('', group)
    for (const [name, ns] of Object.entries(all)) {
      const before = baseline?.costs[group]?.[name]
      const ratio = before === undefined ? Number.NaN : ns / (before * scale)
      const remark = ratio > SLOWER ? '  slower' : ratio < FASTER ? '  faster' : ''
      const shown = before === undefined ? '–' : figure(before)
      const factor = Number.isNaN(ratio) ? '–' : ratio.toFixed(2)
      lines.push(
        `  ${name.padEnd(50)}${figure(ns).padStart(10)}${shown.padStart(12)}${factor.padStart(8)}${remark}`,
      )
    }
  }
  return `${lines.join('\n')}\n`
}

function figure(ns: number): string {
  return ns < 100 ? ns.toFixed(1) : Math.round(ns).toLocaleString('en')
}

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.filter(
    (arg, index) => !['--save', '--only'].includes(arg) && args[index - 1] !== '--only',
  )
  if (unknown.length > 0)
    throw new Error(`there is no option ${unknown.join(' ')}; there are --save and --only TEXT`)
  const only = args.includes('--only') ? (args[args.indexOf('--only') + 1] ?? '') : ''
  const baseline: Baseline | undefined = existsSync(baselineFile)
    ? JSON.parse(readFileSync(baselineFile, 'utf8'))
    : undefined
  const { calibrationNs, costs } = await measured(only)
  const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} CPUs`
  const scale = baseline === undefined ? 1 : calibrationNs / baseline.calibrationNs
  const lines = [
    `${machine}, Node ${process.version}`,
    baseline === undefined
      ? 'no baseline'
      : `baseline: ${baseline.machine}, Node ${baseline.node}; this machine takes ${scale.toFixed(2)} of its time for the same arithmetic, and ratios are for that`,
  ]
  process.stdout.write(`${lines.join('\n')}\n\n${table(costs, baseline, scale)}`)
  if (!args.includes('--save')) return
  const kept: Baseline = {
    machine,
    node: process.version,
    calibrationNs,
    costs: { ...baseline?.costs, ...costs },
  }
  const rounded = (_: string, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value
  writeFileSync(baselineFile, `${JSON.stringify(kept, rounded, 2)}\n`)
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`bench:micro: ${error instanceof Error ? error.message : error}\n`)
    process.exit(1)
  },
)
