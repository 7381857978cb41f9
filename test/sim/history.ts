// What happened in a world, in order: one digest over all of it, and the lines for whoever wants to read them.
import { createHash } from 'node:crypto'

/** A promise of the broker that this world saw broken. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

const KEPT_LINES = 60

export class History {
  private readonly hash = createHash('sha256')
  private readonly kept: string[] = []
  private step = 0
  private at = 0

  /** `print` gets every line. */
  constructor(private readonly print: ((line: string) => void) | null = null) {}

  /** From here on lines carry this step and world time, in ms. */
  begin(step: number, at: number): void {
    this.step = step
    this.at = at
  }

  note(text: string): void {
    const line = `${String(this.step).padStart(5)} ${String(this.at).padStart(7)} ms  ${text}`
    this.hash.update(line).update('\n')
    this.kept.push(line)
    if (this.kept.length > 2 * KEPT_LINES) this.kept.splice(0, KEPT_LINES)
    this.print?.(line)
  }

  /** Bytes that somebody could observe; they count in the digest and take no line. */
  bytes(label: string, bytes: Uint8Array): void {
    this.hash.update(`${label} ${bytes.length}\n`).update(bytes)
  }

  /** The last lines. */
  tail(): string {
    return this.kept.slice(-KEPT_LINES).join('\n')
  }

  /** Of everything so far. */
  digest(): string {
    return this.hash.copy().digest('hex')
  }
}

/** For worlds whose history nobody asks for. */
export class Silence extends History {
  override begin(): void {}
  override note(): void {}
  override bytes(): void {}
}
