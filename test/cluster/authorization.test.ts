// Every API of a real broker with the standard authorizer, asked by a peer without rights and again with the right ones.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BrokerProcess, dataFolder } from './broker-process.js'
import { denials, grant, revokeAll, STRANGER, shutOutStrangers } from './denials/index.js'
import { RawClient } from './raw-client.js'

const folder = dataFolder()
let broker: BrokerProcess
let admin: RawClient
let stranger: RawClient
let ids: Awaited<ReturnType<typeof shutOutStrangers>>

beforeAll(async () => {
  const settings = {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': 'true',
  }
  broker = await BrokerProcess.start({ folder: folder.path, settings })
  admin = await RawClient.open(broker.port)
  stranger = await RawClient.open(broker.port, '127.0.0.1', STRANGER)
  ids = await shutOutStrangers(admin)
})

afterAll(async () => {
  admin?.close()
  stranger?.close()
  await broker?.stop()
  folder.remove()
})

it.each(denials)(
  '$what is denied, and allowed with the right ACL',
  async ({ ask, denied, has = [], needs }) => {
    await grant(admin, has)
    for (const grants of needs) {
      expect(await ask(stranger, ids)).toMatchObject(denied(ids) as object)
      await grant(admin, grants)
      expect(await ask(stranger, ids)).not.toMatchObject(denied(ids) as object)
      await revokeAll(admin)
      await grant(admin, has)
    }
    await revokeAll(admin)
  },
)
