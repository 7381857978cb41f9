// Connections as a running broker takes them: caps that are changed meanwhile, listeners that come and go, a stop
// before there is a broker, and what clients that behave badly may do to one that does not.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apiVersions, describeConfigs, incrementalAlterConfigs, metadata } from '../../ts/protocol/index.js'
import { recordBatch } from '../record-batch.js'
import { freePorts } from './broker-files.js'
import { BrokerProcess, cli, dataFolder } from './broker-process.js'
import { RawClient } from './raw-client.js'

const BROKER = 4
const NODE_ID = '0'
const INVALID_REQUEST = 42

let folder: ReturnType<typeof dataFolder>
let broker: BrokerProcess
const clients: RawClient[] = []
beforeEach(() => {
  folder = dataFolder()
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await broker?.kill()
  folder.remove()
})

async function start(settings: Record<string, string> = {}, listeners?: string): Promise<void> {
  broker = await BrokerProcess.start({ folder: folder.path, settings, ...(listeners && { listeners }) })
}

async function open(port = broker.port, host?: string): Promise<RawClient> {
  const client = await RawClient.open(port, host)
  clients.push(client)
  return client
}

const ask = (client: RawClient) =>
  client.request(apiVersions, 3, { clientSoftwareName: 'raw', clientSoftwareVersion: '1' })

/** Sets configs of this broker, or of all (`''`); null takes one away. Resolves to the error code and its sentence. */
async function alter(client: RawClient, configs: Record<string, string | null>, resourceName = NODE_ID) {
  const response = await client.request(incrementalAlterConfigs, 1, {
    resources: [
      {
        resourceType: BROKER,
        resourceName,
        configs: Object.entries(configs).map(([name, value]) => ({
          name,
          configOperation: value === null ? 1 : 0,
          value,
        })),
      },
    ],
    validateOnly: false,
  })
  const { errorCode, errorMessage } = response.responses[0] ?? { errorCode: -1, errorMessage: '' }
  return { errorCode, errorMessage }
}

const DONE = { errorCode: 0, errorMessage: null }

describe('a cap', () => {
  it('of the broker or a listener lets connections wait until others go, and is changed while it runs', async () => {
    await start()
    const admin = await open()
    expect(await alter(admin, { 'max.connections': '2' }, '')).toEqual(DONE)
    const second = await open()
    await ask(second)
    const third = await open()
    let answered = false
    const answer = ask(third).then(() => {
      answered = true
    })
    await ask(second)
    expect(answered).toBe(false)
    second.close()
    await answer
    const fourth = await open()
    const raised = ask(fourth)
    const name = 'listener.name.plaintext.max.connections'
    expect(await alter(admin, { 'max.connections': '100', [name]: '2' }, '')).toEqual(DONE)
    third.close()
    await raised
    const refused = await alter(admin, { [name]: '-1' }, '')
    expect(refused.errorCode).toBe(INVALID_REQUEST)
    expect(refused.errorMessage).toContain(name)
  })

  it('of an address closes what is too much, and an address may have its own', async () => {
    await start()
    const admin = await open()
    const overrides = 'max.connections.per.ip.overrides'
    expect(await alter(admin, { 'max.connections.per.ip': '1' }, '')).toEqual(DONE)
    await (await open()).closed()
    expect(await alter(admin, { [overrides]: 'localhost:2' }, '')).toEqual(DONE)
    // The name is looked up after the answer.
    const retry = async (): Promise<void> => {
      try {
        await ask(await open())
      } catch {
        await retry()
      }
    }
    await retry()
    await (await open()).closed()
    expect((await alter(admin, { [overrides]: 'localhost' }, '')).errorMessage).toContain(overrides)
  })
})

describe('a listener', () => {
  const map = { 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,EXTRA:PLAINTEXT' }
  const brokers = async (client: RawClient) => {
    const response = await client.request(metadata, 12, {
      topics: [],
      includeTopicAuthorizedOperations: false,
    })
    return response.brokers.map(({ host, port }) => `${host}:${port}`)
  }

  it('is added and removed while the broker runs, is there after a restart, and takes its connections with it', async () => {
    const [main = 0, extra = 0] = await freePorts(2)
    const first = `PLAINTEXT://127.0.0.1:${main}`
    const both = `${first},EXTRA://127.0.0.1:${extra}`
    await start(map, first)
    const admin = await open(main)
    expect(await alter(admin, { listeners: both })).toEqual(DONE)
    expect(await brokers(await open(extra))).toEqual([`127.0.0.1:${extra}`])
    expect(await brokers(admin)).toEqual([`127.0.0.1:${main}`])
    expect(await alter(admin, { 'advertised.listeners': `${first},EXTRA://elsewhere:7` })).toEqual(DONE)
    expect(await brokers(await open(extra))).toEqual(['elsewhere:7'])
    await broker.stop()

    await start(map, first)
    const onExtra = await open(extra)
    expect(await brokers(onExtra)).toEqual(['elsewhere:7'])
    const again = await open(main)
    const { results } = await again.request(describeConfigs, 1, {
      resources: [{ resourceType: BROKER, resourceName: NODE_ID, configurationKeys: ['listeners'] }],
    })
    expect(results[0]?.configs[0]).toMatchObject({ value: both, configSource: 2 })
    const orphan = await alter(again, { listeners: first })
    expect(orphan.errorCode).toBe(INVALID_REQUEST)
    expect(orphan.errorMessage).toContain('advertised.listeners')
    // By the listener that goes: its own answer still comes.
    expect(await alter(onExtra, { listeners: null, 'advertised.listeners': null })).toEqual(DONE)
    await onExtra.closed()
    await expect(open(extra)).rejects.toThrow('ECONNREFUSED')
    expect(await brokers(again)).toEqual([`127.0.0.1:${main}`])
  })

  it('whose address cannot be had is refused with the reason, and nothing changes', async () => {
    const [main = 0] = await freePorts(1)
    const first = `PLAINTEXT://127.0.0.1:${main}`
    await start(map, first)
    const admin = await open()
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as { port: number }
    const refused = await alter(admin, { listeners: `${first},EXTRA://127.0.0.1:${port}` })
    expect(refused.errorCode).toBe(INVALID_REQUEST)
    expect(refused.errorMessage).toContain(
      `EXTRA://127.0.0.1:${port} cannot be opened: Address already in use`,
    )
    for (const [listeners, reason] of [
      ['EXTRA://127.0.0.1', 'expected NAME://host:port'],
      [`${first},OTHER://127.0.0.1:0`, 'listener.security.protocol.map has no entry for OTHER'],
      [`PLAINTEXT://127.0.0.1:${port}`, 'existing listener PLAINTEXT'],
      ['', 'List must not be empty'],
    ] as const) {
      const { errorCode, errorMessage } = await alter(admin, { listeners })
      expect({ listeners, errorCode }).toEqual({ listeners, errorCode: INVALID_REQUEST })
      expect(errorMessage).toContain(reason)
    }
    taken.close()
    await once(taken, 'close')
    expect(await alter(admin, { listeners: `${first},EXTRA://127.0.0.1:${port}` })).toEqual(DONE)
    await ask(await open(port))
  })

  const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === '::1'),
  )

  it.runIf(hasIpv6)('without a host takes IPv4 and IPv6, and counts one address as one', async () => {
    await start({ 'max.connections.per.ip.overrides': '127.0.0.1:1,[::1]:1' }, 'PLAINTEXT://:0')
    await ask(await open(broker.port, '127.0.0.1'))
    await ask(await open(broker.port, '::1'))
    await (await open(broker.port, '127.0.0.1')).closed()
    await (await open(broker.port, '::1')).closed()
  })
})

it('a stop that is asked for before there is a broker ends with exit code 0', async () => {
  await start()
  await broker.stop()
  const child = spawn(process.execPath, ['--import', signalAtFirstImport, cli, 'start', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [code, signal] = await once(child, 'exit')
  expect({ code, signal }).toEqual({ code: 0, signal: null })
})

/** Sends SIGTERM as soon as the command line loads the program, which then never comes: of the bundle, whose script it
 * stands in for, or of the compiled files. */
const signalAtFirstImport = `data:text/javascript,${encodeURIComponent(`
  import { register, syncBuiltinESMExports } from 'node:module'
  import vm from 'node:vm'
  const never = () => new Promise((resolve) => setTimeout(resolve, 60000))
  vm.Script = class {
    runInThisContext() {
      process.kill(process.pid, 'SIGTERM')
      return (exports) => Object.assign(exports, { run: never })
    }
  }
  syncBuiltinESMExports()
  register('data:text/javascript,' + encodeURIComponent(\`
    export async function resolve(name, context, next) {
      if (name.endsWith('program.js')) {
        process.kill(process.pid, 'SIGTERM')
        await new Promise((resolve) => setTimeout(resolve, 60000))
      }
      return next(name, context)
    }
  \`))
`)}`

describe('five hundred connections, half of them hostile,', () => {
  /** What a hostile client says; it never reads an answer. */
  const hostile: readonly ((n: number) => Buffer)[] = [
    (n) => noise(n, 5000),
    // A length that is huge, negative or none.
    (n) => Buffer.from([n & 1 ? 0x7f : 0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
    () => Buffer.alloc(16),
    // Half a frame, for ever.
    (n) => Buffer.concat([Buffer.from([0, 1, 0, 0]), noise(n, 300)]),
    // True headers of every API, nonsense behind them.
    (n) =>
      Buffer.concat([
        Buffer.from([0, 0, 1, 0, 0, n % 92, 0, n % 14, 0, 0, 0, n & 0x7f, 0xff, 0xff]),
        noise(n, 246),
      ]),
    () => Buffer.from('GET / HTTP/1.1\r\nHost: broker\r\n\r\n'),
    // Requests without end, and no ear for the replies.
    () =>
      Buffer.concat(
        Array.from({ length: 200 }, () => Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff])),
      ),
  ]

  it("leave a good client's records as they are", async () => {
    await start()
    const producer = await open()
    await producer.createTopic('good')
    const sockets: Socket[] = []
    for (let n = 0; n < 500; n++) {
      const socket = connect({ host: '127.0.0.1', port: broker.port })
      socket.on('error', () => {})
      sockets.push(socket)
    }
    for (let n = 0; n < 250; n++) {
      sockets[n]?.pause().write(hostile[n % hostile.length]?.(n) ?? '')
      if (n % 10 > 0) continue
      const { errorCode, baseOffset } = await producer.produce('good', recordBatch([{ value: `v${n / 10}` }]))
      expect({ errorCode, baseOffset }).toEqual({ errorCode: 0, baseOffset: n / 10 })
    }
    const reader = await open()
    const { records, highWatermark } = await reader.fetch('good', 0)
    expect(highWatermark).toBe(25)
    for (let n = 0; n < 25; n++) expect(records?.includes(`v${n}`)).toBe(true)
    for (const socket of sockets) socket.destroy()
    await broker.stop()
  })

  function noise(seed: number, length: number): Buffer {
    let state = seed + 1
    return Buffer.from(
      Array.from({ length }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        return state >>> 24
      }),
    )
  }
})
