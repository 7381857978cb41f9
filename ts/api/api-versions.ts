/**
 * ApiVersions (key 18), v0–5: tells what this broker serves, both planes together. v3 leaves out supported features
 * with a minimum of 0 (KAFKA-17492). v5 sends a client that meant another broker back to its bootstrap servers. A version
 * beyond v5 is answered with a v0 body and UNSUPPORTED_VERSION.
 */
import {
  type Api,
  apiVersions,
  describeProducers,
  type EncodableResponse,
  Errors,
  encodeResponseFrameBody,
  fetch,
  listOffsets,
  offsetForLeaderEpoch,
  produce,
  type RequestOf,
} from '../protocol/index.js'
import { isServed, SUPPORTED_FEATURES } from '../state/features.js'
import type { BrokerView } from './broker-view.js'
import { type Handler, serve } from './handler.js'

export interface ServedApi {
  apiKey: number
  minVersion: number
  maxVersion: number
}

const told = (api: Api): ServedApi => ({
  apiKey: api.key,
  minVersion: api.advertisedMinVersion,
  maxVersion: api.maxVersion,
})

/**
 * What the data plane answers without asking here; it has no OffsetForLeaderEpoch before v2, whose requests did not know
 * the leader's epoch.
 */
const dataPlane: readonly ServedApi[] = [
  told(produce),
  told(fetch),
  told(listOffsets),
  { ...told(offsetForLeaderEpoch), minVersion: 2 },
  told(describeProducers),
]

/** As it is told to clients, and to the controller when the broker registers. */
export const supportedFeatures = [...SUPPORTED_FEATURES].map(([name, { min, max }]) => ({
  name,
  minVersion: min,
  maxVersion: max,
}))

export function servedApis(handlers: readonly Handler[]): ServedApi[] {
  return [...dataPlane, ...handlers.map(({ api }) => told(api))].sort((a, b) => a.apiKey - b.apiKey)
}

/** The handler tells of itself too, hence the list is asked for when it is needed. */
export function apiVersionsHandler(served: () => readonly ServedApi[]): Handler {
  return serve(apiVersions, (call, request, broker) => {
    const errorCode = refusal(call.version, request, broker)
    if (errorCode !== Errors.NONE) {
      call.reply({ errorCode, apiKeys: [] })
      return
    }
    const { offset, features } = broker.image()
    call.reply({
      errorCode: Errors.NONE,
      apiKeys: served(),
      supportedFeatures: supportedFeatures.filter(({ minVersion }) => call.version >= 4 || minVersion > 0),
      finalizedFeaturesEpoch: offset,
      finalizedFeatures: [...features]
        .filter(([name, level]) => level > 0 && isServed(name, level))
        .map(([name, level]) => ({ name, maxVersionLevel: level, minVersionLevel: level })),
    })
  })
}

/** The error that an ApiVersions request earns, or NONE. A cluster without a node, or the other way round, is invalid. */
function refusal(version: number, request: RequestOf<typeof apiVersions>, broker: BrokerView): number {
  if (version >= 3 && !validSoftware(request)) return Errors.INVALID_REQUEST
  const { clusterId, nodeId } = request
  if ((clusterId === null) !== (nodeId === -1)) return Errors.INVALID_REQUEST
  if (clusterId === null) return Errors.NONE
  return clusterId === broker.clusterId && nodeId === broker.nodeId
    ? Errors.NONE
    : Errors.REBOOTSTRAP_REQUIRED
}

/** Kafka accepts names and versions of letters, digits, dots and dashes that neither begin nor end with a sign. */
function validSoftware(request: { clientSoftwareName: string; clientSoftwareVersion: string }): boolean {
  const shape = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/
  return shape.test(request.clientSoftwareName) && shape.test(request.clientSoftwareVersion)
}

/** The answer to a version that nobody here knows: body v0, so that every client can read it (KIP-511). */
export function unknownApiVersionsReply(correlationId: number): Buffer {
  const api: Api = apiVersions
  const body: EncodableResponse<typeof apiVersions> = {
    errorCode: Errors.UNSUPPORTED_VERSION,
    apiKeys: [{ apiKey: api.key, minVersion: api.minVersion, maxVersion: api.maxVersion }],
  }
  return encodeResponseFrameBody(apiVersions, 0, correlationId, body)
}
