// Where a broker listens and what it tells clients about it: every connection is answered with the address of the
// listener it came by, ports that the system chose and IPv6 included.
import { hostname, networkInterfaces } from 'node:os'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Errors, fetch, findCoordinator, metadata } from '../../ts/protocol/index.js'
import { BrokerProcess, dataFolder } from './broker-process.js'
import { RawClient } from './raw-client.js'

let folder: ReturnType<typeof dataFolder>
let broker: BrokerProcess | null
beforeEach(() => {
  folder = dataFolder()
  broker = null
})
afterEach(async () => {
  await broker?.kill()
  folder.remove()
})

async function start(listeners: string, settings: Record<string, string> = {}): Promise<string> {
  broker = await BrokerProcess.start({ folder: folder.path, listeners, settings })
  return /ready on (.+) after/.exec(broker.output)?.[1] ?? ''
}

/** What a client that connects to this address is told, by Metadata and by FindCoordinator. */
async function told(port: number, host?: string): Promise<{ host: string; port: number }> {
  const client = await RawClient.open(port, host)
  const { brokers } = await client.request(metadata, 12, {
    topics: null,
    includeTopicAuthorizedOperations: false,
  })
  const coordinator = await client.request(findCoordinator, 2, { key: 'readers', keyType: 0 })
  client.close()
  expect(brokers).toHaveLength(1)
  expect(coordinator).toMatchObject({ errorCode: 0, host: brokers[0]?.host, port: brokers[0]?.port })
  return { host: brokers[0]?.host ?? '', port: brokers[0]?.port ?? -1 }
}

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
)

it('listens on every address where the host is left out, and advertises the name of the machine', async () => {
  const line = await start('PLAINTEXT://:0')
  const port = Number(/:(\d+)$/.exec(line)?.[1])
  expect(line).toBe(`PLAINTEXT://${hostname()}:${port}`)
  expect(await told(port)).toEqual({ host: hostname(), port })
})

it.runIf(hasIpv6)('listens on an IPv6 address, which a port follows in brackets', async () => {
  const line = await start('PLAINTEXT://[::1]:0')
  const port = Number(/^PLAINTEXT:\/\/\[::1\]:(\d+)$/.exec(line)?.[1])
  expect(await told(port, '::1')).toEqual({ host: '::1', port })
})

it('tells clients advertised.listeners instead', async () => {
  const line = await start('PLAINTEXT://127.0.0.1:0', { 'advertised.listeners': 'PLAINTEXT://localhost:0' })
  const port = Number(/^PLAINTEXT:\/\/localhost:(\d+)$/.exec(line)?.[1])
  expect(await told(port)).toEqual({ host: 'localhost', port })
})

it('answers each of two listeners with its own address, also after a restart', async () => {
  const settings = { 'listener.security.protocol.map': 'INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT' }
  const line = await start('INSIDE://127.0.0.1:0,OUTSIDE://127.0.0.1:0', settings)
  const ports = /^INSIDE:\/\/127\.0\.0\.1:(\d+), OUTSIDE:\/\/127\.0\.0\.1:(\d+)$/.exec(line)
  const [inside, outside] = [Number(ports?.[1]), Number(ports?.[2])]
  expect(inside).not.toBe(outside)
  expect(await told(inside)).toEqual({ host: '127.0.0.1', port: inside })
  expect(await told(outside)).toEqual({ host: '127.0.0.1', port: outside })
  await broker?.stop()

  const listeners = `INSIDE://127.0.0.1:${inside},OUTSIDE://127.0.0.1:${outside}`
  const advertised = { 'advertised.listeners': 'INSIDE://inside.example:1,OUTSIDE://outside.example:2' }
  await start(listeners, { ...settings, ...advertised })
  expect(await told(inside)).toEqual({ host: 'inside.example', port: 1 })
  expect(await told(outside)).toEqual({ host: 'outside.example', port: 2 })
})

it('tells who comes with an old leader epoch the leader, where its own listener has it', async () => {
  await start('PLAINTEXT://127.0.0.1:0')
  const before = await RawClient.open(broker?.port ?? 0)
  await before.createTopic('t')
  await broker?.stop()
  const line = await start('PLAINTEXT://127.0.0.1:0', { 'advertised.listeners': 'PLAINTEXT://localhost:0' })
  const port = Number(/^PLAINTEXT:\/\/localhost:(\d+)$/.exec(line)?.[1])
  const client = await RawClient.open(port)
  const topicId = await client.topicId('t')
  const partitions = [{ partition: 0, currentLeaderEpoch: 0, fetchOffset: 0, partitionMaxBytes: 1 }]
  const response = await client.request(fetch, 16, {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1,
    topics: [{ topicId, partitions }],
    forgottenTopicsData: [],
  })
  client.close()
  const [answer] = response.responses[0]?.partitions ?? []
  expect(answer?.errorCode).toBe(Errors.FENCED_LEADER_EPOCH)
  expect(answer?.currentLeader.leaderEpoch).toBeGreaterThan(0)
  const nodeId = answer?.currentLeader.leaderId
  expect(response.nodeEndpoints).toEqual([{ nodeId, host: 'localhost', port, rack: null }])
})
