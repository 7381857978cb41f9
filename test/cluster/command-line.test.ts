// `millrace start` as a user types it: the start line, errors of one sentence, and the two signals.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { BrokerProcess, cli, dataFolder } from './broker-process.js'

let folder: ReturnType<typeof dataFolder>
beforeEach(() => {
  folder = dataFolder()
})
afterEach(() => folder.remove())

const run = (args: readonly string[], env: Record<string, string> = {}) => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  return { status, stderr: stderr.trim(), stdout: stdout.trim() }
}

it('prints one start line with time, memory, address and folder', async () => {
  const broker = await BrokerProcess.start({ folder: folder.path })
  const [line] = broker.output.split('\n')
  expect(line).toMatch(
    /^Millrace is ready on PLAINTEXT:\/\/127\.0\.0\.1:\d+ after \d+ ms with \d+ MB, node 0, data in \/\S+$/,
  )
  expect(line).toContain(folder.path)
  expect(await broker.signal('SIGTERM')).toBe(0)
})

it('leaves with one sentence and exit code 1 for a wrong flag, file or variable', () => {
  const file = join(folder.path, 'server.properties')
  writeFileSync(file, '# mine\nnum.partition=3\n')
  const cases: [string[], Record<string, string>, string][] = [
    [
      ['--config', file],
      {},
      `num.partition = 3 (${file} line 2) is not a config key that this broker or Kafka knows`,
    ],
    [['--set', 'num.partitions=0'], {}, 'num.partitions = 0 (--set) is not valid: Value must be at least 1'],
    [['--port', 'x'], {}, '--port x is not a port'],
    [
      [],
      { KAFKA_NUM_PARTITIONS: 'x' },
      'num.partitions = x (KAFKA_NUM_PARTITIONS) is not valid: Not a number of type INT',
    ],
    [['--log-level', 'loud'], {}, 'The log level loud is none of debug, info, warn, error, silent'],
  ]
  for (const [flags, env, sentence] of cases) {
    expect(run(['start', '--log-dirs', folder.path, ...flags], env)).toEqual({
      status: 1,
      stderr: sentence,
      stdout: '',
    })
  }
})

it('refuses a folder that another broker holds', async () => {
  const broker = await BrokerProcess.start({ folder: folder.path })
  const second = run(['start', '--port', '0', '--log-dirs', folder.path])
  expect(second).toMatchObject({ status: 1, stdout: '' })
  expect(second.stderr).toContain(folder.path)
  expect(second.stderr.split('\n')).toHaveLength(1)
  expect(await broker.signal('SIGINT')).toBe(0)
})
