/**
 * Requests and responses as bytes: bodies alone, and whole frames with their headers.
 * Decoders throw ProtocolError; encoders throw TypeError for a value that its field cannot carry.
 */
import { decodeExactly, elementEncoderOf, encoderOf, written } from './codec.js'
import { encodeRequestHeader, encodeResponseHeader } from './headers.js'
import { Encoded } from './notation.js'
import type { Api, EncodableRequest, EncodableResponse, Message, RequestOf, ResponseOf } from './table.js'
import type { Writer } from './writer.js'

/**
 * Decodes a request body that starts at `offset` and must end with the buffer. One that would take more memory than
 * about `heap` bytes is refused: a few bytes of a frame can become a large object.
 */
export function decodeRequest<A extends Api>(
  api: A,
  version: number,
  buffer: Buffer,
  offset = 0,
  heap?: number,
): RequestOf<A> {
  return decodeExactly(api.request, version, buffer, offset, buffer.length, heap) as RequestOf<A>
}

/** Decodes a response body that starts at `offset` and must end with the buffer. */
export function decodeResponse<A extends Api>(
  api: A,
  version: number,
  buffer: Buffer,
  offset = 0,
): ResponseOf<A> {
  return decodeExactly(api.response, version, buffer, offset, buffer.length) as ResponseOf<A>
}

/** The body alone. Fields that `version` does not carry are left out silently. */
export function encodeRequest<A extends Api>(api: A, version: number, message: EncodableRequest<A>): Buffer {
  return encodeBody(api.request, version, message)
}

/** The body alone. Fields that `version` does not carry are left out silently. */
export function encodeResponse<A extends Api>(
  api: A,
  version: number,
  message: EncodableResponse<A>,
): Buffer {
  return encodeBody(api.response, version, message)
}

function encodeBody(message: Message, version: number, value: unknown): Buffer {
  const encode = encoderOf(message, version)
  return written((writer) => encode(writer, value))
}

/** Response header and body, without the size that opens the frame. */
export function encodeResponseFrameBody<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  message: EncodableResponse<A>,
): Buffer {
  return written((writer) => writeResponseFrameBody(writer, api, version, correlationId, message))
}

/** Appends response header and body to a writer of the caller's; throws with the writer in the midst of it. */
export function writeResponseFrameBody<A extends Api>(
  writer: Writer,
  api: A,
  version: number,
  correlationId: number,
  message: EncodableResponse<A>,
): void {
  const encode = encoderOf(api.response, version)
  encodeResponseHeader(writer, api, version, correlationId)
  encode(writer, message)
}

type ArraysOf<A extends Api> = Extract<keyof EncodableResponse<A>, string>
type ElementOf<T> = T extends readonly (infer E)[] ? Exclude<E, Encoded> : never

/** One element of a response's `reusableArray`, to be put into any number of responses of this version. */
export function encodeElement<A extends Api, N extends ArraysOf<A>>(
  api: A,
  version: number,
  array: N,
  element: ElementOf<EncodableResponse<A>[N]>,
): Encoded {
  const encode = elementEncoderOf(api.response, array, version)
  const bytes = written((writer) => encode(writer, element))
  // Outside of Node's shared pool: what is kept must not hold on to its neighbours.
  const kept = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(kept)
  return new Encoded(kept)
}

/** A whole request: size, header, body. */
export function encodeRequestFrame<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  clientId: string | null,
  message: EncodableRequest<A>,
): Buffer {
  const encode = encoderOf(api.request, version)
  return written((writer) => {
    const start = writer.beginSized()
    encodeRequestHeader(writer, api, version, correlationId, clientId)
    encode(writer, message)
    writer.endSized(start)
  })
}
