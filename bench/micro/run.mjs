// Bundles the micro-benchmarks as releases are bundled, and runs them: a loader that compiles in passing adds code of
// its own to every function.
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('.', import.meta.url))
const main = join(here, 'main.ts')
const outfile = join(here, '..', '..', '.build', 'micro', 'main.mjs')
await build({
  entryPoints: [main],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
  packages: 'external',
  // Whatever looks for files looks from where it was written.
  define: { 'import.meta.url': JSON.stringify(pathToFileURL(main).href) },
})
await import(pathToFileURL(outfile).href)
