// AlterConfigs and IncrementalAlterConfigs as the controller decides them, with Kafka's errors and their texts.
// Owns what becomes of the dynamic configs of a resource; which keys and values are right is the policy's to say.
import { Errors, errorMessage } from '../protocol/index.js'
import type { MetadataImage } from './image.js'
import { CONFIG_BROKER, CONFIG_CLIENT_METRICS, CONFIG_GROUP, CONFIG_TOPIC, configsOf } from './image.js'
import type { MetadataRecord } from './metadata-records.js'
import { metadataRecord } from './metadata-records.js'
import type { ApiError } from './topics.js'

/** Kafka's numbers of AlterConfigOp. */
export const ConfigOperation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

export interface ConfigChange {
  readonly name: string
  readonly configOperation: number
  readonly value: string | null
}

export interface AlteredResource {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly ConfigChange[]
}

/** Both APIs in one form. */
export interface AlterConfigsRequest {
  readonly resources: readonly AlteredResource[]
  /** AlterConfigs: what is not named goes. */
  readonly replacesAll: boolean
  readonly validateOnly: boolean
}

/** One for each resource of the request, in its order. */
export interface AlterConfigsResponse {
  readonly responses: readonly {
    readonly errorCode: number
    readonly errorMessage: string | null
    readonly resourceType: number
    readonly resourceName: string
  }[]
}

/** What the controller needs to know of config keys. */
export interface ConfigPolicy {
  /** Whether a key holds a list, which can be appended to. */
  readonly isListConfig: (resourceType: number, name: string) => boolean
  /** The key's own default. */
  readonly defaultConfig: (resourceType: number, name: string) => string | null
  /** Checks all that a resource would have; null when it is fine. */
  readonly validateConfigs: (
    resourceType: number,
    resourceName: string,
    configs: ReadonlyMap<string, string>,
  ) => ApiError | null
}

const MAX_VALUE_LENGTH = 32_767

/** Resources are changed each as a whole or not at all, independently of each other. */
export function decideAlterConfigs(
  image: MetadataImage,
  request: AlterConfigsRequest,
  policy: ConfigPolicy,
): { records: MetadataRecord[]; response: AlterConfigsResponse } {
  const records: MetadataRecord[] = []
  const responses = request.resources.map((resource) => {
    const { resourceType, resourceName } = resource
    const error =
      repeatedError(request.resources, resource) ?? formError(resource) ?? existenceError(image, resource)
    const outcome = error ?? alter(image, resource, request.replacesAll, policy)
    if (!Array.isArray(outcome)) return { ...outcome, resourceType, resourceName }
    records.push(...outcome)
    return { errorCode: Errors.NONE, errorMessage: null, resourceType, resourceName }
  })
  return { records: request.validateOnly ? [] : records, response: { responses } }
}

function repeatedError(all: readonly AlteredResource[], { resourceType, resourceName }: AlteredResource) {
  const same = all.filter((one) => one.resourceType === resourceType && one.resourceName === resourceName)
  return same.length > 1 ? invalidRequest('Each resource must appear at most once.') : null
}

function formError({ configs }: AlteredResource): ApiError | null {
  if (new Set(configs.map(({ name }) => name)).size < configs.length) {
    return invalidRequest('Error due to duplicate config keys')
  }
  const nulls = configs.filter(
    ({ configOperation, value }) => configOperation !== ConfigOperation.DELETE && value === null,
  )
  if (nulls.length > 0) {
    return invalidRequest(`Null value not supported for : ${nulls.map(({ name }) => name).join(', ')}`)
  }
  const unknown = configs.find(
    ({ configOperation }) =>
      configOperation < ConfigOperation.SET || configOperation > ConfigOperation.SUBTRACT,
  )
  return unknown === undefined ? null : invalidRequest(`Unknown operations type ${unknown.configOperation}`)
}

function existenceError(
  image: MetadataImage,
  { resourceType, resourceName }: AlteredResource,
): ApiError | null {
  if (resourceType === CONFIG_TOPIC) {
    if (resourceName === '') return invalidRequest('Default topic resources are not allowed.')
    if (image.topicIds.has(resourceName)) return null
    const message = `The topic '${resourceName}' does not exist.`
    return { errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: message }
  }
  if (resourceType === CONFIG_BROKER) {
    if (resourceName === '') return null
    if (!/^[+-]?\d+$/.test(resourceName)) {
      return invalidRequest('Unable to parse broker name as a base 10 number.')
    }
    if (image.brokers.has(Number(resourceName))) return null
    const message = `No broker with id ${resourceName} found.`
    return { errorCode: Errors.BROKER_ID_NOT_REGISTERED, errorMessage: message }
  }
  if (resourceType === CONFIG_GROUP) {
    return resourceName === '' ? invalidRequest('Default group resources are not allowed.') : null
  }
  if (resourceType === CONFIG_CLIENT_METRICS) {
    return resourceName === '' ? invalidRequest("Subscription name can't be empty") : null
  }
  return invalidRequest(`Unknown resource type ${resourceType}`)
}

function alter(
  image: MetadataImage,
  resource: AlteredResource,
  replacesAll: boolean,
  policy: ConfigPolicy,
): ApiError | MetadataRecord[] {
  const { resourceType, resourceName } = resource
  const before = configsOf(image, resourceType, resourceName)
  const after = new Map(before)
  if (replacesAll) after.clear()
  for (const change of resource.configs) {
    const value = changed(resourceType, before.get(change.name) ?? null, change, policy)
    if (value !== null && typeof value !== 'string') return value
    if (value === null) after.delete(change.name)
    else if (value.length <= MAX_VALUE_LENGTH) after.set(change.name, value)
    else {
      const limit = `it exceeds the maximum value size of ${MAX_VALUE_LENGTH} bytes.`
      return invalidConfig(`The configuration value cannot be added because ${limit}`)
    }
  }
  const error = policy.validateConfigs(resourceType, resourceName, after)
  if (error !== null) return error
  const names = new Set([...after.keys(), ...(replacesAll ? before.keys() : [])])
  for (const { name } of resource.configs) names.add(name)
  return [...names]
    .filter((name) => before.get(name) !== after.get(name))
    .map((name) =>
      metadataRecord('ConfigRecord', { resourceType, resourceName, name, value: after.get(name) ?? null }),
    )
}

/** The value after the change; null for none. */
function changed(
  resourceType: number,
  current: string | null,
  { name, configOperation, value }: ConfigChange,
  policy: ConfigPolicy,
): string | null | ApiError {
  if (configOperation === ConfigOperation.SET) return value
  if (configOperation === ConfigOperation.DELETE) return null
  const appends = configOperation === ConfigOperation.APPEND
  if (!policy.isListConfig(resourceType, name)) {
    return invalidConfig(
      resourceType === CONFIG_BROKER
        ? `Config value ${appends ? 'append' : 'subtract'} is not allowed for config key: ${name}`
        : `Can't ${appends ? 'APPEND' : 'SUBTRACT'} to key ${name} because its type is not LIST.`,
    )
  }
  const old = (current ?? policy.defaultConfig(resourceType, name) ?? '')
    .split(',')
    .filter((part) => part !== '')
  const parts = (value ?? '').split(',')
  const kept = appends ? [...new Set([...old, ...parts])] : old.filter((part) => !parts.includes(part))
  return kept.join(',')
}

function invalidRequest(message: string): ApiError {
  return { errorCode: Errors.INVALID_REQUEST, errorMessage: message }
}

function invalidConfig(message: string): ApiError {
  return { errorCode: Errors.INVALID_CONFIG, errorMessage: message }
}

/** The same error for every resource of the request. */
export function alterationFailed(request: AlterConfigsRequest, errorCode: number): AlterConfigsResponse {
  return {
    responses: request.resources.map(({ resourceType, resourceName }) => ({
      errorCode,
      errorMessage: errorMessage(errorCode),
      resourceType,
      resourceName,
    })),
  }
}
