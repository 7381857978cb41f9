// Every table of ours, field by field and version by version, against the schemas in Kafka's own jars.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { apis } from '../../ts/protocol/apis.js'
import { coordinatorRecords } from '../../ts/protocol/coordinator-records.js'
import { apiKeys, type CoordinatorRecord, type Message, metadataRecords } from '../../ts/protocol/index.js'
import {
  inRange,
  type Schema,
  type Schemas,
  schemaShape,
  schemasIn,
  tableShape,
  versionRange,
} from './kafka-schema.js'
import { newestKafkaSchemas, oldKafkaClients } from './toolchains.js'

let newest: Schemas
let old: Schemas
let cluster: Schemas
const coordinators = new Map<string, Schemas>()

beforeAll(() => {
  const jars = newestKafkaSchemas()
  const schemas = (artifact: string): Schemas => {
    const name = readdirSync(jars).find((file) => new RegExp(`^${artifact}-\\d.*\\.jar$`).test(file))
    if (name === undefined) throw new Error(`no ${artifact} among Kafka's jars`)
    return schemasIn(join(jars, name))
  }
  newest = schemas('kafka-clients')
  cluster = schemas('kafka-metadata')
  coordinators.set('__consumer_offsets', schemas('kafka-group-coordinator'))
  coordinators.set('__transaction_state', schemas('kafka-transaction-coordinator'))
  coordinators.set('__share_group_state', schemas('kafka-share-coordinator'))
  old = schemasIn(oldKafkaClients())
})

/** The first of the jars that knows the message at that version. */
function schemaAt(name: string, version: number, ...jars: Schemas[]) {
  for (const jar of jars) {
    const schema = jar.get(name)
    if (schema !== undefined && inRange(schema.validVersions, version)) return schema
  }
  throw new Error(`Kafka has no ${name} v${version}`)
}

function compare(message: Message, name: string, ...jars: Schemas[]): void {
  for (let version = message.minVersion; version <= message.maxVersion; version++) {
    const schema = schemaAt(name, version, ...jars)
    const flexible = version >= message.firstFlexible
    expect({ version, flexible, fields: tableShape(message.fields, version) }).toEqual({
      version,
      flexible: inRange(schema.flexibleVersions, version),
      fields: schemaShape(schema, version),
    })
  }
}

describe.each([...apis.values()].map((api) => [api.name, api] as const))('%s', (name, api) => {
  it('has the fields of Kafka in every version, both ways', () => {
    compare(api.request, `${name}Request`, newest, old)
    compare(api.response, `${name}Response`, newest, old)
  })

  it('has the key of Kafka and its versions from 3.9 to the newest stable one', () => {
    const schema = newest.get(`${name}Request`)
    const before = old.get(`${name}Request`)
    if (schema === undefined) throw new Error(`Kafka has no ${name}`)
    // What was early access in 3.9 begins later; older batch formats than 2 are not served.
    const stable = before?.latestVersionUnstable === true ? undefined : before
    const [first] = versionRange((stable ?? schema).validVersions)
    const [, last] = versionRange(schema.validVersions)
    const served = name === 'Produce' ? 3 : name === 'Fetch' ? 4 : first
    expect([api.key, api.minVersion, api.maxVersion]).toEqual([
      schema.apiKey,
      served,
      schema.latestVersionUnstable === true ? last - 1 : last,
    ])
  })
})

it('every live API of Kafka has a table', () => {
  const live = [...newest.values()].filter(
    ({ type, validVersions }) => type === 'request' && validVersions !== 'none',
  )
  const named = live.map(({ apiKey, name }) => [apiKey, name.replace(/Request$/, '')])
  named.sort(([a], [b]) => Number(a) - Number(b))
  expect([...apis.values()].map(({ key, name }) => [key, name])).toEqual(named)
  expect([...apiKeys].map(([key, { name }]) => [key, name])).toEqual(named)
})

describe.each(Object.keys(coordinatorRecords) as (keyof typeof coordinatorRecords)[])(
  'records of %s',
  (topic) => {
    const records: readonly CoordinatorRecord[] = coordinatorRecords[topic]
    const schemas = (): Schemas => coordinators.get(topic) ?? new Map()
    const versionsIn = (schema: Schema | undefined): [number, number] =>
      versionRange(schema?.validVersions ?? 'none')

    it.each(records.map((record) => [record.name, record] as const))(
      '%s has the types, versions and fields of Kafka',
      (name, { types, key, value }) => {
        compare(key, `${name}Key`, schemas())
        compare(value, `${name}Value`, schemas())
        expect(types.at(-1)).toBe(schemas().get(`${name}Key`)?.apiKey)
        expect([value.minVersion, value.maxVersion]).toEqual(versionsIn(schemas().get(`${name}Value`)))
      },
    )

    it('are all of those that Kafka keeps there', () => {
      const types = [...schemas().values()].filter(({ type }) => type === 'coordinator-key')
      const known = records.flatMap((record) => record.types)
      expect(types.map(({ apiKey }) => apiKey).sort()).toEqual(known.sort())
    })
  },
)

describe('records of __cluster_metadata', () => {
  it('are all of those that Kafka keeps there', () => {
    const types = [...cluster.values()].filter(({ type }) => type === 'metadata')
    expect(metadataRecords.map(({ name }) => name).sort()).toEqual(types.map(({ name }) => name).sort())
  })

  it.each(metadataRecords.map((record) => [record.name, record] as const))(
    '%s has the key, versions and fields of Kafka',
    (name, record) => {
      compare(record.message, name, cluster)
      const schema = cluster.get(name)
      const [first, last] = versionRange(schema?.validVersions ?? 'none')
      expect([record.key, record.message.minVersion, record.message.maxVersion]).toEqual([
        schema?.apiKey,
        first,
        last,
      ])
    },
  )
})
