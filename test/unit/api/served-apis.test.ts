/** A table makes no API served: only a handler or the data plane does, and only what is served is told and loaded. */
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { handlers } from '../../../ts/api/index.js'
import { apis } from '../../../ts/protocol/apis.js'
import {
  apiKeys,
  apiVersions,
  describeCluster,
  describeProducers,
  Errors,
  encodeRequestFrame,
  type Fields,
  fetch,
  listOffsets,
  offsetForLeaderEpoch,
  produce,
  requestHeaderVersion,
} from '../../../ts/protocol/index.js'
import { SimBroker } from './sim-broker.js'

const SOFTWARE = { clientSoftwareName: 'test', clientSoftwareVersion: '1.0' }
const dataPlane = [produce, fetch, listOffsets, offsetForLeaderEpoch, describeProducers].map(({ key }) => key)
const served = [...handlers.keys(), ...dataPlane].sort((a, b) => a - b)
const deleteGroupsKey = 42
const unserved = [...apis.values()].filter(({ key }) => !served.includes(key))

let broker: SimBroker
beforeAll(() => {
  broker = new SimBroker()
})

describe('ApiVersions', () => {
  const ask = (version: number, more: { clusterId?: string | null; nodeId?: number } = {}) =>
    broker.ask(broker.connect(), apiVersions, version, { ...SOFTWARE, ...more })

  it('tells what has a handler or belongs to the data plane, and nothing else that has a table', () => {
    expect(ask(5).apiKeys.map(({ apiKey }) => apiKey)).toEqual(served)
    expect(unserved.length).toBe(apis.size - served.length)
  })

  it('tells no version that the table lacks', () => {
    for (const { apiKey, maxVersion } of ask(5).apiKeys) {
      expect(maxVersion).toBeLessThanOrEqual(apis.get(apiKey)?.maxVersion ?? -1)
    }
  })

  it('sends a client that meant another cluster or node back to its bootstrap servers', () => {
    const { clusterId, controllerId: nodeId } = broker.ask(broker.connect(), describeCluster, 0, {
      includeClusterAuthorizedOperations: false,
    })
    expect(ask(5, { clusterId, nodeId }).errorCode).toBe(Errors.NONE)
    expect(ask(5, { clusterId, nodeId: nodeId + 1 })).toMatchObject({
      errorCode: Errors.REBOOTSTRAP_REQUIRED,
      apiKeys: [],
    })
    expect(ask(5, { clusterId: 'another', nodeId }).errorCode).toBe(Errors.REBOOTSTRAP_REQUIRED)
    expect(ask(4, { clusterId: 'another', nodeId }).errorCode).toBe(Errors.NONE)
  })

  it.each([{ clusterId: 'simulatedClusterAAAAAA' }, { nodeId: 1 }])(
    'refuses half of an identity: %o',
    (half) => {
      expect(ask(5, half).errorCode).toBe(Errors.INVALID_REQUEST)
    },
  )
})

describe('an API with a table that is not served', () => {
  it.each(unserved.map((api) => [api.name, api] as const))('%s closes its connection', (name, api) => {
    const conn = broker.connect()
    const before = broker.lines.length
    const frame = encodeRequestFrame(api, api.maxVersion, 1, 'test', blank(api.request.fields) as never)
    expect(broker.send(conn, frame)).toEqual([])
    expect(broker.isOpen(conn)).toBe(false)
    expect(broker.lines.slice(before).join()).toMatch(new RegExp(`"api":"${name}".*the API is not served`))
  })
})

/** A message of zeroes and empties: whatever an encoder demands. */
function blank(fields: Fields): object {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      field.kind === 'nested' && field.default !== null ? blank(field.fields ?? {}) : field.default,
    ]),
  )
}

describe('what a broker loads when it starts', () => {
  const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))
  const schemas = new Map(
    [...apis.values()].map(({ key, name }) => [
      `ts/protocol/schema/${name.replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()}.ts`,
      key,
    ]),
  )

  /** Every file that importing this one runs. */
  function loaded(path: string, seen = new Set<string>()): Set<string> {
    if (seen.has(path)) return seen
    seen.add(path)
    const text = readFileSync(join(root, path), 'utf8')
    for (const [, to = ''] of text.matchAll(/^(?:import|export)(?! type)[^']*?from '(\.[^']+)'/gm)) {
      loaded(relative(root, join(root, dirname(path), to)).replace(/\.js$/, '.ts'), seen)
    }
    return seen
  }

  it('is the tables of what it serves, each in a file of its own', () => {
    const keys = [...loaded('ts/index.ts')].flatMap((path) => schemas.get(path) ?? [])
    expect(keys.sort((a, b) => a - b)).toEqual(served)
  })
})

describe('the keys that a broker knows', () => {
  it('have the names and first flexible versions of the tables', () => {
    expect([...apiKeys]).toEqual(
      [...apis].map(([key, { name, firstFlexible }]) => [key, { name, firstFlexible }]),
    )
  })

  it('are all live ones of Kafka 4.4', () => {
    expect(apis.size).toBe(91)
  })

  it('tell how the header of a request looks whose table is not loaded', () => {
    expect([0, 1, 2, 3].map((version) => requestHeaderVersion(deleteGroupsKey, version))).toEqual([
      1, 1, 2, 2,
    ])
    expect(requestHeaderVersion(1234, 0)).toBe(1)
  })
})
