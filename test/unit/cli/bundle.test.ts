// Which program the command line runs: the bundle, but never one of code that has been compiled again since.
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bundledProgram } from '../../../ts/cli/bundle.js'
import { dataFolder } from '../../cluster/broker-process.js'

let dist: ReturnType<typeof dataFolder>
let compiled: string
beforeEach(() => {
  dist = dataFolder()
  compiled = join(dist.path, 'ts', 'cli')
  mkdirSync(compiled, { recursive: true })
  mkdirSync(join(dist.path, 'bundle'))
})
afterEach(() => dist.remove())

function written(path: string, second: number): string {
  const file = join(dist.path, path)
  writeFileSync(file, '')
  utimesSync(file, second, second)
  return file
}

it('runs the bundle that was made of the last compilation', () => {
  written('tsconfig.tsbuildinfo', 100)
  const bundle = written('bundle/program.js', 101)
  expect(bundledProgram(compiled)).toBe(bundle)
})

it('runs the compiled files where there is no bundle, or one of an earlier compilation', () => {
  written('tsconfig.tsbuildinfo', 100)
  expect(bundledProgram(compiled)).toBe(null)
  written('bundle/program.js', 99)
  expect(bundledProgram(compiled)).toBe(null)
})

it('runs the bundle of a package, whose files all have one time or that has no tsbuildinfo', () => {
  const bundle = written('bundle/program.js', 100)
  expect(bundledProgram(compiled)).toBe(bundle)
  written('tsconfig.tsbuildinfo', 100)
  expect(bundledProgram(compiled)).toBe(bundle)
})
