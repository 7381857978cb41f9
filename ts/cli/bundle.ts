/**
 * Finds and loads the bundled program that scripts/prepare.mjs makes of the compiled one, with what V8 made of it at
 * build time: then it parses and compiles nothing that a start runs. It never builds anything.
 */
import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'

/** As Node wraps a CommonJS module. */
type Wrapped = (
  exports: object,
  require: NodeJS.Require,
  module: object,
  file: string,
  folder: string,
) => void

/** Its path below `dist`, seen from the compiled files of this folder; null where there is none, or one of an earlier
 * compilation. */
export function bundledProgram(compiled: string): string | null {
  const dist = join(compiled, '..', '..')
  const path = join(dist, 'bundle', 'program.cjs')
  const bundledAt = changedAt(path)
  return bundledAt === null || bundledAt < (changedAt(join(dist, 'tsconfig.tsbuildinfo')) ?? 0) ? null : path
}

/** Where the code cache of a bundle lies. V8 knows a source by its length alone: whoever makes a bundle removes it. */
export function codeCacheOf(bundle: string): string {
  return `${bundle}.cache`
}

/** The bundle at this path, not run yet; it may `require`, but not `import()`. V8 passes over a cache of another version,
 * other flags or another source. */
export function scriptOf(bundle: string): Script {
  const code = readFileSync(bundle, 'utf8')
  const cachedData = contentsOf(codeCacheOf(bundle))
  return new Script(`(function (exports, require, module, __filename, __dirname) { ${code}\n})`, {
    filename: bundle,
    ...(cachedData && { cachedData }),
  })
}

/** What the bundle at this path exports. */
export function exportsOf(script: Script, bundle: string): unknown {
  const module = { exports: {} }
  const wrapped = script.runInThisContext() as Wrapped
  wrapped(module.exports, createRequire(bundle), module, bundle, dirname(bundle))
  return module.exports
}

function contentsOf(path: string): Buffer | null {
  try {
    return readFileSync(path)
  } catch {
    return null
  }
}

function changedAt(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null
}
