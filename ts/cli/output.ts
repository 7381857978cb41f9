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

/** A line on a terminal's stderr that is written over as work goes on; nothing where nobody looks. */
export class Progress {
  private shownAt = 0
  private shown = false

  update(text: () => string): void {
    if (!process.stderr.isTTY) return
    const now = performance.now()
    if (now - this.shownAt < 100) return
    this.shownAt = now
    this.shown = true
    process.stderr.write(`\r\u001b[K${text()}`)
  }

  end(): void {
    if (this.shown) process.stderr.write('\r\u001b[K')
  }
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
