/**
 * Request and response headers (RequestHeader v1–2, ResponseHeader v0–1). They are written by hand because the client
 * id keeps its old form in the flexible header and because ApiVersions breaks the rule; never touches bodies.
 */
import { apiKeys } from './api-keys.js'
import { ProtocolError } from './protocol-error.js'
import { Reader } from './reader.js'
import type { Api } from './table.js'
import type { Writer } from './writer.js'

export interface RequestHeader {
  apiKey: number
  apiVersion: number
  correlationId: number
  clientId: string | null
  /** Where the body starts in the buffer that the header was read from. */
  bodyOffset: number
}

const API_VERSIONS = 18

/** 2 for flexible requests, whatever the version's own support; 1 for all others and for unknown keys. */
export function requestHeaderVersion(apiKey: number, apiVersion: number): 1 | 2 {
  const api = apiKeys.get(apiKey)
  return api !== undefined && apiVersion >= api.firstFlexible ? 2 : 1
}

/** 1 for flexible responses, except that ApiVersions always answers with 0 (KIP-511). */
export function responseHeaderVersion(api: Api, version: number): 0 | 1 {
  return api.key !== API_VERSIONS && version >= api.firstFlexible ? 1 : 0
}

/** Reads the header of a request frame (without its size). Versions are not judged. Throws ProtocolError. */
export function decodeRequestHeader(buffer: Buffer): RequestHeader {
  const reader = new Reader(buffer, 0, buffer.length)
  try {
    const apiKey = reader.int16()
    const apiVersion = reader.int16()
    const correlationId = reader.int32()
    const clientId = reader.nullableString()
    if (requestHeaderVersion(apiKey, apiVersion) === 2) reader.onlyUnknownTags()
    return { apiKey, apiVersion, correlationId, clientId, bodyOffset: reader.position }
  } catch (error) {
    throw inHeader('request', error)
  }
}

export function encodeRequestHeader(
  writer: Writer,
  api: Api,
  version: number,
  correlationId: number,
  clientId: string | null,
): void {
  writer.int16(api.key, 'requestApiKey')
  writer.int16(version, 'requestApiVersion')
  writer.int32(correlationId, 'correlationId')
  writer.nullableString(clientId, 'clientId')
  if (requestHeaderVersion(api.key, version) === 2) writer.onlyUnknownTags(undefined)
}

/** Reads the header of a response frame (without its size). */
export function decodeResponseHeader(
  api: Api,
  version: number,
  buffer: Buffer,
): { correlationId: number; bodyOffset: number } {
  const reader = new Reader(buffer, 0, buffer.length)
  try {
    const correlationId = reader.int32()
    if (responseHeaderVersion(api, version) === 1) reader.onlyUnknownTags()
    return { correlationId, bodyOffset: reader.position }
  } catch (error) {
    throw inHeader('response', error)
  }
}

export function encodeResponseHeader(writer: Writer, api: Api, version: number, correlationId: number): void {
  writer.int32(correlationId, 'correlationId')
  if (responseHeaderVersion(api, version) === 1) writer.onlyUnknownTags(undefined)
}

function inHeader(which: string, error: unknown): unknown {
  return error instanceof ProtocolError ? new ProtocolError(`${which} header: ${error.message}`) : error
}
