/**
 * What commands print: tables for people, JSON for programs, both on stdout; progress on stderr, and only to a terminal.
 * It never decides what is printed.
 */

export type Cell = string | number | null | undefined

/** Columns padded to their widest cell, two spaces between them; numbers stand right. */
export function table(headers: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = rows.map((row) =>
    row.map((cell) => (cell === null || cell === undefined ? '-' : String(cell))),
  )
  const widths = headers.map((header, column) =>
    Math.max(header.length, ...text.map((row) => row[column]?.length ?? 0)),
  )
  const right = headers.map(
    (_, column) =>
      rows.length > 0 &&
      rows.every(
        (row) => typeof row[column] === 'number' || row[column] === null || row[column] === undefined,
      ),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return right[column] ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return [headers.map((header) => header.toUpperCase()), ...text].map(line).join('\n')
}

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** The value as JSON when the command was called with --json, otherwise what `human` makes of it. */
export function print<T>(json: boolean | undefined, value: T, human: (value: T) => string): void {
  printLine(json ? JSON.stringify(value, null, 2) : human(value))
}

/**
 * A line on a terminal's stderr that is written over as work goes on. Where stderr is no terminal nothing is written, or
 * a line every `linesMs` for work that takes minutes.
 */
export class Progress {
  private shownAt = Number.NEGATIVE_INFINITY
  private shown = false

  constructor(private readonly linesMs: number | null = null) {}

  update(text: () => string): void {
    const { isTTY } = process.stderr
    const everyMs = isTTY ? 100 : this.linesMs
    const now = performance.now()
    if (everyMs === null || now - this.shownAt < everyMs) return
    this.shownAt = now
    this.shown = isTTY
    process.stderr.write(isTTY ? `\r\u001b[K${text()}` : `${text()}\n`)
  }

  end(): void {
    if (this.shown) process.stderr.write('\r\u001b[K')
  }
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** `12.3 MiB` */
export function sizeText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${UNITS[power]}`
}

/** Reads what `sizeText` writes, without a space too; undefined where it is no size. */
export function sizeOf(text: string): number | undefined {
  const [, amount = '', unit = 'B'] = /^(\d+(?:\.\d+)?) ?([KMGT]?i?B)?$/i.exec(text) ?? []
  const power = UNITS.findIndex((one) => one.toLowerCase() === unit.toLowerCase())
  return amount === '' || power < 0 ? undefined : Math.round(Number(amount) * 1024 ** power)
}
