/**
 * PushTelemetry (key 72): a client's metrics in OTLP form (KIP-714). Flexible from v0.
 */
import { bool, bytes, int8, int16, int32, uuid } from '../notation.js'
import { api } from '../table.js'

export const pushTelemetry = api({
  key: 72,
  name: 'PushTelemetry',
  versions: [0, 0],
  flexible: 0,
  request: {
    clientInstanceId: uuid(),
    subscriptionId: int32(),
    terminating: bool(),
    compressionType: int8(),
    metrics: bytes(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
  },
})
