// Where settings come from and which one wins: a properties file, the KAFKA_* environment, flags. Asked of the running
// broker with DescribeConfigs, as a user would.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { describeConfigs } from '../../ts/protocol/index.js'
import { BrokerProcess, cli, dataFolder, runNode } from './broker-process.js'
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

const properties = (text: string) => {
  const path = join(folder.path, 'server.properties')
  writeFileSync(path, text)
  return path
}

async function start(args: readonly string[], env: Record<string, string> = {}): Promise<BrokerProcess> {
  broker = await BrokerProcess.start({ folder: join(folder.path, 'data'), args, env })
  return broker
}

async function valuesOf(running: BrokerProcess, ...names: string[]): Promise<Record<string, string | null>> {
  const client = await RawClient.open(running.port)
  const nodeId = /node (\d+)/.exec(running.output)?.[1] ?? ''
  const resource = { resourceType: 4, resourceName: nodeId, configurationKeys: names }
  const { results } = await client.request(describeConfigs, 1, { resources: [resource] })
  client.close()
  expect(results[0]?.errorCode).toBe(0)
  return Object.fromEntries(results[0]?.configs.map(({ name, value }) => [name, value]) ?? [])
}

it('lets flags win over the environment, and the environment over the file', async () => {
  const file = properties(
    'num.partitions=2\nmessage.max.bytes=2000000\nlog.segment.bytes=2000000\nnode.id = 5\n',
  )
  const env = { KAFKA_MESSAGE_MAX_BYTES: '3000000', KAFKA_LOG_SEGMENT_BYTES: '3000000' }
  const running = await start(['--config', file, '--set', 'log.segment.bytes=4000000'], env)
  expect(
    await valuesOf(running, 'num.partitions', 'message.max.bytes', 'log.segment.bytes', 'node.id'),
  ).toEqual({
    'num.partitions': '2',
    'message.max.bytes': '3000000',
    'log.segment.bytes': '4000000',
    'node.id': '5',
  })
})

it('reads the files that people have: continued lines, colons, comments, escapes, CRLF', async () => {
  const text =
    '! a comment\r\nnum.partitions : 4\r\n\r\nmessage.max.bytes = 10\\\r\n    00000\r\nbroker.rack=\\u0061b\\=c\r\n'
  const running = await start(['--config', properties(text)])
  expect(await valuesOf(running, 'num.partitions', 'message.max.bytes', 'broker.rack')).toEqual({
    'num.partitions': '4',
    'message.max.bytes': '1000000',
    'broker.rack': 'ab=c',
  })
})

it('starts with a file written for Kafka, and warns of each key that has no effect', async () => {
  const file = properties(
    'process.roles=broker,controller\ncontroller.quorum.voters=1@localhost:9093\nssl.keystore.location=/x\n',
  )
  const { output } = await start(['--config', file], { KAFKA_HEAP_OPTS: '-Xmx1G', KAFKA_NO_SUCH_KEY: '1' })
  expect(output).toContain(`controller.quorum.voters (${file} line 2) has no effect here`)
  expect(output).toContain(`ssl.keystore.location (${file} line 3) has no effect here`)
  expect(output).toContain('KAFKA_NO_SUCH_KEY is not used: no.such.key is not a config key')
  expect(output).not.toContain('HEAP_OPTS')
})

it('lists its flags', async () => {
  const { code, stdout, stderr } = await runNode([cli, 'start', '--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).not.toContain('[]')
  for (const flag of [
    '--config',
    '--listeners',
    '--port',
    '--log-dirs',
    '--node-id',
    '--set',
    '--log-level',
  ]) {
    expect(stdout).toContain(flag)
  }
})
