/** Kafka's operations and resources, and the question that every handler asks before it reads or changes anything. */

export type Operation =
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'DELETE'
  | 'ALTER'
  | 'DESCRIBE'
  | 'CLUSTER_ACTION'
  | 'DESCRIBE_CONFIGS'
  | 'ALTER_CONFIGS'
  | 'IDEMPOTENT_WRITE'

export type ResourceType = 'TOPIC' | 'GROUP' | 'CLUSTER' | 'TRANSACTIONAL_ID'

/** The one name of the cluster resource. */
export const CLUSTER_NAME = 'kafka-cluster'

export interface Authorizer {
  allows(principal: string, operation: Operation, type: ResourceType, name: string): boolean
}

/** Kafka's behaviour without an authorizer. */
export const allowEveryone: Authorizer = { allows: () => true }

/** Bits of the authorized-operations fields (KIP-430) for one resource type. */
const operationBits: Readonly<Record<Operation, number>> = {
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
}

const operationsOf: Readonly<Record<'TOPIC' | 'GROUP' | 'CLUSTER', readonly Operation[]>> = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DELETE', 'ALTER', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DESCRIBE', 'DELETE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  CLUSTER: [
    'CREATE',
    'CLUSTER_ACTION',
    'DESCRIBE_CONFIGS',
    'ALTER_CONFIGS',
    'IDEMPOTENT_WRITE',
    'ALTER',
    'DESCRIBE',
  ],
}

export function authorizedOperations(
  authorizer: Authorizer,
  principal: string,
  type: 'TOPIC' | 'GROUP' | 'CLUSTER',
  name: string,
): number {
  return operationsOf[type]
    .filter((operation) => authorizer.allows(principal, operation, type, name))
    .reduce((bits, operation) => bits | (1 << operationBits[operation]), 0)
}
