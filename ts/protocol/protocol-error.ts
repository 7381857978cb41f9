/** The one error that decoding throws. It says what was wrong with the bytes; it never carries a Kafka error code. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}
