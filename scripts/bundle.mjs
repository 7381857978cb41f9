// Bundles the compiled program into few files, dist/bundle: loading some hundred takes longer than everything else in a
// start. Run by prepare.mjs, after the compiler.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './suite.mjs'

const outdir = join(root, 'dist', 'bundle')
rmSync(outdir, { recursive: true, force: true })
await build({
  entryPoints: ['cli/program.js', 'runtime/coordinator-worker.js'].map((path) =>
    join(root, 'dist', 'ts', path),
  ),
  outdir,
  entryNames: '[name]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  // Loaded late or not at all, and with files of their own beside them.
  external: ['pino', '@platformatic/kafka'],
  // For what is CommonJS in it.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
})
