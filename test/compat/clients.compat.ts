// First light again, with clients from other languages: Kafka's Java console tools, librdkafka and franz-go.
import { beforeAll, describe, expect, it } from 'vitest'
import { type Client, type Consumed, firstLight } from '../cluster/first-light.js'
import { goClient, kafkaJars, kafkaTool, output, python } from './toolchains.js'

/** Lines of `partition offset value`. */
function parse(lines: string): Consumed[] {
  return lines
    .split('\n')
    .filter((line) => line.length > 0)
    .map((line) => {
      const [partition, offset, value] = line.split(' ')
      return { partition: Number(partition), offset: Number(offset), value: value ?? '' }
    })
}

/** A client that is a program with the verbs `produce` and `consume`. */
function program(command: () => string, script: readonly string[]): Client {
  const call = (...args: readonly (string | number)[]) => output(command(), [...script, ...args.map(String)])
  return {
    produce: async (bootstrap, topic, first, count) =>
      Number(await call('produce', bootstrap, topic, first, count)),
    consume: async (bootstrap, topic, group, count) =>
      parse(await call('consume', bootstrap, topic, group, count)),
  }
}

const consoleTools: Client = {
  async produce(bootstrap, topic, first, count) {
    const lines = Array.from({ length: count }, (_, i) => `v${first + i}\n`).join('')
    await kafkaTool(
      'org.apache.kafka.tools.ConsoleProducer',
      ['--bootstrap-server', bootstrap, '--topic', topic],
      lines,
    )
    return count
  },
  async consume(bootstrap, topic, group, count) {
    const args = ['--bootstrap-server', bootstrap, '--topic', topic, '--group', group, '--from-beginning']
    args.push('--max-messages', String(count))
    for (const property of ['print.partition=true', 'print.offset=true', 'key.separator= ']) {
      args.push('--formatter-property', property)
    }
    const lines = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', args)
    return parse(lines.replaceAll(/^Partition:(\d+)\sOffset:(\d+)\s/gm, '$1 $2 '))
  },
  async createTopic(bootstrap, topic, partitions) {
    const args = [
      '--bootstrap-server',
      bootstrap,
      '--create',
      '--topic',
      topic,
      '--partitions',
      String(partitions),
    ]
    const said = await kafkaTool('org.apache.kafka.tools.TopicCommand', args)
    expect(said).toContain(`Created topic ${topic}.`)
  },
}

beforeAll(() => {
  kafkaJars()
  python()
  goClient()
})

describe('clients of other languages produce, consume in a group and resume after a stop and after SIGKILL', () => {
  it("Kafka's console producer and consumer (topic created)", () => firstLight(consoleTools, 3))
  it("Kafka's console producer and consumer (topic auto-created)", () => {
    const { createTopic: _, ...withAutoCreation } = consoleTools
    return firstLight(withAutoCreation, 1)
  })
  it('confluent-kafka', () => firstLight(program(python, ['test/compat/python/client.py']), 3))
  it('franz-go', () => firstLight(program(goClient, []), 3))
})
