// Kafka's own administration tools against this broker, as an operator would run them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrokerProcess, dataFolder } from '../cluster/broker-process.js'
import { failed, succeeded, type Tool, ToolRunner } from './tools.js'

const folder = dataFolder()
let broker: BrokerProcess
let runner: ToolRunner

beforeAll(async () => {
  runner = ToolRunner.start()
  broker = await BrokerProcess.start({ folder: folder.path })
})

afterAll(async () => {
  await runner?.stop()
  await broker?.stop()
  folder.remove()
})

const run = (tool: Tool, ...args: string[]) => runner.run(tool, broker.bootstrap, args)
const tool = async (name: Tool, ...args: string[]) => succeeded(await run(name, ...args))
const topics = (...args: string[]) => tool('kafka-topics', ...args)
const configs = (...args: string[]) => tool('kafka-configs', ...args)

describe('kafka-topics', () => {
  it('creates, describes, lists, grows and deletes a topic', async () => {
    const created = await topics(
      '--create',
      '--topic',
      'tall',
      '--partitions',
      '2',
      '--config',
      'retention.ms=1000',
    )
    expect(created).toContain('Created topic tall.')
    const described = await topics('--describe', '--topic', 'tall')
    expect(described).toMatch(/Topic: tall\s+TopicId: \S{22}\s+PartitionCount: 2\s+ReplicationFactor: 1/)
    expect(described).toContain('retention.ms=1000')
    expect(described).toMatch(/Partition: 1\s+Leader: 0\s+Replicas: 0\s+Isr: 0/)
    await topics('--alter', '--topic', 'tall', '--partitions', '5')
    expect(await topics('--describe', '--topic', 'tall')).toContain('PartitionCount: 5')
    expect(failed(await run('kafka-topics', '--alter', '--topic', 'tall', '--partitions', '3'))).toContain(
      'The topic tall currently has 5 partition(s); 3 would not be an increase.',
    )
    expect((await topics('--list')).split('\n')).toContain('tall')
    await topics('--delete', '--topic', 'tall')
    expect((await topics('--list')).split('\n')).not.toContain('tall')
  })
})

describe('kafka-configs', () => {
  it('keeps the configs of groups and client metrics subscriptions, within their bounds', async () => {
    const group = ['--entity-type', 'groups', '--entity-name', 'g']
    await configs(...group, '--alter', '--add-config', 'consumer.session.timeout.ms=50000')
    expect(await configs(...group, '--describe')).toMatch(
      /consumer\.session\.timeout\.ms=50000 .*synonyms=\{DYNAMIC_GROUP_CONFIG:consumer\.session\.timeout\.ms=50000, DEFAULT_CONFIG:group\.consumer\.session\.timeout\.ms=45000\}/,
    )
    const short = await run(
      'kafka-configs',
      ...group,
      '--alter',
      '--add-config',
      'consumer.session.timeout.ms=1',
    )
    expect(failed(short)).toContain('must be greater than or equal to group.consumer.min.session.timeout.ms')
    const metrics = ['--entity-type', 'client-metrics']
    const one = [...metrics, '--entity-name', 's']
    await configs(...one, '--alter', '--add-config', 'interval.ms=1000,match=[client_id=a.*]')
    expect(await configs(...metrics, '--describe')).toMatch(/client-metric s are:\s+.*interval\.ms=1000/)
    expect(failed(await run('kafka-configs', ...one, '--alter', '--add-config', 'interval.ms=1'))).toContain(
      'interval must be between 100 and 3600000 (1 hour)',
    )
  })

  it('adds, shows and deletes configs of a topic, and refuses a wrong one', async () => {
    await topics('--create', '--topic', 'set', '--partitions', '1')
    const entity = ['--entity-type', 'topics', '--entity-name', 'set']
    const added = await configs(
      ...entity,
      '--alter',
      '--add-config',
      'retention.ms=2000,cleanup.policy=[compact,delete]',
    )
    expect(added).toContain('Completed updating config for topic set.')
    const described = await configs(...entity, '--describe')
    expect(described).toMatch(
      /retention\.ms=2000 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:retention\.ms=2000/,
    )
    expect(described).toContain('cleanup.policy=compact,delete')
    await configs(...entity, '--alter', '--delete-config', 'retention.ms')
    expect(await configs(...entity, '--describe')).not.toContain('retention.ms')
    expect(
      failed(await run('kafka-configs', ...entity, '--alter', '--add-config', 'retention.ms=soon')),
    ).toContain('Invalid value soon for configuration retention.ms')
  })

  it('sets a default of all brokers, which shows in the chain of one', async () => {
    const all = ['--entity-type', 'brokers', '--entity-default']
    await configs(...all, '--alter', '--add-config', 'message.max.bytes=3000000')
    expect(await configs(...all, '--describe')).toContain('message.max.bytes=3000000')
    const one = await configs('--entity-type', 'brokers', '--entity-name', '0', '--describe', '--all')
    expect(one).toContain(
      'synonyms={DYNAMIC_DEFAULT_BROKER_CONFIG:message.max.bytes=3000000, DEFAULT_CONFIG:message.max.bytes=1048588}',
    )
    expect(failed(await run('kafka-configs', ...all, '--alter', '--add-config', 'log.dirs=/x'))).toContain(
      'Cannot update these configs dynamically: [log.dirs]',
    )
  })
})

describe('the tools that look', () => {
  it('kafka-broker-api-versions names every API', async () => {
    const said = await tool('kafka-broker-api-versions')
    expect(said).toMatch(/IncrementalAlterConfigs\(44\): 0 to 1 \[usable: 1\]/)
    expect(said).toMatch(/DescribeTopicPartitions\(75\): 0 \[usable: 0\]/)
  })

  it('kafka-log-dirs shows a log with its size', async () => {
    const said = await tool('kafka-log-dirs', '--describe', '--topic-list', 'set')
    expect(said).toContain(`"logDir":"${folder.path}"`)
    expect(said).toContain('"partition":"set-0","size":0,"offsetLag":0,"isFuture":false')
  })

  it('kafka-cluster and kafka-features tell of the cluster', async () => {
    expect(await tool('kafka-cluster', 'cluster-id')).toMatch(/Cluster ID: \S{22}/)
    const features = await tool('kafka-features', 'describe')
    expect(features).toMatch(
      /Feature: metadata\.version\s+SupportedMinVersion: \S+\s+SupportedMaxVersion: \S+/,
    )
  })

  it('kafka-metadata-quorum shows the one voter', async () => {
    const status = await tool('kafka-metadata-quorum', 'describe', '--status')
    expect(status).toMatch(/LeaderId:\s+0\n/)
    expect(status).toMatch(/MaxFollowerLag:\s+0\n/)
    const replication = await tool('kafka-metadata-quorum', 'describe', '--replication')
    expect(replication).toMatch(/\n0\s+\S{22}\s+\d+\s+0\s+\d+\s+\d+\s+Leader/)
  })
})
