// Starts that cannot succeed: each is one sentence on stderr that names what to mend, exit code 1, nothing on stdout.
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { BrokerProcess, cli, dataFolder, type Outcome, runNode } from './broker-process.js'

let folder: ReturnType<typeof dataFolder>
beforeEach(() => {
  folder = dataFolder()
})
afterEach(() => folder.remove())

const start = (flags: readonly string[], env = {}) => runNode([cli, 'start', ...flags], env)
const inFolder = (...parts: string[]) => join(folder.path, ...parts)
const write = (name: string, text: string | Buffer) => {
  writeFileSync(inFolder(name), text)
  return inFolder(name)
}

/** A whole sentence, and nothing of the program behind it. */
function expectSentence({ code, stdout, stderr }: Outcome, sentence: string): void {
  expect(stderr).toContain(sentence)
  expect(stderr.trim().split('\n'), 'one line').toHaveLength(1)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
}

const meta = (text: string) => {
  mkdirSync(inFolder('data'))
  write('data/meta.properties', text)
}

it.each([
  ['a key that nobody knows', ['--set', 'log.dir.s=/x'], 'log.dir.s = /x (--set) is not a config key'],
  ['a value out of range', ['--set', 'num.partitions=0'], 'num.partitions = 0 (--set) is not valid'],
  [
    'an authorizer that is not there',
    ['--set', 'authorizer.class.name=com.example.Mine'],
    'authorizer.class.name = com.example.Mine (--set) is not valid: there is no authorizer but org.apache.kafka',
  ],
  [
    'a super user without a type',
    ['--set', 'super.users=User:a;bob'],
    'super.users = User:a;bob (--set) is not valid: expected principals in the form of type:name',
  ],
  ['--set without a value', ['--set', 'num.partitions'], '--set num.partitions is not of the form key=value'],
  [
    'a listener without a name',
    ['--listeners', '127.0.0.1:9092'],
    'listeners = 127.0.0.1:9092 (--listeners)',
  ],
  ['a port above 65535', ['--port', '65536'], '65536'],
  [
    'a listener of a protocol that is not served',
    ['--listeners', 'SSL://127.0.0.1:0'],
    'security protocol SSL is not supported yet',
  ],
  [
    'a listener name that has no protocol',
    ['--listeners', 'INSIDE://127.0.0.1:0'],
    'listener.security.protocol.map has no entry for INSIDE',
  ],
  ['two flags for one thing', ['--port', '0', '--listeners', 'PLAINTEXT://:0'], '--port and --listeners'],
  [
    'an address that this machine does not have',
    ['--listeners', 'PLAINTEXT://192.0.2.1:9092'],
    '192.0.2.1:9092',
  ],
  ['a negative node.id', ['--node-id', '-5'], 'node.id = -5 (--node-id)'],
  [
    'two ids of one node',
    ['--set', 'node.id=1', '--set', 'broker.id=2'],
    'node.id = 1 (--set) and broker.id = 2',
  ],
])('%s', async (_, flags, sentence) => {
  expectSentence(await start([...flags, '--log-dirs', inFolder('data')]), sentence)
})

it('a config file that is not there, or is a folder', async () => {
  const missing = inFolder('missing.properties')
  expectSentence(
    await start(['--config', missing]),
    `The config file ${missing} cannot be read: no such file or directory\n`,
  )
  expectSentence(
    await start(['--config', folder.path]),
    `The config file ${folder.path} cannot be read: illegal operation on a directory\n`,
  )
})

it('a bad value in a config file, with the line it stands on', async () => {
  const file = write(
    'server.properties',
    '# one\n\nlisteners=PLAINTEXT://127.0.0.1:0\nnum.partitions=three\n',
  )
  expectSentence(await start(['--config', file]), `num.partitions = three (${file} line 4) is not valid`)
})

it('a folder that is a file, or lies below one', async () => {
  const file = write('data', '')
  expectSentence(await start(['--log-dirs', file]), `The log directory ${file} is a file, not a folder\n`)
  expectSentence(
    await start(['--log-dirs', join(file, 'deeper')]),
    `The log directory ${file}/deeper cannot be created: not a directory\n`,
  )
})

// Not even root may create a folder there.
it.runIf(process.platform === 'linux')('a folder that cannot be created', async () => {
  for (const dir of ['/sys/millrace', '/proc/millrace', '/proc/millrace/deeper']) {
    expectSentence(await start(['--log-dirs', dir]), `The log directory ${dir} cannot be created: `)
  }
})

it.skipIf(process.getuid?.() === 0)('a folder without permission to write', async () => {
  mkdirSync(inFolder('data'), { mode: 0o500 })
  expectSentence(await start(['--log-dirs', inFolder('data'), '--port', '0']), 'permission denied')
})

it.each([
  ['of another node', 'version=1\ncluster.id=aaaaaaaaaaaaaaaaaaaaaa\nnode.id=7\n', 'belongs to node 7'],
  [
    'without a cluster',
    'version=1\ncluster.id=\nnode.id=0\n',
    'is damaged: it lacks a cluster.id or a node.id',
  ],
  ['without a node', 'version=1\ncluster.id=aaaaaaaaaaaaaaaaaaaaaa\n', 'lacks a cluster.id or a node.id'],
  ['that is empty', '', 'is damaged: its version is missing, expected 1'],
  ['of the future', 'version=9\n', 'is damaged: its version is 9, expected 1'],
  ['of zeroes', '\0'.repeat(80), 'is damaged: its version is missing, expected 1'],
])('a meta.properties %s', async (_, text, sentence) => {
  meta(text)
  const outcome = await start(['--log-dirs', inFolder('data'), '--port', '0'])
  expectSentence(outcome, sentence)
  expect(outcome.stderr).toContain('meta.properties')
})

it('folders of two clusters', async () => {
  const folders = [inFolder('one'), inFolder('two')]
  for (const path of folders) await (await BrokerProcess.start({ folder: path })).stop()
  expectSentence(
    await start(['--port', '0', '--log-dirs', folders.join(',')]),
    `The log directory ${inFolder('two')} belongs to cluster`,
  )
})

it('a port in use; whoever has it is not disturbed, and the folder is free for the next start', async () => {
  const broker = await BrokerProcess.start({ folder: inFolder('one') })
  try {
    const outcome = await start(['--port', String(broker.port), '--log-dirs', inFolder('two')])
    expectSentence(
      outcome,
      `The listener PLAINTEXT://127.0.0.1:${broker.port} cannot be opened: Address already in use`,
    )
    const socket = connect(broker.port, '127.0.0.1')
    await new Promise((resolve, reject) => socket.on('connect', resolve).on('error', reject))
    socket.destroy()
  } finally {
    await broker.stop()
  }
  await (await BrokerProcess.start({ folder: inFolder('two') })).stop()
})
