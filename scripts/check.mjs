// `npm run check`: format, lint, types, tidy, then both test suites. `--static` leaves the suites to the caller.
import { close, run, step } from './suite.mjs'

const node = process.execPath
const clippy = (...targets) =>
  step('cargo', ['clippy', '--release', '--locked', '--quiet', ...targets, '--', '-D', 'warnings'])
const results = [
  await step(node, ['scripts/prepare.mjs']),
  await step(node, ['node_modules/@biomejs/biome/bin/biome', 'ci', '.']),
  await step('cargo', ['fmt', '--all', '--check']),
  await clippy('-p', 'millrace-record', '-p', 'millrace-engine', '-p', 'millrace-bench', '--all-targets'),
  await clippy('-p', 'millrace-addon'),
  await step(node, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.test.json']),
]
if (!process.argv.includes('--static')) {
  for (const script of ['test', 'test:compat']) {
    const { code, output } = await run('npm', ['run', '--silent', script])
    const counted = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1)
    results.push({
      passed: Number(counted?.[1] ?? 0),
      failed: Number(counted?.[2] ?? 0) || (code === 0 ? 0 : 1),
    })
  }
}
close(results)
