// The commands that talk to a cluster, as a person and as a program would call them, against a real broker.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrokerProcess, cli, dataFolder } from './broker-process.js'

let folder: ReturnType<typeof dataFolder>
let broker: BrokerProcess
beforeAll(async () => {
  folder = dataFolder()
  broker = await BrokerProcess.start({ folder: folder.path })
})
afterAll(async () => {
  await broker.stop()
  folder.remove()
})

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function millrace(args: readonly string[], input = '', bootstrap = broker.bootstrap): Promise<Ran> {
  const env = { ...process.env, MILLRACE_BOOTSTRAP_SERVER: bootstrap }
  const child = spawn(process.execPath, [cli, ...args], { env })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  child.stdin.end(input)
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err: err.trim() })))
}

async function ok(args: readonly string[], input = ''): Promise<string> {
  const { code, out, err } = await millrace(args, input)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out
}

const json = async (args: readonly string[], input = '') => JSON.parse(await ok([...args, '--json'], input))

/** The one sentence that a command failed with. */
async function failure(args: readonly string[]): Promise<string> {
  const { code, err } = await millrace(args)
  expect(code).toBe(1)
  expect(err.split('\n')).toHaveLength(1)
  return err
}

describe('millrace topic', () => {
  it('makes, lists, describes, grows, trims and deletes a topic', async () => {
    expect(await ok(['topic', 'create', 'life', '-p', '2', '-c', 'retention.ms=60000'])).toBe(
      'Created topic life with 2 partitions.\n',
    )
    await ok(['topic', 'grow', 'life', '3'])
    await ok(['produce', 'life', '--partition', '1', '-v', 'a', '-v', 'b'])
    expect(await ok(['topic', 'trim', 'life', '--partition', '1', '--before', '1'])).toBe(
      'PARTITION  STARTS AT\n        1          1\n',
    )
    const [described] = await json(['topic', 'describe', 'life'])
    expect(
      described.partitions.map((one: { logStartOffset: number; highWatermark: number }) => [
        one.logStartOffset,
        one.highWatermark,
      ]),
    ).toEqual([
      [0, 0],
      [1, 2],
      [0, 0],
    ])
    expect(await ok(['topic', 'list'])).toMatch(/^TOPIC +PARTITIONS +REPLICAS +ID\n(.*\n)*life +3 +1 /)
    expect(await ok(['topic', 'delete', 'life'])).toBe('Deleted life.\n')
    expect((await json(['topic', 'list'])).map((one: { name: string }) => one.name)).not.toContain('life')
  })

  it('says in one sentence what is wrong and what to do', async () => {
    expect(await failure(['topic', 'describe', 'nope'])).toBe(
      'Topic nope does not exist. `millrace topic list` shows the topics that do.',
    )
    expect(await failure(['topic', 'create', 'a/b'])).toMatch(
      /^Cannot create topic a\/b: .* \(INVALID_TOPIC_EXCEPTION\)\.$/,
    )
    expect(await failure(['topic', 'delete', 'nope'])).toMatch(/With --if-exists that is no error\.$/)
    expect(await ok(['topic', 'delete', 'nope', '--if-exists'])).toBe('There was nothing to delete.\n')
    expect((await millrace(['topic', 'list'], '', '127.0.0.1:1')).err).toMatch(
      /^No broker can be reached at 127\.0\.0\.1:1: .* Start one with `millrace start`, or name another with --bootstrap-server\.$/,
    )
    expect((await millrace(['topic', 'list'], '', 'nowhere')).err).toBe(
      '--bootstrap-server nowhere: "nowhere" is not host:port.',
    )
  })
})

describe('millrace produce and consume', () => {
  it('carry keys, headers and bytes of every codec from topic to topic', async () => {
    await ok(['topic', 'create', 'from', '-p', '1'])
    await ok(['topic', 'create', 'to', '-p', '1'])
    for (const codec of ['none', 'gzip', 'snappy', 'lz4']) {
      await ok(
        ['produce', 'from', '-z', codec, '--key-separator', ':', '-H', `codec=${codec}`],
        `k1:${codec} one\nk2:${codec} two\n`,
      )
    }
    const lines = await ok(['consume', 'from', '--exit', '--json'])
    expect(
      lines
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    ).toHaveLength(8)
    await ok(['produce', 'to', '--json'], lines)
    const [template, args] = ['%k %s %h\\n', ['--exit', '--format']]
    const copied = await ok(['consume', 'to', ...args, template])
    expect(copied).toBe(await ok(['consume', 'from', ...args, template]))
    expect(copied.split('\n')[7]).toBe('k2 lz4 two codec=lz4')
  })

  it('read bytes that are no text, tombstones and files', async () => {
    await ok(['topic', 'create', 'bytes', '-p', '1'])
    const file = join(folder.path, 'lines.json')
    writeFileSync(file, '{"key":"/w==","value":"AAE="}\n{"key":"aw=="}\n')
    await ok(['produce', 'bytes', '--json', '--encoding', 'base64', '--file', file])
    const records = (await ok(['consume', 'bytes', '--exit', '--json', '--encoding', 'hex']))
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
    expect(records.map(({ key, value }) => [key, value])).toEqual([
      ['ff', '0001'],
      ['6b', null],
    ])
    expect(readFileSync(file, 'utf8')).toContain('AAE=')
  })

  it('begin where they are told and end where they are told', async () => {
    await ok(['topic', 'create', 'where', '-p', '1'])
    await ok(['produce', 'where'], '0\n1\n2\n3\n')
    expect(await ok(['consume', 'where', '--from', '1', '--max', '2'])).toBe('1\n2\n')
    expect(await ok(['consume', 'where', '--from', '2099-01-01T00:00:00Z', '--exit'])).toBe('')
    expect(
      await ok(['consume', 'where', '--from', '2001-01-01T00:00:00Z', '--exit', '--format', '%o,']),
    ).toBe('0,1,2,3,')
    expect(await failure(['consume', 'where', '--from', '99', '--exit'])).toBe(
      'No partition of topic where reaches offset 99. `millrace topic describe where` shows what is there.',
    )
  })

  it('name the line of the input that is wrong, and how much was written before', async () => {
    await ok(['topic', 'create', 'lines', '-p', '1'])
    const { code, err } = await millrace(
      ['produce', 'lines', '--json', '--batch', '1'],
      '{"value":"a"}\n{"value":7}\n',
    )
    expect({ code, err }).toEqual({ code: 1, err: 'Line 2 of the input has a value that is not a string.' })
    expect(await ok(['consume', 'lines', '--exit'])).toBe('a\n')
  })
})

describe('millrace group', () => {
  it('shows lag, moves, forgets and deletes', async () => {
    await ok(['topic', 'create', 'work', '-p', '1'])
    await ok(['produce', 'work'], '0\n1\n2\n3\n4\n')
    expect(await ok(['consume', 'work', '--group', 'g', '--from', 'earliest', '--max', '3'])).toBe(
      '0\n1\n2\n',
    )
    const lag = async () =>
      (await json(['group', 'describe', 'g'])).offsets.map((one: { committed: number; lag: number }) => [
        one.committed,
        one.lag,
      ])
    expect(await lag()).toEqual([[3, 2]])
    const move = ['group', 'move', 'g', '--topic', 'work:0', '--shift-by', '-2']
    expect(await ok(move)).toContain('Nothing has been changed')
    expect(await lag()).toEqual([[3, 2]])
    await ok([...move, '--execute'])
    expect(await lag()).toEqual([[1, 4]])
    expect(await ok(['consume', 'work', '--group', 'g', '--max', '1'])).toBe('1\n')
    expect(await ok(['group', 'forget', 'g', '--topic', 'work'])).toBe('Group g forgot work:0.\n')
    expect(await lag()).toEqual([])
    expect((await json(['group', 'list'])).map((one: { group: string }) => one.group)).toContain('g')
    expect(await ok(['group', 'delete', 'g'])).toBe('Deleted g.\n')
    expect(await failure(['group', 'describe', 'g'])).toMatch(/^Group g does not exist\./)
    expect(await failure(['group', 'move', 'g', '--topic', 'work'])).toMatch(/^Say where to: /)
  })
})

describe('millrace config and cluster', () => {
  it('set, show and unset configs of topics and brokers', async () => {
    await ok(['topic', 'create', 'conf', '-p', '1'])
    await ok(['config', 'set', 'topic', 'conf', 'retention.ms=1000', 'max.message.bytes=2000'])
    await ok(['config', 'set', 'topic', 'conf', 'cleanup.policy=compact', '--append'])
    expect(await ok(['config', 'get', 'topic', 'conf'])).toBe(
      [
        'CONFIG             VALUE           FROM',
        'cleanup.policy     delete,compact  topic',
        'max.message.bytes  2000            topic',
        'retention.ms       1000            topic',
        '',
      ].join('\n'),
    )
    await ok(['config', 'unset', 'topic', 'conf', 'retention.ms', 'max.message.bytes', 'cleanup.policy'])
    expect(await json(['config', 'get', 'topic', 'conf'])).toEqual([])
    await ok(['config', 'set', 'broker', 'default', 'log.retention.ms=7000'])
    expect(await json(['config', 'get', 'broker', '0', 'log.retention.ms'])).toMatchObject([
      { name: 'log.retention.ms', value: '7000', source: 'all brokers, dynamic' },
    ])
    expect(await failure(['config', 'get', 'topic', 'conf', 'retention.mss'])).toMatch(
      /^There is no config retention\.mss of a topic\./,
    )
    expect(await failure(['config', 'set', 'topic', 'conf', 'retention.ms=soon'])).toMatch(
      /\(INVALID_CONFIG\)\.$/,
    )
  })

  it('show brokers, quorum, disks and APIs', async () => {
    const cluster = await json(['cluster', 'describe'])
    expect(cluster).toMatchObject({ controllerId: 0, brokers: [{ brokerId: 0 }], quorum: { voters: [0] } })
    expect(await ok(['cluster', 'describe'])).toContain(`Cluster ${cluster.clusterId}`)
    expect(await json(['cluster', 'disks'])).toMatchObject([{ broker: 0, path: folder.path, online: true }])
    expect(await json(['cluster', 'apis'])).toContainEqual(
      expect.objectContaining({ key: 0, name: 'Produce', maxVersion: 13 }),
    )
  })
})

describe('millrace', () => {
  it('completes commands and flags in bash', async () => {
    const script = await ok(['completion', 'bash'])
    const complete = (line: string) =>
      new Promise<string[]>((resolve) => {
        const words = line.split(' ').map((word) => `'${word}'`)
        const call = `${script}\nCOMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _millrace; echo "\${COMPREPLY[@]}"`
        const child = spawn('bash', ['-c', call])
        let out = ''
        child.stdout.on('data', (chunk) => {
          out += chunk
        })
        child.on('close', () => resolve(out.trim().split(' ')))
      })
    expect(await complete('millrace to')).toEqual(['topic'])
    expect(await complete('millrace topic de')).toEqual(['describe', 'delete'])
    expect(await complete('millrace topic create --part')).toEqual(['--partitions'])
  })

  it('has examples in the help of every command that talks to a cluster', async () => {
    expect(await ok(['topic', 'create', '--help'])).toContain('Examples:\n  millrace topic create orders')
    expect(await ok(['--help'])).toMatch(/topic .*\n.*\n?.*group /)
  })
})
