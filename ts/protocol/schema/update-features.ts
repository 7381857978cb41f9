/**
 * UpdateFeatures (key 57): raises or lowers finalised features (KIP-584). Flexible from v0.
 * v0 allows a downgrade with a flag · v1 an upgrade type (1 upgrade, 2 safe and 3 unsafe downgrade), validate only · v2
 * no results per feature: all or none.
 */
import { array, bool, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'

export const updateFeatures = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexible: 0,
  request: {
    timeoutMs: int32({ default: 60000 }),
    featureUpdates: array({
      feature: string(),
      maxVersionLevel: int16(),
      allowDowngrade: bool({ until: 0 }),
      upgradeType: int8({ since: 1, default: 1 }),
    }),
    validateOnly: bool({ since: 1 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true }),
    results: array(
      { feature: string(), errorCode: int16(), errorMessage: string({ nullable: true }) },
      { until: 1 },
    ),
  },
})
