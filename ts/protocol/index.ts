/**
 * Everything that the rest of the broker uses of the protocol: codecs, headers, errors, records, and the tables of what
 * it serves. The table of an API that is not served is imported from its own file in schema/, or from apis.ts.
 */
export { type ApiKey, apiKeys } from './api-keys.js'
export { type ErrorCode, type ErrorName, Errors, errorMessage, errorName } from './errors.js'
export {
  decodeRequestHeader,
  decodeResponseHeader,
  encodeRequestHeader,
  encodeResponseHeader,
  type RequestHeader,
  requestHeaderVersion,
  responseHeaderVersion,
} from './headers.js'
export {
  decodeRequest,
  decodeResponse,
  encodeElement,
  encodeRequest,
  encodeRequestFrame,
  encodeResponse,
  encodeResponseFrameBody,
  writeResponseFrameBody,
} from './messages.js'
export {
  array,
  bigint64,
  bool,
  bytes,
  type Decoded,
  type Encodable,
  Encoded,
  Field,
  type Fields,
  float64,
  int8,
  int16,
  int32,
  int64,
  type Kind,
  nested,
  records,
  reusableArray,
  string,
  type UnknownTaggedField,
  uint16,
  uint32,
  uuid,
  view,
  ZERO_UUID,
} from './notation.js'
export { ProtocolError } from './protocol-error.js'
export {
  decodeKey,
  decodeMetadataRecord,
  decodeStruct,
  decodeValue,
  encodeKey,
  encodeMetadataRecord,
  encodeStruct,
  encodeValue,
  type KeyIn,
  type MetadataIn,
  writeStruct,
} from './records.js'
export * from './schema/index.js'
export {
  type Api,
  api,
  type CoordinatorRecord,
  type EncodableKey,
  type EncodableMetadata,
  type EncodableRequest,
  type EncodableResponse,
  type EncodableStruct,
  type EncodableValue,
  type KeyOf,
  type Message,
  type MetadataMessageOf,
  type MetadataRecord,
  metadataRecord,
  type RequestOf,
  type ResponseOf,
  record,
  type Struct,
  type StructOf,
  struct,
  type ValueOf,
} from './table.js'
export { Writer } from './writer.js'
