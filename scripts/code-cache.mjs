// Starts the bundled program once, lets a client create a topic, produce and consume, and keeps the code that V8 made of
// what ran: a start then parses and compiles next to nothing (`ts/cli/bundle.ts`). Run by prepare.mjs, after bundle.mjs.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundledProgram, codeCacheOf, exportsOf, scriptOf } from '../dist/ts/cli/bundle.js'
import { stopEarlyNoMore } from '../dist/ts/cli/early-stop.js'
import { root } from './suite.mjs'

const cli = join(root, 'dist', 'ts', 'cli', 'main.js')

/** Resolves once the command has ended well; `input` goes to its standard input. */
async function command(args, input = '') {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.end(input)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`millrace ${args.join(' ')} left with ${code}`)
}

/** The port in the line that the broker prints when it is ready. */
function readyPort() {
  const write = process.stdout.write.bind(process.stdout)
  return new Promise((resolve) => {
    process.stdout.write = (line) => {
      process.stdout.write = write
      resolve(/:(\d+) /.exec(line)[1])
      return true
    }
  })
}

// They would be settings of this broker.
for (const name of Object.keys(process.env)) if (name.startsWith('KAFKA_')) delete process.env[name]
const folder = mkdtempSync(join(tmpdir(), 'millrace-build-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const bundle = bundledProgram(join(root, 'dist', 'ts', 'cli'))
const script = scriptOf(bundle)
const quick = ['--log-level', 'error', '--set', 'group.initial.rebalance.delay.ms=0']
const flags = ['--port', '0', '--log-dirs', join(folder, 'data'), ...quick]
process.argv = [process.execPath, cli, 'start', ...flags]
const ready = readyPort()
await exportsOf(script, bundle).run(stopEarlyNoMore)
const bootstrap = ['--bootstrap-server', `127.0.0.1:${await ready}`]
await command(['topic', 'create', 'first', ...bootstrap])
await command(['produce', 'first', ...bootstrap], 'a record\n')
await command(['consume', 'first', '--group', 'first', '--from', 'earliest', '--max', '1', ...bootstrap])
const fresh = `${codeCacheOf(bundle)}.${process.pid}`
writeFileSync(fresh, script.createCachedData())
renameSync(fresh, codeCacheOf(bundle))
process.kill(process.pid, 'SIGTERM')
