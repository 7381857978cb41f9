// UpdateFeatures 0 to 2 as the controller decides it, with Kafka's errors and their texts, and which features there are.
// Owns the levels that this broker can serve and how finalised ones may change; a level is never raised by itself.
import type { RequestOf, ResponseOf, updateFeatures } from '../protocol/index.js'
import { Errors, errorMessage } from '../protocol/index.js'
import type { MetadataImage, SupportedLevels } from './image.js'
import type { MetadataRecord } from './metadata-records.js'
import { metadataRecord } from './metadata-records.js'
import {
  METADATA_VERSION,
  metadataChangedBetween,
  metadataVersionName,
  NEWEST_METADATA_VERSION,
  OLDEST_METADATA_VERSION,
} from './metadata-version.js'
import type { ApiError } from './topics.js'

/**
 * What this broker serves of each of Kafka's features; one that is not here is served at level 0 alone. Told to clients,
 * and to the controller when the broker registers.
 */
export const SUPPORTED_FEATURES: ReadonlyMap<string, SupportedLevels> = new Map([
  [METADATA_VERSION, { min: OLDEST_METADATA_VERSION, max: NEWEST_METADATA_VERSION }],
])

export interface FeatureLevel {
  readonly name: string
  readonly level: number
}

/** What a fresh cluster finalises: the newest levels that are served. */
export const BOOTSTRAP_FEATURES: readonly FeatureLevel[] = [...SUPPORTED_FEATURES].map(([name, { max }]) => ({
  name,
  level: max,
}))

/**
 * Why the finalised metadata.version keeps this broker from reading the metadata, in a sentence; null when it does not.
 * Every other feature may be finalised, as in a folder of Kafka's: it stays so, and clients are not told of it.
 */
export function unreadableMetadata({ features }: Pick<MetadataImage, 'features'>): string | null {
  const level = features.get(METADATA_VERSION)
  if (level === undefined || isServed(METADATA_VERSION, level)) return null
  const range = `${OLDEST_METADATA_VERSION} to ${NEWEST_METADATA_VERSION}`
  return `The log directories are at metadata.version ${level} (${metadataVersionName(level)}): ${range} are read here`
}

export function isServed(feature: string, level: number): boolean {
  const { min, max } = SUPPORTED_FEATURES.get(feature) ?? UNSUPPORTED
  return level >= min && level <= max
}

const UNSUPPORTED: SupportedLevels = { min: 0, max: 0 }

/** FeatureUpdate.UpgradeType of Kafka's admin client. */
const UpgradeType = { UPGRADE: 1, SAFE_DOWNGRADE: 2, UNSAFE_DOWNGRADE: 3 } as const

export type UpdateFeaturesRequest = RequestOf<typeof updateFeatures>
export type UpdateFeaturesResponse = ResponseOf<typeof updateFeatures>

/** All updates of a request or none. */
export function decideUpdateFeatures(
  image: MetadataImage,
  nodeId: number,
  apiVersion: number,
  request: UpdateFeaturesRequest,
): { records: MetadataRecord[]; response: UpdateFeaturesResponse } {
  // A feature that is named twice has its last update.
  const updates = new Map(request.featureUpdates.map((update) => [update.feature, update]))
  const records: MetadataRecord[] = []
  for (const [feature, { maxVersionLevel: level, allowDowngrade, upgradeType }] of updates) {
    const oldType = allowDowngrade ? UpgradeType.SAFE_DOWNGRADE : UpgradeType.UPGRADE
    const error = updateError(image, nodeId, feature, level, apiVersion === 0 ? oldType : upgradeType)
    if (error !== null) {
      const { errorCode } = error
      const reason = error.errorMessage ?? errorMessage(errorCode)
      const prefix = 'The update failed for all features since the following feature had an error: '
      return { records: [], response: { ...updateFailed(errorCode), errorMessage: `${prefix}${reason}` } }
    }
    records.push(metadataRecord('FeatureLevelRecord', { name: feature, featureLevel: level }))
  }
  const results = [...updates.keys()].map((feature) => ({ feature, errorCode: 0, errorMessage: null }))
  const response = { throttleTimeMs: 0, errorCode: Errors.NONE, errorMessage: null, results }
  return { records: request.validateOnly ? [] : records, response }
}

function updateError(
  image: MetadataImage,
  nodeId: number,
  feature: string,
  level: number,
  upgradeType: number,
): ApiError | null {
  const refuse = (reason: string): ApiError => ({
    errorCode: Errors.INVALID_UPDATE_VERSION,
    errorMessage: `Invalid update version ${level} for feature ${feature}. ${reason}`,
  })
  if (!(Object.values(UpgradeType) as number[]).includes(upgradeType)) {
    return refuse('The controller does not support the given upgrade type.')
  }
  if (level < 0) return refuse('A feature version cannot be less than 0.')
  const unsupported = reasonNotSupported(image, nodeId, feature, level)
  if (unsupported !== null) return refuse(unsupported)
  const current = image.features.get(feature) ?? 0
  if (level < current && upgradeType === UpgradeType.UPGRADE) {
    const how = 'without setting the upgrade type to either safe or unsafe downgrade.'
    return refuse(`Can't downgrade the version of this feature ${how}`)
  }
  if (level > current && upgradeType !== UpgradeType.UPGRADE)
    return refuse("Can't downgrade to a newer version.")
  if (feature === METADATA_VERSION && level < current && metadataChangedBetween(current, level)) {
    const reason =
      upgradeType === UpgradeType.UNSAFE_DOWNGRADE
        ? 'Unsafe metadata downgrade is not supported in this version.'
        : 'Refusing to perform the requested downgrade because it might delete metadata information.'
    const message = `Unsupported metadata.version downgrade from ${current} to ${level}. ${reason}`
    return { errorCode: Errors.INVALID_UPDATE_VERSION, errorMessage: message }
  }
  return null
}

/** The controller itself, then every registered broker. */
function reasonNotSupported(
  image: MetadataImage,
  nodeId: number,
  feature: string,
  level: number,
): string | null {
  const local = reasonOf(`Local controller ${nodeId}`, SUPPORTED_FEATURES.get(feature), level)
  if (local !== null) return local
  for (const { brokerId, features } of image.brokers.values()) {
    const reason = reasonOf(`Broker ${brokerId}`, features.get(feature), level)
    if (reason !== null) return reason
  }
  return null
}

function reasonOf(who: string, levels: SupportedLevels | undefined, level: number): string | null {
  const { min, max } = levels ?? UNSUPPORTED
  if (level >= min && level <= max) return null
  return max === 0 ? `${who} does not support this feature.` : `${who} only supports versions ${min}-${max}`
}

/** The answer to the whole request with one error. */
export function updateFailed(errorCode: number): UpdateFeaturesResponse {
  return { throttleTimeMs: 0, errorCode, errorMessage: errorMessage(errorCode), results: [] }
}
