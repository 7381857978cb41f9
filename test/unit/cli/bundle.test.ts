// Which program the command line runs: the bundle, but never one of code that has been compiled again since; and the
// code that V8 kept of it, but never that of another program.
import { execFile } from 'node:child_process'
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bundledProgram, codeCacheOf, exportsOf, scriptOf } from '../../../ts/cli/bundle.js'
import { cli, dataFolder } from '../../cluster/broker-process.js'

const run = promisify(execFile)

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

const said = (bundle: string) => (exportsOf(scriptOf(bundle), bundle) as { said: () => string }).said()

function program(code: string): string {
  const bundle = written('bundle/program.cjs', 100)
  writeFileSync(bundle, code)
  return bundle
}

it('runs the bundle that was made of the last compilation', () => {
  written('tsconfig.tsbuildinfo', 100)
  const bundle = written('bundle/program.cjs', 101)
  expect(bundledProgram(compiled)).toBe(bundle)
})

it('runs the compiled files where there is no bundle, or one of an earlier compilation', () => {
  written('tsconfig.tsbuildinfo', 100)
  expect(bundledProgram(compiled)).toBe(null)
  written('bundle/program.cjs', 99)
  expect(bundledProgram(compiled)).toBe(null)
})

it('runs the bundle of a package, whose files all have one time or that has no tsbuildinfo', () => {
  const bundle = written('bundle/program.cjs', 100)
  expect(bundledProgram(compiled)).toBe(bundle)
  written('tsconfig.tsbuildinfo', 100)
  expect(bundledProgram(compiled)).toBe(bundle)
})

describe('the code that V8 kept of a bundle', () => {
  it('is taken where it is of this program', () => {
    const bundle = program("exports.said = () => 'one'")
    const script = scriptOf(bundle)
    expect(script.cachedDataRejected).toBe(undefined)
    writeFileSync(codeCacheOf(bundle), script.createCachedData())
    expect(scriptOf(bundle).cachedDataRejected).toBe(false)
    expect(said(bundle)).toBe('one')
  })

  it('is passed over where it is of another program, or none at all', () => {
    const bundle = program("exports.said = () => 'one'")
    writeFileSync(codeCacheOf(bundle), scriptOf(bundle).createCachedData())
    program("exports.said = () => 'another'")
    expect(scriptOf(bundle).cachedDataRejected).toBe(true)
    expect(said(bundle)).toBe('another')
    for (const cache of [Buffer.alloc(0), Buffer.alloc(5000, 7)]) {
      writeFileSync(codeCacheOf(bundle), cache)
      expect(said(bundle)).toBe('another')
    }
  })

  it('is there for what the build left', async () => {
    const built = bundledProgram(dirname(cli))
    expect(built).not.toBe(null)
    // Under the flags of this process V8 may pass over it: a plain one tells.
    const asked = `import(${JSON.stringify(pathToFileURL(join(dirname(cli), 'bundle.js')).href)})
      .then(({ scriptOf }) => process.stdout.write(String(scriptOf(process.argv[1]).cachedDataRejected)))`
    const { stdout } = await run(process.execPath, ['-e', asked, String(built)])
    expect(stdout).toBe('false')
  })
})

it('a bundle requires what it does not hold', () => {
  const bundle = program("exports.said = () => require('node:path').join('a', 'b')")
  expect(said(bundle)).toBe('a/b')
})
