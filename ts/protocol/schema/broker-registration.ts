/**
 * BrokerRegistration (key 62): a broker registers with the controller and gets its epoch (KIP-631). Flexible from v0.
 * v1 ZooKeeper migration · v2 log directories (KIP-858) · v3 the epoch before a clean shutdown (KIP-966) · v4 features
 * with a minimum of 0 (KAFKA-17011).
 */
import { array, bool, int16, int32, int64, string, uint16, uuid } from '../notation.js'
import { api } from '../table.js'

export const brokerRegistration = api({
  key: 62,
  name: 'BrokerRegistration',
  versions: [0, 4],
  flexible: 0,
  request: {
    brokerId: int32(),
    clusterId: string(),
    incarnationId: uuid(),
    listeners: array({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    features: array({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
    rack: string({ nullable: true }),
    isMigratingZkBroker: bool({ since: 1 }),
    logDirs: array(uuid(), { since: 2 }),
    previousBrokerEpoch: int64({ since: 3, default: -1 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    brokerEpoch: int64({ default: -1 }),
  },
})
