// Every table of ours, field by field and version by version, against the schemas in Kafka's own jars.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  apis,
  groupMetadataRecord,
  type Message,
  metadataRecords,
  offsetCommitRecord,
} from '../../ts/protocol/index.js'
import { inRange, type Schemas, schemaShape, schemasIn, tableShape, versionRange } from './kafka-schema.js'
import { kafkaJars, oldKafkaClients } from './toolchains.js'

let newest: Schemas
let old: Schemas
let group: Schemas
let cluster: Schemas

beforeAll(() => {
  const jars = kafkaJars()
  const jar = (start: string): string => {
    const name = readdirSync(jars).find((file) => new RegExp(`^${start}-\\d.*\\.jar$`).test(file))
    if (name === undefined) throw new Error(`no ${start} among Kafka's jars`)
    return join(jars, name)
  }
  newest = schemasIn(jar('kafka-clients'))
  group = schemasIn(jar('kafka-group-coordinator'))
  cluster = schemasIn(jar('kafka-metadata'))
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
    if (schema === undefined || before === undefined) throw new Error(`Kafka has no ${name}`)
    const [first] = versionRange(before.validVersions)
    const [, last] = versionRange(schema.validVersions)
    // Older batch formats than 2 are not served.
    const served = name === 'Produce' ? 3 : name === 'Fetch' ? 4 : first
    expect([api.key, api.minVersion, api.maxVersion]).toEqual([
      schema.apiKey,
      served,
      schema.latestVersionUnstable === true ? last - 1 : last,
    ])
  })
})

describe('records', () => {
  it('of the group topic have the fields of Kafka', () => {
    compare(offsetCommitRecord.key, 'LegacyOffsetCommitKey', group)
    compare(offsetCommitRecord.key, 'OffsetCommitKey', group)
    compare(offsetCommitRecord.value, 'OffsetCommitValue', group)
    compare(groupMetadataRecord.key, 'GroupMetadataKey', group)
    compare(groupMetadataRecord.value, 'GroupMetadataValue', group)
    const types = ['LegacyOffsetCommitKey', 'OffsetCommitKey', 'GroupMetadataKey'].map(
      (n) => group.get(n)?.apiKey,
    )
    expect(types).toEqual([...offsetCommitRecord.types, ...groupMetadataRecord.types])
  })

  it.each(metadataRecords.map((record) => [record.name, record] as const))(
    'of the metadata topic: %s has the key, versions and fields of Kafka',
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
