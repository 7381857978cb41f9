/**
 * DescribeCluster (key 60): cluster id, controller and brokers. Flexible from v0.
 * v1 endpoint type, brokers (1) or controllers (2) · v2 fenced brokers on request (KIP-1073).
 */
import { array, bool, int8, int16, int32, string } from '../notation.js'
import { api } from '../table.js'
import { OPERATIONS_OMITTED } from './metadata.js'

export const describeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexible: 0,
  request: {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8({ since: 1, default: 1 }),
    includeFencedBrokers: bool({ since: 2 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    endpointType: int8({ since: 1, default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: true, default: null }),
      isFenced: bool({ since: 2 }),
    }),
    clusterAuthorizedOperations: int32({ default: OPERATIONS_OMITTED }),
  },
})
