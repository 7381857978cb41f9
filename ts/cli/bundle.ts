/**
 * Finds the bundled program that scripts/prepare.mjs makes of the compiled one. It never builds anything.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'

/** Its path below `dist`, seen from the compiled files of this folder; null where there is none, or one of an earlier
 * compilation. */
export function bundledProgram(compiled: string): string | null {
  const dist = join(compiled, '..', '..')
  const path = join(dist, 'bundle', 'program.js')
  const bundledAt = changedAt(path)
  return bundledAt === null || bundledAt < (changedAt(join(dist, 'tsconfig.tsbuildinfo')) ?? 0) ? null : path
}

function changedAt(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null
}
