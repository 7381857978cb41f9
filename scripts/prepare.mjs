// Installs and builds what is missing, and nothing else: npm packages, the native addon with the benchmarks' binary, the
// compiled TypeScript and its bundle.
// Built-in modules only, as it runs before node_modules exists. Each step hashes its inputs and compares a stamp.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const buildFolder = join(root, '.build')
const library =
  { darwin: 'libmillrace_addon.dylib', win32: 'millrace_addon.dll' }[process.platform] ??
  'libmillrace_addon.so'

/** All files below `path` (or `path` itself), sorted, so that the hash does not depend on the directory's order. */
function filesOf(path) {
  const full = join(root, path)
  if (!existsSync(full)) return []
  try {
    return readdirSync(full, { withFileTypes: true })
      .filter((entry) => entry.name !== 'target' && entry.name !== 'node_modules')
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((entry) => (entry.isDirectory() ? filesOf(join(path, entry.name)) : [join(path, entry.name)]))
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path]
    throw error
  }
}

function hashOf(paths, salt) {
  const hash = createHash('sha256').update(salt).update(process.version).update(process.arch)
  for (const file of paths.flatMap(filesOf))
    hash
      .update(relative(root, join(root, file)))
      .update('\0')
      .update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function run(command, args) {
  const started = process.hrtime.bigint()
  process.stderr.write(`> ${command} ${args.join(' ')}\n`)
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (result.error?.code === 'ENOENT')
    fail(`${command} was not found: Millrace needs Node ≥ 20.19 and a Rust toolchain (cargo) to build`)
  if (result.status !== 0)
    fail(`${command} ${args[0]} failed with exit code ${result.status ?? result.signal}`)
  process.stderr.write(`  ${(Number(process.hrtime.bigint() - started) / 1e9).toFixed(1)} s\n`)
}

function fail(sentence) {
  process.stderr.write(`millrace: ${sentence}\n`)
  process.exit(1)
}

/** A running process may have the old file mapped: put the new one beside it and rename, never overwrite. */
function put(from, to) {
  const fresh = `${to}.${process.pid}`
  copyFileSync(from, fresh)
  renameSync(fresh, to)
}

/** Runs `act` unless the stamp says that the same inputs were built and all `products` still exist. */
function step(name, inputs, products, act) {
  const stamp = join(buildFolder, `${name}.stamp`)
  const hash = hashOf(inputs, name)
  if (products.every(existsSync) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return
  act()
  mkdirSync(buildFolder, { recursive: true })
  writeFileSync(stamp, hash)
}

// npm ci empties the folder first, and through a link that is somebody else's.
const packages = join(root, 'node_modules')
const packagesAreLinked = lstatSync(packages, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
if (!packagesAreLinked) {
  step('packages', ['package.json', 'package-lock.json'], [join(root, 'node_modules', 'typescript')], () =>
    run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']),
  )
}

const addon = join(buildFolder, 'millrace.node')
const bench = join(buildFolder, 'millrace-bench')
const crates = ['core-rs', 'bench/src', 'bench/Cargo.toml', 'Cargo.toml', 'Cargo.lock']
step('addon', crates, [addon, bench], () => {
  const parts = ['-p', 'millrace-addon', '-p', 'millrace-bench']
  run('cargo', ['build', '--profile', 'shipping', '--locked', '--quiet', ...parts])
  mkdirSync(buildFolder, { recursive: true })
  const built = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'shipping')
  put(join(built, library), addon)
  put(join(built, process.platform === 'win32' ? 'millrace-bench.exe' : 'millrace-bench'), bench)
})

step('typescript', ['ts', 'tsconfig.json'], [join(root, 'dist', 'ts', 'index.js')], () =>
  run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-b']),
)

// main.ts passes over a bundle that is older than the last compilation, which may have been made without this script.
const bundled = join(root, 'dist', 'bundle', 'program.cjs')
const compiled = join(root, 'dist', 'tsconfig.tsbuildinfo')
if (existsSync(bundled) && statSync(bundled).mtimeMs < statSync(compiled).mtimeMs) rmSync(bundled)
const bundling = ['ts', 'tsconfig.json', 'package-lock.json', 'scripts/bundle.mjs']
step('bundle', bundling, [bundled], () => run(process.execPath, [join('scripts', 'bundle.mjs')]))
step('code-cache', [...bundling, 'scripts/code-cache.mjs'], [`${bundled}.cache`], () =>
  run(process.execPath, [join('scripts', 'code-cache.mjs')]),
)
