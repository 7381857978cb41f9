/**
 * BrokerHeartbeat (key 63): a registered broker is alive; it asks to be unfenced or to shut down (KIP-631).
 * Flexible from v0 · v1 failed log directories (KIP-858) · v2 cordoned log directories (KIP-1066).
 */
import { array, bool, int16, int32, int64, uuid } from '../notation.js'
import { api } from '../table.js'

export const brokerHeartbeat = api({
  key: 63,
  name: 'BrokerHeartbeat',
  versions: [0, 2],
  flexible: 0,
  request: {
    brokerId: int32(),
    brokerEpoch: int64({ default: -1 }),
    currentMetadataOffset: int64(),
    wantFence: bool(),
    wantShutDown: bool(),
    offlineLogDirs: array(uuid(), { since: 1, tag: 0 }),
    cordonedLogDirs: array(uuid(), { since: 2, nullable: true, tag: 1, default: null }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    isCaughtUp: bool({ default: false }),
    isFenced: bool({ default: true }),
    shouldShutDown: bool(),
  },
})
