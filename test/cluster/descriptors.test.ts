// More clients than the broker has descriptors for: who waits in the backlog is served as soon as others leave.
import { afterAll, expect, it } from 'vitest'
import { apiVersions } from '../../ts/protocol/index.js'
import { BrokerProcess, dataFolder } from './broker-process.js'
import { RawClient } from './raw-client.js'

const DESCRIPTORS = 128

const folder = dataFolder()
let broker: BrokerProcess | undefined

afterAll(async () => {
  await broker?.stop()
  folder.remove()
})

it('serves a client that came when there was no descriptor left, without waiting for another to come', async () => {
  broker = await BrokerProcess.start({ folder: folder.path, descriptors: DESCRIPTORS })
  const clients: RawClient[] = []
  for (let n = 0; n < DESCRIPTORS + 20; n++) clients.push(await RawClient.open(broker.port))
  const ask = (client: RawClient | undefined) =>
    client?.request(apiVersions, 3, { clientSoftwareName: 'raw', clientSoftwareVersion: '1' })
  // Once these are answered, every I/O thread has seen all the connections that it can see.
  for (const early of clients.slice(0, 8)) await ask(early)
  const last = clients.pop()
  const answer = ask(last)
  for (const client of clients) client.close()
  expect((await answer)?.errorCode).toBe(0)
  last?.close()
})
