// Brokers inside a Node program: several of them, free ports, one sentence for what goes wrong, clean ends.
import { afterEach, expect, it } from 'vitest'
import { Broker, type BrokerSettings } from '../../ts/index.js'
import { metadata } from '../../ts/protocol/index.js'
import { dataFolder } from './broker-process.js'
import { RawClient } from './raw-client.js'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function folder(): string {
  const { path, remove } = dataFolder()
  ends.push(remove)
  return path
}

async function start(settings: BrokerSettings): Promise<Broker> {
  const broker = await Broker.start({ listeners: 'PLAINTEXT://127.0.0.1:0', ...settings })
  ends.push(() => broker.close())
  return broker
}

const portOf = (broker: Broker) => Number(broker.bootstrapServers.split(':')[1])

it('runs several brokers in one process, each on a free port, a cluster of its own', async () => {
  const [one, two] = await Promise.all([
    start({ 'log.dirs': folder(), 'node.id': 1 }),
    start({ 'log.dirs': folder(), 'node.id': 2 }),
  ])
  expect(portOf(one)).not.toBe(portOf(two))
  expect(one.clusterId).not.toBe(two.clusterId)
  for (const broker of [one, two]) {
    const client = await RawClient.open(portOf(broker))
    const { brokers, clusterId } = await client.request(metadata, 9, { topics: [] })
    expect(clusterId).toBe(broker.clusterId)
    expect(brokers).toMatchObject([{ nodeId: broker.nodeId, host: '127.0.0.1', port: portOf(broker) }])
    client.close()
  }
})

it('answers each connection with the address that its listener advertises', async () => {
  const broker = await start({
    'log.dirs': folder(),
    listeners: 'PLAINTEXT://127.0.0.1:0,OUTSIDE://127.0.0.1:0',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,OUTSIDE:PLAINTEXT',
    'advertised.listeners': 'OUTSIDE://broker.example:1234,PLAINTEXT://127.0.0.1:0',
  })
  expect([...broker.addresses.keys()]).toEqual(['PLAINTEXT', 'OUTSIDE'])
  const client = await RawClient.open(portOf(broker))
  const { brokers } = await client.request(metadata, 9, { topics: [] })
  expect(brokers).toMatchObject([{ host: '127.0.0.1', port: portOf(broker) }])
  expect(broker.addresses.get('OUTSIDE')).toEqual({ host: 'broker.example', port: 1234 })
  client.close()
})

it('refuses a second broker on the same folder, and goes on running', async () => {
  const path = folder()
  const broker = await start({ 'log.dirs': path })
  await expect(start({ 'log.dirs': path })).rejects.toThrow(path)
  const client = await RawClient.open(portOf(broker))
  expect(await client.request(metadata, 9, { topics: [] })).toMatchObject({ clusterId: broker.clusterId })
  client.close()
})

it('lets go of its folder and port when it is closed, as often as one likes', async () => {
  const path = folder()
  const broker = await start({ 'log.dirs': path })
  const port = portOf(broker)
  await Promise.all([broker.close(), broker.close()])
  await broker.close()
  const again = await start({ 'log.dirs': path, listeners: `PLAINTEXT://127.0.0.1:${port}` })
  expect(again.clusterId).toBe(broker.clusterId)
})

it('says in a sentence that a port is taken, and lets go of the folder', async () => {
  const path = folder()
  const broker = await start({ 'log.dirs': folder() })
  const taken = `PLAINTEXT://127.0.0.1:${portOf(broker)}`
  await expect(start({ 'log.dirs': path, listeners: taken })).rejects.toThrow(
    `The listener ${taken} cannot be opened`,
  )
  await start({ 'log.dirs': path })
})

it('says in a sentence which setting is wrong', async () => {
  await expect(Broker.start({ 'num.partitions': 'many' })).rejects.toThrow(
    'num.partitions = many (the config object) is not valid: Not a number of type INT',
  )
})
