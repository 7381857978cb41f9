// Bundles the compiled program into dist/bundle: loading some hundred files takes longer than everything else in a start.
// Run by prepare.mjs, after the compiler; code-cache.mjs comes next.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './suite.mjs'

const outdir = join(root, 'dist', 'bundle')
const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  // Loaded late or not at all, and with files of their own beside them.
  external: ['pino', '@platformatic/kafka'],
}
const compiled = (path) => join(root, 'dist', 'ts', path)

rmSync(outdir, { recursive: true, force: true })
// A script, as V8 keeps code of no module in Node 20.
await build({
  ...common,
  entryPoints: [compiled('cli/program.js')],
  outfile: join(outdir, 'program.cjs'),
  format: 'cjs',
  define: { 'import.meta.url': 'urlOfBundle' },
  banner: { js: "const urlOfBundle = require('node:url').pathToFileURL(__filename).href;" },
})
await build({
  ...common,
  entryPoints: [compiled('runtime/coordinator-worker.js')],
  outdir,
  format: 'esm',
  // For what is CommonJS in it.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
})
