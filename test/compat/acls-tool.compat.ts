// kafka-acls as an operator would use it, and Kafka's console clients, which are refused and let in by what it did.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrokerProcess, dataFolder } from '../cluster/broker-process.js'
import { failed, succeeded, type Tool, ToolRunner } from './tools.js'

const folder = dataFolder()
let broker: BrokerProcess
let runner: ToolRunner

beforeAll(async () => {
  runner = ToolRunner.start()
  const settings = {
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    // The clients here have no names: who administrates keeps the cluster, on which there are no ACLs.
    'allow.everyone.if.no.acl.found': 'true',
  }
  broker = await BrokerProcess.start({ folder: folder.path, settings })
})

afterAll(async () => {
  await runner?.stop()
  await broker?.stop()
  folder.remove()
})

const run = (tool: Tool, args: readonly string[], input?: string) =>
  runner.run(tool, broker.bootstrap, args, input)
const acls = async (...args: string[]) => succeeded(await run('kafka-acls', args))
const ME = 'User:ANONYMOUS'

const listed = async (...args: string[]) =>
  (await acls('--list', ...args))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

const entry = (principal: string, host: string, operation: string, permissionType = 'ALLOW') =>
  `(principal=${principal}, host=${host}, operation=${operation}, permissionType=${permissionType})`
const pattern = (type: string, name: string, patternType = 'LITERAL') =>
  `Current ACLs for resource \`ResourcePattern(resourceType=${type}, name=${name}, patternType=${patternType})\`:`

describe('kafka-acls', () => {
  it('adds ACLs and says which there are now', async () => {
    const rule = ['--allow-principal', 'User:alice', '--allow-host', '10.0.0.7', '--operation', 'Read']
    const said = await acls('--add', ...rule, '--operation', 'Describe', '--topic', 'plain')
    expect(said).toContain('Adding ACLs for resource `ResourcePattern(resourceType=TOPIC, name=plain')
    expect(said).toContain(entry('User:alice', '10.0.0.7', 'READ'))
    expect((await listed('--topic', 'plain')).sort()).toEqual(
      [
        pattern('TOPIC', 'plain'),
        entry('User:alice', '10.0.0.7', 'DESCRIBE'),
        entry('User:alice', '10.0.0.7', 'READ'),
      ].sort(),
    )
  })

  it('takes prefixes, groups, transactional ids and the cluster, and finds what a name falls under', async () => {
    const alice = ['--allow-principal', 'User:alice', '--operation', 'All']
    await Promise.all([
      acls('--add', ...alice, '--topic', 'pl', '--group', 'pl', '--resource-pattern-type', 'prefixed'),
      acls('--add', ...alice, '--transactional-id', 'tx'),
      // On the cluster an operator lets himself in first: with any ACL it is closed to all others.
      acls('--add', '--allow-principal', ME, '--operation', 'All', '--cluster'),
    ])
    await acls('--add', '--deny-principal', 'User:mallory', '--operation', 'Alter', '--cluster')
    const [cluster, found, transactional] = await Promise.all([
      listed('--cluster'),
      listed('--topic', 'plain', '--resource-pattern-type', 'match'),
      listed('--transactional-id', 'tx', '--principal', 'User:alice'),
    ])
    expect(cluster.sort()).toEqual(
      [
        pattern('CLUSTER', 'kafka-cluster'),
        entry('User:mallory', '*', 'ALTER', 'DENY'),
        entry(ME, '*', 'ALL'),
      ].sort(),
    )
    expect(found.filter((line) => line.startsWith('Current')).sort()).toEqual(
      [pattern('TOPIC', 'pl', 'PREFIXED'), pattern('TOPIC', 'plain')].sort(),
    )
    expect(transactional).toContain(entry('User:alice', '*', 'ALL'))
  })

  it('removes what it is told to, and nothing else', async () => {
    const rule = ['--allow-principal', 'User:alice', '--allow-host', '10.0.0.7', '--operation', 'Read']
    await acls('--remove', '--force', ...rule, '--topic', 'plain')
    expect(await listed('--topic', 'plain')).toEqual([
      pattern('TOPIC', 'plain'),
      entry('User:alice', '10.0.0.7', 'DESCRIBE'),
    ])
    await acls('--remove', '--force', '--topic', 'plain')
    const [plain, prefixed] = await Promise.all([
      listed('--topic', 'plain'),
      listed('--topic', 'pl', '--resource-pattern-type', 'prefixed'),
    ])
    expect(plain).toEqual([])
    expect(prefixed).toHaveLength(2)
  })

  it('is told which ACL is impossible and why', async () => {
    const wrong = ['--allow-principal', 'alice', '--operation', 'Read', '--topic', 'plain']
    expect(failed(await run('kafka-acls', ['--add', ...wrong]))).toContain('principal')
  })
})

describe('console clients', () => {
  const produce = (topic: string, lines: string) =>
    run('kafka-console-producer', ['--topic', topic, '--sync'], lines)
  const consume = async (topic: string, group: string) => {
    const args = ['--topic', topic, '--group', group, '--from-beginning', '--max-messages', '2']
    return (await run('kafka-console-consumer', [...args, '--timeout-ms', '20000'])).stdout
  }

  it('are refused on a topic that is somebody else’s, and let in as producer and as consumer', async () => {
    succeeded(await run('kafka-topics', ['--create', '--topic', 'secret']))
    await acls('--add', '--allow-principal', 'User:alice', '--producer', '--topic', 'secret')
    failed(await produce('secret', 'one\n'))
    await acls('--add', '--allow-principal', ME, '--producer', '--topic', 'secret')
    succeeded(await produce('secret', 'one\ntwo\n'))
    // The consumer logs why and ends as if there were nothing.
    expect(await consume('secret', 'readers')).toBe('')
    await acls('--add', '--allow-principal', ME, '--consumer', '--topic', 'secret', '--group', 'readers')
    expect(await consume('secret', 'pl-others'), 'a group that is alice’s').toBe('')
    expect(await consume('secret', 'readers')).toBe('one\ntwo\n')
  })
})
