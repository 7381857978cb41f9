// Dialogues with the metadata controller about dynamic configs: what is recorded, what is refused and how.
import { describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import { type AlterConfigsResponse, type ConfigChange, ConfigOperation } from '../../../ts/state/configs.js'
import { CONFIG_BROKER, CONFIG_GROUP, CONFIG_TOPIC, configsOf } from '../../../ts/state/image.js'
import { broker, TestController, topic } from './metadata-fixture.js'

const { SET, DELETE, APPEND, SUBTRACT } = ConfigOperation
const change = (configOperation: number, name: string, value: string | null = null): ConfigChange => ({
  name,
  configOperation,
  value,
})
const set = (name: string, value: string) => change(SET, name, value)

class Cluster {
  readonly controller = new TestController({
    validateConfigs: (_type, _name, configs) =>
      configs.get('retention.ms') === 'soon'
        ? {
            errorCode: Errors.INVALID_CONFIG,
            errorMessage: 'Invalid value soon for configuration retention.ms',
          }
        : null,
  }).withBrokers(broker(1))

  constructor() {
    this.controller.create([topic('t', { configs: [{ name: 'a', value: '1' }] }), topic('u')])
  }

  alter(
    resources: [type: number, name: string, ...changes: ConfigChange[]][],
    options: { replacesAll?: boolean; validateOnly?: boolean } = {},
  ) {
    const body = {
      resources: resources.map(([resourceType, resourceName, ...configs]) => ({
        resourceType,
        resourceName,
        configs,
      })),
      replacesAll: options.replacesAll ?? false,
      validateOnly: options.validateOnly ?? false,
    }
    const { reply, records } = this.controller.ask({ kind: 'alter-configs', to: 1, body })
    const { responses } = reply as AlterConfigsResponse
    return { answers: responses.map(({ errorCode, errorMessage }) => [errorCode, errorMessage]), records }
  }

  configs(type: number, name: string) {
    return Object.fromEntries(configsOf(this.controller.image, type, name))
  }
}

const FINE = [Errors.NONE, null]

describe('IncrementalAlterConfigs', () => {
  it('sets and deletes single configs and leaves the others', () => {
    const cluster = new Cluster()
    expect(cluster.alter([[CONFIG_TOPIC, 't', set('b', '2'), set('c', '3')]]).answers).toEqual([FINE])
    expect(cluster.configs(CONFIG_TOPIC, 't')).toEqual({ a: '1', b: '2', c: '3' })
    cluster.alter([[CONFIG_TOPIC, 't', change(DELETE, 'a'), change(DELETE, 'never')]])
    expect(cluster.configs(CONFIG_TOPIC, 't')).toEqual({ b: '2', c: '3' })
  })

  it('appends to lists and subtracts from them, beginning at the default', () => {
    const cluster = new Cluster()
    const alter = (operation: number, value: string) => {
      cluster.alter([[CONFIG_TOPIC, 't', change(operation, 'cleanup.policy', value)]])
      return cluster.configs(CONFIG_TOPIC, 't')['cleanup.policy']
    }
    expect(alter(APPEND, 'compact')).toBe('delete,compact')
    expect(alter(APPEND, 'compact,delete')).toBe('delete,compact')
    expect(alter(SUBTRACT, 'delete')).toBe('compact')
    expect(alter(SUBTRACT, 'delete')).toBe('compact')
  })

  it('refuses to append to what is no list, in the words of each resource', () => {
    const cluster = new Cluster()
    const { answers, records } = cluster.alter([
      [CONFIG_TOPIC, 't', change(APPEND, 'a', '2')],
      [CONFIG_BROKER, '', change(SUBTRACT, 'a', '2')],
    ])
    expect(answers).toEqual([
      [Errors.INVALID_CONFIG, "Can't APPEND to key a because its type is not LIST."],
      [Errors.INVALID_CONFIG, 'Config value subtract is not allowed for config key: a'],
    ])
    expect(records).toEqual([])
  })

  it('changes each resource as a whole or not at all, whatever becomes of the others', () => {
    const cluster = new Cluster()
    const { answers } = cluster.alter([
      [CONFIG_TOPIC, 't', set('b', '2'), set('retention.ms', 'soon')],
      [CONFIG_TOPIC, 'u', set('b', '2')],
    ])
    expect(answers).toEqual([
      [Errors.INVALID_CONFIG, 'Invalid value soon for configuration retention.ms'],
      FINE,
    ])
    expect(cluster.configs(CONFIG_TOPIC, 't')).toEqual({ a: '1' })
    expect(cluster.configs(CONFIG_TOPIC, 'u')).toEqual({ b: '2' })
  })

  it('only looks when it validates', () => {
    const cluster = new Cluster()
    const { answers, records } = cluster.alter([[CONFIG_TOPIC, 't', set('b', '2')]], { validateOnly: true })
    expect([answers, records]).toEqual([[FINE], []])
  })

  it('records nothing where nothing changes', () => {
    expect(new Cluster().alter([[CONFIG_TOPIC, 't', set('a', '1')]]).records).toEqual([])
  })

  it('takes brokers, all brokers and groups', () => {
    const cluster = new Cluster()
    cluster.alter([
      [CONFIG_BROKER, '1', set('x', '1')],
      [CONFIG_BROKER, '', set('x', '2')],
      [CONFIG_GROUP, 'g', set('x', '3')],
    ])
    expect(cluster.configs(CONFIG_BROKER, '1')).toEqual({ x: '1' })
    expect(cluster.configs(CONFIG_BROKER, '')).toEqual({ x: '2' })
    expect(cluster.configs(CONFIG_GROUP, 'g')).toEqual({ x: '3' })
  })

  it.each([
    [
      [CONFIG_TOPIC, 'nope', set('a', '1')],
      Errors.UNKNOWN_TOPIC_OR_PARTITION,
      "The topic 'nope' does not exist.",
    ],
    [[CONFIG_TOPIC, '', set('a', '1')], Errors.INVALID_REQUEST, 'Default topic resources are not allowed.'],
    [[CONFIG_GROUP, '', set('a', '1')], Errors.INVALID_REQUEST, 'Default group resources are not allowed.'],
    [[CONFIG_BROKER, '7', set('a', '1')], Errors.BROKER_ID_NOT_REGISTERED, 'No broker with id 7 found.'],
    [[99, 'x', set('a', '1')], Errors.INVALID_REQUEST, 'Unknown resource type 99'],
    [
      [CONFIG_TOPIC, 't', set('a', '1'), change(DELETE, 'a')],
      Errors.INVALID_REQUEST,
      'Error due to duplicate config keys',
    ],
    [
      [CONFIG_TOPIC, 't', change(SET, 'a'), change(APPEND, 'b')],
      Errors.INVALID_REQUEST,
      'Null value not supported for : a, b',
    ],
    [[CONFIG_TOPIC, 't', change(9, 'a', '1')], Errors.INVALID_REQUEST, 'Unknown operations type 9'],
    [
      [CONFIG_TOPIC, 't', set('a', 'x'.repeat(40_000))],
      Errors.INVALID_CONFIG,
      'The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes.',
    ],
  ] as [[number, string, ...ConfigChange[]], number, string][])('refuses %j', (resource, code, message) => {
    expect(new Cluster().alter([resource]).answers).toEqual([[code, message]])
  })

  it('refuses a resource that stands in the request twice, both times', () => {
    const twice: [number, string, ConfigChange] = [CONFIG_TOPIC, 't', set('b', '1')]
    const { answers, records } = new Cluster().alter([twice, twice])
    const refused = [Errors.INVALID_REQUEST, 'Each resource must appear at most once.']
    expect([answers, records]).toEqual([[refused, refused], []])
  })
})

describe('AlterConfigs', () => {
  it('replaces everything that a resource had', () => {
    const cluster = new Cluster()
    cluster.alter([[CONFIG_TOPIC, 't', set('b', '2')]], { replacesAll: true })
    expect(cluster.configs(CONFIG_TOPIC, 't')).toEqual({ b: '2' })
  })
})
