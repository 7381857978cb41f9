// SVG plots of a part as plain strings: every round of every lane as a dot with the median as a line, and percentile
// curves where the figures carry percentiles. Colours are legible on light and dark backgrounds. Pure.
import type { Figures, Measure } from './contract.js'
import { keptOf, type Lane, type PartResult } from './results.js'
import { figure, spreadOf } from './statistics.js'

const COLOURS: Readonly<Record<Lane, string>> = {
  millrace: '#2f81f7',
  again: '#8a63d2',
  kafka: '#e5702b',
  floor: '#3fa24a',
}
const NAMES: Readonly<Record<Lane, string>> = {
  millrace: 'Millrace',
  again: 'Millrace again',
  kafka: 'Apache Kafka',
  floor: 'floor',
}
const LANES: readonly Lane[] = ['floor', 'millrace', 'again', 'kafka']
const INK = '#7d8590'
const [PANEL, HEIGHT, LEFT, TOP, BOTTOM, PER_ROW] = [320, 250, 64, 44, 40, 3]

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

type Anchor = 'start' | 'middle' | 'end'

function text(x: number, y: number, words: string, anchor: Anchor = 'middle', size = 11, fill = INK): string {
  const at = `x="${x.toFixed(1)}" y="${y.toFixed(1)}"`
  return `<text ${at} text-anchor="${anchor}" font-size="${size}" fill="${fill}">${escaped(words)}</text>`
}

function line(x1: number, y1: number, x2: number, y2: number, stroke: string, width = 1, more = ''): string {
  const ends = `x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}"`
  return `<line ${ends} stroke="${stroke}" stroke-width="${width}"${more}/>`
}

/** Four to six round numbers from 0 to at least `most`. */
export function ticksUpTo(most: number): number[] {
  if (!(most > 0)) return [0, 1]
  const rough = most / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((times) => times * power).find((candidate) => candidate >= rough) ?? rough
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) => index * step)
}

/** The values of one lane for one measure, round by round. */
function valuesOf(result: PartResult, measure: Measure, lane: Lane): number[] {
  const key = lane === 'floor' ? measure.floor : measure.key
  if (key === undefined) return []
  return keptOf(result.slices, lane).flatMap(({ figures }) => figures[key] ?? [])
}

function panel(result: PartResult, measure: Measure): string {
  const lanes = LANES.map((lane) => ({ lane, values: valuesOf(result, measure, lane) }))
  const shown = lanes.filter(({ values }) => values.length > 0)
  const ticks = ticksUpTo(Math.max(...shown.flatMap(({ values }) => values)))
  const top = ticks.at(-1) ?? 1
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - TOP)
  const width = (PANEL - LEFT - 16) / Math.max(shown.length, 1)
  const grid = ticks.flatMap((tick) => [
    line(LEFT, y(tick), PANEL - 16, y(tick), INK, 0.5, ' stroke-opacity="0.4"'),
    text(LEFT - 6, y(tick) + 4, figure(tick), 'end', 10),
  ])
  const marks = shown.flatMap(({ lane, values }, index) => {
    const centre = LEFT + width * (index + 0.5)
    const median = spreadOf(values)?.median ?? 0
    const half = Math.min(width * 0.3, 26)
    const dots = values.map((value, round) => {
      const x = centre + (values.length === 1 ? 0 : (round / (values.length - 1) - 0.5) * half * 1.6)
      return `<circle cx="${x.toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="${COLOURS[lane]}" fill-opacity="0.6"/>`
    })
    return [
      ...dots,
      line(centre - half, y(median), centre + half, y(median), COLOURS[lane], 2.5),
      text(centre, y(median) - 7, figure(median), 'middle', 11, COLOURS[lane]),
      text(centre, HEIGHT - BOTTOM + 16, NAMES[lane], 'middle', 10, COLOURS[lane]),
    ]
  })
  return [
    text(LEFT - 48, 18, measure.label, 'start', 12),
    text(LEFT - 48, 32, `${measure.unit}${measure.more ? ', more is better' : ''}`, 'start', 10),
    ...grid,
    ...marks,
  ].join('\n')
}

function svg(width: number, height: number, title: string, content: string): string {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`
  const font = 'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"'
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${font} role="img"><title>${escaped(title)}</title>\n${content}\n</svg>\n`
}

/** One panel a measure; undefined where nothing was measured. */
export function roundsPlot(result: PartResult): string | undefined {
  const measures = result.measures.filter((measure) =>
    LANES.some((lane) => lane !== 'floor' && valuesOf(result, measure, lane).length > 0),
  )
  if (measures.length === 0) return undefined
  const columns = measures.length === 4 ? 2 : Math.min(PER_ROW, measures.length)
  const panels = measures.map((measure, index) => {
    const [x, y] = [(index % columns) * PANEL, Math.floor(index / columns) * HEIGHT]
    return `<g transform="translate(${x} ${y})">\n${panel(result, measure)}\n</g>`
  })
  const height = Math.ceil(measures.length / columns) * HEIGHT
  return svg(columns * PANEL, height, `${result.title}: every round`, panels.join('\n'))
}

interface Point {
  /** 0 to 1. */
  readonly share: number
  readonly us: number
}

/** Percentiles among the figures, by what stands before them: `p99Us`, `smallP999Us`. In µs. */
export function curvesOf(figures: Figures): Readonly<Record<string, readonly Point[]>> {
  const curves: Record<string, Point[]> = {}
  for (const [key, value] of Object.entries(figures)) {
    const found = /^(.*?)p(\d{2,5})(Us|Ms)$/i.exec(key)
    if (found === null) continue
    const [, name = '', digits = '', unit] = found
    const curve = curves[name] ?? []
    curves[name] = curve
    curve.push({ share: Number(`0.${digits}`), us: unit === 'Ms' ? value * 1000 : value })
  }
  const whole = Object.entries(curves).filter(([, points]) => points.length >= 3)
  return Object.fromEntries(whole.map(([name, points]) => [name, points.sort((a, b) => a.share - b.share)]))
}

/** Latency over percentiles, both axes logarithmic; one plot for each set of percentiles, by its name. */
export function percentilePlots(result: PartResult): Readonly<Record<string, string>> {
  const lanes = LANES.flatMap((lane) => {
    const medians = result.medians[lane]
    return medians === undefined ? [] : [{ lane, curves: curvesOf(medians) }]
  })
  const names = new Set(lanes.flatMap(({ curves }) => Object.keys(curves)))
  const plots: Record<string, string> = {}
  for (const name of names) {
    const drawn = lanes.flatMap(({ lane, curves }) => (curves[name] ? [{ lane, points: curves[name] }] : []))
    plots[name] = percentilePlot(`${result.title}${name ? `, ${name}` : ''}`, drawn)
  }
  return plots
}

function percentilePlot(title: string, drawn: readonly { lane: Lane; points: readonly Point[] }[]): string {
  const [width, height, left, right, top, bottom] = [560, 340, 70, 20, 60, 50]
  const all = drawn.flatMap(({ points }) => points)
  const shares = [...new Set(all.map(({ share }) => share))].sort((a, b) => a - b)
  const depth = (share: number) => -Math.log10(1 - share)
  const [first = 0, last = 1] = [depth(shares[0] ?? 0.5), depth(shares.at(-1) ?? 0.999)]
  const x = (share: number) => left + ((depth(share) - first) / (last - first || 1)) * (width - left - right)
  const values = all.map(({ us }) => Math.max(us, 0.1))
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  const y = (us: number) => {
    const at = (Math.log10(Math.max(us, 0.1)) - low) / (high - low)
    return height - bottom - at * (height - bottom - top)
  }
  const rows = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index))
  const content = [
    text(16, 20, title, 'start', 13),
    ...drawn.map(({ lane }, index) =>
      text(left + index * 120, 42, `● ${NAMES[lane]}`, 'start', 11, COLOURS[lane]),
    ),
    ...rows.flatMap((us) => [
      line(left, y(us), width - right, y(us), INK, 0.5, ' stroke-opacity="0.4"'),
      text(left - 6, y(us) + 4, us >= 1000 ? `${figure(us / 1000)} ms` : `${figure(us)} µs`, 'end', 10),
    ]),
    ...shares.map((share) => text(x(share), height - bottom + 18, `p${figure(share * 100)}`, 'middle', 10)),
    text((left + width - right) / 2, height - 10, 'percentile', 'middle', 11),
    ...drawn.flatMap(({ lane, points }) => {
      const path = points.map(({ share, us }) => `${x(share).toFixed(1)},${y(us).toFixed(1)}`).join(' ')
      const dots = points.map(
        ({ share, us }) =>
          `<circle cx="${x(share).toFixed(1)}" cy="${y(us).toFixed(1)}" r="3" fill="${COLOURS[lane]}"/>`,
      )
      return [`<polyline points="${path}" fill="none" stroke="${COLOURS[lane]}" stroke-width="2"/>`, ...dots]
    }),
  ]
  return svg(width, height, title, content.join('\n'))
}
