/**
 * ApiVersions (key 18): what the broker serves, and the features it supports and has finalised.
 * v1 throttle time · v3 flexible, client software name, features (KIP-511, KIP-584) · v4 supported features with a
 * minimum of 0 · v5 the cluster and node that the client means to talk to (KIP-1242). The response header is always v0; an unknown version is answered with a v0 body and error 35.
 */
import { array, bool, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

export const apiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 5],
  flexible: 3,
  request: {
    clientSoftwareName: string({ since: 3 }),
    clientSoftwareVersion: string({ since: 3 }),
    clusterId: string({ since: 5, nullable: true, default: null }),
    nodeId: int32({ since: 5, default: -1 }),
  },
  response: {
    errorCode: int16(),
    apiKeys: array({ apiKey: int16(), minVersion: int16(), maxVersion: int16() }),
    throttleTimeMs: int32({ since: 1 }),
    supportedFeatures: array(
      { name: string(), minVersion: int16(), maxVersion: int16() },
      { since: 3, tag: 0 },
    ),
    finalizedFeaturesEpoch: int64({ since: 3, tag: 1, default: -1 }),
    finalizedFeatures: array(
      { name: string(), maxVersionLevel: int16(), minVersionLevel: int16() },
      { since: 3, tag: 2 },
    ),
    zkMigrationReady: bool({ since: 3, tag: 3 }),
  },
})
