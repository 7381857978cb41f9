// Runs test commands one after the other, passes their output through, adds up what they counted,
// and closes with one line `N passed, N failed`. Exits non-zero if anything failed or nothing ran.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Runs a command with its output passed through; resolves to its exit code and standard output. */
export function run(command, args, env = {}) {
  process.stdout.write(`\n> ${command} ${args.join(' ')}\n`)
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      process.stdout.write(chunk)
      output += chunk
    })
    child.on('error', (error) => resolve({ code: 1, output: String(error) }))
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** cargo test: its `test result:` lines; a run that fails to build counts as one failure. */
export async function cargoTests(args) {
  const { code, output } = await run('cargo', ['test', ...args])
  let passed = 0
  let failed = 0
  for (const [, p, f] of output.matchAll(/^test result: .*? (\d+) passed; (\d+) failed/gm)) {
    passed += Number(p)
    failed += Number(f)
  }
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed }
}

/** vitest: its JSON report; a suite that cannot be collected counts as one failure. */
export async function vitestTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tests-'))
  const report = join(folder, 'report.json')
  const { code } = await run(process.execPath, [
    join('node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args,
  ])
  let passed = 0
  let failed = 0
  try {
    const json = JSON.parse(readFileSync(report, 'utf8'))
    passed = json.numPassedTests
    failed = json.numFailedTests
  } catch {}
  rmSync(folder, { recursive: true, force: true })
  return { passed, failed: code !== 0 && failed === 0 ? 1 : failed }
}

/** A step without tests of its own (format, lint, types): one passed or one failed. */
export async function step(command, args) {
  const { code } = await run(command, args)
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }
}

/** Prints the closing line and leaves with the exit code that it means. */
export function close(results) {
  const passed = results.reduce((sum, result) => sum + result.passed, 0)
  const failed = results.reduce((sum, result) => sum + result.failed, 0)
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
}
