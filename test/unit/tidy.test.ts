// The house rules that a machine can hold: arrows between folders, banned calls, unused files, files too long.
// It reads the source as text and never runs it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** All files below a folder with that ending, as paths from the root. */
function files(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.includes('node_modules') && !path.includes('target/'))
    .sort()
}

const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** The text without comments, strings kept: rules are about code. */
const code = (path: string) => read(path).replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, '')

/** The code of a Rust file without its test module, which stands last by convention. */
const rustCode = (path: string) => code(path).split(/^#\[cfg\(test\)\]\s*\n(?:#\[.*\]\s*\n)*mod /m)[0] ?? ''

const typescript = files('ts', '.ts')
const rust = files('core-rs', '.rs').filter((path) => path.includes('/src/'))
/** The benchmark suite: held to what is said of files, free to use clocks and sockets. */
const suite = files('bench/suite', '.ts')
const loads = files('bench/src', '.rs')
/** Test modules that stand in files of their own may use the real file system. */
const isRustTest = (path: string) => /_tests?\.rs$|\/tests\.rs$|\/tests\/|\/testing\.rs$/.test(path)

/** Which folders of ts/ each folder may import besides itself. */
const TS_ARROWS: Readonly<Record<string, readonly string[]>> = {
  cli: ['index', 'config', 'protocol'],
  index: ['runtime', 'config'],
  runtime: ['api', 'state', 'protocol', 'native', 'config'],
  api: ['state', 'protocol', 'config'],
  state: ['protocol'],
  native: ['protocol'],
  config: [],
  protocol: [],
}

/** Which modules of the engine each module may use besides itself. */
const ENGINE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  node: ['conn', 'api', 'boundary', 'quorum', 'partition', 'log', 'storage', 'panics', 'time', 'uuid'],
  conn: ['api', 'storage', 'time', 'uuid'],
  boundary: ['time', 'uuid', 'api'],
  api: ['partition', 'log', 'storage', 'time', 'uuid'],
  quorum: ['log', 'storage', 'panics', 'time', 'uuid'],
  partition: ['log', 'storage', 'prefetch', 'time', 'uuid'],
  log: ['storage', 'prefetch', 'time', 'uuid'],
  storage: ['time'],
  panics: [],
  prefetch: [],
  time: [],
  uuid: [],
}

const tsRoom = (path: string) => path.split('/')[1]?.replace(/\.ts$/, '') ?? ''
const engineRoom = (path: string) => path.split('/')[3]?.replace(/\.rs$/, '') ?? ''

/** What a TypeScript file imports from this tree, as paths from the root. */
function imports(path: string): string[] {
  const found = code(path).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)
  return [...found].map(([, to = '']) =>
    relative(root, join(root, dirname(path), to)).replace(/\.js$/, '.ts'),
  )
}

describe('arrows point one way', () => {
  it('between the folders of ts/', () => {
    const wrong = typescript.flatMap((path) =>
      imports(path)
        .filter((to) => to.startsWith('ts/') && tsRoom(to) !== tsRoom(path))
        .filter((to) => !(TS_ARROWS[tsRoom(path)] ?? []).includes(tsRoom(to)))
        .map((to) => `${path} imports ${to}`),
    )
    expect(wrong).toEqual([])
  })

  it('between the modules of the engine', () => {
    const wrong = rust
      .filter((path) => path.startsWith('core-rs/engine/') && !path.endsWith('src/lib.rs'))
      .flatMap((path) =>
        [...rustCode(path).matchAll(/crate::(\w+)/g)]
          .map(([, to = '']) => to)
          .filter((to) => to !== engineRoom(path) && !(ENGINE_ARROWS[engineRoom(path)] ?? []).includes(to))
          .map((to) => `${path} uses crate::${to}`),
      )
    expect(wrong).toEqual([])
  })
})

describe('banned calls', () => {
  const found = (paths: readonly string[], banned: RegExp, text = code) =>
    paths.flatMap((path) => [...text(path).matchAll(banned)].map(([call]) => `${path}: ${call}`))

  it('no clock, timer, randomness or I/O in ts/state', () => {
    const pure = typescript.filter((path) => path.startsWith('ts/state/'))
    const banned =
      /Date\.now|new Date\(|performance\.|process\.|setTimeout|setInterval|setImmediate|Math\.random|randomUUID|from 'node:/g
    expect(found(pure, banned)).toEqual([])
  })

  it('no clock, thread, socket, randomness, file access or unsafe code in record and engine, but in the real storage', () => {
    const pure = rust.filter(
      (path) =>
        !path.startsWith('core-rs/addon/') &&
        !/storage\/(file|page_cache)\.rs$/.test(path) &&
        !isRustTest(path),
    )
    const banned = /Instant::now|SystemTime|std::thread|std::net|std::fs|\brand::/g
    expect(found(pure, banned, rustCode)).toEqual([])
    // Whoever calls what only some processors have must look first, and a prefetch takes an address.
    const excepted = ['core-rs/record/src/crc.rs', 'core-rs/engine/src/prefetch.rs']
    const safe = pure.filter((path) => !excepted.includes(path))
    expect(found(safe, /\bunsafe\b/g, rustCode)).toEqual([])
  })

  it('no unfinished work', () => {
    expect(
      found([...rust, ...typescript, ...suite, ...loads], /todo!|unimplemented!|TODO|FIXME/g, read),
    ).toEqual([])
  })
})

describe('files', () => {
  it('of ts/ are all used', () => {
    const entries = new Set(['ts/index.ts', 'ts/cli/main.ts', 'ts/runtime/coordinator-worker.ts'])
    const used = new Set([...typescript, ...files('test', '.ts')].flatMap(imports))
    expect(typescript.filter((path) => !used.has(path) && !entries.has(path))).toEqual([])
  })

  it('of the benchmark suite are all used by its runner, parts through their list', () => {
    const used = new Set(suite.flatMap(imports))
    expect(suite.filter((path) => !used.has(path) && path !== 'bench/suite/main.ts')).toEqual([])
  })

  it('of the crates are all declared as modules', () => {
    const unused = [...rust, ...loads].filter((path) => {
      if (/src\/(lib|main)\.rs$/.test(path)) return false
      const name = path.endsWith('/mod.rs') ? dirname(path) : path.replace(/\.rs$/, '')
      const neighbours = [...rust, ...loads].filter((other) => dirname(other) === dirname(path))
      if (neighbours.some((other) => code(other).includes(`#[path = "${path.split('/').at(-1)}"]`)))
        return false
      const parent = dirname(name)
      const homes = ['mod.rs', 'lib.rs', 'main.rs']
        .map((home) => join(parent, home))
        .concat(`${parent}.rs`)
        .filter((home) => existsSync(join(root, home)))
      return !homes.some((home) => new RegExp(`\\bmod ${name.split('/').at(-1)}\\b`).test(code(home)))
    })
    expect(unused).toEqual([])
  })

  it('open with a sentence that says what they own', () => {
    const silent = [...rust.filter((path) => !isRustTest(path)), ...typescript, ...suite, ...loads].filter(
      (path) => !/^(?:#!.*\n)?(?:\/\/|\/\*)/.test(read(path)),
    )
    expect(silent).toEqual([])
  })

  it('are at most 500 lines long, or at least named', () => {
    const long = [...rust, ...typescript, ...suite, ...loads].filter(
      (path) => read(path).split('\n').length > 500,
    )
    if (long.length > 0) console.warn(`files over 500 lines: ${long.join(', ')}`)
  })
})
