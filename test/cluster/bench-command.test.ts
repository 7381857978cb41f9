// `millrace bench` against real brokers, in the smallest sizes: what it prints, what it leaves, and how it ends when
// something is wrong. No test looks at how fast anything was.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadProgram } from '../../ts/cli/bench-load.js'
import { sizeOf } from '../../ts/cli/output.js'
import { BrokerProcess, cli, dataFolder, type Outcome } from './broker-process.js'

const folders = [dataFolder(), dataFolder()] as const
let broker: BrokerProcess
let other: BrokerProcess
beforeAll(async () => {
  broker = await BrokerProcess.start({ folder: folders[0].path })
  other = await BrokerProcess.start({ folder: folders[1].path })
})
afterAll(async () => {
  await broker.stop()
  await other.stop()
  for (const folder of folders) folder.remove()
})

function begun(args: readonly string[], bootstrap = broker.bootstrap) {
  const child = spawn(process.execPath, [cli, ...args, '-b', bootstrap], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const ended = new Promise<Outcome>((resolve) =>
    child.on('close', (code, signal) => resolve({ code: code ?? signal ?? 'gone', stdout, stderr })),
  )
  return { child, ended }
}

const ran = (args: readonly string[], bootstrap?: string) => begun(args, bootstrap).ended

async function json(args: readonly string[], bootstrap?: string) {
  const { code, stdout, stderr } = await ran([...args, '--json'], bootstrap)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

async function topicsOf(bootstrap: string): Promise<string[]> {
  return (await json(['topic', 'list'], bootstrap)).map((one: { name: string }) => one.name)
}

/** The first line of progress: the load is under way. */
const underWay = (child: ChildProcess) => once(child.stderr as NonNullable<ChildProcess['stderr']>, 'data')

it('measures all parts at two clusters in turns, and leaves neither a topic', async () => {
  const args = ['bench', 'all', '--compare', other.bootstrap, '--rounds', '2', '--size', '300KiB']
  const small = [
    '--batch-size',
    '16384',
    '-z',
    'lz4',
    '--acks',
    'all',
    '--duration',
    '1',
    '--throughput',
    '100',
  ]
  const { code, stdout } = await ran([...args, ...small, '--json'])
  expect(code).toBe(0)
  const { parts } = JSON.parse(stdout)
  expect(parts.map((one: { part: string }) => one.part)).toEqual(['produce', 'consume', 'latency'])
  for (const { servers, ratio } of parts) {
    expect(servers.map((one: { bootstrapServer: string }) => one.bootstrapServer)).toEqual([
      broker.bootstrap,
      other.bootstrap,
    ])
    for (const server of servers) {
      expect(server.rounds).toHaveLength(2)
      expect(server.p50Ms).toBeGreaterThan(0)
      expect(server.p999Ms).toBeGreaterThanOrEqual(server.p50Ms)
    }
    expect(ratio.recordsPerSecond).toBeCloseTo(servers[0].recordsPerSecond / servers[1].recordsPerSecond)
  }
  expect([...(await topicsOf(broker.bootstrap)), ...(await topicsOf(other.bootstrap))]).toEqual([])
})

it('writes to a topic that is named and reads it from its start, and keeps it', async () => {
  await ran(['topic', 'create', 'kept'])
  await ran(['produce', 'kept', '-v', 'before'])
  const produced = ['bench', 'produce', '--topic', 'kept', '--size', '100KiB', '--record-size', '100']
  const table = (await ran([...produced, '--batch-size', '16384'])).stdout
  expect(table).toMatch(/^PART +RECORDS\/S +MIB\/S +P50 MS +P95 MS +P99 MS +P99\.9 MS +MAX MS\nproduce +\d/)
  const consumed = (await json(['bench', 'consume', '--topic', 'kept'])).parts[0].servers[0].rounds[0].records
  const [described] = await json(['topic', 'describe', 'kept'])
  expect(described.partitions[0].highWatermark).toBe(consumed)
  expect(consumed).toBeGreaterThan(800)
  await ran(['topic', 'delete', 'kept'])
})

it('loads the leader where the cluster advertises it, whoever was asked first', async () => {
  let passed = 0
  const relay = createServer((client: Socket) => {
    const server = connect(broker.port, broker.host)
    client.on('data', (chunk) => {
      passed += chunk.length
    })
    for (const socket of [client, server]) socket.on('error', () => {})
    client.pipe(server).pipe(client)
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  const address = relay.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const { parts } = await json(
    ['bench', 'produce', '--size', '1MiB', '--batch-size', '16384'],
    `127.0.0.1:${port}`,
  )
  expect(parts[0].servers[0].rounds[0].bytes).toBeGreaterThan(1_000_000)
  expect(passed).toBeGreaterThan(0)
  expect(passed).toBeLessThan(10_000)
  relay.close()
})

it('says in one sentence what is wrong', async () => {
  await ran(['topic', 'create', 'empty'])
  const cases: [string[], RegExp][] = [
    [['--compare', '127.0.0.1:1'], /^No broker can be reached at 127\.0\.0\.1:1: .*ECONNREFUSED/],
    [
      ['--compare', 'no.such.host.invalid:9092'],
      /^No broker can be reached at no\.such\.host\.invalid:9092: /,
    ],
    [['--compare', 'nowhere'], /^--compare nowhere: "nowhere" is not host:port\.$/],
    [['--compare', broker.bootstrap], /^--compare names the same cluster as --bootstrap-server\.$/],
    [['--topic', 'nope'], /^Topic nope does not exist\./],
    [['--topic', 'empty'], /^Partition 0 of topic empty at \S+ has no records to read\.$/],
    [['--batch-size', '1000'], /^--batch-size 1000 holds no record of 1024 bytes \(--record-size\)\.$/],
    [
      ['--batch-size', '2000000', '--size', '1MiB'],
      /^Cannot write to topic \S+ at \S+: .* \(MESSAGE_TOO_LARGE\)\.$/,
    ],
    [['--acks', '0'], /^--acks 0 is none of all, 1\.$/],
  ]
  for (const [args, sentence] of cases) {
    const { code, stdout, stderr } = await ran(['bench', 'consume', ...args])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.trim()).toMatch(sentence)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  }
  expect(await topicsOf(broker.bootstrap)).toEqual(['empty'])
  expect(() => loadProgram('/')).toThrow(/`npm run build` in the folder of Millrace builds it\.$/)
})

it('deletes its topic when it is interrupted', async () => {
  const { child, ended } = begun(['bench', 'latency', '--throughput', '100', '--duration', '600'])
  await underWay(child)
  expect(await topicsOf(broker.bootstrap)).toContainEqual(expect.stringMatching(/^millrace-bench-/))
  child.kill('SIGINT')
  const { code, stderr } = await ended
  expect(code).toBe(1)
  expect(stderr).toMatch(/\nStopped before the end\.\n$/)
  expect((await topicsOf(broker.bootstrap)).filter((name) => name.startsWith('millrace-bench-'))).toEqual([])
})

it('ends with a sentence when the broker goes away, and says what it could not delete', async () => {
  const folder = dataFolder()
  const mortal = await BrokerProcess.start({ folder: folder.path })
  const args = ['bench', 'latency', '--throughput', '100', '--duration', '600', '--timeout', '5000']
  const { child, ended } = begun(args, mortal.bootstrap)
  await underWay(child)
  await mortal.kill()
  const { code, stderr } = await ended
  expect(code).toBe(1)
  expect(stderr).toMatch(/^Cannot write to topic millrace-bench-\S+ at \S+: it closed the connection\.$/m)
  expect(stderr).toMatch(
    /^(The broker|No broker) .* is still there: `millrace topic delete millrace-bench-\S+ -b \S+` deletes it\.$/m,
  )
  folder.remove()
})

it('ends with a sentence when the broker does not answer any more', async () => {
  const folder = dataFolder()
  const mortal = await BrokerProcess.start({ folder: folder.path })
  const args = ['bench', 'latency', '--throughput', '100', '--duration', '600', '--timeout', '2500']
  const { child, ended } = begun(args, mortal.bootstrap)
  await underWay(child)
  process.kill(mortal.pid, 'SIGSTOP')
  const { code, stderr } = await ended
  expect(code).toBe(1)
  expect(stderr).toMatch(/^Cannot write to topic \S+ at \S+: it did not answer within 2500 ms\.$/m)
  await mortal.kill()
  folder.remove()
})

it('reads sizes with and without units', () => {
  expect(['1GiB', '512 MiB', '1.5kib', '77', '2B'].map(sizeOf)).toEqual([2 ** 30, 2 ** 29, 1536, 77, 2])
  expect(['', 'x', '1GB2', '-1', '1XiB'].map(sizeOf)).toEqual(Array(5).fill(undefined))
})
